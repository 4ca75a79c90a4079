"""What was submitted is what Postfix gets, apart from the fix-ups of RFC 6409."""

import pytest
from harness import messages, outpost, submit

KINDS = (*messages.MIXED, messages.big)


@pytest.fixture(scope="module")
def relay(tmp_path_factory, certificate, postfix):
    place = tmp_path_factory.mktemp("bytes")
    upstream = postfix.upstream(verify={"fingerprint": f"sha256:{certificate.fingerprint()}"})
    daemon = outpost.Outpost(
        place, certificate, upstream, submission={"max_message_size": "40MB"}
    ).start()
    yield daemon
    assert daemon.stop() == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_through_data(relay, postfix, kind):
    box = f"data-{kind.__name__}"
    sent = kind()
    submit.send(relay, sent, recipients=[f"{box}@example.net"], mail=["BODY=8BITMIME"])
    arrived, _ = messages.without_received(postfix.wait_messages(box)[0])
    assert arrived == sent


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_through_chunks(relay, postfix, kind):
    box = f"bdat-{kind.__name__}"
    sent = kind()
    with submit.client(relay) as client:
        submit.check(client.mail(outpost.SENDER, ["BODY=8BITMIME"]))
        submit.check(client.rcpt(f"{box}@example.net"))
        size = max(1, len(sent) // 3)
        for at in range(0, len(sent), size):
            client.sock.sendall(b"BDAT %d\r\n" % len(sent[at : at + size]) + sent[at : at + size])
            submit.check(client.getreply())
        submit.check(client.docmd("BDAT 0 LAST"))
    arrived, _ = messages.without_received(postfix.wait_messages(box)[0])
    assert arrived == sent


def test_missing_date_and_message_id_are_added_and_bcc_is_removed(relay, postfix):
    sent = (
        b"Return-Path: <old@example.org>\r\nFrom: news@example.com\r\nTo: you@example.net\r\n"
        b"Bcc: hidden@example.net,\r\n other@example.net\r\nSubject: Fix-ups\r\n\r\nBody\r\n"
    )
    submit.send(relay, sent, recipients=["fixups@example.net"])
    arrived, received = messages.without_received(postfix.wait_messages("fixups")[0])
    message = messages.parse(arrived)
    assert message["Date"] and message["Message-ID"].endswith("@relay.test>")
    assert message["Bcc"] is None and b"hidden@" not in arrived and b"other@" not in arrived
    assert message["Return-Path"] is None
    assert message["Subject"] == "Fix-ups" and arrived.endswith(b"\r\n\r\nBody\r\n")
    assert "with ESMTPSA" in received


def test_the_received_field_names_the_message_id(relay, postfix):
    reply = submit.send(relay, recipients=["trace@example.net"])
    _, received = messages.without_received(postfix.wait_messages("trace")[0])
    assert f"id {submit.queued_id(reply)}" in received


def test_international_addresses_arrive(relay, postfix):
    sent = messages.eight_bit(sender="grüße@example.com").replace(b"you@", "straße@".encode())
    with submit.client(relay) as client:
        client.command_encoding = "utf-8"
        submit.check(client.mail("grüße@example.com", ["SMTPUTF8", "BODY=8BITMIME"]))
        submit.check(client.rcpt("straße@example.net"))
        submit.check(client.data(sent))
    arrived, _ = messages.without_received(postfix.wait_messages("straße")[0])
    assert arrived == sent

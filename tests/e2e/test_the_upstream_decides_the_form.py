"""What an upstream offers shapes what it gets: 8BITMIME, SMTPUTF8, SIZE, CHUNKING, LIMITS."""

import pytest
from harness import dialog, messages, outpost, process, submit, upstream

BASE = ("PIPELINING", "ENHANCEDSTATUSCODES")


@pytest.fixture
def with_upstream(outposts, scripted):
    def make(*extensions, **keys):
        peer = scripted(starttls=False, extensions=extensions)
        return peer, outposts(outpost.smtp_upstream(peer.port), **keys).start()

    return make


def bounce(peer):
    process.wait_until(lambda: [m for m in peer.accepted if m.sender == ""], "a report")
    return [m for m in peer.accepted if m.sender == ""][0]


def test_eight_bit_text_is_encoded_for_an_upstream_without_8bitmime(with_upstream):
    peer, relay = with_upstream(*BASE)
    submit.send(relay, messages.eight_bit(), mail=["BODY=8BITMIME"])
    (message,) = peer.wait_messages(1)
    assert message.data.isascii() and "BODY" not in message.mail
    parsed = messages.parse(message.data)
    assert parsed["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
    assert parsed.get_content().rstrip() == "Grüße, 日本語, Ελλάδα"


def test_eight_bit_text_is_announced_where_it_is_offered(with_upstream):
    peer, relay = with_upstream(*BASE, "8BITMIME")
    sent = messages.eight_bit()
    submit.send(relay, sent, mail=["BODY=8BITMIME"])
    (message,) = peer.wait_messages(1)
    assert "BODY=8BITMIME" in message.mail
    assert messages.without_received(message.data)[0] == sent


def test_an_international_address_fails_where_smtputf8_is_not_offered(with_upstream):
    peer, relay = with_upstream(*BASE, "8BITMIME")
    with submit.client(relay) as client:
        submit.transaction(client, recipients=["straße@example.net"], mail=["SMTPUTF8"])
    assert b"5.6.7" in bounce(peer).data


def test_plain_ascii_under_smtputf8_goes_to_any_upstream(with_upstream):
    peer, relay = with_upstream(*BASE, "8BITMIME")
    with submit.client(relay) as client:
        submit.transaction(client, mail=["SMTPUTF8"])
    assert "SMTPUTF8" not in peer.wait_messages(1)[0].mail


def test_a_message_over_the_offered_size_bounces_without_being_sent(with_upstream):
    peer, relay = with_upstream(*BASE, "SIZE 5000")
    submit.send(relay, messages.attachments(size=20000), mail=["RET=HDRS"])
    assert b"5.3.4" in bounce(peer).data
    assert not [m for m in peer.messages if m.sender]


def test_size_is_announced(with_upstream):
    peer, relay = with_upstream(*BASE, "SIZE 50000000")
    submit.send(relay)
    message = peer.wait_messages(1)[0]
    assert f"SIZE={len(message.data)}" in message.mail


def test_chunking_is_used_where_offered(with_upstream):
    peer, relay = with_upstream(*BASE, "8BITMIME", "CHUNKING")
    sent = messages.attachments(size=600_000)
    submit.send(relay, sent)
    (message,) = peer.wait_messages(1)
    assert message.chunked and messages.without_received(message.data)[0] == sent


def test_an_upstream_that_knows_no_extension_gets_plain_smtp(with_upstream):
    peer, relay = with_upstream()
    sent = messages.dot_lines()
    submit.send(relay, sent)
    assert messages.without_received(peer.wait_messages(1)[0].data)[0] == sent


def test_an_upstream_that_refuses_ehlo_gets_helo(with_upstream):
    peer, relay = with_upstream()
    peer.on("ehlo", "502 5.5.1 Unknown", times=None, when="EHLO")
    submit.send(relay)
    peer.wait_messages(1)
    assert "HELO" in peer.connections[0].verbs()


def test_the_limits_of_the_upstream_are_obeyed(with_upstream):
    peer, relay = with_upstream(*BASE, "LIMITS MAILMAX=2 RCPTMAX=3")
    recipients = [f"r{number}@example.net" for number in range(8)]
    submit.send(relay, recipients=recipients)
    process.wait_until(lambda: sum(len(m.recipients) for m in peer.accepted) == 8, "8 recipients")
    assert sorted(sum((m.recipients for m in peer.accepted), [])) == recipients
    assert all(len(m.recipients) <= 3 for m in peer.messages)
    assert all(connection.verbs().count("MAIL") <= 2 for connection in peer.connections)


def test_a_higher_priority_goes_first(outposts, peer):
    app = {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "priority": 5}
    accounts = {outpost.ACCOUNT: app}
    relay = outposts(outpost.smtp_upstream(peer.port, concurrency=1), accounts=accounts).start()
    peer.close()
    with submit.client(relay) as client:
        for subject, priority in (("low", -9), ("normal", 0), ("high", 9)):
            sent = messages.plain(subject=subject)
            submit.transaction(client, sent, mail=[f"MT-PRIORITY={priority}"])
    relay.wait_log(r" deferred ")
    assert relay.stop() == 0
    peer.listen()
    relay.start()
    subjects = [messages.parse(m.data)["Subject"] for m in peer.wait_messages(3)]
    assert subjects == ["high", "normal", "low"]


def test_a_host_name_is_looked_up(outposts, peer):
    named = outpost.smtp_upstream(peer.port) | {"host": f"[localhost]:{peer.port}"}
    submit.send(outposts(named).start())
    peer.wait_messages(1)


def test_the_sandbox_writes_a_file_for_each_message(outposts, tmp_path):
    box = tmp_path / "box"
    relay = outposts({"type": "sandbox", "directory": str(box)}).start()
    sent = messages.attachments()
    submit.send(relay, sent)
    (file,) = process.wait_until(lambda: list(box.rglob("*.eml")), "a file in the sandbox")
    process.wait_until(lambda: sent in file.read_bytes(), "the whole message in the file")


def test_concurrency_bounds_the_connections(outposts, peer):
    import threading

    gate = threading.Event()
    peer.on("body", "250 2.0.0 Ok", times=None, after=gate)
    relay = outposts(outpost.smtp_upstream(peer.port, concurrency=3)).start()
    with submit.client(relay) as client:
        for _ in range(12):
            submit.transaction(client)
    process.wait_until(lambda: len(peer.messages) == 3, "three messages on the wire")
    assert len(peer.connections) == 3
    gate.set()
    peer.wait_messages(12)
    assert len(peer.connections) == 3


def test_a_dropped_upstream_in_every_state_loses_and_doubles_nothing_else(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    for point in ("ehlo", "mail", "rcpt", "data"):
        peer.on(point, upstream.DROP)
    with dialog.Dialog(relay.port) as session:
        session.log_in(outpost.ACCOUNT, outpost.PASSWORD)
        for number in range(5):
            session.expect("MAIL FROM:<news@example.com>", 250)
            session.expect(f"RCPT TO:<n{number}@example.net>", 250)
            session.expect("DATA", 354)
            session.send(messages.plain(subject=f"No. {number}") + b".\r\n")
            assert session.reply().startswith("250")
    arrived = peer.wait_messages(5)
    assert sorted(m.recipients[0] for m in arrived) == [f"n{n}@example.net" for n in range(5)]

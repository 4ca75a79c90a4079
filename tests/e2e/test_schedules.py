"""FUTURERELEASE (RFC 4865) and DELIVERBY (RFC 2852), from the client to the upstream."""

import datetime
import email
import time

import pytest
from harness import dialog, messages, outpost, process, submit, upstream

WITH_DELIVERBY = (*upstream.EXTENSIONS, "DELIVERBY 10")


@pytest.fixture
def timely(outposts, scripted):
    """A daemon in front of an upstream that offers DELIVERBY with a least time of 10 seconds."""
    peer = scripted(starttls=False, extensions=WITH_DELIVERBY)
    return outposts(outpost.smtp_upstream(peer.port)).start(), peer


@pytest.fixture
def client(relay):
    with dialog.Dialog(relay.port) as session:
        session.offered = session.log_in(outpost.ACCOUNT, outpost.PASSWORD)
        yield session


def reports(peer):
    """The fields of the first recipient and the report's own, of each report that came."""
    found = []
    for message in peer.accepted:
        if message.sender != "":
            continue
        parts = email.message_from_bytes(message.data).get_payload()
        about, recipient = parts[1].get_payload()[:2]
        found.append((recipient, about, parts[0].get_payload()))
    return found


def wait_report(peer):
    process.wait_until(lambda: reports(peer), "a report")
    return reports(peer)[0]


def mail_to(peer, address):
    return [m for m in peer.accepted if address in m.recipients]


def by_time(message):
    """The seconds and the mode of BY in a MAIL command."""
    (value,) = [w[3:] for w in message.mail.split(" ") if w.startswith("BY=")]
    seconds, mode = value.split(";")
    return int(seconds), mode


def rfc3339(when):
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_both_are_offered(client):
    lines = {line[4:].split(" ")[0]: line[4:].split(" ")[1:] for line in client.offered.splitlines()}
    assert lines["DELIVERBY"] == []
    interval, until = lines["FUTURERELEASE"]
    assert interval == str(30 * 24 * 3600)
    ahead = datetime.datetime.fromisoformat(until.replace("Z", "+00:00")) - datetime.datetime.now(
        datetime.timezone.utc
    )
    assert datetime.timedelta(days=29) < ahead <= datetime.timedelta(days=30)


def test_holdfor_goes_out_no_earlier_than_asked(relay, peer):
    before = time.time()
    submit.send(relay, recipients=["later@example.net"], mail=["HOLDFOR=3"])
    submit.send(relay, recipients=["now@example.net"])
    process.wait_until(lambda: mail_to(peer, "now@example.net"), "the message that is not held")
    process.wait_until(lambda: mail_to(peer, "later@example.net"), "the message that was held")
    assert time.time() >= before + 3
    assert len(mail_to(peer, "later@example.net")) == 1


def test_held_mail_survives_a_crash_and_is_not_sent_early(relay, peer):
    before = time.time()
    submit.send(relay, recipients=["later@example.net"], mail=["HOLDFOR=6"])
    relay.kill()
    relay.start()
    submit.send(relay, recipients=["now@example.net"])
    process.wait_until(lambda: mail_to(peer, "now@example.net"), "mail after the restart")
    process.wait_until(lambda: mail_to(peer, "later@example.net"), "the message that was held")
    assert time.time() >= before + 6
    assert len(mail_to(peer, "later@example.net")) == 1


def test_holduntil_goes_out_no_earlier_than_asked(relay, peer):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    east = until.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    submit.send(relay, recipients=["utc@example.net"], mail=[f"HOLDUNTIL={rfc3339(until)}"])
    submit.send(relay, recipients=["east@example.net"], mail=[f"HOLDUNTIL={rfc3339(east)}"])
    peer.wait_messages(2)
    # What is written has milliseconds, rounded down.
    assert time.time() >= until.timestamp() - 0.001


def test_holduntil_in_the_past_goes_out_at_once(relay, peer):
    submit.send(relay, mail=["HOLDUNTIL=2001-01-01T00:00:00Z"])
    peer.wait_messages(1)


@pytest.mark.parametrize(
    "parameters, words",
    [
        ("HOLDFOR=2592001", "too far"),
        ("HOLDUNTIL=2999-12-31T23:59:59Z", "too far"),
        ("HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z", "HOLDFOR and HOLDUNTIL"),
        ("HOLDFOR=60 HOLDFOR=60", "twice"),
        ("HOLDFOR=soon", "HOLDFOR=soon"),
        ("HOLDUNTIL=2030-01-01", "HOLDUNTIL=2030-01-01"),
        ("BY=0;R", "BY=0;R"),
        ("BY=-5;R", "BY=-5;R"),
        ("BY=60", "BY=60"),
        ("HOLDFOR=60 BY=30;R", "BY ends before"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_mail(client, parameters, words):
    reply = client.command(f"MAIL FROM:<news@example.com> {parameters}")
    assert reply.startswith("501 5.5.4 ") and words in reply
    client.expect("MAIL FROM:<news@example.com>", 250)


def test_age_counts_from_the_release(outposts, peer):
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=None, when="late@")
    relay = outposts(outpost.smtp_upstream(peer.port), spool={"max_age": "2s"}).start()
    before = time.time()
    submit.send(relay, recipients=["late@example.net"], mail=["HOLDFOR=3"])
    recipient, about, _ = wait_report(peer)
    assert time.time() >= before + 5
    assert recipient["Action"] == "failed"
    assert about["Future-Release-Request"] == "for;3"


def test_by_with_r_returns_the_message_when_the_time_is_over(timely):
    relay, peer = timely
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=None, when="late@")
    before = time.time()
    submit.send(relay, recipients=["late@example.net"], mail=["BY=12;R"])
    recipient, about, words = wait_report(peer)
    assert recipient["Action"] == "failed" and recipient["Status"] == "5.4.7"
    assert about["Deliver-By-Date"] and "(BY)" in words
    # The upstream wants 10 seconds: the attempt after 2 ends it.
    assert time.time() >= before + 1
    relay.wait_log(r" dropped |bounced|expired")
    assert not mail_to(peer, "late@example.net")


def test_by_with_r_ends_at_its_time_while_the_upstream_is_away(outposts, scripted):
    peer = scripted(starttls=False, extensions=(*upstream.EXTENSIONS, "DELIVERBY"))
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    peer.close()
    before = time.time()
    submit.send(relay, recipients=["late@example.net"], mail=["BY=3;R"])
    relay.wait_log(r" expired .*BY")
    assert time.time() >= before + 3
    peer.listen()
    recipient, _, _ = wait_report(peer)
    assert recipient["Action"] == "failed" and recipient["Status"] == "5.4.7"
    assert not mail_to(peer, "late@example.net")


def test_by_with_n_reports_the_delay_once_and_delivers(outposts, scripted):
    peer = scripted(starttls=False, extensions=(*upstream.EXTENSIONS, "DELIVERBY"))
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=None, when="late@")
    submit.send(relay, recipients=["late@example.net"], mail=["BY=2;N"])
    recipient, _, _ = wait_report(peer)
    assert recipient["Action"] == "delayed" and recipient["Status"] == "4.4.7"
    assert recipient["Will-Retry-Until"]
    peer.forget()
    process.wait_until(lambda: mail_to(peer, "late@example.net"), "the message itself")
    (message,) = mail_to(peer, "late@example.net")
    seconds, mode = by_time(message)
    assert seconds < 0 and mode == "N"
    assert len(reports(peer)) == 1


@pytest.mark.parametrize("mode", ["R", "N", "RT", "NT"])
def test_by_is_passed_on_with_the_time_that_is_left(timely, mode):
    relay, peer = timely
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=2, when="late@")
    submit.send(relay, recipients=["late@example.net"], mail=[f"BY=600;{mode}"])
    process.wait_until(lambda: mail_to(peer, "late@example.net"), "the message")
    seconds, sent_mode = by_time(mail_to(peer, "late@example.net")[0])
    assert sent_mode == mode
    assert 0 < seconds < 599  # two waits of a second came before it
    if "T" in mode:
        recipient, _, _ = wait_report(peer)
        assert recipient["Action"] == "relayed"


def test_by_with_n_goes_to_an_upstream_without_deliverby_with_a_report(relay, peer):
    submit.send(relay, recipients=["a@example.net"], mail=["BY=600;N"])
    submit.send(relay, recipients=["b@example.net"], mail=["BY=600;N"], rcpt=["NOTIFY=NEVER"])
    process.wait_until(lambda: mail_to(peer, "b@example.net"), "the second message")
    recipient, about, _ = wait_report(peer)
    assert recipient["Action"] == "relayed" and "a@example.net" in recipient["Final-Recipient"]
    assert about["Deliver-By-Date"]
    assert not [m for m in peer.accepted if "BY=" in m.mail]
    assert len(reports(peer)) == 1


def test_by_with_r_does_not_go_to_an_upstream_without_deliverby(relay, peer):
    submit.send(relay, messages.plain(), recipients=["a@example.net"], mail=["BY=600;R"])
    recipient, _, words = wait_report(peer)
    assert recipient["Action"] == "failed" and recipient["Status"] == "5.4.7"
    assert "DELIVERBY" in recipient["Diagnostic-Code"] and "DELIVERBY" in words
    assert not mail_to(peer, "a@example.net")


def test_the_sandbox_is_a_delivery_in_time(outposts, tmp_path):
    relay = outposts({"type": "sandbox", "directory": str(tmp_path / "sandbox")}).start()
    submit.send(relay, mail=["BY=600;R"])
    submit.send(relay, mail=["BY=600;N"])
    process.wait_until(lambda: len(list((tmp_path / "sandbox").glob("*.eml"))) == 2, "two files")

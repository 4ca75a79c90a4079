"""A 5xx makes a report by RFC 3464 with the parameters of RFC 3461; a report makes no report."""

import email.utils

import pytest
from harness import messages, outpost, process, submit


@pytest.fixture
def refusing(relay, peer):
    """Refuses recipients whose name begins with `bad`, for good."""
    peer.on("rcpt", "550 5.1.1 No such user here", times=None, when="<bad")
    return relay


def report_of(message):
    """The parts of a report: the text, the fields (message, then each recipient), the original."""
    parsed = messages.parse(message.data)
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "delivery-status"
    text, status, original = parsed.get_payload()
    assert text.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    return parsed, text.get_content(), status.get_payload(), original


def bounce_to(peer, address, count=1):
    def found():
        return [m for m in peer.accepted if m.sender == "" and m.recipients == [address]]

    process.wait_until(lambda: len(found()) >= count, f"{count} reports to {address}")
    return found()


def test_the_report_is_well_formed(refusing, peer):
    sent = messages.plain(subject="Order 17")
    reply = submit.send(refusing, sent, recipients=["bad@example.net"])
    (bounce,) = bounce_to(peer, outpost.SENDER)
    parsed, text, (about, recipient), original = report_of(bounce)
    assert parsed["To"] == outpost.SENDER
    assert email.utils.parseaddr(parsed["From"])[1] == "mailer-daemon@relay.test"
    assert parsed["Auto-Submitted"].startswith("auto-")
    assert parsed["Date"] and parsed["Message-ID"] and parsed["MIME-Version"] == "1.0"
    assert "bad@example.net" in text and "No such user here" in text
    assert about["Reporting-MTA"] == "dns; relay.test"
    assert recipient["Final-Recipient"].replace(" ", "") == "rfc822;bad@example.net"
    assert recipient["Action"] == "failed"
    assert recipient["Status"] == "5.1.1"
    assert recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1 No such user here")
    assert "Order 17" in original.as_string()
    refusing.wait_log(rf" bounced .*id={submit.queued_id(reply)} ")


def test_only_the_failed_recipient_is_reported_and_the_others_get_their_mail(refusing, peer):
    recipients = ["one@example.net", "bad@example.net", "two@example.net"]
    submit.send(refusing, recipients=recipients)
    (bounce,) = bounce_to(peer, outpost.SENDER)
    _, _, (_, *reported), _ = report_of(bounce)
    assert [entry["Final-Recipient"].split(";")[1].strip() for entry in reported] == [recipients[1]]
    good = [m.recipients for m in peer.accepted if m.sender]
    assert sorted(sum(good, [])) == ["one@example.net", "two@example.net"]


@pytest.mark.parametrize("point", ["mail", "data", "body"])
def test_a_refusal_of_the_whole_message_reports_every_recipient(relay, peer, point):
    peer.on(point, "554 5.7.1 Not wanted", when="news@|DATA|BDAT")
    submit.send(relay, recipients=["a@example.net", "b@example.net"])
    (bounce,) = bounce_to(peer, outpost.SENDER)
    _, _, (_, *reported), _ = report_of(bounce)
    assert len(reported) == 2 and {entry["Status"] for entry in reported} == {"5.7.1"}


def test_a_bounce_that_cannot_be_delivered_makes_no_bounce(relay, peer):
    peer.on("rcpt", "550 5.1.1 No such user here", times=None)
    submit.send(relay, recipients=["bad@example.net"])
    relay.wait_log(r" bounced ")
    relay.wait_log(r" dropped ")
    assert not peer.accepted


def test_mail_with_a_null_reverse_path_makes_no_bounce(refusing, peer):
    submit.send(refusing, sender="", recipients=["bad@example.net"])
    refusing.wait_log(r" dropped ")
    assert not [m for m in peer.accepted if m.sender == ""]


def test_notify_never_makes_no_report(refusing, peer):
    submit.send(refusing, recipients=["bad1@example.net"], rcpt=["NOTIFY=NEVER"])
    submit.send(refusing, recipients=["bad2@example.net"], rcpt=["NOTIFY=SUCCESS"])
    submit.send(refusing, recipients=["bad3@example.net"], rcpt=["NOTIFY=FAILURE,DELAY"])
    (bounce,) = bounce_to(peer, outpost.SENDER)
    _, _, (_, reported), _ = report_of(bounce)
    assert "bad3@example.net" in reported["Final-Recipient"]


def test_envid_and_orcpt_come_back(refusing, peer):
    submit.send(refusing, recipients=["bad@example.net"], mail=["ENVID=order+2B17"],
                rcpt=["NOTIFY=FAILURE", "ORCPT=rfc822;first+2Bx@example.net"])  # fmt: skip
    _, _, (about, recipient), _ = report_of(bounce_to(peer, outpost.SENDER)[0])
    assert about["Original-Envelope-Id"] == "order+17"
    assert recipient["Original-Recipient"].replace(" ", "") == "rfc822;first+x@example.net"


@pytest.mark.parametrize("ret, whole", [("RET=HDRS", False), ("RET=FULL", True)])
def test_ret_decides_what_is_returned(refusing, peer, ret, whole):
    sent = messages.plain(body="the very words\r\n")
    submit.send(refusing, sent, recipients=["bad@example.net"], mail=[ret])
    bounce = bounce_to(peer, outpost.SENDER)[0]
    _, _, _, original = report_of(bounce)
    expected = "message/rfc822" if whole else "text/rfc822-headers"
    assert original.get_content_type() == expected
    assert (b"the very words" in bounce.data) == whole


def test_notify_success_is_passed_on_to_an_upstream_with_dsn(relay, peer):
    submit.send(relay, recipients=["a@example.net"], mail=["RET=HDRS", "ENVID=e1"],
                rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;a@example.net"])  # fmt: skip
    (message,) = peer.wait_messages(1)
    assert "RET=HDRS" in message.mail and "ENVID=e1" in message.mail
    assert "NOTIFY=SUCCESS,FAILURE" in message.rcpts[0].upper()
    assert "ORCPT=rfc822;a@example.net" in message.rcpts[0]


def test_notify_success_makes_a_relayed_report_where_the_upstream_has_no_dsn(outposts, scripted):
    simple = scripted(starttls=False, extensions=("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"))
    relay = outposts(outpost.smtp_upstream(simple.port)).start()
    submit.send(relay, recipients=["a@example.net"], rcpt=["NOTIFY=SUCCESS"])
    _, _, (_, recipient), _ = report_of(bounce_to(simple, outpost.SENDER)[0])
    assert recipient["Action"] == "relayed" and recipient["Status"].startswith("2.")
    (message,) = [m for m in simple.accepted if m.sender]
    assert "NOTIFY" not in message.rcpts[0] and "RET" not in message.mail


def test_mail_that_is_too_old_expires_with_a_report(outposts, peer):
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=None, when="late@")
    relay = outposts(outpost.smtp_upstream(peer.port), spool={"max_age": "3s"}).start()
    submit.send(relay, recipients=["late@example.net"])
    _, text, (_, recipient), _ = report_of(bounce_to(peer, outpost.SENDER)[0])
    assert recipient["Action"] == "failed" and recipient["Status"].startswith(("4.", "5."))
    relay.wait_log(r" expired ")


def test_a_delay_is_reported_once(outposts, peer):
    peer.on("rcpt", "450 4.2.2 Mailbox busy", times=None, when="late@")
    relay = outposts(outpost.smtp_upstream(peer.port), spool={"delay_notice": "2s"}).start()
    submit.send(relay, recipients=["late@example.net"])
    _, _, (_, recipient), _ = report_of(bounce_to(peer, outpost.SENDER)[0])
    assert recipient["Action"] == "delayed" and recipient["Status"].startswith("4.")
    assert recipient["Will-Retry-Until"]
    attempts = len(peer.connections[0].verbs())
    process.wait_until(lambda: sum(len(c.commands) for c in peer.connections) > attempts + 10,
                       "more attempts")  # fmt: skip
    assert len([m for m in peer.accepted if m.sender == ""]) == 1


@pytest.mark.parametrize("to, expected", [("none", None), ("ops@example.com", "ops@example.com")])
def test_dsn_to_sends_reports_elsewhere(outposts, peer, to, expected):
    peer.on("rcpt", "550 5.1.1 No such user here", times=None, when="<bad")
    relay = outposts(outpost.smtp_upstream(peer.port), dsn={"to": to}).start()
    submit.send(relay, recipients=["bad@example.net"])
    if expected:
        bounce_to(peer, expected)
    else:
        relay.wait_log(r" bounced ")
        submit.send(relay)
        peer.wait_messages(1)
        assert not [m for m in peer.accepted if m.sender == ""]

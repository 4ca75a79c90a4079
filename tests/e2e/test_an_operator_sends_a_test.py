"""outpostctl upstream send-test: one message by one upstream, and what the upstream said to it."""

import email
import json
import re
import signal
import threading

import pytest
from harness import api_server, outpost, process, submit
from harness.providers import PROVIDERS
from harness.upstream import DROP

TO = "ann@example.net"


def send(relay, *arguments, name="out", to=TO, code=0, text=False):
    options = [] if text else ["--json"]
    return relay.ctl(*options, "upstream", "send-test", name, "--to", to, *arguments, code=code)


def test_the_message_arrives_and_the_answer_is_shown(relay, peer):
    peer.on("body", "250-2.0.0 Thank you\r\n250 2.0.0 queued as UP4711")
    told = send(relay, "--reason", "ticket 4711")
    assert told["result"] == "delivered" and told["upstream"] == "out" and told["state"] == "open"
    assert told["reply"] == ["250-2.0.0 Thank you", "250 2.0.0 queued as UP4711"]
    assert f":{peer.port}" in told["remote"] and told["from"] == "mailer-daemon@relay.test"
    stages = told["latency"]
    assert 0 < stages["connect"] < stages["total"] and 0 < stages["transfer"] < stages["total"]
    (message,) = peer.accepted
    assert message.sender == "mailer-daemon@relay.test" and message.recipients == [TO]
    mail = email.message_from_bytes(message.data)
    assert mail["Subject"] == "Test from Outpost (out)" and mail["To"] == f"<{TO}>"
    assert mail["From"] == "<mailer-daemon@relay.test>" and mail["Date"]
    assert re.fullmatch(rf"<{told['id']}\.\w+@relay\.test>", mail["Message-ID"])
    assert "Host:     relay.test" in mail.get_payload() and "Upstream: out" in mail.get_payload()
    relay.wait_log(r'operator does="upstream send-test" upstream=out .*why="ticket 4711"')
    relay.wait_log(rf' delivered id={told["id"]} account=\(operator\) .*next=never')
    (event,) = relay.ctl("--json", "history", "--rcpt", TO)
    assert event == {**event, "id": told["id"], "account": "(operator)", "result": "delivered"}
    assert relay.ctl("--json", "status")["queued"] == 0


def test_what_people_are_shown(relay, peer):
    shown = send(relay, "--from", "boss@example.com", "--subject", "Grüße", text=True)
    assert shown.startswith("out: delivered\n    250 2.0.0 Ok: queued as UP1\n")
    assert f"from boss@example.com to {TO}, id " in shown
    assert re.search(r"^connect [\d.]+ ms, greeting [\d.]+ ms, transfer [\d.]+ ms, total", shown, re.M)
    (message,) = peer.accepted
    assert message.sender == "boss@example.com"
    (subject, charset), = email.header.decode_header(email.message_from_bytes(message.data)["Subject"])
    assert subject.decode(charset) == "Grüße"


def test_a_refusal_is_shown_and_bounces_nothing(relay, peer):
    peer.on("rcpt", "550 5.1.1 <ann@example.net>: no such user here")
    shown = send(relay, code=75, text=True)
    assert "out: refused\n    550 5.1.1 <ann@example.net>: no such user here\n" in shown
    (event,) = relay.ctl("--json", "history", "--rcpt", TO)
    assert event["result"] == "dropped" and "no such user" in event["reply"]
    assert "dropped for ann@example.net" in relay.ctl("why", event["id"])
    peer.on("mail", "450 4.7.1 Greylisted, try again later")
    assert send(relay, code=75)["result"] == "deferred"
    assert relay.ctl("--json", "status")["queued"] == 0 and not peer.messages


def test_an_answer_that_never_came_is_uncertain(relay, peer):
    peer.on("body", DROP)
    assert "uncertain: it may have arrived or not" in send(relay, code=75, text=True)
    (event,) = relay.ctl("--json", "history", "--result", "uncertain")
    assert event["next_attempt"] is None


def test_nobody_there(outposts):
    port = process.free_ports(1)[0]
    relay = outposts(outpost.smtp_upstream(port)).start()
    told = send(relay, code=75)
    assert told["result"] == "deferred" and "refused" in told["reply"][0]
    assert relay.ctl("--json", "upstream", "list")[0]["state"] == "open"


def test_a_limit_holds_for_tests_too(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port, rate="2/h")).start()
    submit.send(relay)
    peer.wait_messages(1)
    assert send(relay)["result"] == "delivered"
    told = send(relay, code=75)
    assert told["result"] == "not sent" and told["reply"] == []
    assert told["reason"] == "nothing is left of rate 2/h of upstream out" and told["until"]
    shown = send(relay, code=75, text=True)
    assert re.search(r"out: not sent: nothing is left of rate 2/h of upstream out until \d{4}-", shown)
    assert len(peer.accepted) == 2
    limits = relay.ctl("--json", "upstream", "list")[0]["limits"]
    assert [(x["limit"], x["used"]) for x in limits] == [("2/h", 2)]


def test_a_paused_upstream_stays_paused(relay, peer):
    relay.ctl("upstream", "pause", "out")
    assert "note: upstream out was paused when this was tried" in send(relay, text=True)
    submit.send(relay)
    assert relay.ctl("--json", "upstream", "list")[0]["state"] == "paused"
    assert len(peer.accepted) == 1


def test_a_suspension_ends_with_a_success(outposts, scripted):
    peer = scripted(users={"relay": "right"}, starttls=False)
    login = {"username": "relay", "password": "right"}
    relay = outposts(outpost.smtp_upstream(peer.port, **login)).start()
    peer.on("auth", "535 5.7.8 Account is locked")
    submit.send(relay)
    relay.wait_log(r" suspended ")
    told = send(relay)
    assert told["state"] == "suspended" and "Account is locked" in told["state_reason"]
    peer.wait_messages(2)
    relay.wait_log(r" resumed upstream=out by=test ")


def test_a_second_one_waits_for_the_first(relay, peer):
    hold = threading.Event()
    peer.on("body", "250 2.0.0 Ok", after=hold)
    told = {}
    first = threading.Thread(target=lambda: told.update(send(relay)))
    first.start()
    try:
        process.wait_until(lambda: peer.messages, "the first test")
        assert "another test of upstream out is under way" in send(relay, code=75)["reason"]
    finally:
        hold.set()
        first.join()
    assert told["result"] == "delivered" and len(peer.accepted) == 1


def test_a_reload_does_not_break_it_off(relay, peer):
    hold = threading.Event()
    peer.on("body", "250 2.0.0 Ok: after all", after=hold)
    told = {}
    first = threading.Thread(target=lambda: told.update(send(relay)))
    first.start()
    try:
        process.wait_until(lambda: peer.messages, "the test")
        relay.overrides["retry"] = {"first": "2s", "max": "2s"}
        relay.write_config()
        assert "retry" in relay.ctl("reload")
    finally:
        hold.set()
        first.join()
    assert told["result"] == "delivered" and told["reply"] == ["250 2.0.0 Ok: after all"]
    submit.send(relay)
    peer.wait_messages(2)


def test_an_orderly_stop_lets_it_end(relay, peer):
    hold = threading.Event()
    peer.on("body", "250 2.0.0 Ok", after=hold)
    first = threading.Thread(target=lambda: send(relay, code=None, text=True))
    first.start()
    try:
        process.wait_until(lambda: peer.messages, "the test")
        relay.daemon.signal(signal.SIGTERM)
        relay.wait_log(r" stopping ")
    finally:
        hold.set()
        first.join()
    assert relay.daemon.wait() == 0
    assert " delivered " in relay.whole_log()
    relay.start()
    assert relay.ctl("--json", "history", "--rcpt", TO)[0]["result"] == "delivered"


def test_bad_values_are_named(relay, peer):
    assert 'to: "ann" is no address; write local@domain' in send(relay, to="ann", code=64, text=True)
    assert 'from: "<a@b>" is no address' in send(relay, "--from", "<a@b>", code=64, text=True)
    forged = send(relay, "--subject", "Hi\r\nBcc: x@example.org", code=64, text=True)
    assert 'subject "Hi??Bcc: x@example.org" has control characters' in forged
    assert "there is no upstream nowhere" in send(relay, name="nowhere", code=66, text=True)
    assert not peer.messages


def test_the_upstreams_overrides_apply(outposts, peer):
    changes = {"from": "shop@example.com", "return_path": "bounce@example.com", "verp": True}
    relay = outposts(outpost.smtp_upstream(peer.port, **changes)).start()
    assert send(relay)["result"] == "delivered"
    (message,) = peer.accepted
    assert email.message_from_bytes(message.data)["From"] == "shop@example.com"
    assert message.sender.startswith("bounce+") and message.sender.endswith("@example.com")


@pytest.mark.parametrize("kind", ["postmark", "mailgun", "ses"])
def test_an_api_is_tested_as_well(outposts, kind):
    server = api_server.ApiServer(PROVIDERS[kind].answer)
    try:
        relay = outposts({"type": kind, "endpoint": server.url, **PROVIDERS[kind].config}).start()
        told = send(relay, "--from", outpost.SENDER)
        assert told["result"] == "delivered" and told["http_status"] == 200
        assert server.requests[0].path == PROVIDERS[kind].path
        assert told["remote_id"]
        assert f", id there {told['remote_id']}\n" in send(relay, "--from", outpost.SENDER, text=True)
        server.on(401, body={"ErrorCode": 10, "Message": "Bad or missing Server API token."})
        told = send(relay, "--from", outpost.SENDER, code=75)
        assert told["http_status"] == 401 and told["result"] != "delivered"
        assert relay.ctl("--json", "upstream", "list")[0]["state"] == "open"
    finally:
        server.shutdown()


def test_a_sandbox_writes_a_file(outposts, tmp_path):
    relay = outposts({"type": "sandbox", "directory": str(tmp_path / "sandbox")}).start()
    told = send(relay)
    assert told["result"] == "delivered"
    (file,) = (tmp_path / "sandbox").glob("*.eml")
    assert email.message_from_bytes(file.read_bytes())["Subject"] == "Test from Outpost (out)"
    (about,) = (tmp_path / "sandbox").glob("*.json")
    assert json.loads(about.read_text())["account"] == "(operator)"

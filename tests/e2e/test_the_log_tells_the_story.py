"""Delivery lines carry id, addresses, upstream, delays by stage and the reply; no line a secret."""

import json
import re

import pytest
from harness import dialog, outpost, process, submit

NUMBERS = ("delay", "queue", "read", "connect", "greeting", "transfer")


def test_a_delivery_in_text(relay, peer):
    reply = submit.send(relay, recipients=["you@example.net"])
    line = relay.wait_log(r"^.* delivered .*$").group(0)
    fields = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line))
    assert fields["id"] == submit.queued_id(reply)
    assert fields["account"] == outpost.ACCOUNT and fields["sender"] == outpost.SENDER
    assert fields["recipient"] == "you@example.net" and fields["upstream"] == "out"
    assert fields["reply"].strip('"').startswith("250 2.0.0 Ok: queued as UP")
    assert f":{peer.port}" in fields["remote"]
    for name in NUMBERS:
        assert float(fields[name]) >= 0
    assert float(fields["delay"]) >= float(fields["transfer"]) > 0


def test_a_delivery_in_json(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port), log={"format": "json"}).start()
    reply = submit.send(relay)
    peer.wait_messages(1)
    relay.wait_log('"event":"delivered"')
    (line,) = [entry for entry in relay.json_log() if entry["event"] == "delivered"]
    assert line["id"] == submit.queued_id(reply) and line["level"] == "info"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert all(isinstance(line[name], (int, float)) for name in NUMBERS)
    assert relay.stop() == 0


def test_every_line_about_a_message_has_its_id(relay, peer):
    peer.on("rcpt", "450 4.2.2 Busy")
    name = submit.queued_id(submit.send(relay))
    relay.wait_log(r" delivered ")
    about = [line for line in relay.log().splitlines() if "you@example.net" in line]
    assert len(about) >= 2 and all(f"id={name}" in line for line in about)


def test_a_hostile_peer_cannot_forge_a_line(relay, peer):
    peer.on("rcpt", "450 4.2.2 fine \x1b[31m delivered id=FORGED recipient=x@y", when="you@")
    submit.send(relay)
    relay.wait_log(r" delivered id=")
    assert "\x1b" not in relay.log()
    assert not re.search(r"^\S+ \w+ delivered id=FORGED", relay.log(), re.MULTILINE)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_logged_even_at_debug(outposts, scripted, form):
    secret = "upstream-secret-71b2"
    peer = scripted(users={"relay": secret})
    upstream = outpost.smtp_upstream(peer.port, encryption="starttls", verify="none",
                                     username="relay", password=secret)  # fmt: skip
    relay = outposts(upstream, log={"level": "debug", "format": form}).start()
    submit.send(relay)
    peer.wait_messages(1)
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        session.starttls()
        session.expect("EHLO client.test", 250)
        session.plain(outpost.ACCOUNT, "a-guess-4711")
        session.command("AUTH LOGIN")
        session.command("YXBw")
        session.command("YS1ndWVzcy00NzEx")
    peer.on("auth", f"535 5.7.8 no: {secret}")
    peer.drop_idle()
    submit.send(relay)
    process.wait_until(lambda: "535" in relay.log(), "the refused login in the log")
    assert relay.stop() == 0
    everything = relay.whole_log()
    for word in (secret, outpost.PASSWORD, "a-guess-4711", "YS1ndWVzcy00NzEx"):
        assert word not in everything, word
    if form == "json":
        for line in everything.splitlines():
            json.loads(line)

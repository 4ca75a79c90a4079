"""outpostctl history against a running daemon: what became of each recipient."""

import json
import pathlib
import re
import signal
import sqlite3

import pytest
from harness import outpost, process, submit


def rows(relay, *arguments):
    return relay.ctl("--json", "history", *arguments)


def told(events):
    return [(e["recipient"], e["result"]) for e in events]


def gone(relay):
    process.wait_until(lambda: relay.ctl("--json", "status")["queued"] == 0, "an empty queue")


def test_an_attempt_is_told_with_all_that_is_known(relay, peer):
    name = submit.queued_id(submit.send(relay, recipients=["ann@example.net"]))
    peer.wait_messages(1)
    gone(relay)
    (event,) = rows(relay, "--id", name)
    assert event == {**event, "id": name, "account": outpost.ACCOUNT, "sender": outpost.SENDER,
                     "recipient": "ann@example.net", "result": "delivered", "upstream": "out",
                     "next_attempt": None}  # fmt: skip
    assert f":{peer.port}" in event["remote"] and event["reply"].startswith("250 ")
    stages = event["latency"]
    assert 0 < stages["transfer"] < stages["total"] and stages["connect"] > 0
    table = relay.ctl("history", "--rcpt", "ann@example.net")
    assert table.startswith("TIME") and name in table and "delivered" in table


def test_every_filter(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port), retry={"first": "1h", "max": "1h"}).start()
    peer.on("rcpt", "550 5.1.1 No such user")
    peer.on("rcpt", "450 4.2.2 Mailbox full")
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net", "b@example.net", "c@Example.org"]))
    peer.wait_messages(1)
    relay.wait_log(r" bounced ")
    everything = [("a@example.net", "bounced"), ("b@example.net", "deferred"), ("c@Example.org", "delivered")]
    assert sorted(told(rows(relay, "--id", name))) == everything
    assert told(rows(relay, "--rcpt", "@example.org")) == [("c@Example.org", "delivered")]
    assert told(rows(relay, "--rcpt", "C@example.org")) == [("c@Example.org", "delivered")]
    (deferred,) = rows(relay, "--result", "deferred", "--since", "1h", "--upstream", "out")
    assert deferred["recipient"] == "b@example.net" and "Mailbox full" in deferred["reply"]
    assert deferred["next_attempt"] > deferred["time"]
    assert len(rows(relay, "--account", outpost.ACCOUNT, "--sender", outpost.SENDER)) == 3
    assert rows(relay, "--account", "nobody") == [] and rows(relay, "--since", "2099-01-01") == []
    assert rows(relay, "--until", "2020-01-01T00:00:00Z") == []
    assert "nothing is known" in relay.ctl("history", "--sender", "@nowhere.example")
    assert "is no time" in relay.ctl("history", "--since", "teatime", code=64)
    assert "result is one of delivered" in relay.ctl("history", "--result", "eaten", code=64)


def test_pages_are_put_together(relay, peer):
    for number in range(12):
        submit.send(relay, recipients=[f"r{number:02}.{index}@example.net" for index in range(100)])
    peer.wait_messages(12)
    gone(relay)
    everything = rows(relay, "--limit", "5000")
    assert len(everything) == 1200
    assert [e["number"] for e in everything] == sorted(e["number"] for e in everything)
    assert rows(relay, "--limit", "1050") == everything[-1050:]
    assert rows(relay) == everything[-100:]


def test_why_says_what_became_of_a_message(relay, peer):
    peer.on("rcpt", "550 5.1.1 No such user")
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net", "b@example.net"]))
    peer.wait_messages(2)  # the mail and the report
    gone(relay)
    why = relay.ctl("why", name)
    assert re.search(r"has left the queue: .*bounced for a@example\.net at \S+ by upstream out: 550 5\.1\.1", why)
    assert re.search(r"delivered to b@example\.net at \S+ by upstream out: 250 ", why)
    assert "is not in the queue and not in the history" in relay.ctl("why", "0000000000", code=66)


def test_what_operators_did(relay, peer):
    relay.ctl("upstream", "pause", "out")
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net"]))
    relay.ctl("queue", "hold", name, "--reason", "to look at it")
    relay.ctl("queue", "release", name)
    relay.ctl("queue", "priority", "1", name)
    relay.ctl("queue", "cancel", name, "--reason", "sent by mistake")
    events = rows(relay, "--id", name)
    assert [(e["result"], e["recipient"], e["reply"]) for e in events] == [
        ("held", "", "to look at it"), ("released", "", ""), ("priority", "", "to 1"),
        ("cancelled", "a@example.net", "sent by mistake")]  # fmt: skip
    assert "cancelled for a@example.net" in relay.ctl("why", name)


class Follower:
    def __init__(self, relay, *arguments):
        self.file = relay.directory / "followed"
        self.out = open(self.file, "wb")
        self.process = process.Process(
            [outpost.CTL, "--socket", relay.socket, "--json", "history", "--follow", *arguments],
            relay.directory / "follower.log", stdout=self.out,
        )  # fmt: skip

    def events(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def wait(self, count):
        process.wait_until(lambda: len(self.events()) >= count, f"{count} events")
        return self.events()


@pytest.fixture
def follow():
    made = []

    def start(*arguments):
        made.append(Follower(*arguments))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.out.close()


def test_following_shows_the_last_and_what_comes(relay, peer, follow):
    submit.send(relay, recipients=["before@example.net"])
    submit.send(relay, recipients=["other@example.org"])
    peer.wait_messages(2)
    gone(relay)
    follower = follow(relay, "--rcpt", "@example.net")
    follower.wait(1)
    for number in range(5):
        submit.send(relay, recipients=[f"{number}@example.org", f"{number}@example.net"])
    events = follower.wait(6)
    expected = ["before"] + [str(number) for number in range(5)]
    assert sorted(e["recipient"] for e in events) == sorted(f"{name}@example.net" for name in expected)
    assert events[0]["recipient"] == "before@example.net"
    follower.process.signal(signal.SIGINT)
    assert follower.process.wait() == 0


def test_following_ends_with_the_daemon(relay, peer, follow):
    submit.send(relay, recipients=["a@example.net"])
    peer.wait_messages(1)
    follower = follow(relay)
    follower.wait(1)
    assert relay.stop() == 0
    assert follower.process.wait() == 69
    assert "connection" in follower.events()[-1]["error"]


def test_it_outlives_a_restart_and_a_damaged_file_does_not_matter(relay, peer):
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net"]))
    peer.wait_messages(1)
    gone(relay)
    assert relay.stop() == 0
    relay.start()
    assert told(rows(relay, "--id", name)) == [("a@example.net", "delivered")]
    assert relay.stop() == 0
    file = relay.data / "history.db"
    for part in file.parent.glob("history.db-*"):
        part.unlink()
    file.write_bytes(b"this is no database" * 1000)
    relay.start()
    relay.wait_log(r" warning \"?history begun anew")
    other = submit.queued_id(submit.send(relay, recipients=["b@example.net"]))
    peer.wait_messages(2)
    gone(relay)
    assert told(rows(relay)) == [("b@example.net", "delivered")]
    assert "delivered to b@example.net" in relay.ctl("why", other)
    assert [f.read_bytes()[:4] for f in file.parent.glob("history.db.damaged-*")] == [b"this"]


def test_none_is_kept_if_keep_is_0(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port), history={"keep": 0}).start()
    name = submit.queued_id(submit.send(relay))
    peer.wait_messages(1)
    gone(relay)
    assert not (relay.data / "history.db").exists()
    assert "no history is kept" in relay.ctl("history", code=66)
    assert "the log tells" in relay.ctl("why", name, code=66)


def test_no_secret_is_in_the_file(outposts, scripted):
    peer = scripted(users={"relay": "upstream-secret"}, starttls=False)
    relay = outposts(outpost.smtp_upstream(peer.port, username="relay", password="upstream-secret")).start()
    submit.send(relay, recipients=["a@example.net"])
    peer.wait_messages(1)
    assert rows(relay) != []
    assert relay.stop() == 0
    octets = b"".join(pathlib.Path(part).read_bytes() for part in relay.data.glob("history.db*"))
    assert b"a@example.net" in octets
    assert b"upstream-secret" not in octets and outpost.PASSWORD.encode() not in octets


def test_a_tool_may_look_into_the_file(relay, peer):
    submit.send(relay, recipients=["a@example.net"])
    peer.wait_messages(1)
    process.wait_until(lambda: rows(relay), "the row")
    with sqlite3.connect(relay.data / "history.db") as connection:
        assert connection.execute("SELECT recipient FROM event").fetchall() == [("a@example.net",)]

"""Moves, priorities and pauses outlast a restart, a crash and a reload."""

import sqlite3

import pytest
from harness import outpost, process, submit


def upstreams(**peers):
    return {name: outpost.smtp_upstream(peer.port) for name, peer in peers.items()}


@pytest.fixture
def two(outposts, scripted):
    """A daemon with two upstreams, both paused, and these; mail goes to `out`."""
    out, other = scripted(starttls=False), scripted(starttls=False)
    relay = outposts(None, upstreams=upstreams(out=out, other=other)).start()
    relay.ctl("upstream", "pause", "out", "--reason", "maintenance there")
    relay.ctl("upstream", "pause", "other")
    return relay, out, other


def restart(relay):
    assert relay.stop() == 0
    relay.start()


def crash(relay):
    # What was changed before is stored with the next message at the latest.
    extra = submit.queued_id(submit.send(relay, recipients=["extra@example.net"]))
    relay.kill()
    relay.start()
    relay.ctl("queue", "cancel", extra)


def reload(relay):
    once = relay.overrides.get("retry") == {"max": "2s"}
    relay.overrides["retry"] = {"max": "3s" if once else "2s"}
    relay.write_config()
    assert "retry.max" in relay.ctl("reload")


def entries(relay):
    """Of each message in the queue: where it goes, and with what priority."""
    return {e["id"]: (e["upstream"], e["priority"]) for e in relay.ctl("--json", "queue", "list")}


def paused(relay):
    return {u["name"]: u for u in relay.ctl("--json", "upstream", "list") if u["state"] == "paused"}


@pytest.mark.parametrize("event", [restart, crash, reload])
def test_moves_priorities_and_pauses_stay(two, event):
    relay, out, other = two
    names = [submit.queued_id(submit.send(relay)) for _ in range(4)]
    relay.ctl("queue", "move", "--to", "other", names[1], names[2])
    relay.ctl("queue", "priority", "1", names[2], names[3])
    since = paused(relay)["out"]["since"]
    event(relay)
    expected = {names[0]: ("out", 3), names[1]: ("other", 3), names[2]: ("other", 1), names[3]: ("out", 1)}
    process.wait_until(lambda: entries(relay) == expected, "all messages where they were")
    assert "upstream other is paused since" in relay.ctl("why", names[1])
    assert "upstream out is paused since" in relay.ctl("why", names[0])
    assert ": maintenance there; " in relay.ctl("why", names[0])
    there = paused(relay)
    assert set(there) == {"out", "other"}
    assert (there["out"]["since"], there["out"]["reason"]) == (since, "maintenance there")
    assert "maintenance there" in relay.ctl("upstream", "list")
    if event is not reload:
        relay.wait_log(rf'paused upstream=out since={since[:19]}\S* reason="maintenance there"')
    relay.ctl("upstream", "resume", "other")
    other.wait_messages(2)
    assert not out.messages
    event(relay)
    assert set(paused(relay)) == {"out"}
    relay.ctl("upstream", "resume", "out")
    out.wait_messages(2)
    restart(relay)
    assert not paused(relay) and not entries(relay)


def test_a_temporary_failure_changes_nothing_of_a_move(two):
    relay, out, other = two
    other.on("rcpt", "450 4.2.2 Mailbox full", times=1)
    relay.overrides["retry"] = {"first": "1h", "max": "1h"}
    restart(relay)
    name = submit.queued_id(submit.send(relay))
    relay.ctl("queue", "move", "--to", "other", name)
    relay.ctl("upstream", "resume", "other")
    relay.wait_log(r" deferred .*Mailbox full")
    relay.ctl("upstream", "resume", "out")
    restart(relay)
    assert entries(relay) == {name: ("other", 3)}
    relay.ctl("queue", "retry", name)
    other.wait_messages(1)
    assert not out.messages


@pytest.mark.parametrize("event", [restart, lambda relay: relay.ctl("reload")], ids=["restart", "reload"])
def test_mail_that_was_moved_to_an_upstream_that_is_gone_is_routed_anew(two, event):
    relay, out, other = two
    names = {submit.queued_id(submit.send(relay)) for _ in range(3)}
    relay.ctl("queue", "move", "--to", "other", "--all")
    relay.overrides["upstreams"] = upstreams(out=out)
    relay.write_config()
    event(relay)
    process.wait_until(
        lambda: entries(relay) == {name: ("out", 3) for name in names}, "the mail at its route"
    )
    relay.wait_log(r"moved mail is routed anew.* to=other")
    assert relay.log().count("routed anew") == 1, "once for all of it"
    relay.ctl("upstream", "resume", "out")
    out.wait_messages(3)
    assert not other.messages


def test_a_pause_waits_for_an_upstream_that_is_not_configured(two):
    relay, out, other = two
    both = relay.overrides["upstreams"]
    relay.overrides["upstreams"] = upstreams(out=out)
    restart(relay)
    relay.wait_log(r"paused upstream=other .*it is not configured")
    relay.overrides["upstreams"] = both
    relay.write_config()
    relay.ctl("reload")
    assert set(paused(relay)) == {"out", "other"}
    relay.overrides["upstreams"] = upstreams(out=out)
    restart(relay)
    relay.ctl("upstream", "resume", "other")
    assert "there is no upstream" in relay.ctl("upstream", "resume", "other", code=66)
    relay.overrides["upstreams"] = both
    restart(relay)
    assert set(paused(relay)) == {"out"}


def test_a_pause_that_cannot_be_stored_does_not_happen(two):
    relay, out, other = two
    relay.ctl("upstream", "resume", "other")
    with sqlite3.connect(relay.data / "outpost.db") as database:
        for change in ("INSERT", "DELETE"):
            database.execute(
                f"CREATE TRIGGER no_{change} BEFORE {change} ON upstream_paused "
                "BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END"
            )
    told = relay.ctl("upstream", "pause", "other", code=None)
    assert "outpost.db: the disk is on fire" in told and "nothing was changed" in told
    assert "the disk is on fire" in relay.ctl("upstream", "resume", "out", code=None)
    assert set(paused(relay)) == {"out"}
    # What is not paused needs nothing stored: a suspension, say, can still be ended.
    relay.ctl("upstream", "resume", "other")
    name = submit.queued_id(submit.send(relay))
    relay.ctl("queue", "move", "--to", "other", name)
    other.wait_messages(1)

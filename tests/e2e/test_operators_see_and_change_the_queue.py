"""outpostctl against a running daemon: status, queue, why, upstreams."""

import datetime
import json
import os
import re
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml
from harness import messages, outpost, process, submit


@pytest.fixture
def held(outposts, peer):
    """A daemon whose upstream is paused, so that mail waits; and its upstream."""
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    relay.ctl("upstream", "pause", "out", "--reason", "maintenance there")
    return relay, peer


def test_status_shows_the_daemon(relay):
    status = relay.ctl("--json", "status")
    assert status["hostname"] == "relay.test" and status["accepting"] and status["queued"] == 0
    assert [u["state"] for u in status["upstreams"]] == ["open"]
    assert "takes mail" in relay.ctl("status")


def test_the_socket_is_not_for_everybody(relay):
    assert stat.S_IMODE(os.stat(relay.socket).st_mode) == 0o660
    assert relay.stop() == 0
    assert not relay.socket.exists()
    assert "nobody listens" in relay.ctl("status", code=69)


def test_why_and_list_and_show_and_cat(held):
    relay, _ = held
    mail = messages.plain()
    name = submit.queued_id(submit.send(relay, mail, recipients=["a@example.net"]))
    other = submit.queued_id(submit.send(relay, recipients=["b@example.org"]))
    assert "upstream out is paused" in relay.ctl("why", name)
    entries = relay.ctl("--json", "queue", "list")
    assert [e["id"] for e in entries] == [name, other]
    assert entries[0] == {**entries[0], "account": outpost.ACCOUNT, "sender": outpost.SENDER,
                          "recipients": ["a@example.net"], "priority": 3, "state": "ready",
                          "upstream": "out", "next_attempt": None}  # fmt: skip
    assert [e["id"] for e in relay.ctl("--json", "queue", "list", "--rcpt", "@example.org")] == [other]
    assert relay.ctl("--json", "queue", "list", "--state", "held") == []
    assert name in relay.ctl("queue", "list") and name in relay.ctl("queue", "show", name)
    assert mail.splitlines()[-1].decode() in relay.ctl("queue", "cat", name)
    rows = relay.ctl("--json", "queue")["rows"]
    assert [(r["upstream"], r["account"], r["ready"]) for r in rows] == [("out", outpost.ACCOUNT, 2)]


def test_the_queue_says_when_it_will_be_empty(outposts, peer):
    """Two an hour, which have gone: five more take two hours and a half."""
    upstreams = {"out": outpost.smtp_upstream(peer.port, rate="2/h"),
                 "still": outpost.smtp_upstream(peer.port)}  # fmt: skip
    accounts = {"shop": {"password": outpost.PASSWORD, "authorized_domains": ["example.com"],
                         "route": "still"}}  # fmt: skip
    relay = outposts(None, upstreams=upstreams, accounts=accounts).start()
    relay.ctl("upstream", "pause", "still")
    names = [submit.queued_id(submit.send(relay)) for _ in range(7)]
    peer.wait_messages(2)
    before = time.time()
    process.wait_until(lambda: relay.ctl("--json", "queue")["total"]["ready"] == 5, "five that wait")
    queue = relay.ctl("--json", "queue")
    row = queue["upstreams"][0]
    assert (row["upstream"], row["ready"], row["recipients"], row["empty_why"]) == ("out", 5, 5, "")
    at = datetime.datetime.fromisoformat(row["empty_at"].replace("Z", "+00:00")).timestamp()
    assert before + 2.4 * 3600 < at < time.time() + 2.6 * 3600
    assert queue["total"]["empty_at"] == row["empty_at"] and queue["total"]["oldest"]
    assert re.search(r"out +5 +0 +0 +0 .* about \d\d:\d\d UTC\n\(all\) +5 ", relay.ctl("queue"))
    relay.ctl("queue", "hold", *names[2:6])
    submit.send(relay, user="shop")
    process.wait_until(lambda: relay.ctl("--json", "queue")["total"]["ready"] == 2, "what is paused")
    queue = relay.ctl("--json", "queue")
    assert (queue["total"]["held"], queue["upstreams"][0]["ready"]) == (4, 1)
    assert queue["upstreams"][1]["empty_why"] == "not while upstream still is paused"
    assert queue["total"]["empty_why"] == "not while upstream still is paused"
    assert "not while upstream still is paused" in relay.ctl("queue")


def test_what_is_under_way_from_before_a_reload_is_shown(outposts, peer):
    go = threading.Event()
    peer.on("body", "250 2.0.0 Ok", after=go)
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    name = submit.queued_id(submit.send(relay))
    process.wait_until(lambda: peer.connections and "DATA" in peer.connections[0].verbs(), "the message")
    try:
        relay.upstream["concurrency"] = 3
        relay.write_config()
        relay.ctl("reload")
        assert relay.ctl("--json", "status")["queued"] == 1
        assert relay.ctl("--json", "queue")["total"]["sending"] == 1
        assert relay.ctl("--json", "queue", "list")[0]["state"] == "sending"
        assert re.search("is being sent by upstream out since .*, from before the reload",
                         relay.ctl("why", name))  # fmt: skip
        told = relay.ctl("queue", "cancel", name, code=75)
        assert "0 messages changed" in told
        assert f"1 message left alone, being sent just now: {name}" in told
    finally:
        go.set()
    process.wait_until(lambda: relay.ctl("--json", "status")["queued"] == 0, "an empty queue")


def test_what_is_not_there_is_said(held):
    relay, _ = held
    assert "is not in the queue" in relay.ctl("why", "0000000000", code=66)
    assert "there is no message" in relay.ctl("queue", "show", "x", code=66)
    assert "there is no upstream" in relay.ctl("upstream", "pause", "nowhere", code=66)
    assert "no message is named" in relay.ctl("queue", "cancel", code=64)
    assert "older: " in relay.ctl("queue", "list", "--older", "2x", code=64)
    assert "there is no upstream" in relay.ctl("upstream", "test", "nowhere", code=66)
    assert "there is no upstream or group" in relay.ctl("queue", "move", "--all", "--to", "nix", code=66)
    told = relay.ctl("queue", "cat", "0000000000", code=66)
    assert told.startswith("outpostctl: ") and "{" not in told


@pytest.mark.parametrize("what", [["hold"], ["release"], ["retry"], ["cancel"], ["priority", "1"]])
def test_a_change_of_an_unknown_message_fails(held, what):
    relay, _ = held
    assert "message 0000000000 is not in the queue" in relay.ctl("queue", *what, "0000000000", code=66)


def test_what_is_already_so_is_not_changed(held):
    relay, _ = held
    name = submit.queued_id(submit.send(relay))
    assert "1 message changed" in relay.ctl("queue", "hold", name)
    assert f"0 messages changed\n1 message left alone, already so: {name}" in relay.ctl("queue", "hold", name)
    assert "1 message left alone, not in the queue: 0000000000" in relay.ctl(
        "queue", "hold", name, "0000000000", code=66
    )
    assert relay.ctl("history", "--id", name).count(" held ") == 1


def test_hold_release_cancel_and_priority(held):
    relay, peer = held
    names = [submit.queued_id(submit.send(relay)) for _ in range(5)]
    assert "1 message would be changed" in relay.ctl("queue", "hold", names[0], "--dry-run")
    relay.ctl("queue", "hold", names[0], names[1])
    relay.ctl("queue", "cancel", names[2], "--reason", "sent by mistake")
    relay.wait_log(r'operator does="queue cancel" messages=1 .*why="sent by mistake"')
    relay.ctl("queue", "priority", "1", names[4])
    assert [e["id"] for e in relay.ctl("--json", "queue", "list", "--of-priority", "1")] == [names[4]]
    relay.ctl("upstream", "resume", "out")
    peer.wait_messages(2)
    left = relay.ctl("--json", "queue", "list")
    assert [(e["id"], e["state"]) for e in left] == [(names[0], "held"), (names[1], "held")]
    assert relay.stop() == 0
    relay.start()
    assert [e["state"] for e in relay.ctl("--json", "queue", "list")] == ["held", "held"]
    relay.ctl("queue", "release", "--state", "held")
    peer.wait_messages(4)
    process.wait_until(lambda: relay.ctl("--json", "status")["queued"] == 0, "an empty queue")


def test_the_log_says_who_changed_which_messages(held):
    relay, _ = held
    names = [submit.queued_id(submit.send(relay)) for _ in range(7)]
    relay.ctl("queue", "hold", "--account", outpost.ACCOUNT, "--state", "ready")
    relay.wait_log(rf'queue hold" messages=7 skipped=0 for="account={outpost.ACCOUNT} state=ready" uid={os.getuid()} ')
    relay.ctl("queue", "priority", "1", *names)
    relay.wait_log(rf'queue priority" messages=7 skipped=0 for="id={",".join(names[:5])},... level=1" ')


def test_why_of_a_held_message_names_the_operators_reason(held):
    relay, _ = held
    name = submit.queued_id(submit.send(relay))
    relay.ctl("queue", "hold", name, "--reason", "suspicious")
    expected = rf"held by an operator since 20\S+Z: suspicious; `outpostctl queue release {name}` ends that"
    assert re.search(expected, relay.ctl("why", name))
    assert re.search(expected, relay.ctl("queue", "show", name))


def test_filters_that_mean_nothing_are_refused(held):
    relay, _ = held
    submit.send(relay)
    assert "rcpt: \"up1.test\" is no address" in relay.ctl("queue", "list", "--rcpt", "up1.test", code=64)
    assert "sender: " in relay.ctl("queue", "hold", "--sender", "shop", code=64)
    assert "there is no upstream or group nix" in relay.ctl("queue", "list", "--upstream", "nix", code=66)
    assert "there is no account nix" in relay.ctl("queue", "cancel", "--account", "nix", code=66)


def test_mail_of_a_removed_account_is_found(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    relay.ctl("upstream", "pause", "out")
    words = relay.ctl("--json", "account", "add", "gone", "--domains", "example.com")
    name = submit.queued_id(submit.send(relay, user="gone", password=words["password"]))
    relay.ctl("account", "remove", "gone")
    assert [e["id"] for e in relay.ctl("--json", "queue", "list", "--account", "gone")] == [name]
    assert "1 message changed" in relay.ctl("queue", "cancel", "--account", "gone")


def test_a_list_that_is_cut_says_so(held):
    relay, _ = held
    for _ in range(3):
        submit.send(relay)
    cut = relay.ctl("queue", "list", "--limit", "2")
    assert "these are the oldest 2; there are more" in cut and cut.count(" ready ") == 2
    assert "there are more" not in relay.ctl("queue", "list", "--limit", "3")
    relay.ctl("queue", "hold", "--all")
    cut = relay.ctl("history", "--limit", "2")
    assert "these are the newest 2; there are more" in cut and cut.count(" held ") == 2
    assert "QUEUE/READ/CONNECT/GREETING/TRANSFER(s)" in cut
    assert "there are more" not in relay.ctl("history", "--limit", "3")


def test_mail_is_found_by_its_reason(held):
    relay, _ = held
    name = submit.queued_id(submit.send(relay))
    assert [e["id"] for e in relay.ctl("--json", "queue", "list", "--why", "MAINTENANCE there")] == [name]
    assert relay.ctl("--json", "queue", "list", "--why", "mailbox full") == []


def test_groups_and_limited_accounts_are_listed(outposts, peer):
    upstreams = {"out": outpost.smtp_upstream(peer.port), "still": outpost.smtp_upstream(peer.port)}
    accounts = {"night": {"password": outpost.PASSWORD, "authorized_domains": ["example.com"],
                          "route": "out", "rate": "1/h"},
                "day": {"password": outpost.PASSWORD, "authorized_domains": ["example.com"],
                        "route": "both"}}  # fmt: skip
    relay = outposts(None, upstreams=upstreams, accounts=accounts,
                     groups={"both": {"strategy": "failover", "upstreams": ["out", "still"]}}).start()  # fmt: skip
    for _ in range(3):
        submit.send(relay, user="night")
    peer.wait_messages(1)
    process.wait_until(lambda: relay.ctl("--json", "queue")["total"]["limited"] == 2, "the limit")
    assert len(relay.ctl("--json", "queue", "list", "--state", "limited")) == 2
    assert relay.ctl("--json", "queue", "list", "--state", "ready") == []
    assert re.search(r"^out +open +0/\d+ +\d+ +0 +2 +0 .*2 wait for limits of account night$",
                     relay.ctl("upstream", "list"), re.MULTILINE)  # fmt: skip
    relay.ctl("upstream", "pause", "out")
    relay.ctl("upstream", "pause", "still")
    submit.send(relay, user="day")
    assert re.search(r"^both +failover +out,still +0 +1 +0 +0$", relay.ctl("upstream", "list"), re.MULTILINE)
    assert relay.ctl("--json", "status")["groups"][0]["ready"] == 1


def test_an_upstream_that_was_slowed_down_says_so(outposts, peer):
    peer.on("mail", "421 4.7.0 Too many messages, slow down")
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    assert "slowed" not in relay.ctl("upstream", "list")
    submit.send(relay)
    process.wait_until(lambda: "throttled" in relay.ctl("upstream", "list"), "a throttle")
    assert re.search(r"slow down; slowed to \d+\.\d/s, 10 of 20 at once$",
                     relay.ctl("upstream", "list"), re.MULTILINE)  # fmt: skip


def test_an_upstream_that_works_again_shows_its_last_error_and_its_connections(outposts, peer):
    peer.on("mail", "421 4.3.2 Going down", times=1)
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    (fresh,) = relay.ctl("--json", "upstream", "list")
    assert (fresh["idle_connections"], fresh["last_error"], fresh["last_error_at"]) == (0, "", None)
    submit.send(relay)
    process.wait_until(lambda: "throttled" in relay.ctl("upstream", "list"), "a throttle")
    relay.ctl("upstream", "resume", "out")
    peer.wait_messages(1)
    (upstream,) = process.wait_until(
        lambda: [u for u in relay.ctl("--json", "upstream", "list") if u["idle_connections"] == 1], "a kept connection"
    )
    assert upstream["state"] == "open" and "Going down" in upstream["last_error"]
    assert datetime.datetime.fromisoformat(upstream["last_error_at"]).tzinfo
    table = relay.ctl("upstream", "list")
    assert re.search(r"^out +open +0/\d+ +1 +0 .*last error at \S+Z: .*Going down", table, re.MULTILINE)


def test_mail_outside_the_hours_of_its_account_says_when_they_begin(outposts, peer):
    tomorrow = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).strftime("%a").lower()
    accounts = {"day": {"password": outpost.PASSWORD, "authorized_domains": ["example.com"],
                        "route": "out", "deliver": {"days": tomorrow, "hours": "08:00-18:00"}}}  # fmt: skip
    relay = outposts(outpost.smtp_upstream(peer.port), accounts=accounts).start()
    name = submit.queued_id(submit.send(relay, user="day"))
    process.wait_until(
        lambda: re.search(
            r"outside the delivery hours .* of account day; they begin at .*T08:00:00Z", relay.ctl("why", name)
        ),
        "the reason",
    )


def test_the_rest_of_a_limit_is_said_to_be_kept(outposts, peer):
    reserve = {"priority": 1, "share": "50%"}
    relay = outposts(outpost.smtp_upstream(peer.port, rate="4/h", reserve=reserve)).start()
    names = [submit.queued_id(submit.send(relay)) for _ in range(3)]
    peer.wait_messages(2)
    process.wait_until(
        lambda: "2 of 4 used and 2 kept for priority 1, next slot" in relay.ctl("why", names[2]), "the reserve"
    )
    assert "but for the reserve of priority 1, used up until" in relay.ctl("upstream", "list")


def test_a_login_that_works_ends_a_suspension(outposts, scripted):
    peer = scripted(starttls=False)
    peer.on("mail", "530 5.7.0 Authentication required", times=1)
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    submit.send(relay)
    process.wait_until(
        lambda: relay.ctl("--json", "upstream", "list")[0]["state"] == "suspended", "a suspension"
    )
    assert "out: connects and signs in; it was suspended and is open again" in relay.ctl(
        "upstream", "test", "out"
    )
    peer.wait_messages(1)
    relay.ctl("upstream", "pause", "out")
    assert "still paused; `outpostctl upstream resume out` ends that" in relay.ctl("upstream", "test", "out")


def test_cancel_with_a_bounce_tells_the_sender(held):
    relay, peer = held
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net"]))
    relay.ctl("queue", "cancel", name, "--bounce")
    relay.ctl("upstream", "resume", "out")
    report = peer.wait_messages(1)[0]
    assert report.recipients == [outpost.SENDER] and b"cancelled" in report.data


def test_retry_now_and_why_a_message_is_deferred(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port), retry={"first": "1h", "max": "1h"}).start()
    peer.on("rcpt", "450 4.2.2 Mailbox full")
    name = submit.queued_id(submit.send(relay))
    relay.wait_log(r" deferred .*Mailbox full")
    process.wait_until(
        lambda: re.search(
            r"deferred by upstream out after 1 attempt: 450 4.2.2 Mailbox full; next attempt",
            relay.ctl("why", name),
        ),
        "the reason",
    )
    relay.ctl("queue", "retry", name)
    peer.wait_messages(1)


def test_move_to_another_upstream(outposts, scripted):
    a, b = scripted(starttls=False), scripted(starttls=False)
    relay = outposts(
        None,
        upstreams={"out": outpost.smtp_upstream(a.port), "other": outpost.smtp_upstream(b.port)},
    ).start()
    relay.ctl("upstream", "pause", "out")
    name = submit.queued_id(submit.send(relay))
    relay.ctl("queue", "move", "--to", "other", name)
    b.wait_messages(1)
    assert not a.messages


def test_an_upstream_is_tested_without_mail(outposts, scripted):
    peer = scripted(users={"relay": "right"}, starttls=False)
    login = {"username": "relay", "password": "wrong"}
    relay = outposts(outpost.smtp_upstream(peer.port, **login)).start()
    assert "535" in relay.ctl("upstream", "test", "out", code=75)
    assert "wrong" not in relay.ctl("--json", "upstream", "list").__repr__()
    assert not peer.messages


def test_a_limit_is_shown_with_its_use(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port, rate="2/h")).start()
    names = [submit.queued_id(submit.send(relay)) for _ in range(4)]
    peer.wait_messages(2)
    process.wait_until(lambda: "2/h" in relay.ctl("why", names[3]), "the limit")
    assert re.search(r"waits for rate 2/h of upstream out: used up, next slot .*, 1 message ahead",
                     relay.ctl("why", names[3]))  # fmt: skip
    limits = relay.ctl("--json", "upstream", "list")[0]["limits"]
    assert [(x["limit"], x["used"], x["most"]) for x in limits] == [("2/h", 2, 2)]


def test_health_and_readiness(outposts, peer):
    port = process.free_ports(1)[0]
    relay = outposts(outpost.smtp_upstream(peer.port), control={"http": f"127.0.0.1:{port}"}).start()

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert [get("/healthz"), get("/readyz"), get("/v1/status")] == [200, 200, 404]


def test_every_answer_is_as_the_document_says(held):
    document = yaml.safe_load((process.ROOT / "docs/control-api.yaml").read_text())
    schemas = document["components"]["schemas"]

    def check(value, schema):
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        if value is None:
            assert schema.get("nullable"), schema
            return
        kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
                 "number": (int, float)}  # fmt: skip
        assert isinstance(value, kinds[schema["type"]]), (value, schema)
        assert "enum" not in schema or value in schema["enum"]
        if schema["type"] == "object" and "properties" in schema:
            assert set(value) == set(schema["properties"])
            for key, member in value.items():
                check(member, schema["properties"][key])
        for item in value if schema["type"] == "array" else ():
            check(item, schema["items"])

    relay, _ = held
    name = submit.queued_id(submit.send(relay, recipients=["a@example.net"]))
    fill = {"{id}": name, "{name}": "out", "{change}": {"/v1/queue/{change}": "hold",
            "/v1/upstreams/{name}/{change}": "pause"}}  # fmt: skip
    for path, methods in document["paths"].items():
        real = path.replace("{id}", name).replace("{name}", "out")
        real = real.replace("{change}", fill["{change}"].get(path, ""))
        for method, operation in methods.items():
            query = "?all=1&dry_run=1" if real.startswith("/v1/queue/hold") else ""
            given = {p["name"]: p["example"] for p in operation.get("parameters", ()) if "example" in p}
            query = "?" + urllib.parse.urlencode(given) if given else query
            if real == "/v1/route":
                query = f"?account={outpost.ACCOUNT}&from={outpost.SENDER}&to=x@example.net"
            done = subprocess.run(
                ["curl", "-sS", "-X", method.upper(), "-o", "-", "-w", "\n%{http_code}",
                 "--unix-socket", relay.socket, "http://outpost" + real + query],
                capture_output=True, text=True, timeout=30, check=True)  # fmt: skip
            body, _, status = done.stdout.rpartition("\n")
            assert status == "200", (real, body)
            content = operation["responses"]["200"]["content"]
            if "application/json" in content:
                check(json.loads(body), content["application/json"]["schema"])

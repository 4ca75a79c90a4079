"""Which of several upstreams a message goes to, with the running daemon and scripted servers."""

import collections

import pytest
from harness import messages, outpost, process, submit


@pytest.fixture
def grouped(outposts, scripted):
    """A daemon whose account sends by the group `all`; the upstreams are a, b, ... in order."""

    def make(count=2, strategy="failover", weights=None, **upstreams):
        peers = {chr(97 + i): scripted(starttls=False) for i in range(count)}
        members = weights or list(peers)
        relay = outposts(
            None,
            upstreams={
                name: outpost.smtp_upstream(peer.port, **upstreams.get(name, {}))
                for name, peer in peers.items()
            },
            groups={"all": {"strategy": strategy, "upstreams": members}},
            accounts={outpost.ACCOUNT: {"route": "all", "password": outpost.PASSWORD,
                                        "authorized_domains": ["example.com"]}},
        )  # fmt: skip
        return relay.start(), *peers.values()

    return make


def send_many(relay, count, **keys):
    with submit.client(relay) as connection:
        for _ in range(count):
            submit.transaction(connection, **keys)


def wait_total(count, *peers):
    process.wait_until(lambda: sum(len(p.accepted) for p in peers) >= count, f"{count} messages")
    return [len(p.accepted) for p in peers]


def test_failover_goes_to_the_next_at_once_and_comes_back(grouped):
    relay, a, b = grouped()
    a.close()
    send_many(relay, 10)
    assert wait_total(10, a, b) == [0, 10]
    a.listen()
    # The next one that comes when a try is due goes to the first again.
    process.wait_until(lambda: send_many(relay, 1) or a.accepted, "the first upstream's return")
    taken = len(b.accepted)
    send_many(relay, 5)
    a.wait_messages(6)
    assert len(b.accepted) == taken


def test_a_login_that_is_refused_fails_over_and_bounces_nothing(outposts, scripted):
    a = scripted(users={"relay": "right"}, starttls=False)
    b = scripted(starttls=False)
    login = {"username": "relay", "password": "wrong"}
    relay = outposts(
        None,
        upstreams={"a": outpost.smtp_upstream(a.port, **login), "b": outpost.smtp_upstream(b.port)},
        groups={"all": {"upstreams": ["a", "b"]}},
        accounts={outpost.ACCOUNT: {"route": "all", "password": outpost.PASSWORD,
                                    "authorized_domains": ["example.com"]}},
    ).start()  # fmt: skip
    send_many(relay, 3)
    assert len(b.wait_messages(3)) == 3
    relay.wait_log(r"suspended upstream=a")
    assert not a.messages


def test_overflow_fills_the_first_up_and_then_takes_the_next(grouped):
    relay, a, b = grouped(strategy="overflow", a={"rate": "5/h"})
    send_many(relay, 12)
    assert wait_total(12, a, b) == [5, 7]


def test_failover_waits_for_the_rate_of_the_first(grouped):
    relay, a, b = grouped(strategy="failover", a={"rate": "5/h"})
    send_many(relay, 12)
    relay.wait_log(r"waiting for=.*5/h of upstream a")
    assert [len(a.wait_messages(5)), len(b.messages)] == [5, 0]


def test_weights_are_exact(grouped):
    relay, a, b = grouped(strategy="weighted", weights={"a": 3, "b": 1})
    send_many(relay, 40)
    assert wait_total(40, a, b) == [30, 10]


def test_round_robin_takes_turns(grouped):
    relay, a, b, c = grouped(count=3, strategy="round_robin")
    send_many(relay, 30)
    assert wait_total(30, a, b, c) == [10, 10, 10]


def test_a_throttled_upstream_is_left_in_peace_by_an_overflow_group(grouped):
    relay, a, b = grouped(strategy="overflow")
    a.on("mail", "451 4.7.1 Too many messages, try again in 60 seconds", times=None)
    send_many(relay, 5)
    assert wait_total(5, a, b) == [0, 5]


def test_a_message_that_the_first_cannot_carry_goes_by_another(outposts, scripted):
    old = scripted(starttls=False, extensions=("PIPELINING", "8BITMIME"))
    new = scripted(starttls=False)
    relay = outposts(
        None,
        upstreams={name: outpost.smtp_upstream(p.port) for name, p in (("a", old), ("b", new))},
        groups={"all": {"upstreams": ["a", "b"]}},
        accounts={outpost.ACCOUNT: {"route": "all", "password": outpost.PASSWORD,
                                    "authorized_domains": ["example.com"]}},
    ).start()  # fmt: skip
    with submit.client(relay) as client:
        client.command_encoding = "utf-8"
        submit.transaction(client, recipients=["jürgen@example.net"], mail=["SMTPUTF8"])
    assert new.wait_messages(1)[0].recipients == ["jürgen@example.net"]
    relay.wait_log(r"passed on .*upstream=a")
    assert not old.messages


def test_nobody_gets_a_message_twice_when_the_answer_to_one_recipient_is_late(grouped):
    relay, a, b = grouped(strategy="round_robin")
    for peer in (a, b):
        peer.on("rcpt", "450 4.2.2 Mailbox full", when="busy", times=1)
    names = ["one@example.net", "busy@example.net", "two@example.net"]
    submit.send(relay, recipients=names)
    process.wait_until(
        lambda: sum(len(m.recipients) for p in (a, b) for m in p.accepted) == 3, "all three"
    )
    got = collections.Counter(r for p in (a, b) for m in p.accepted for r in m.recipients)
    assert got == collections.Counter(names)
    assert not (a.messages and b.messages)  # the rest stayed with who took some


def test_routes_by_priority_sender_recipient_and_header(outposts, scripted):
    names = ("urgent", "brands", "google", "stream", "rest")
    peers = {name: scripted(starttls=False) for name in names}
    relay = outposts(
        None,
        upstreams={name: outpost.smtp_upstream(peer.port) for name, peer in peers.items()},
        routes=[
            {"priority": 1, "via": "urgent"},
            {"sender_domain": "brands.example.com", "via": "brands"},
            {"recipient_domain": ["gmail.com", "googlemail.com"], "via": "google"},
            {"header": "X-Stream: bulk", "via": "stream"},
            {"via": "rest"},
        ],
        accounts={outpost.ACCOUNT: {"password": outpost.PASSWORD,
                                    "authorized_domains": ["example.com", ".example.com"]}},
    ).start()  # fmt: skip
    plain = messages.plain()
    with_field = lambda field: plain.replace(b"Subject:", field + b"\r\nSubject:", 1)  # noqa: E731
    submit.send(relay, with_field(b"X-Priority: 1"), recipients=["a@gmail.com"])
    submit.send(relay, sender="news@brands.example.com", recipients=["b@gmail.com"])
    submit.send(relay, with_field(b"X-Stream: Bulk"), recipients=["c@GMail.com", "d@example.net"])
    submit.send(relay, recipients=["e@example.net", "f@googlemail.com", "g@example.org"])
    expected = {
        "urgent": ["a@gmail.com"],
        "brands": ["b@gmail.com"],
        "google": ["c@GMail.com", "f@googlemail.com"],
        "stream": ["d@example.net"],
        "rest": ["e@example.net", "g@example.org"],
    }
    for name, recipients in expected.items():
        process.wait_until(
            lambda: sum(len(m.recipients) for m in peers[name].accepted) >= len(recipients), name
        )
        assert sorted(r for m in peers[name].accepted for r in m.recipients) == recipients, name


def test_parts_of_a_message_survive_a_restart(outposts, scripted):
    google, rest = scripted(starttls=False), scripted(starttls=False)
    google.close()
    relay = outposts(
        None,
        upstreams={"google": outpost.smtp_upstream(google.port),
                   "rest": outpost.smtp_upstream(rest.port)},
        routes=[{"recipient_domain": "gmail.com", "via": "google"}, {"via": "rest"}],
        accounts={outpost.ACCOUNT: {"password": outpost.PASSWORD,
                                    "authorized_domains": ["example.com"]}},
    ).start()  # fmt: skip
    submit.send(relay, recipients=["a@gmail.com", "b@example.net"])
    rest.wait_messages(1)
    relay.wait_log(r"delivered .*b@example.net")
    assert relay.stop() == 0
    google.listen()
    relay.start()
    assert google.wait_messages(1)[0].recipients == ["a@gmail.com"]
    assert len(rest.accepted) == 1


def test_outpostctl_says_where_a_message_would_go_and_why(outposts, scripted, tmp_path):
    peers = {name: scripted(starttls=False) for name in ("a", "b", "office")}
    relay = outposts(
        None,
        upstreams={
            name: outpost.smtp_upstream(p.port, **({"rate": "14/s"} if name == "a" else {}))
            for name, p in peers.items()
        },
        groups={"bulk": {"strategy": "overflow", "upstreams": ["a", "b"]}},
        routes=[{"recipient_domain": "gmail.com", "via": "bulk"}, {"priority": 1, "via": "b"},
                {"via": "office"}],
        accounts={outpost.ACCOUNT: {"password": outpost.PASSWORD, "rate": "1200/h",
                                    "authorized_domains": ["example.com"]}},
    ).start()  # fmt: skip

    def ask(to, sender=outpost.SENDER, *more):
        return relay.ctl("--json", "route", "--account", outpost.ACCOUNT, "--from", sender,
                         "--to", to, *more)  # fmt: skip

    answer = ask("x@gmail.com")
    assert answer["accepted"] and answer["priority"] == 3
    assert (answer["via"], answer["strategy"]) == ("bulk", "overflow")
    assert answer["because"] == "routes[0] (recipient_domain gmail.com)"
    assert [u["name"] for u in answer["upstreams"]] == ["a", "b"]
    assert answer["upstreams"][0]["limits"][0]["limit"] == "14/s"
    assert answer["limits"][0]["limit"] == "1200/h"
    assert ask("x@example.org")["because"] == "routes[2] (everything)"
    refused = ask("x@example.org", "boss@elsewhere.example")
    assert not refused["accepted"] and "boss@elsewhere.example" in refused["refusal"]
    mail = tmp_path / "mail.eml"
    mail.write_bytes(messages.plain().replace(b"Subject:", b"X-Priority: 1\r\nSubject:", 1))
    assert ask("x@example.org", outpost.SENDER, "--file", str(mail))["via"] == "b"
    assert "via bulk (overflow), by routes[0]" in relay.ctl(
        "route", "--account", outpost.ACCOUNT, "--to", "x@gmail.com"
    )
    assert "there is no account nobody" in relay.ctl(
        "route", "--account", "nobody", "--to", "x@gmail.com", code=66
    )
    assert not any(p.messages for p in peers.values())

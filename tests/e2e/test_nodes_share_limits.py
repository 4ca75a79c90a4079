"""Two daemons that share an upstream's rate and an account's quota through a real Redis, which dies
in the midst of it. The sum never exceeds the limit."""

import smtplib
import threading

import pytest
from harness import outpost, redis, submit

ACCOUNT = {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": "out"}


@pytest.fixture
def shared(tmp_path):
    server = redis.Redis(tmp_path / "redis").start()
    yield server
    server.stop()


def nodes(outposts, peer, shared, account=None, **upstream):
    made = []
    for name in ("first", "second"):
        limits = {"store": shared.url, "node": name, "share": "50%"}
        out = outpost.smtp_upstream(peer.port, **upstream)
        accounts = {outpost.ACCOUNT: {**ACCOUNT, **(account or {})}}
        made.append(outposts(out, directory=name, limits=limits, accounts=accounts).start())
    return made


def send_many(relay, count):
    with submit.client(relay) as connection:
        for _ in range(count):
            submit.transaction(connection)


def worst_window(arrived, period):
    times = sorted(m.at for m in arrived)
    first, worst = 0, 0
    for last, time in enumerate(times):
        while time - times[first] > period:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def test_a_rate_holds_in_sum(outposts, peer, shared):
    both = nodes(outposts, peer, shared, rate="20/2s")
    for relay in both:
        send_many(relay, 50)
    assert worst_window(peer.wait_messages(100), 2) <= 20


def test_a_rate_holds_while_redis_dies_and_comes_back_empty(outposts, peer, shared):
    both = nodes(outposts, peer, shared, rate="20/2s")
    for relay in both:
        send_many(relay, 100)
    peer.wait_messages(50)
    shared.kill()
    for relay in both:
        relay.wait_log(r"shared limits state=.on its own.")
        assert relay.ctl("--json", "status")["limits"]["state"] == "on its own"
        assert "limits are this node's own share: " in relay.ctl("status")
    seen = len(peer.messages)
    peer.wait_messages(seen + 30)  # each goes on with its share
    shared.start()
    for relay in both:
        relay.wait_log(r"shared limits state=shared")
    assert worst_window(peer.wait_messages(200), 2) <= 20


def test_a_node_that_is_killed_takes_nothing_along(outposts, peer, shared):
    first, second = nodes(outposts, peer, shared, rate="20/2s")
    for relay in (first, second):
        send_many(relay, 60)
    peer.wait_messages(30)
    first.kill()
    seen = len(peer.messages)
    peer.wait_messages(seen + 10)
    first.start()
    assert worst_window(peer.wait_messages(120), 2) <= 20


def test_a_quota_holds_in_sum(outposts, peer, shared):
    both = nodes(outposts, peer, shared, account={"quota": {"monthly": 60}})
    accepted = []

    def offer(relay):
        with submit.client(relay) as connection:
            for _ in range(60):
                try:
                    submit.transaction(connection)
                    accepted.append(relay)
                except smtplib.SMTPResponseException as refusal:
                    assert refusal.smtp_code == 454
                    connection.rset()

    threads = [threading.Thread(target=offer, args=[relay]) for relay in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 50 <= len(accepted) <= 60
    assert len(peer.wait_messages(len(accepted))) == len(accepted)

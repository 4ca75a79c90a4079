"""However mail comes in, and whatever happens to the daemon, no upstream sees more than its limit.

The times are those at which the scripted upstream had the whole message. Nothing here depends on
how fast the machine is: a slow one spreads mail further, which no limit forbids.
"""

import datetime

import pytest
from harness import messages, outpost, submit

OTHER = {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": "out"}


def limited(outposts, peer, account=None, others=(), **upstream):
    """A daemon with limits on its upstream and its account; `others` are more accounts."""
    accounts = {outpost.ACCOUNT: {**OTHER, **(account or {})}, **{name: OTHER for name in others}}
    relay = outposts(outpost.smtp_upstream(peer.port, **upstream), accounts=accounts)
    return relay.start()


def send_many(relay, count, **keys):
    with submit.client(relay, **keys) as connection:
        for _ in range(count):
            submit.transaction(connection)


def worst_window(arrived, period):
    """The most recipients within any `period` seconds, both ends included."""
    times = sorted(m.at for m in arrived for _ in m.recipients)
    first, worst = 0, 0
    for last, time in enumerate(times):
        while time - times[first] > period:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


@pytest.mark.parametrize("smooth", [False, True])
def test_a_rate_holds_in_every_window(outposts, peer, smooth):
    relay = limited(outposts, peer, rate="14/s", smooth=smooth)
    send_many(relay, 60)
    assert worst_window(peer.wait_messages(60), 1) <= 14


def test_all_of_several_rates_hold(outposts, peer):
    relay = limited(outposts, peer, rate=["10/s", "25/3s", "64KB/2s"])
    for _ in range(12):
        submit.send(relay, messages.plain())
    for _ in range(4):
        submit.send(relay, messages.attachments(size=20_000))
    arrived = peer.wait_messages(16)
    assert worst_window(arrived, 1) <= 10
    assert worst_window(arrived, 3) <= 25
    ends = sorted((m.at, len(m.data)) for m in arrived)
    for begin, _ in ends:
        assert sum(size for at, size in ends if begin <= at <= begin + 2) <= 64 * 1024


def test_a_rate_holds_across_kill_9_and_restarts(outposts, peer):
    relay = limited(outposts, peer, rate="10/2s")
    send_many(relay, 45)
    for crash in range(4):
        peer.wait_messages(4 + 8 * crash)
        relay.kill()
        relay.start()
    assert worst_window(peer.wait_messages(45), 2) <= 10


def test_a_changed_rate_holds_for_what_was_sent_before_the_restart(outposts, peer):
    relay = limited(outposts, peer, rate="20/5s")
    send_many(relay, 30)
    peer.wait_messages(20)
    assert relay.stop() == 0
    relay.upstream["rate"] = "8/3s"
    relay.start()
    arrived = peer.wait_messages(30)
    since = sorted(m.at for m in arrived)[20:]
    for begin in (m.at for m in arrived):
        inside = [m for m in arrived if begin <= m.at <= begin + 3]
        if any(m.at in since for m in inside):
            assert len([m for m in inside if m.at in since]) <= 8


def test_mail_to_many_goes_in_parts_and_everybody_gets_one_copy(outposts, peer):
    relay = limited(outposts, peer, rate="5/s")
    names = [f"user{i}@example.net" for i in range(23)]
    submit.send(relay, recipients=names)
    arrived = peer.wait_messages(5)
    assert worst_window(arrived, 1) <= 5
    assert sorted(r for m in arrived for r in m.recipients) == sorted(names)


def test_each_transaction_counts_where_messages_are_limited(outposts, scripted):
    peer = scripted(starttls=False, extensions=("PIPELINING", "8BITMIME", "LIMITS RCPTMAX=2"))
    relay = limited(outposts, peer, rate="3 messages/2s")
    names = [f"user{i}@example.net" for i in range(11)]
    submit.send(relay, recipients=names)
    arrived = peer.wait_messages(6)
    times = sorted(m.at for m in arrived)
    assert all(later - first > 2 for first, later in zip(times, times[3:]))
    assert sorted(r for m in arrived for r in m.recipients) == sorted(names)


def test_urgent_mail_takes_the_next_slot(outposts, peer):
    relay = limited(outposts, peer, rate="2/s")
    send_many(relay, 40)
    urgent = messages.plain().replace(b"Subject:", b"X-Priority: 1\r\nSubject:", 1)
    submit.send(relay, urgent, recipients=["urgent@example.net"])
    seen = len(peer.messages)
    place = next_place(peer, "urgent@example.net")
    assert place <= seen + 2  # those on the wire finish


def next_place(peer, recipient):
    """Waits for the message to this recipient; its place among all."""
    from harness import process

    process.wait_until(lambda: any(recipient in m.recipients for m in peer.accepted), recipient)
    return [recipient in m.recipients for m in peer.accepted].index(True)


def test_an_accounts_rate_shapes_that_account_alone(outposts, peer):
    relay = limited(outposts, peer, account={"rate": "3/h"}, others=["other"])
    send_many(relay, 10)
    peer.wait_messages(3)
    send_many(relay, 5, user="other")
    assert len(peer.wait_messages(8)) == 8
    relay.wait_log(r"waiting for=.*3/h of account app")


def test_a_quota_that_holds_takes_the_mail_and_keeps_it(outposts, peer):
    quota = {"daily": 4, "timezone": "Europe/Amsterdam", "when_exceeded": "hold"}
    relay = limited(outposts, peer, account={"quota": quota}, others=["other"])
    send_many(relay, 9)
    peer.wait_messages(4)
    relay.wait_log(r"waiting for=.*daily 4 of account app. until=")
    relay.kill()
    relay.start()
    send_many(relay, 2, user="other")
    assert len(peer.wait_messages(6)) == 6
    assert " deferred " not in relay.whole_log()


def test_a_quotas_use_is_warned_of_before_it_is_used_up(outposts, peer):
    relay = limited(outposts, peer, account={"quota": {"daily": 10, "when_exceeded": "hold"}})
    send_many(relay, 8)
    relay.wait_log(r"quota of=account/app/quota percent=80 used=8 most=10")
    send_many(relay, 2)
    relay.wait_log(r"quota of=account/app/quota percent=100 used=10 most=10")


def test_a_reserve_keeps_room_for_urgent_mail(outposts, peer):
    relay = limited(outposts, peer, rate="10/h", reserve={"priority": 1, "share": "20%"})
    send_many(relay, 20)
    peer.wait_messages(8)
    urgent = messages.plain().replace(b"Subject:", b"X-Priority: 1\r\nSubject:", 1)
    for _ in range(3):
        submit.send(relay, urgent, recipients=["urgent@example.net"])
    arrived = peer.wait_messages(10)
    assert [m.recipients for m in arrived[8:]] == [["urgent@example.net"]] * 2


def test_mail_waits_for_its_accounts_delivery_hours(outposts, peer):
    today = datetime.datetime.now(datetime.timezone.utc).weekday()
    # Two days off, so that midnight may pass during the test.
    closed = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(today + 3) % 7]}
    relay = limited(outposts, peer, account={"deliver": closed}, others=["other"])
    send_many(relay, 3)
    send_many(relay, 2, user="other")
    assert len(peer.wait_messages(2)) == 2
    relay.wait_log(r"waiting for=.delivery hours .* of account app. until=")
    assert len(peer.messages) == 2


def test_an_upstream_that_throttles_gets_less(outposts, peer):
    relay = limited(outposts, peer)
    send_many(relay, 30)
    peer.wait_messages(30)
    peer.on("mail", "451 4.7.1 Too many messages, try again in 1 seconds")
    submit.send(relay)
    relay.wait_log(r"slowed down upstream=out recipients_per_second=")
    peer.wait_messages(31)

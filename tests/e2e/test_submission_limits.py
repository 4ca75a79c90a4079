"""What an account may hand in: rates and quotas at RCPT, and the words that a CMS shows of them."""

import concurrent.futures
import datetime
import re

import pytest
from clients import Refused, Submission
from harness import messages, outpost, process, submit

OVER_RATE = "4.7.0 Throttling failure: Maximum sending rate exceeded"
RECIPIENT = "you@example.net"


def noon_zone():
    """A time zone in which it is about noon, so that no day ends during a test: name and offset."""
    offset = 12 - datetime.datetime.now(datetime.UTC).hour
    name = f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"
    return name, datetime.timezone(datetime.timedelta(hours=offset))


def quota(**keys):
    return {"timezone": noon_zone()[0], **keys}


def relay_with(outposts, peer, **account):
    """A daemon whose account has these keys."""
    return outposts(outpost.smtp_upstream(peer.port), accounts={"defaults": account}).start()


def accepted(client, count):
    """How many of `count` recipients of one transaction are taken; the replies to the others."""
    submit.check(client.mail(outpost.SENDER))
    replies = [client.rcpt(RECIPIENT) for _ in range(count)]
    refused = [(code, text.decode()) for code, text in replies if code != 250]
    return count - len(refused), refused


def send_until_refused(relay, most):
    """Hands in messages for one recipient each, at most so many; how many were accepted."""
    with submit.client(relay) as client:
        for number in range(most):
            if accepted(client, 1)[0] == 0:
                return number
            submit.check(client.data(messages.plain()))
    return most


def test_over_the_submit_rate(outposts, peer):
    relay = relay_with(outposts, peer, submit_rate="3/12h")
    with submit.client(relay) as client:
        taken, refused = accepted(client, 5)
        assert taken == 3 and [code for code, _ in refused] == [454, 454]
        assert refused[0][1].startswith(OVER_RATE + ": 3/12h; try again in ")
        submit.check(client.data(messages.plain()))
    assert len(peer.wait_messages(1)[0].recipients) == 3
    assert relay.wait_log(r" recipient refused .*reply=\"454 4\.7\.0 Throttling")


def test_swaks_shows_the_submit_rate(outposts, peer, certificate, tmp_path):
    relay = relay_with(outposts, peer, submit_rate="1 messages/12h")
    client = Submission(relay.port, certificate, outpost.ACCOUNT, outpost.PASSWORD)
    file = tmp_path / "message.eml"
    file.write_bytes(messages.plain())
    assert "queued as" in client.swaks(outpost.SENDER, RECIPIENT, file)
    with pytest.raises(Refused, match="454 " + OVER_RATE):
        client.swaks(outpost.SENDER, RECIPIENT, file)


def test_over_the_daily_quota(outposts, peer, certificate, tmp_path):
    zone = noon_zone()[1]
    midnight = datetime.datetime.now(zone).date() + datetime.timedelta(days=1)
    resets = datetime.datetime.combine(midnight, datetime.time(), zone).isoformat().replace("+00:00", "Z")
    words = f"4.7.0 Throttling failure: Daily message quota exceeded; it counts recipients and resets at {resets}"
    relay = relay_with(outposts, peer, quota=quota(hourly=1000, daily=5, monthly=1000))
    with submit.client(relay) as client:
        taken, refused = accepted(client, 50)
        assert taken == 5 and refused == [(454, words)] * 45
        client.rset()
        assert accepted(client, 4)[0] == 4
        submit.check(client.data(messages.plain()))
        assert accepted(client, 2)[0] == 1
        submit.check(client.data(messages.plain()))
    assert [len(message.recipients) for message in peer.wait_messages(2)] == [4, 1]

    file = tmp_path / "message.eml"
    file.write_bytes(messages.plain())
    client = Submission(relay.port, certificate, outpost.ACCOUNT, outpost.PASSWORD)
    with pytest.raises(Refused, match=re.escape("454 " + words)):
        client.swaks(outpost.SENDER, RECIPIENT, file)
    for percent, used in ((80, 4), (100, 5)):
        relay.wait_log(rf" quota .*account/{outpost.ACCOUNT}/quota.* percent={percent} used={used} ")


def test_a_client_that_goes_away_gives_its_part_back(outposts, peer):
    relay = relay_with(outposts, peer, quota=quota(daily=3))
    with submit.client(relay) as client:
        assert accepted(client, 3)[0] == 3
        client.sock.close()

    def free_again():
        with submit.client(relay) as client:
            return accepted(client, 3)[0] == 3 and submit.check(client.data(messages.plain()))

    process.wait_until(free_again, "the quota that was given back")
    assert send_until_refused(relay, 1) == 0


def test_accounts_inherit_defaults(outposts, peer):
    other = {"password": "another secret", "authorized_domains": ["example.com"], "route": "out"}
    relay = outposts(
        outpost.smtp_upstream(peer.port),
        accounts={
            "defaults": {"submit_rate": "2/12h", "quota": quota(daily=9)},
            "heir": other,
            "own": {**other, "submit_rate": "4/12h", "quota": quota(daily=3, hourly=1000)},
        },
    ).start()
    expected = (("heir", 2, "Maximum sending rate"), ("own", 3, "Daily message quota"))
    for name, most, words in expected:
        with submit.client(relay, user=name, password=other["password"]) as client:
            taken, refused = accepted(client, 5)
            assert taken == most and all(words in text for _, text in refused)
    with submit.client(relay, user=outpost.ACCOUNT) as client:
        assert accepted(client, 3)[0] == 2, "each has a counter of its own"


def test_an_orderly_stop_loses_no_permit(outposts, peer):
    relay = relay_with(outposts, peer, quota=quota(daily=10), submit_rate="14/12h")
    assert send_until_refused(relay, 4) == 4
    assert relay.stop() == 0
    relay.start()
    assert send_until_refused(relay, 10) == 6
    assert relay.stop() == 0
    relay.start()
    assert send_until_refused(relay, 1) == 0


@pytest.mark.parametrize("limited_by", ["quota", "submit_rate"])
def test_kill_9_gives_no_permit_out_twice(outposts, peer, limited_by):
    limits = {"quota": quota(daily=60), "submit_rate": "60/12h"}
    relay = relay_with(outposts, peer, **{limited_by: limits[limited_by]})
    kills, total = 5, 0
    for _ in range(kills):
        total += send_until_refused(relay, 7)
        relay.kill()
        relay.start()
    total += send_until_refused(relay, 100)
    assert total <= 60
    # A block is 1 % of the limit or a second's worth, here one permit; half a block early the next
    # one is there.
    assert total >= 60 - 2 * kills


def test_fifty_clients_at_the_edge_of_a_quota(outposts, peer):
    relay = relay_with(outposts, peer, quota=quota(daily=200))

    def campaign(_):
        sent = 0
        with submit.client(relay) as client:
            for _ in range(200):
                taken = accepted(client, 3)[0]
                if taken == 0:
                    break
                submit.check(client.data(messages.plain()))
                sent += taken
        return sent

    with concurrent.futures.ThreadPoolExecutor(50) as clients:
        assert sum(clients.map(campaign, range(50))) == 200


def test_a_message_that_no_rate_lets_through_is_refused_at_mail(outposts, peer):
    limited = {**outpost.smtp_upstream(peer.port), "rate": "100KB/5m"}
    relay = outposts(limited, accounts={"defaults": {"rate": "500KB/5m"}}).start()
    with submit.client(relay) as client:
        code, text = client.mail(outpost.SENDER, [f"size={97 * 1024}"])
        assert code == 552 and text.startswith(b"5.3.4 ")
        submit.check(client.mail(outpost.SENDER, [f"size={96 * 1024}"]))

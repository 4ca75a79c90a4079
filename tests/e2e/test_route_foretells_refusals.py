"""`outpostctl route` says what SMTP would say at this moment, and when what is accepted may go."""

import datetime

from harness import outpost, submit

RECIPIENT = "you@example.net"


def relay_with(outposts, peer, **account):
    """A daemon whose account has these keys."""
    return outposts(outpost.smtp_upstream(peer.port), accounts={"defaults": account}).start()


def ask(relay, *options):
    return relay.ctl(*options, "route", "--account", outpost.ACCOUNT, "--from", outpost.SENDER,
                     "--to", RECIPIENT)  # fmt: skip


def test_a_quota_that_is_used_up(outposts, peer):
    relay = relay_with(outposts, peer, quota={"monthly": 1})
    assert ask(relay).startswith("accepted, priority 3\n")
    submit.send(relay)
    answer = ask(relay, "--json")
    assert not answer["accepted"] and answer["refused_now"]
    with submit.client(relay) as client:
        submit.check(client.mail(outpost.SENDER))
        code, words = client.rcpt(RECIPIENT)
    assert answer["refusal"] == f"{code} {words.decode()}"
    assert ask(relay).startswith("refused now: 454 4.7.0 ")


def test_a_quota_that_holds(outposts, peer):
    relay = relay_with(outposts, peer, quota={"monthly": 1, "when_exceeded": "hold"})
    submit.send(relay)
    peer.wait_messages(1)
    answer = ask(relay, "--json")
    assert answer["accepted"] and answer["goes_out_because"] == "quota monthly 1"
    assert f"; goes out from {answer['goes_out']} (quota monthly 1)\n" in ask(relay)


def test_outside_the_delivery_hours(outposts, peer):
    now = datetime.datetime.now(datetime.UTC)
    opens = (now + datetime.timedelta(hours=6)).replace(minute=0, second=0, microsecond=0)
    hours = f"{opens:%H:%M}-{opens + datetime.timedelta(hours=2):%H:%M}"
    relay = relay_with(outposts, peer, deliver={"days": "daily", "hours": hours, "timezone": "UTC"})
    answer = ask(relay, "--json")
    assert answer["accepted"] and answer["goes_out"] == f"{opens:%Y-%m-%dT%H:%M:%SZ}"
    assert answer["goes_out_because"].startswith("delivery hours ")
    assert "accepted, priority 3; goes out from " + answer["goes_out"] in ask(relay)

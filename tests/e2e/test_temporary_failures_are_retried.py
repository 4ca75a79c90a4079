"""A 4xx, a refused connection or a connection that breaks anywhere costs time, not the message."""

import pytest
from harness import messages, outpost, submit, upstream


@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "body"])
def test_a_4xx_is_retried(relay, peer, point):
    peer.on(point, "451 4.3.0 Try again later")
    submit.send(relay)
    assert len(peer.wait_messages(1)) == 1
    relay.wait_log(r" deferred .*451 4\.3\.0 Try again later")
    relay.wait_log(r" delivered ")


@pytest.mark.parametrize("point", ["banner", "ehlo", "mail"])
def test_a_4xx_about_the_whole_upstream_slows_it_and_keeps_the_mail(relay, peer, point):
    peer.on(point, "421 4.7.0 Too many connections, slow down")
    # One alone: another that was under way beside it might be let through.
    submit.send(relay)
    relay.wait_log(r" throttled upstream=out .*next_try=30")
    for _ in range(2):
        submit.send(relay)
    assert not peer.accepted
    assert relay.stop() == 0
    relay.start()
    assert len(peer.wait_messages(3)) == 3


@pytest.mark.parametrize("point", ["connect", "ehlo", "mail", "rcpt", "data", "body"])
def test_a_connection_that_breaks_is_retried(relay, peer, point):
    peer.on(point, upstream.DROP)
    sent = messages.html()
    submit.send(relay, sent)
    arrived = peer.wait_messages(1)
    assert messages.without_received(arrived[0].data)[0] == sent


def test_a_connection_that_breaks_within_the_data_is_retried(relay, peer):
    peer.on("within", None, at=50000)
    sent = messages.attachments(size=200_000)
    submit.send(relay, sent)
    (arrived,) = peer.wait_messages(1)
    assert messages.without_received(arrived.data)[0] == sent


def test_a_reply_lost_after_the_final_dot_is_marked_uncertain_and_retried(relay, peer):
    peer.on("body", upstream.DROP)
    submit.send(relay)
    relay.wait_log(r" uncertain ")
    peer.wait_messages(1)
    assert len(peer.messages) == 2  # the price: the upstream may have taken the first one


def test_uncertain_report_bounces_instead_of_sending_twice(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port, uncertain="report")).start()
    peer.on("body", upstream.DROP, when="DATA|BDAT")
    submit.send(relay)
    (bounce,) = peer.wait_messages(1)
    assert bounce.sender == "" and bounce.recipients == [outpost.SENDER]


def test_only_the_deferred_recipient_is_tried_again(relay, peer):
    peer.on("rcpt", "450 4.2.2 Mailbox busy", when="busy@")
    submit.send(relay, recipients=["fine@example.net", "busy@example.net"])
    first, second = peer.wait_messages(2)
    assert first.recipients == ["fine@example.net"]
    assert second.recipients == ["busy@example.net"]


def test_mail_waits_for_an_upstream_that_is_down_and_goes_when_it_is_back(relay, peer):
    peer.close()
    for number in range(20):
        submit.send(relay, messages.plain(subject=f"No. {number}"))
    relay.wait_log(r" deferred ")
    peer.listen()
    arrived = peer.wait_messages(20)
    assert len({messages.parse(message.data)["Subject"] for message in arrived}) == 20


def test_the_queue_survives_a_restart(relay, peer):
    peer.close()
    for number in range(10):
        submit.send(relay, messages.plain(subject=f"No. {number}"))
    assert relay.stop() == 0
    peer.listen()
    relay.start()
    arrived = peer.wait_messages(10)
    assert len({messages.parse(message.data)["Subject"] for message in arrived}) == 10


def test_a_stale_pooled_connection_costs_the_message_nothing(outposts, peer):
    slow = {"first": "1h", "factor": 1, "max": "1h", "jitter": 0}
    relay = outposts(outpost.smtp_upstream(peer.port), retry=slow).start()
    submit.send(relay)
    peer.wait_messages(1)
    peer.drop_idle()
    submit.send(relay)
    assert len(peer.wait_messages(2)) == 2  # with a retry it would have waited an hour
    assert "deferred" not in relay.log()


def test_a_421_on_a_pooled_connection_costs_the_message_nothing(outposts, peer):
    slow = {"first": "1h", "factor": 1, "max": "1h", "jitter": 0}
    relay = outposts(outpost.smtp_upstream(peer.port), retry=slow).start()
    submit.send(relay)
    peer.wait_messages(1)
    peer.on("mail", "421 4.4.2 Idle for too long")
    peer.on("rset", "421 4.4.2 Idle for too long")
    submit.send(relay)
    assert len(peer.wait_messages(2)) == 2


def test_connections_to_the_upstream_are_reused(relay, peer):
    with submit.client(relay) as client:
        for number in range(10):
            submit.transaction(client)
            peer.wait_messages(number + 1)
    assert len(peer.connections) == 1


def test_messages_per_connection_is_kept(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port, messages_per_connection=3)).start()
    with submit.client(relay) as client:
        for number in range(7):
            submit.transaction(client)
            peer.wait_messages(number + 1)
    assert [len(connection.messages) for connection in peer.connections] == [3, 3, 1]

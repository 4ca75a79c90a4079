"""A refused login or a certificate that does not fit suspends the upstream and keeps the mail."""

import pytest
from harness import certificates, mailbox, outpost, submit

USERS = {"relay@example.net": "right"}


def keys(password):
    return {"encryption": "starttls", "verify": "none", "username": "relay@example.net",
            "password": password}  # fmt: skip


def test_a_wrong_upstream_password_waits_for_a_restart_with_the_right_one(outposts, scripted):
    peer = scripted(users=USERS)
    relay = outposts(outpost.smtp_upstream(peer.port, **keys("wrong"))).start()
    for _ in range(3):
        submit.send(relay)
    relay.wait_log("535")
    assert not peer.messages
    assert relay.stop() == 0
    attempts = sum(c.verbs().count("AUTH") for c in peer.connections)
    assert attempts <= 3  # suspended: not one login for each message and retry
    relay.upstream = outpost.smtp_upstream(peer.port, **keys("right"))
    relay.start()
    arrived = peer.wait_messages(3)
    assert all(message.user == "relay@example.net" and message.tls for message in arrived)
    assert not [message for message in peer.messages if message.sender == ""]
    assert "bounced" not in relay.whole_log()


def test_a_wrong_password_at_a_real_postfix(outposts, postfix):
    relay = outposts(postfix.upstream(verify="none", password="wrong")).start()
    submit.send(relay, recipients=["wrongpass@example.net"])
    relay.wait_log("535")
    assert relay.stop() == 0
    relay.upstream = postfix.upstream(verify="none")
    relay.start()
    postfix.wait_messages("wrongpass")
    assert "bounced" not in relay.whole_log() and mailbox.PASSWORD not in relay.whole_log()


def test_mail_for_another_upstream_is_not_held_up(outposts, scripted, peer):
    broken = scripted(users=USERS)
    accounts = {
        name: {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": name}
        for name in ("broken", "working")
    }
    upstreams = {
        "broken": outpost.smtp_upstream(broken.port, **keys("wrong")),
        "working": outpost.smtp_upstream(peer.port),
        "out": outpost.smtp_upstream(peer.port),
    }
    relay = outposts(None, accounts=accounts, upstreams=upstreams).start()
    submit.send(relay, user="broken")
    relay.wait_log("535")
    submit.send(relay, user="working")
    peer.wait_messages(1)


@pytest.fixture
def untrusted(tmp_path):
    return certificates.make(tmp_path / "other", names=("DNS:elsewhere.test",))


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_a_certificate_that_is_trusted_and_fits_is_accepted(outposts, scripted, certificate, encryption):
    peer = scripted(implicit_tls=encryption == "tls")
    relay = outposts(outpost.smtp_upstream(peer.port, encryption=encryption))
    relay.environment = {"SSL_CERT_FILE": str(certificate.authority)}
    relay.start()
    submit.send(relay)
    assert peer.wait_messages(1)[0].tls


def test_a_certificate_that_nobody_trusts_keeps_the_mail(outposts, scripted):
    peer = scripted()
    relay = outposts(outpost.smtp_upstream(peer.port, encryption="starttls")).start()
    submit.send(relay)
    relay.wait_log(r"(?i)certificate")
    assert not peer.messages and "bounced" not in relay.log()


def test_a_certificate_for_another_name_keeps_the_mail(outposts, untrusted):
    from harness import upstream

    peer = upstream.ScriptedUpstream(untrusted)
    relay = outposts(outpost.smtp_upstream(peer.port, encryption="starttls"))
    relay.environment = {"SSL_CERT_FILE": str(untrusted.authority)}
    relay.start()
    submit.send(relay)
    relay.wait_log(r"(?i)certificate")
    assert not peer.messages and "bounced" not in relay.log()
    peer.shutdown()


def test_a_fingerprint_is_enough_and_must_fit(outposts, scripted, certificate):
    peer = scripted()
    right = certificate.fingerprint()
    colons = ":".join(right[at : at + 2] for at in range(0, 64, 2)).upper()
    for fingerprint in (right, colons):
        verify = {"fingerprint": f"sha256:{fingerprint}"}
        relay = outposts(outpost.smtp_upstream(peer.port, encryption="starttls", verify=verify))
        submit.send(relay.start())
    peer.wait_messages(2)
    verify = {"fingerprint": "sha256:" + "0" * 64}
    relay = outposts(outpost.smtp_upstream(peer.port, encryption="starttls", verify=verify)).start()
    submit.send(relay)
    relay.wait_log(r"(?i)fingerprint|certificate")
    assert len(peer.messages) == 2


def test_an_upstream_without_starttls_gets_no_mail_and_no_password_in_the_clear(outposts, scripted):
    peer = scripted(starttls=False, users=USERS)
    relay = outposts(outpost.smtp_upstream(peer.port, **keys("right"))).start()
    submit.send(relay)
    relay.wait_log(r"(?i)starttls")
    assert not peer.messages
    assert not any("AUTH" in connection.verbs() for connection in peer.connections)

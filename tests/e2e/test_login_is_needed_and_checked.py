"""MAIL needs encryption and a login; failures are slow, limited and do not tell names apart."""

import pytest
from harness import dialog, outpost

INACTIVE = {"password": "sleeping", "active": False, "authorized_domains": ["example.com"]}
ELSEWHERE = {
    "password": "far away",
    "allowed_networks": ["192.0.2.0/24"],
    "authorized_domains": ["example.com"],
}


@pytest.fixture
def relay(outposts, peer):
    return outposts(
        outpost.smtp_upstream(peer.port),
        accounts={"inactive": INACTIVE, "elsewhere": ELSEWHERE},
        submission={"auth_failures": {"per_address": "5/10m", "per_account": "50/10m"}},
    ).start()


@pytest.fixture
def client(relay):
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        yield session


def test_mail_before_tls_is_refused(client):
    assert client.command("MAIL FROM:<news@example.com>").startswith("530 5.7.0 Must issue a START")


def test_login_in_the_clear_is_refused(client):
    assert client.plain(outpost.ACCOUNT, outpost.PASSWORD).startswith("538 5.7.11 ")


def test_login_is_offered_only_once_encrypted(relay):
    with dialog.Dialog(relay.port) as session:
        assert "AUTH" not in session.expect("EHLO client.test", 250)
        session.starttls()
        offered = session.expect("EHLO client.test", 250)
        assert "STARTTLS" not in offered
        for mechanism in ("SCRAM-SHA-256", "PLAIN", "LOGIN"):
            assert mechanism in next(line for line in offered.splitlines() if "AUTH" in line)


def test_mail_before_login_is_refused(client):
    client.starttls()
    client.expect("EHLO client.test", 250)
    assert client.command("MAIL FROM:<news@example.com>").startswith("530 5.7.0 Authentication req")


def test_an_unknown_user_and_a_wrong_password_are_told_the_same(client):
    client.starttls()
    client.expect("EHLO client.test", 250)
    wrong = client.plain(outpost.ACCOUNT, "wrong")
    unknown = client.plain("nobody", "wrong")
    assert wrong == unknown and wrong.startswith("535 5.7.8 ")


def test_an_account_outside_its_networks_learns_nothing(client):
    client.starttls()
    client.expect("EHLO client.test", 250)
    assert client.plain("elsewhere", "far away").startswith("535 5.7.8 ")


def test_the_right_password_of_an_inactive_account_is_told_so(client):
    client.starttls()
    client.expect("EHLO client.test", 250)
    assert client.plain("inactive", "sleeping").startswith("525 5.7.13 ")
    assert client.plain("inactive", "wrong").startswith("535 5.7.8 ")


def test_too_many_failures_make_the_address_wait(relay):
    replies = []
    for _ in range(8):
        with dialog.Dialog(relay.port, greet=False) as session:
            greeting = session.reply()
            if not greeting.startswith("220"):
                replies.append(greeting)
                break
            session.expect("EHLO client.test", 250)
            session.starttls()
            session.expect("EHLO client.test", 250)
            replies.append(session.plain(outpost.ACCOUNT, "wrong"))
            if not replies[-1].startswith("535"):
                break
    assert len([reply for reply in replies if reply.startswith("535")]) <= 5
    assert replies[-1].startswith("421 4.7.0 ")


def test_login_of_two_steps_and_cancelling_work(client):
    client.starttls()
    client.expect("EHLO client.test", 250)
    assert client.command("AUTH LOGIN") == "334 VXNlcm5hbWU6"
    assert client.command("*").startswith("501 5.7.0 ")
    assert client.command("AUTH PLAIN").startswith("334")
    assert client.command("not base64!").startswith("501 5.5.2 ")
    assert client.command("AUTH CRAM-MD5").startswith("504 5.5.4 ")

"""A signed-in account sends as its own addresses only; the reply says which address was wrong."""

import smtplib

import pytest
from harness import messages, outpost, submit

APP = {
    "password": outpost.PASSWORD,
    "authorized_domains": "example.com;.brands.example.org",
    "authorized_senders": ["info@other.example"],
}


@pytest.fixture
def relay(outposts, peer):
    return outposts(outpost.smtp_upstream(peer.port), accounts={outpost.ACCOUNT: APP}).start()


def header_of(**fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return (lines + "Subject: x\r\n\r\nx\r\n").encode()


@pytest.mark.parametrize(
    "sender",
    ["news@example.com", "News@EXAMPLE.COM", "a@brands.example.org", "a@x.y.brands.example.org",
     "info@other.example", "INFO@other.example", ""],
)  # fmt: skip
def test_accepts_its_own_envelope_sender(relay, sender):
    submit.send(relay, sender=sender)


@pytest.mark.parametrize(
    "sender",
    ["news@sub.example.com", "a@example.org", "sales@other.example", "news@example.com.evil.test",
     "news@xn--example.com"],
)  # fmt: skip
def test_refuses_a_foreign_envelope_sender(relay, sender):
    with submit.client(relay) as client:
        code, text = client.mail(sender)
        assert code == 550 and text.startswith(b"5.7.1 ")
        assert sender.encode() in text and b"envelope sender" in text


@pytest.mark.parametrize(
    "fields, code, words",
    [
        ({"From": "boss@bank.example"}, 550, ("5.7.1", "boss@bank.example", "From")),
        ({"From": "news@example.com, boss@bank.example"}, 550, ("5.7.1", "boss@bank.example")),
        ({"From": "news@example.com", "Sender": "x@evil.test"}, 550, ("5.7.1", "Sender")),
        ({"From": "news@example.com", "Resent_From": "x@evil.test"}, 550, ("5.7.1", "Resent-From")),
        ({"To": "you@example.net"}, 550, ("5.6.0", "From")),
        ({"From": "not an address"}, 550, ("5.6.0", "From")),
        ({"From": "undisclosed:;"}, 550, ("5.6.0", "From")),
        ({"From": "news@example.com", "Reply_To": "nonsense <"}, 550, ("5.6.0", "Reply-To")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_refuses_a_foreign_or_broken_header(relay, peer, fields, code, words):
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        submit.send(relay, header_of(**fields))
    assert refused.value.smtp_code == code
    for word in words:
        assert word in refused.value.smtp_error.decode()
    assert not peer.messages


def test_refuses_two_from_fields(relay):
    twice = b"From: news@example.com\r\nFrom: news@example.com\r\n\r\nx\r\n"
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        submit.send(relay, twice)
    assert refused.value.smtp_code == 550 and b"5.7.1" in refused.value.smtp_error


def test_a_display_name_does_not_hide_the_address(relay):
    hidden = b'From: "news@example.com" <boss@bank.example>\r\n\r\nx\r\n'
    with pytest.raises(smtplib.SMTPResponseException, match="boss@bank.example"):
        submit.send(relay, hidden)


def test_a_message_with_fifty_one_received_fields_is_a_loop(relay):
    looping = b"Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\r\n" * 51
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        submit.send(relay, looping + messages.plain())
    assert refused.value.smtp_code == 554 and b"5.4.6" in refused.value.smtp_error

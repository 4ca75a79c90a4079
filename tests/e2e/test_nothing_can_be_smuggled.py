"""Only CRLF.CRLF ends a message and only CRLF ends a line; nothing crosses STARTTLS in the clear."""

import pytest
from harness import dialog, messages, outpost, submit

ENDINGS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "LF.CR": b"\n.\r",
    "NUL": b"\r\n\0.\r\n",
}
SECOND = (
    b"MAIL FROM:<admin@bank.example>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\n"
    b"From: admin@bank.example\r\n\r\nsmuggled\r\n"
)


def begin(session):
    session.log_in(outpost.ACCOUNT, outpost.PASSWORD)
    session.expect("MAIL FROM:<news@example.com>", 250)
    session.expect("RCPT TO:<a@example.net>", 250)
    session.expect("DATA", 354)


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_false_end_of_data_is_refused_whole(relay, peer, ending):
    with dialog.Dialog(relay.port) as session:
        begin(session)
        session.send(messages.plain()[:-2] + ending + SECOND + b"\r\n.\r\n")
        assert session.reply().startswith(("550 5.6.11 ", "550 5.6.0 "))
        session.expect("NOOP", 250)
    assert not peer.messages


@pytest.mark.parametrize("ending", [v for k, v in ENDINGS.items() if k != "NUL"],
                         ids=[k for k in ENDINGS if k != "NUL"])  # fmt: skip
def test_with_normalize_it_stays_one_message(outposts, peer, ending):
    lax = {"bare_newlines": "normalize"}
    relay = outposts(outpost.smtp_upstream(peer.port), submission=lax).start()
    with dialog.Dialog(relay.port) as session:
        begin(session)
        session.send(messages.plain()[:-2] + ending + SECOND + b"\r\n.\r\n")
        assert session.reply().startswith("250")
    (only,) = peer.wait_messages(1)
    assert only.sender == "news@example.com" and b"smuggled" in only.data
    assert b"\n" not in only.data.replace(b"\r\n", b"") and b"\r" not in only.data.replace(b"\r\n", b"")


@pytest.mark.parametrize("octets", [b"NOOP\n", b"NOOP\rNOOP\r\n", b"NO\0OP\r\n"], ids=["LF", "CR", "NUL"])
def test_a_bare_newline_in_a_command_is_refused(relay, octets):
    with dialog.Dialog(relay.port) as session:
        session.send(octets if octets.endswith(b"\r\n") else octets + b"\r\n")
        assert session.reply().startswith("500 5.5.2 ")


def test_commands_before_the_handshake_are_discarded_with_the_connection(relay, peer):
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        session.send(b"STARTTLS\r\nMAIL FROM:<admin@bank.example>\r\n")
        heard = b""
        try:
            while piece := session.socket.recv(4096):
                heard += piece
        except ConnectionResetError:
            pass
        assert b"250 " not in heard and b"503" not in heard
    assert not peer.messages


def test_a_login_does_not_survive_starttls_by_accident(outposts, peer):
    plain = {"tls": "starttls", "require_tls": False}
    relay = outposts(outpost.smtp_upstream(peer.port), listeners={"starttls": plain}).start()
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        session.starttls()
        assert session.command("MAIL FROM:<news@example.com>").startswith("503 5.5.1")


def test_dots_are_stuffed_again_on_the_way_out(relay, peer):
    sent = messages.plain(body=".\r\n..\r\n.QUIT\r\n")
    submit.send(relay, sent)
    assert messages.without_received(peer.wait_messages(1)[0].data)[0] == sent


def test_a_line_over_the_limit_ends_in_a_refusal_not_in_two_commands(relay):
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        session.send(b"NOOP " + b"x" * 100_000 + b"\r\nNOOP\r\n")
        assert session.reply().startswith(("500 5.5.2", "500 5.5.1", "421"))

"""PIPELINING, SIZE, CHUNKING, LIMITS and the parameters of MAIL, seen from a raw connection."""

import pytest
from harness import dialog, messages, outpost


@pytest.fixture
def relay(outposts, peer):
    limits = {"max_message_size": "100KB", "max_recipients": 3}
    return outposts(outpost.smtp_upstream(peer.port), submission=limits).start()


@pytest.fixture
def client(relay):
    with dialog.Dialog(relay.port) as session:
        session.offered = session.log_in(outpost.ACCOUNT, outpost.PASSWORD)
        yield session


def test_all_are_offered(client):
    offered = [line[4:] for line in client.offered.splitlines()]
    for extension in ("PIPELINING", "SIZE 102400", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN",
                      "ENHANCEDSTATUSCODES"):  # fmt: skip
        assert extension in offered
    assert any(line.startswith("MT-PRIORITY") for line in offered)
    assert any(line.startswith("LIMITS") and "RCPTMAX=3" in line for line in offered)


def test_a_whole_transaction_in_one_write(client, peer):
    sent = messages.dot_lines()
    stuffed = sent.replace(b"\r\n.", b"\r\n..")
    client.send(b"MAIL FROM:<news@example.com>\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>"
                b"\r\nDATA\r\n")  # fmt: skip
    assert [client.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
    client.send(stuffed + b".\r\nRSET\r\nNOOP\r\nQUIT\r\n")
    assert [client.reply()[:3] for _ in range(4)] == ["250", "250", "250", "221"]
    arrived = peer.wait_messages(1)[0]
    assert messages.without_received(arrived.data)[0] == sent
    assert sorted(arrived.recipients) == ["a@example.net", "b@example.net"]


def test_a_refused_sender_in_a_pipeline_leaves_the_session_usable(client, peer):
    client.send(b"MAIL FROM:<x@evil.test>\r\nRCPT TO:<a@example.net>\r\nDATA\r\n")
    assert client.reply().startswith("550 5.7.1")
    assert client.reply().startswith("503")
    assert client.reply().startswith(("503", "554"))
    client.expect("MAIL FROM:<news@example.com>", 250)


def test_chunks_pipelined_in_one_write(client, peer):
    sent = messages.plain(body="line\r\n.\r\nQUIT\r\nend\r\n")
    half = len(sent) // 2
    client.send(b"MAIL FROM:<news@example.com>\r\nRCPT TO:<a@example.net>\r\n"
                + b"BDAT %d\r\n" % half + sent[:half]
                + b"BDAT %d LAST\r\n" % (len(sent) - half) + sent[half:] + b"NOOP\r\n")  # fmt: skip
    assert [client.reply()[:3] for _ in range(5)] == ["250"] * 5
    assert messages.without_received(peer.wait_messages(1)[0].data)[0] == sent


def test_size_is_refused_at_mail(client):
    assert client.command("MAIL FROM:<news@example.com> SIZE=200000").startswith("552 5.3.4 ")
    client.expect("MAIL FROM:<news@example.com> SIZE=2000", 250)


@pytest.mark.parametrize("chunked", [False, True], ids=["data", "bdat"])
def test_size_is_refused_after_the_data_too(client, peer, chunked):
    client.expect("MAIL FROM:<news@example.com>", 250)
    client.expect("RCPT TO:<a@example.net>", 250)
    sent = messages.plain(body="x" * 70 + "\r\n") + b"y" * 70 + b"\r\n"
    sent += (b"z" * 70 + b"\r\n") * 2000
    if chunked:
        client.send(b"BDAT %d LAST\r\n" % len(sent) + sent)
    else:
        client.expect("DATA", 354)
        client.send(sent + b".\r\n")
    assert client.reply().startswith("552 5.3.4 ")
    client.expect("NOOP", 250)
    assert not peer.messages


def test_too_many_recipients_leave_the_others_standing(client, peer):
    client.expect("MAIL FROM:<news@example.com>", 250)
    for name in "abc":
        client.expect(f"RCPT TO:<{name}@example.net>", 250)
    assert client.command("RCPT TO:<d@example.net>").startswith("452 4.5.3 ")
    client.expect("DATA", 354)
    client.send(messages.plain() + b".\r\n")
    assert client.reply().startswith("250 2.0.0 Ok: queued as ")
    arrived = [r for m in peer.wait_messages(1) for r in m.recipients]
    assert sorted(arrived) == ["a@example.net", "b@example.net", "c@example.net"]


@pytest.mark.parametrize(
    "command, code",
    [
        ("MAIL FROM:<news@example.com> BODY=BINARYMIME", "504 5.5.4"),
        ("MAIL FROM:<news@example.com> FROB=1", "555 5.5.4"),
        ("MAIL FROM:<news@example.com> SIZE=abc", "501 5.5.4"),
        ("MAIL FROM:<@a,@b:news@example.com>", "501 5.1.7"),
        ("MAIL FROM:<news@example.com> HOLDFOR=0", "501 5.5.4"),
        ("MAIL FROM:news@example.com", "501 "),
        ("RCPT TO:<a@example.net>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("FROB", "500 5.5.1"),
    ],
)
def test_what_is_not_understood_is_refused(client, command, code):
    assert client.command(command).startswith(code)


def test_twenty_bad_commands_end_the_session(client):
    replies = []
    for _ in range(25):
        replies.append(client.command("FROB"))
        if replies[-1].startswith("421"):
            break
    assert replies[-1].startswith("421 4.7.0 ") and len(replies) <= 21
    assert client.closed()


def test_several_messages_on_one_connection(client, peer):
    for number in range(5):
        client.expect("MAIL FROM:<news@example.com>", 250)
        client.expect(f"RCPT TO:<r{number}@example.net>", 250)
        client.expect("DATA", 354)
        client.send(messages.plain(subject=f"No. {number}") + b".\r\n")
        assert client.reply().startswith("250")
    assert client.command("QUIT").startswith("221 2.0.0")
    assert client.closed()
    assert len(peer.wait_messages(5)) == 5

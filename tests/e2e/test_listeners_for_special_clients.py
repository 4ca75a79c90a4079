"""PROXY headers, trusted accounts on loopback, networks, limits on connections and on time."""

import struct

import pytest
from harness import dialog, messages, outpost, process, submit

PLAIN = {"tls": "none", "require_tls": False}
TRUSTED = {**PLAIN, "trusted_account": outpost.ACCOUNT}


def relay_with(outposts, peer, listener, **keys):
    return outposts(outpost.smtp_upstream(peer.port), listeners={"plain": listener}, **keys)


def proxy_v2(source, family=0x11, command=0x21):
    address = bytes(map(int, source.split("."))) + bytes([127, 0, 0, 1])
    body = address + struct.pack("!HH", 40000, 25) if family == 0x11 else b""
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(body)) + body


def send_raw(session):
    session.expect("EHLO client.test", 250)
    session.expect("MAIL FROM:<news@example.com>", 250)
    session.expect("RCPT TO:<a@example.net>", 250)
    session.expect("DATA", 354)
    session.send(messages.plain() + b".\r\n")
    assert session.reply().startswith("250 ")


def test_a_trusted_listener_needs_no_login_but_keeps_to_the_policy(outposts, peer):
    relay = relay_with(outposts, peer, TRUSTED).start()
    with dialog.Dialog(relay.port) as session:
        assert "AUTH" not in session.expect("EHLO client.test", 250)
        assert session.command("MAIL FROM:<x@evil.test>").startswith("550 5.7.1")
        send_raw(session)
    peer.wait_messages(1)
    relay.wait_log(rf" delivered .*account={outpost.ACCOUNT} ")


def test_a_trusted_listener_is_for_loopback_only(outposts, peer):
    listen = [{"address": "::", "ports": [1], **TRUSTED}]
    relay = outposts(outpost.smtp_upstream(peer.port), listen=listen)
    relay.write_config()
    done = relay.check()
    assert done.returncode == 78 and "loopback" in done.stderr


@pytest.mark.parametrize(
    "header",
    [b"PROXY TCP4 192.0.2.9 127.0.0.1 40000 25\r\n", proxy_v2("192.0.2.9")],
    ids=["version 1", "version 2"],
)
def test_a_proxy_header_names_the_client(outposts, peer, header):
    relay = relay_with(outposts, peer, {**TRUSTED, "proxy_protocol": True}).start()
    with dialog.Dialog(relay.port, before=header) as session:
        send_raw(session)
    _, received = messages.without_received(peer.wait_messages(1)[0].data)
    assert "192.0.2.9" in received


@pytest.mark.parametrize(
    "header", [b"PROXY UNKNOWN\r\n", proxy_v2("0.0.0.0", family=0, command=0x20)],
    ids=["version 1 unknown", "version 2 local"],
)  # fmt: skip
def test_a_proxy_header_without_an_address_leaves_the_peer_s_own(outposts, peer, header):
    relay = relay_with(outposts, peer, {**TRUSTED, "proxy_protocol": True}).start()
    with dialog.Dialog(relay.port, before=header) as session:
        send_raw(session)
    _, received = messages.without_received(peer.wait_messages(1)[0].data)
    assert "127.0.0.1" in received


@pytest.mark.parametrize("first", [b"EHLO client.test\r\n", b"PROXY TCP4 bad bad 1 2\r\n", b"\r\n\r\n\0\r\nQUIX\n"])
def test_without_a_good_proxy_header_nothing_is_said(outposts, peer, first):
    relay = relay_with(outposts, peer, {**TRUSTED, "proxy_protocol": True}).start()
    with dialog.Dialog(relay.port, greet=False) as session:
        session.send(first)
        assert session.closed()


@pytest.mark.parametrize("keyword", ["send-proxy", "send-proxy-v2"])
def test_behind_a_real_haproxy(outposts, peer, tmp_path, keyword):
    relay = relay_with(outposts, peer, {**TRUSTED, "proxy_protocol": True}).start()
    front = process.free_port()
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"listen smtp\n bind 127.0.0.1:{front}\n server relay 127.0.0.1:{relay.port} {keyword}\n"
    )
    haproxy = process.Process(["haproxy", "-db", "-f", config], tmp_path / "haproxy.log")
    try:
        process.wait_until(lambda: process.banner(front), "a greeting through haproxy")
        with dialog.Dialog(front, source="127.0.0.7") as session:
            send_raw(session)
        _, received = messages.without_received(peer.wait_messages(1)[0].data)
        assert "127.0.0.7" in received
    finally:
        haproxy.terminate()


def test_connections_from_one_address_are_limited(outposts, peer):
    limits = {"max_connections_per_ip": 3}
    relay = relay_with(outposts, peer, TRUSTED, submission=limits).start()
    process.wait_until(lambda: try_greeting(relay).startswith("220"), "a free place")
    sessions = []
    for _ in range(3):
        process.wait_until(lambda: add(sessions, relay), "three places")
    assert try_greeting(relay).startswith("421 4.7.0 ")
    for session in sessions:
        session.close()
    process.wait_until(lambda: try_greeting(relay).startswith("220"), "a free place")


def test_all_connections_are_limited(outposts, peer):
    relay = relay_with(outposts, peer, TRUSTED, submission={"max_connections": 2}).start()
    sessions = []
    for _ in range(2):
        process.wait_until(lambda: add(sessions, relay), "two places")
    assert try_greeting(relay).startswith("421 4.3.2 ")
    for session in sessions:
        session.close()


def add(sessions, relay):
    session = dialog.Dialog(relay.port)
    if session.greeting.startswith("220"):
        sessions.append(session)
        return True
    session.close()
    return False


def try_greeting(relay):
    with dialog.Dialog(relay.port) as session:
        return session.greeting


def test_an_idle_client_is_told_and_dropped(outposts, peer):
    relay = relay_with(outposts, peer, TRUSTED, submission={"idle_timeout": "1s"}).start()
    with dialog.Dialog(relay.port) as session:
        assert session.reply().startswith("421 4.4.2 ")
        assert session.closed()


def test_a_message_that_takes_too_long_is_given_up(outposts, peer):
    relay = relay_with(outposts, peer, TRUSTED, submission={"data_timeout": "1s"}).start()
    with dialog.Dialog(relay.port) as session:
        session.expect("EHLO client.test", 250)
        session.expect("MAIL FROM:<news@example.com>", 250)
        session.expect("RCPT TO:<a@example.net>", 250)
        session.expect("DATA", 354)
        session.send(b"From: news@example.com\r\n")
        assert session.reply().startswith("421 4.4.2 ")
    submit_after = dialog.Dialog(relay.port)
    send_raw(submit_after)
    submit_after.close()
    assert len(peer.wait_messages(1)) == 1


def test_ipv4_and_ipv6_share_one_listener(outposts, peer):
    listen_port = process.free_port()
    listen = [{"address": "::", "ports": [listen_port], "tls": "starttls"}]
    relay = outposts(outpost.smtp_upstream(peer.port), listeners={"starttls": {}}, listen=listen)
    relay.ports = {"starttls": listen_port}
    relay.start()
    for host in ("127.0.0.1", "::1"):
        with dialog.Dialog(listen_port, host=host) as session:
            assert session.greeting.startswith("220 relay.test ESMTP")


def test_a_client_of_the_starttls_port_can_use_a_password_with_odd_characters(outposts, peer):
    odd = 'p\u00e4ss "word" \\ 100% $HOME'
    accounts = {"odd": {"password": odd, "authorized_domains": ["example.com"], "route": "out"}}
    relay = outposts(outpost.smtp_upstream(peer.port), accounts=accounts).start()
    with dialog.Dialog(relay.port) as session:
        session.log_in("odd", odd)
    with pytest.raises(AssertionError, match="535"), dialog.Dialog(relay.port) as session:
        session.log_in("odd", odd + " ")
    submit.send(relay)

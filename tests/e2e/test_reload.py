"""A changed configuration while the daemon runs: SIGHUP and `outpostctl reload`."""

import shutil
import signal
import smtplib
import sqlite3
import ssl
import subprocess
import threading

import pytest
import yaml
from harness import certificates, messages, outpost, process, submit


def change(relay, **overrides):
    """Other keys in the file."""
    relay.overrides = {**relay.overrides, **overrides}
    relay.write_config()


def account(**keys):
    return {outpost.ACCOUNT: {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": "out",
                              **keys}}  # fmt: skip


def test_sighup_and_outpostctl_say_what_changed(relay):
    change(relay, accounts=account(priority=2), retry={"max": "2s"})
    relay.daemon.signal(signal.SIGHUP)
    relay.wait_log(r'reload changed="accounts.app.priority: 2 \(new\)"')
    relay.wait_log(r'reload changed="retry.max: 1s -> 2s"')
    relay.wait_log(r"reloaded by=SIGHUP changes=2")
    change(relay, accounts=account(priority=1))
    told = relay.ctl("--reason", "ticket 7", "reload")
    assert told == "accounts.app.priority: 2 -> 1\n"
    relay.wait_log(r'reloaded by=operator changes=1 why="ticket 7"')
    assert "nothing has changed" in relay.ctl("reload")


def test_a_faulty_configuration_changes_nothing(relay, peer):
    change(relay, accounts=account(rate="1200/x", authorized_domains=["other.example"]))
    told = relay.ctl("reload", code=78)
    assert "nothing was changed" in told and "outpost.yaml" in told
    assert 'accounts.app.rate: "1200/x" is not a rate' in told
    relay.wait_log(r"not reloaded by=operator")
    submit.send(relay)
    peer.wait_messages(1)


def test_what_needs_a_restart_changes_nothing(relay):
    change(relay, accounts=account(priority=1), data_dir=str(relay.directory / "other"))
    told = relay.ctl("reload", code=78)
    assert "data_dir cannot change while outpostd runs" in told
    assert relay.ctl("--json", "account", "show", outpost.ACCOUNT)["priority"] != 1


def test_a_port_that_is_taken_changes_nothing(relay, peer):
    (free,) = process.free_ports(1)
    relay.listeners = {**relay.LISTENERS, "more": {"tls": "starttls"}, "taken": {"tls": "starttls"}}
    relay.ports = {**relay.ports, "more": free, "taken": peer.port}
    relay.write_config()
    assert f"cannot listen on 127.0.0.1 port {peer.port}" in relay.ctl("reload", code=78)
    with pytest.raises(OSError):
        smtplib.SMTP("127.0.0.1", free)


def test_a_port_does_not_change_its_address(relay, peer):
    """The old socket would keep the new one from being opened, and then be closed."""
    settings = relay.config()
    for listener in settings["listen"]:
        first = listener["ports"][0]
        listener.update(address="0.0.0.0", ports=[f"{first}-{first}"])
    relay.file.write_text(yaml.safe_dump(settings))
    assert "cannot change to 0.0.0.0 while outpostd runs" in relay.ctl("reload", code=78)
    submit.send(relay)
    peer.wait_messages(1)


def test_a_counter_that_cannot_be_read_changes_nothing(relay, peer):
    def rename(*names):
        database = sqlite3.connect(relay.data / "outpost.db", timeout=30)
        database.execute("ALTER TABLE {} RENAME TO {}".format(*names))
        database.close()

    rename("counter", "elsewhere")
    relay.upstream = outpost.smtp_upstream(peer.port, rate="3/h")
    change(relay, accounts=account(priority=1, rate="100/h"))
    told = relay.ctl("reload", code=78)
    assert "nothing was changed" in told and "cannot read the counter" in told
    assert relay.ctl("--json", "account", "show", outpost.ACCOUNT)["priority"] != 1
    assert relay.ctl("--json", "upstream", "list")[0]["limits"] == []
    for _ in range(5):
        submit.send(relay)
    peer.wait_messages(5)
    rename("elsewhere", "counter")
    assert "upstreams.out.rate: 3/h (new)" in relay.ctl("reload")
    for _ in range(5):
        submit.send(relay)
    peer.wait_messages(8)
    assert relay.ctl("--json", "account", "show", outpost.ACCOUNT)["priority"] == 1


def test_a_reload_while_the_daemon_stops_is_refused_or_goes_unheard(relay):
    session = submit.client(relay)
    assert session.mail(outpost.SENDER)[0] == 250
    relay.daemon.signal(signal.SIGTERM)
    relay.wait_log("stopping signal=SIGTERM")
    asking = subprocess.Popen([outpost.CTL, "--socket", relay.socket, "reload"], stderr=subprocess.PIPE)
    session.rset()
    assert relay.daemon.wait() == 0
    assert asking.wait(60) != 0
    asking.stderr.close()
    session.close()
    relay.daemon = None


def test_listeners_come_and_go_and_open_sessions_stay(relay, peer):
    with submit.client(relay) as early:
        (free,) = process.free_ports(1)
        gone = relay.ports["implicit"]
        relay.listeners = {"starttls": {"tls": "starttls"}, "more": {"tls": "starttls"}}
        relay.ports = {"starttls": relay.ports["starttls"], "more": free}
        change(relay, hostname="other.test", submission={"max_message_size": "1MB"})
        relay.ctl("reload")
        with pytest.raises(OSError):
            smtplib.SMTP("127.0.0.1", gone)
        for port in relay.ports.values():
            with smtplib.SMTP("127.0.0.1", port) as late:
                assert late.ehlo()[1].startswith(b"other.test")
                assert late.esmtp_features["size"] == str(1 << 20)
        # It began before the reload and is held by what was said to it.
        submit.transaction(early, messages.plain(body="x" * 70 + "\r\n") * 1)
    peer.wait_messages(1)


def test_sessions_see_changed_accounts_with_the_next_command(relay, peer):
    with submit.client(relay) as session:
        change(relay, accounts=account(authorized_domains=["other.example"]))
        relay.ctl("reload")
        with pytest.raises(smtplib.SMTPResponseException, match="not authorized"):
            submit.transaction(session)
    with submit.client(relay) as session:
        change(relay, accounts=account(password="another password"))
        relay.ctl("reload")
        assert session.docmd("NOOP")[0] in (421, 250)
        with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
            submit.transaction(session)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit.send(relay)


def test_mail_that_waits_goes_by_the_new_upstream(outposts, scripted):
    first, second = scripted(starttls=False), scripted(starttls=False)
    relay = outposts(outpost.smtp_upstream(first.port)).start()
    relay.ctl("upstream", "pause", "out")
    for _ in range(20):
        submit.send(relay)
    change(relay, upstreams={"new": outpost.smtp_upstream(second.port)}, accounts=account(route="new"))
    told = relay.ctl("reload")
    assert "accounts.app.route: out -> new" in told and "upstreams.out.host: gone" in told
    second.wait_messages(20)
    assert not first.accepted


def test_an_attempt_under_way_ends_by_the_old_configuration(outposts, scripted):
    first, second = scripted(starttls=False), scripted(starttls=False)
    reloaded = threading.Event()
    first.on("body", "450 4.2.2 mailbox full", after=reloaded)
    relay = outposts(outpost.smtp_upstream(first.port)).start()
    submit.send(relay)
    process.wait_until(lambda: first.messages, "the message at the first upstream")
    change(relay, upstreams={"out": outpost.smtp_upstream(second.port)})
    relay.ctl("reload")
    reloaded.set()
    second.wait_messages(1)
    assert not first.accepted
    assert relay.wait_log(r"deferred .*450 4\.2\.2")


def test_a_changed_limit_keeps_what_was_used(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port, rate="3/h")).start()
    for _ in range(10):
        submit.send(relay)
    peer.wait_messages(3)
    relay.upstream = outpost.smtp_upstream(peer.port, rate="5/h")
    relay.write_config()
    assert relay.ctl("reload") == "upstreams.out.rate: 3/h -> 5/h\n"
    peer.wait_messages(5)
    (upstream,) = relay.ctl("--json", "upstream", "list")
    assert [level["used"] for level in upstream["limits"]] == [5]
    assert "5/h" in relay.ctl("why", relay.ctl("--json", "queue", "list")[0]["id"])


def test_a_suspended_upstream_is_tried_again_with_its_new_password(outposts, scripted):
    peer = scripted(users={"relay": "right"}, starttls=False)
    login = {"username": "relay", "encryption": "none"}
    relay = outposts(outpost.smtp_upstream(peer.port, password="wrong", **login)).start()
    submit.send(relay)
    relay.wait_log(r"suspended upstream=out")
    relay.upstream = outpost.smtp_upstream(peer.port, password="right", **login)
    relay.write_config()
    told = relay.ctl("reload")
    assert told == "upstreams.out.password: changed\n"
    peer.wait_messages(1)
    assert "bounced" not in relay.whole_log()


def test_reload_under_load_loses_and_doubles_nothing(outposts, scripted):
    peers = scripted(starttls=False), scripted(starttls=False)
    relay = outposts(outpost.smtp_upstream(peers[0].port, concurrency=3)).start()
    with submit.client(relay) as session:
        for number in range(200):
            submit.transaction(session, recipients=[f"r{number}@example.net"])
            if number % 20 == 10:
                peer = peers[number // 20 % 2]
                relay.upstream = outpost.smtp_upstream(peer.port, concurrency=3)
                relay.write_config()
                relay.ctl("reload")
    process.wait_until(lambda: sum(len(p.accepted) for p in peers) >= 200, "200 messages")
    sent = sorted(r for p in peers for m in p.accepted for r in m.recipients)
    assert sent == sorted(f"r{number}@example.net" for number in range(200))
    assert all(p.accepted for p in peers)


def served(port):
    """The certificate's serial number."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port) as session:
        session.starttls(context=context)
        return ssl.DER_cert_to_PEM_cert(session.sock.getpeercert(True))


def test_a_renewed_certificate_is_used_without_being_told(outposts, peer, tmp_path):
    old, new = (certificates.make(tmp_path / name) for name in ("old", "new"))
    relay = outposts(outpost.smtp_upstream(peer.port))
    relay.certificate = old
    relay.start()
    before = served(relay.port)
    shutil.copyfile(new.chain, old.chain)
    shutil.copyfile(new.key, old.key)
    relay.wait_log(r"certificates loaded again", 60)
    assert served(relay.port) != before
    old.key.write_text("no key")
    relay.wait_log(r"certificates have changed and cannot be used", 60)
    assert served(relay.port) != before

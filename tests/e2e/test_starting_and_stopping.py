"""--check, --version, exit codes, the lock, taken ports, and an orderly end."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from harness import dialog, messages, outpost, process, submit


def exit_of(daemon, limit=process.PATIENCE):
    """Starts what is expected to end by itself: exit status and what it said."""
    child = daemon.launch()
    try:
        return child.wait(limit), child.log()
    finally:
        child.kill()


@pytest.fixture
def prepared(outposts, peer):
    """A daemon with its configuration written, not started."""

    def make(**keys):
        daemon = outposts(outpost.smtp_upstream(peer.port), **keys)
        daemon.ports = dict(zip(daemon.listeners, process.free_ports(len(daemon.listeners))))
        daemon.write_config()
        return daemon

    return make


def test_version_is_printed():
    for program in (outpost.DAEMON, outpost.CTL):
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 0 and program.name in done.stdout


def test_check_accepts_a_good_configuration(prepared):
    done = prepared().check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "old, new, place, words",
    [
        ("min_free", "min_fre", "spool.min_fre", ["min_free"]),
        ("hostname: relay.test", "hostname: [", "", []),
        ("first: 1s", "first: soon", "retry.first", ["soon"]),
        ("route: out", "route: outt", "accounts.app.route", ["outt", "out"]),
        ("encryption: none", "encryption: nope", "upstreams.out.encryption", ["nope"]),
        ("retry:", "quota: {daily: 5}\nretry:", "quota", []),
        ("hostname:", "hostname: a.test\nhostname:", "hostname", []),
    ],
)
def test_a_bad_configuration_is_refused_with_its_place(prepared, old, new, place, words):
    daemon = prepared()
    text = daemon.file.read_text()
    assert old in text
    daemon.file.write_text(text.replace(old, new, 1))
    status, said = exit_of(daemon)
    checked = daemon.check()
    assert status == checked.returncode == os.EX_CONFIG == 78
    for output in (said, checked.stderr):
        assert f"{daemon.file}:" in output and place in output
        line, column = output.split(f"{daemon.file}:")[1].split(":")[:2]
        assert int(line) >= 1 and int(column) >= 1
        assert all(word in output for word in words)


def test_every_fault_is_told_at_once_and_no_secret(prepared):
    daemon = prepared()
    text = daemon.file.read_text().replace("first: 1s", "first: soon").replace("factor: 1", "factor: x")
    daemon.file.write_text(text)
    said = daemon.check().stderr
    assert "retry.first" in said and "retry.factor" in said
    assert outpost.PASSWORD not in said


def test_a_missing_configuration_is_named(tmp_path):
    done = subprocess.run([outpost.DAEMON, "--config", tmp_path / "none.yaml"],
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode != 0 and "none.yaml" in done.stderr


def test_check_finds_a_missing_key_file(prepared, certificate):
    daemon = prepared()
    daemon.file.write_text(daemon.file.read_text().replace("server.key", "missing.key"))
    done = daemon.check()
    assert done.returncode == 78 and "missing.key" in done.stderr


def test_check_reports_a_key_of_another_certificate_beside_other_faults(prepared, tmp_path):
    daemon = prepared()
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genrsa", "-out", other, "2048"], check=True, capture_output=True,
                   timeout=60)  # fmt: skip
    written = daemon.file.read_text()
    key = re.search(r"[^ \"']*server\.key", written).group()
    daemon.file.write_text(written.replace(key, str(other)) + "\nlisen: 1\n")
    done = daemon.check()
    assert done.returncode == 78
    assert re.search(r":\d+:\d+: tls\.certificates\[0\]: .*other\.key does not belong", done.stderr)
    assert ": lisen: is not a known key" in done.stderr


def test_a_port_named_singly_that_is_taken_stops_the_start(prepared):
    daemon = prepared()
    with socket.create_server(("127.0.0.1", daemon.ports["starttls"])):
        status, said = exit_of(daemon)
    assert status != 0
    assert str(daemon.ports["starttls"]) in said and "in use" in said


def test_a_taken_port_of_a_range_is_skipped_with_one_warning(outposts, peer):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        ports = [f"{taken - 2}-{taken + 2}"]
        listen = [{"address": "127.0.0.1", "ports": ports, "tls": "starttls"}]
        relay = outposts(outpost.smtp_upstream(peer.port), listen=listen)
        relay.ports = {}
        relay.write_config()
        relay.daemon = relay.launch()
        relay.wait_log(rf"warning .*\b{taken}\b")
        process.wait_until(lambda: process.banner(taken - 1) or process.banner(taken + 1), "a greeting")
        assert relay.stop() == 0


def test_a_second_start_on_the_same_spool_says_who_holds_it(outposts, peer, relay):
    second = outposts(outpost.smtp_upstream(peer.port), data_dir=str(relay.data))
    second.ports = dict(zip(second.listeners, process.free_ports(2)))
    second.write_config()
    status, said = exit_of(second)
    assert status != 0
    assert str(relay.daemon.pid) in said and str(relay.data) in said
    submit.send(relay)


def test_sigterm_lets_a_message_on_the_wire_finish(relay, peer):
    with dialog.Dialog(relay.port) as busy, dialog.Dialog(relay.port) as idle:
        busy.log_in(outpost.ACCOUNT, outpost.PASSWORD)
        busy.expect("MAIL FROM:<news@example.com>", 250)
        busy.expect("RCPT TO:<a@example.net>", 250)
        busy.expect("DATA", 354)
        busy.send(b"From: news@example.com\r\n")
        relay.daemon.signal(signal.SIGTERM)
        process.wait_until(lambda: refused(relay.port), "the end of listening")
        assert idle.reply().startswith("421 4.3.2 ")
        busy.send(b"Subject: late\r\n\r\nlate\r\n.\r\n")
        assert busy.reply().startswith("250 2.0.0 Ok: queued as ")
    assert relay.daemon.wait() == 0
    if not peer.accepted:
        relay.start()
    assert b"Subject: late" in peer.wait_messages(1)[0].data


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return False
    except OSError:
        return True


def test_sigterm_waits_for_a_delivery_and_does_not_repeat_it(relay, peer):
    gate = threading.Event()
    peer.on("body", "250 2.0.0 Ok", after=gate)
    submit.send(relay)
    process.wait_until(lambda: peer.messages, "the message on the wire")
    relay.daemon.signal(signal.SIGTERM)
    process.wait_until(lambda: refused(relay.port), "the end of listening")
    gate.set()
    assert relay.daemon.wait() == 0
    relay.start()
    submit.send(relay, messages.plain(subject="second"))
    assert len(peer.wait_messages(2)) == 2
    assert relay.stop() == 0
    assert len(peer.messages) == 2


def test_sigterm_ends_idle_connections_and_exits_at_once(relay):
    with dialog.Dialog(relay.port) as idle:
        began = time.monotonic()
        assert relay.stop() == 0
        assert idle.reply().startswith("421 4.3.2 ")
        print(f"stopped within {time.monotonic() - began:.2f} s")


def test_sigint_is_an_orderly_end_too(relay):
    relay.daemon.signal(signal.SIGINT)
    assert relay.daemon.wait() == 0


def test_a_restart_on_the_same_ports_works_at_once(relay, peer):
    for number in range(3):
        submit.send(relay)
        peer.wait_messages(number + 1)
        assert relay.stop() == 0
        relay.start()
    assert len(peer.messages) == 3

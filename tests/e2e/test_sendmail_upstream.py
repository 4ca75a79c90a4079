"""A local sendmail-compatible program as the upstream: msmtp's and Postfix's own, and scripts."""

import re
import shlex

from harness import messages, outpost, postfix as private_postfix, process, submit

DASHES = "-oQ/tmp@example.net"


def program(tmp_path, text):
    """An upstream whose command is this shell script."""
    file = tmp_path / "sendmail"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return {"type": "sendmail", "command": str(file)}


def msmtp(tmp_path, peer):
    return program(tmp_path, f"exec msmtp --file=/dev/null --host=127.0.0.1 --port={peer.port} \"$@\"")


def with_postfix(tmp_path, server):
    words = [f"MAIL_CONFIG={server.config}"]
    words += [f"{name}={value}" for name, value in private_postfix.environment().items()]
    words.append(str(private_postfix.tool("sendmail")))
    return program(tmp_path, f"exec env {shlex.join(words)} \"$@\"")


def test_msmtp_sends_the_message_octet_for_octet(outposts, peer, tmp_path):
    relay = outposts(msmtp(tmp_path, peer)).start()
    for make in messages.MIXED:
        sent = make()
        count = len(peer.accepted)
        submit.send(relay, sent, recipients=["you@example.net", DASHES], mail=["BODY=8BITMIME"])
        message = peer.wait_messages(count + 1)[-1]
        assert messages.without_received(message.data)[0] == sent, make.__name__
        assert message.sender == outpost.SENDER
        assert message.recipients == ["you@example.net", DASHES]


def test_one_bad_recipient_costs_the_others_nothing(outposts, peer, tmp_path):
    """msmtp sends nothing when one of several recipients is refused, and does not say which."""
    peer.on("rcpt", "550 5.1.1 No such user", times=None, when="bad@")
    peer.on("rcpt", "450 4.2.1 Later", times=2, when="slow@")
    relay = outposts(msmtp(tmp_path, peer)).start()
    wanted = ["one@example.net", "slow@example.net", "two@example.net"]
    submit.send(relay, recipients=[*wanted, "bad@example.net"])
    arrived = peer.wait_messages(4)
    assert sorted(sum((m.recipients for m in arrived if m.sender), [])) == wanted
    (report,) = [m for m in arrived if m.mail == "MAIL FROM:<>"]
    assert report.recipients == [outpost.SENDER]
    assert b"bad@example.net" in report.data and b"No such user" in report.data
    told = report.data.partition(b"message/rfc822")[0]
    assert not [recipient for recipient in wanted if recipient.encode() in told]


def test_a_large_message_through_postfix(outposts, postfix, tmp_path):
    relay = outposts(with_postfix(tmp_path, postfix)).start()
    sent = messages.big()
    submit.send(relay, sent, recipients=["large-sendmail@example.net"])
    (arrived,) = postfix.wait_messages("large-sendmail")
    assert arrived.endswith(sent)


def test_a_report_of_success_comes_from_us_and_has_no_sender(outposts, postfix, tmp_path):
    """Postfix's sendmail takes `<>` for the null reverse-path."""
    relay = outposts(with_postfix(tmp_path, postfix)).start()
    submit.send(relay, sender="reported@example.com", recipients=["r-sendmail@example.net"],
                rcpt=["NOTIFY=SUCCESS"])  # fmt: skip
    postfix.wait_messages("r-sendmail")
    (report,) = postfix.wait_messages("reported")
    assert b"\r\nAction: relayed\r\n" in report
    stored = [f.read_bytes() for f in (postfix.boxes / "all" / "new").iterdir()]
    (with_path,) = [octets for octets in stored if octets.endswith(report.replace(b"\r\n", b"\n"))]
    assert re.search(rb"^Return-Path: <>$", with_path, re.MULTILINE)


def test_an_unknown_recipient_bounces(outposts, peer, tmp_path):
    out = program(tmp_path, "echo 'who is that?' >&2; exit 67")
    upstreams = {"out": out, "reports": outpost.smtp_upstream(peer.port)}
    submit.send(outposts(out, upstreams=upstreams, dsn={"via": "reports"}).start())
    (report,) = peer.wait_messages(1)
    assert b"\r\nStatus: 5.1.1\r\n" in report.data and b"who is that?" in report.data


def test_a_program_that_is_set_up_wrongly_suspends_the_upstream(outposts, peer, tmp_path):
    relay = outposts(program(tmp_path, "echo 'no relay host' >&2; exit 78")).start()
    submit.send(relay)
    relay.wait_log(r" suspended .*no relay host")
    assert relay.stop() == 0
    relay.upstream = msmtp(tmp_path, peer)
    relay.start()
    peer.wait_messages(1)
    assert "bounced" not in relay.whole_log()


def test_a_program_that_vanishes_suspends_the_upstream(outposts, tmp_path):
    out = program(tmp_path, "exit 0")
    relay = outposts(out).start()
    (tmp_path / "sendmail").unlink()
    submit.send(relay)
    relay.wait_log(f" suspended .*cannot run {out['command']}: No such file or directory")


def test_a_missing_program_is_found_by_the_check(outposts, tmp_path):
    relay = outposts({"type": "sendmail", "command": str(tmp_path / "none")})
    relay.ports = dict(zip(relay.listeners, process.free_ports(len(relay.listeners))))
    relay.write_config()
    checked = relay.check()
    assert checked.returncode == 78
    assert re.search(rf'outpost\.yaml:\d+:\d+: upstreams\.out\.command: cannot run "{tmp_path}/none"',
                     checked.stderr)  # fmt: skip


def test_a_stop_waits_for_a_program_that_is_at_work(outposts, tmp_path):
    """What has been handed over counts as sent, also if the stop comes before the end."""
    go = tmp_path / "go"
    out = program(tmp_path, f"touch {tmp_path}/started\nwhile ! test -e {go}; do sleep 0.01; done")
    relay = outposts(out).start()
    submit.send(relay)
    process.wait_until((tmp_path / "started").exists, "the start of the program")
    relay.daemon.signal(15)
    relay.wait_log("stopping")
    go.touch()
    assert relay.daemon.wait() == 0
    assert re.search(r" delivered ", relay.whole_log())


def test_a_killed_daemon_leaves_no_half_message_behind(outposts, tmp_path):
    """The program has the whole message, whatever becomes of us; else it would send a part of it."""
    go, copy = tmp_path / "go", tmp_path / "copy"
    wait = f"touch {tmp_path}/started\nwhile ! test -e {go}; do sleep 0.01; done"
    out = program(tmp_path, f"{wait}\ncat > {copy}.new\nmv {copy}.new {copy}")
    relay = outposts(out).start()
    sent = messages.attachments(size=1_000_000)
    submit.send(relay, sent)
    process.wait_until((tmp_path / "started").exists, "the start of the program")
    relay.kill()
    go.touch()
    process.wait_until(copy.exists, "the end of the program")
    assert copy.read_bytes().endswith(sent.replace(b"\r\n", b"\n"))

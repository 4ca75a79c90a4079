"""The systemd units, what outpostd says to systemd, the sockets it takes over, and what is installed."""

import os
import re
import shutil
import socket
import subprocess

import pytest
from harness import outpost, process, submit

UNITS = process.ROOT / "systemd"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze: tests/deps test installs it")


def run(*command, **keys):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **keys)


@pytest.fixture
def notified(tmp_path, outposts, peer):
    """A daemon that was told of a notification socket, not started; and what it says there."""
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = tmp_path / "notify"
    heard.bind(str(path))
    heard.settimeout(process.PATIENCE)
    relay = outposts(outpost.smtp_upstream(peer.port))
    relay.environment = {"NOTIFY_SOCKET": str(path)}
    yield relay, heard
    heard.close()


def test_it_says_when_it_is_ready_that_it_works_and_when_it_stops(notified):
    relay, heard = notified
    relay.environment["WATCHDOG_USEC"] = "200000"
    relay.start()
    assert heard.recv(4096) == b"READY=1"
    assert [heard.recv(4096) for _ in range(5)] == [b"WATCHDOG=1"] * 5
    submit.send(relay)
    assert relay.stop() == 0
    rest = []
    heard.setblocking(False)
    try:
        while True:
            rest.append(heard.recv(4096))
    except BlockingIOError:
        assert rest.count(b"STOPPING=1") == 1


def test_nobody_is_told_that_it_works_where_nobody_asked(notified):
    relay, heard = notified
    relay.start()
    assert relay.stop() == 0
    assert [heard.recv(4096), heard.recv(4096)] == [b"READY=1", b"STOPPING=1"]


def activated(relay, *addresses):
    """Starts the daemon as systemd does with the first connection to one of the addresses."""
    listen = [word for address in addresses for word in ("-l", address)]
    command = ["systemd-socket-activate", *listen, outpost.DAEMON, "--config", relay.file]
    relay.daemon = process.Process(command, relay.directory / "stderr")
    process.wait_until(lambda: relay.log().count("Listening on") == len(addresses), "the sockets")
    return relay.daemon


@pytest.fixture
def prepared(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port))
    relay.ports = dict(zip(relay.listeners, process.free_ports(len(relay.listeners))))
    relay.write_config()
    return relay


@needs_systemd
def test_sockets_of_systemd_are_taken_over(prepared, peer):
    relay = prepared
    daemon = activated(relay, f"127.0.0.1:{relay.ports['starttls']}")
    process.wait_until(lambda: all(process.banner(p) for p in relay.ports.values()), "greetings")
    assert "in use" not in daemon.log()
    submit.send(relay)
    peer.wait_messages(1)
    assert relay.stop() == 0


@needs_systemd
def test_a_socket_that_the_configuration_does_not_name_is_an_error(prepared):
    relay = prepared
    stray = process.free_port()
    daemon = activated(relay, f"127.0.0.1:{relay.ports['starttls']}", f"127.0.0.1:{stray}")
    with socket.create_connection(("127.0.0.1", stray), timeout=30):
        assert daemon.wait() == 78
    relay.daemon = None
    assert f"127.0.0.1 port {stray}" in daemon.log() and "`listen`" in daemon.log()
    assert str(relay.ports["starttls"]) not in daemon.log().partition("no entry of")[2]


@needs_systemd
def test_the_sandbox_is_tight():
    done = run("systemd-analyze", "security", "--offline=true", UNITS / "outpostd.service")
    exposure = re.search(r"Overall exposure level for outpostd.service: ([\d.]+)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert float(exposure.group(1)) <= 1.5, done.stdout


def opened_for_sendmail():
    """The drop-in in the manual."""
    manual = (process.ROOT / "man/outpostd.8").read_text()
    return re.search(r"\.Bd -literal\n(\[Service\]\n.*?)\.Ed", manual, re.DOTALL).group(1)


@needs_systemd
@pytest.mark.parametrize("drop_in", ["", "sendmail"])
def test_systemd_finds_no_fault_with_the_units(tmp_path, drop_in):
    unit = (UNITS / "outpostd.service").read_text()
    assert "ExecStart=/usr/sbin/outpostd " in unit
    (tmp_path / "outpostd.service").write_text(unit.replace("/usr/sbin/outpostd", str(outpost.DAEMON)))
    shutil.copy(UNITS / "outpostd.socket", tmp_path)
    if drop_in:
        (tmp_path / "outpostd.service.d").mkdir()
        (tmp_path / "outpostd.service.d/sendmail.conf").write_text(opened_for_sendmail())
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / "outpostd.service", tmp_path / "outpostd.socket")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_drop_in_for_sendmail_opens_all_that_keeps_rights_away():
    """systemd.exec(5), NoNewPrivileges=: these imply it for a service with User=."""
    implying = ("SystemCallFilter SystemCallArchitectures RestrictAddressFamilies RestrictNamespaces "
                "PrivateDevices ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectClock "
                "ProtectHostname MemoryDenyWriteExecute RestrictRealtime RestrictSUIDSGID LockPersonality")  # fmt: skip
    unit, opened = (UNITS / "outpostd.service").read_text(), opened_for_sendmail()
    for name in implying.split() + ["NoNewPrivileges"]:
        assert re.search(rf"^{name}=.", unit, re.MULTILINE), name
        assert re.search(rf"^{name}=(no)?$", opened, re.MULTILINE), name


@pytest.fixture
def installed(tmp_path):
    done = run("cmake", "--install", outpost.BIN.parent, "--prefix", "/usr",
               env={**os.environ, "DESTDIR": str(tmp_path / "root")})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path / "root"


def test_all_is_installed_where_it_is_looked_for(installed):
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert files == {
        "usr/bin/outpostctl",
        "usr/sbin/outpostd",
        "usr/lib/systemd/system/outpostd.service",
        "usr/lib/systemd/system/outpostd.socket",
        "usr/lib/sysusers.d/outpost.conf",
        "usr/lib/tmpfiles.d/outpost.conf",
        "usr/share/bash-completion/completions/outpostctl",
        "usr/share/doc/outpost/examples/outpost.yaml",
        "usr/share/man/man5/outpost.yaml.5",
        "usr/share/man/man8/outpostctl.8",
        "usr/share/man/man8/outpostd.8",
    }
    for program in ("usr/bin/outpostctl", "usr/sbin/outpostd"):
        assert run(installed / program, "--version").returncode == 0


@needs_systemd
@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user: needs root")
def test_user_and_directories_are_made(installed):
    (installed / "etc").mkdir()
    made = run("systemd-sysusers", f"--root={installed}")
    assert made.returncode == 0, made.stderr
    assert re.search(r"^outpost:.*:/var/lib/outpost:/usr/sbin/nologin$",
                     (installed / "etc/passwd").read_text(), re.MULTILINE)  # fmt: skip
    made = run("systemd-tmpfiles", "--create", f"--root={installed}")
    assert made.returncode == 0, made.stderr
    group = int(re.search(r"^outpost:[^:]*:(\d+)", (installed / "etc/group").read_text(), re.MULTILINE).group(1))
    for name, owner in (("etc/outpost", 0), ("etc/outpost/tls", 0), ("var/lib/outpost", None)):
        info = (installed / name).stat()
        assert (info.st_mode & 0o7777, info.st_gid) == (0o750, group), name
        assert (info.st_uid == 0) == (owner == 0), name


def completions(line, environment=None):
    """What bash offers for the last word of the line."""
    script = """
        source /usr/share/bash-completion/bash_completion 2>/dev/null
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _outpostctl
        printf '%s\\n' "${COMPREPLY[@]}" """
    file = process.ROOT / "daemon/ctl/completion.bash"
    path = {"PATH": f"{outpost.BIN}:{os.environ['PATH']}"}
    done = run("bash", "-c", script, "bash", file, *line, env={**os.environ, **path, **(environment or {})})
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def help_of(*command):
    """Sub-commands and options that `--help` names."""
    told = run(outpost.CTL, *command, "--help").stdout
    options, _, commands = told.partition("Subcommands:")
    commands = set(re.findall(r"^  ([a-z-]+) ", commands.partition("Examples:")[0], re.MULTILINE))
    return commands, set(re.findall(r"--[a-z-]+", options.partition("Options:")[2].partition("Example")[0]))


GENERAL = {"--help", "--socket", "--json", "--reason", "--version"}


def all_commands(*path):
    commands, _ = help_of(*path)
    yield path
    for name in commands:
        yield from all_commands(*path, name)


def test_the_shell_completes_every_command_and_option():
    seen = list(all_commands())
    assert ("queue", "move") in seen and len(seen) > 15
    for path in seen:
        commands, options = help_of(*path)
        offered = completions(["outpostctl", *path, "--"])
        assert offered - GENERAL == {o for o in options if o.startswith("--")} - GENERAL, path
        if commands:
            assert {w for w in completions(["outpostctl", *path, ""]) if not w.startswith("-")} == commands, path


def test_the_manual_has_every_command_and_option_of_outpostctl():
    manual = (process.ROOT / "man/outpostctl.8").read_text()
    for path in all_commands():
        commands, options = help_of(*path)
        if path and not commands:
            assert re.search(rf"^\.It Ic {' '.join(path)}\b", manual, re.MULTILINE), path
        for option in options - {"--help"}:
            assert f"Fl Fl {option[2:]}" in manual, (path, option)


def test_the_shell_completes_values(relay):
    there = {"OUTPOST_SOCKET": str(relay.socket)}
    assert completions(["outpostctl", "upstream", "pause", ""], there) == {"out"}
    assert completions(["outpostctl", "queue", "move", "--to", "o"], there) == {"out"}
    assert completions(["outpostctl", "queue", "list", "--state", "s"]) == {"sending"}
    assert completions(["outpostctl", "queue", "list", "--account", ""]) == set()
    assert completions(["outpostctl", "--socket", "/nowhere", "que"]) == {"queue"}
    assert completions(["outpostctl", "--reason", "queue", "up"]) == {"upstream"}

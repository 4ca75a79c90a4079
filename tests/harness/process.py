"""Child processes, free ports and waiting for a condition with a limit."""

import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds; a slow machine may need them, a healthy test never does


def wait_until(condition, what, limit=PATIENCE):
    """Polls `condition` until it is true and returns its value; fails naming `what`."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit:g} s in vain for: {what}")
        time.sleep(0.01)


def free_ports(count):
    """Loopback ports that the kernel has just given out and nobody holds."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def free_port():
    return free_ports(1)[0]


def banner(port, host="127.0.0.1"):
    """True once something answers on `port` with an SMTP greeting or waits for a TLS hello."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(0.5)
            try:
                return connection.recv(1) != b""
            except TimeoutError:
                return True
    except OSError:
        return False


class Process:
    """A child that writes its standard error to a file and is stopped by its own pid."""

    def __init__(self, command, log, env=None, own_session=False, cwd=None, stdout=None):
        self.command = [str(word) for word in command]
        self.log_file = pathlib.Path(log)
        self.log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as stderr:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stdout or subprocess.DEVNULL,
                stderr=stderr,
                env={**os.environ, **(env or {})},
                start_new_session=own_session,
                cwd=cwd,
            )

    @property
    def pid(self):
        return self.child.pid

    def log(self):
        """What this run has written to standard error."""
        return self.log_file.read_bytes()[self.log_start :].decode(errors="replace")

    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, limit=PATIENCE):
        """The exit status; fails if the process is still there after `limit` seconds."""
        try:
            return self.child.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command[0]} (pid {self.pid}) did not end within {limit:g} s:\n"
                + self.log()[-4000:]
            ) from None

    def terminate(self, limit=PATIENCE):
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def kill(self):
        """kill -9; harmless if it has ended."""
        if self.running():
            self.child.kill()
        return self.wait()


def cpu_seconds(pid):
    """User and system time of a process with all children that it has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def session_cpu_seconds(leader):
    """CPU time of every process in the session that `leader` leads; those it reaped included."""
    total = 0.0
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == leader:
                    total += cpu_seconds(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return total


def memory_kib(pid):
    """Private memory of a process. Clean pages, all of files, are left out: they count as private
    or shared depending on who else has mapped the file."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise AssertionError(f"no Private_Dirty in /proc/{pid}/smaps_rollup")

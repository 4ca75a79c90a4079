"""A private Postfix: own configuration, queue and data directories, on loopback ports only.

Taken from the system if it is installed there, else Debian's package is unpacked under build/.
No system service is started or changed. Postfix's master needs root.
"""

import glob
import grp
import os
import pathlib
import pwd
import shutil
import subprocess

from . import process

UNPACKED = process.ROOT / "build" / "postfix"
# Postfix asks for accounts that nobody else uses; these exist on every Debian and are idle.
OWNER, SETGID_GROUP, DELIVERY_USER = "mail", "daemon", "nobody"
QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()


def root():
    """The directory that holds usr/lib/postfix; unpacks the package on first use."""
    if pathlib.Path("/usr/lib/postfix/sbin/smtpd").exists():
        return pathlib.Path("/")
    if not (UNPACKED / "usr/lib/postfix/sbin/smtpd").exists():
        fetch = UNPACKED.parent / "postfix-download"
        shutil.rmtree(fetch, ignore_errors=True)
        fetch.mkdir(parents=True)
        download = ["apt-get", "-q", "download", "postfix"]
        quiet = {"cwd": fetch, "capture_output": True, "text": True}
        if subprocess.run(download, **quiet).returncode != 0:
            subprocess.run(["apt-get", "-q", "update"], **quiet)
            last = subprocess.run(download, **quiet)
            if last.returncode != 0:
                raise RuntimeError(f"cannot fetch Debian's postfix package: {last.stderr.strip()}")
        package = glob.glob(str(fetch / "postfix_*.deb"))[0]
        subprocess.run(["dpkg", "-x", package, fetch / "root"], check=True)
        (fetch / "root").rename(UNPACKED)
        shutil.rmtree(fetch)
    return UNPACKED


def tool(name):
    """Path of smtp-source, smtp-sink, postqueue and the like."""
    return root() / "usr/sbin" / name


def environment():
    """What an unpacked Postfix needs to find its own libraries."""
    return {} if root() == pathlib.Path("/") else {"LD_LIBRARY_PATH": str(root() / "usr/lib/postfix")}


MASTER = """\
{services}
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`parameters` are main.cf settings, `services` lines for master.cf (its smtpd listeners)."""

    def __init__(self, directory, parameters, services):
        self.directory = pathlib.Path(directory)
        self.config = self.directory / "etc"
        self.queue = self.directory / "queue"
        self.data = self.directory / "data"
        self.maillog = self.directory / "maillog"
        self.master = None
        self._make_directories()
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": self.data,
            "daemon_directory": root() / "usr/lib/postfix/sbin",
            "command_directory": root() / "usr/sbin",
            "shlib_directory": "no" if root() == pathlib.Path("/") else root() / "usr/lib/postfix",
            "mail_owner": OWNER,
            "setgid_group": SETGID_GROUP,
            "default_privs": DELIVERY_USER,
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "myhostname": "postfix.test",
            "mydestination": "",
            "alias_maps": "",
            "local_recipient_maps": "",
            "import_environment": "MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH",
            "export_environment": "MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH",
            **parameters,
        }
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        (self.config / "main.cf").write_text("".join(lines))
        (self.config / "master.cf").write_text(MASTER.format(services="\n".join(services)))

    def _make_directories(self):
        owner = pwd.getpwnam(OWNER).pw_uid
        group = grp.getgrnam(SETGID_GROUP).gr_gid
        for path in (self.config, self.queue, self.data, self.queue / "pid"):
            path.mkdir(parents=True, exist_ok=True)
        # Postfix's own processes must be able to walk in.
        for parent in (self.directory, *self.directory.parents):
            if parent.stat().st_mode & 0o001 == 0 and parent.stat().st_uid == os.getuid():
                parent.chmod(parent.stat().st_mode | 0o011)
        os.chown(self.data, owner, -1)
        for name in QUEUES:
            (self.queue / name).mkdir(exist_ok=True, mode=0o700)
            os.chown(self.queue / name, owner, -1)
        for name, mode in (("maildrop", 0o1730), ("public", 0o710)):
            (self.queue / name).mkdir(exist_ok=True)
            os.chown(self.queue / name, owner, group)
            (self.queue / name).chmod(mode)

    def start(self, port):
        """Starts Postfix and waits until its smtpd on `port` greets."""
        daemon = root() / "usr/lib/postfix/sbin/master"
        self.master = process.Process(
            [daemon, "-c", self.config, "-d"],
            self.directory / "stderr",
            env=environment(),
            own_session=True,
        )
        process.wait_until(
            lambda: process.banner(port) or not self.master.running(),
            f"a greeting of Postfix on port {port}",
        )
        if not self.master.running():
            raise AssertionError("Postfix did not start:\n" + self.master.log() + self.log())
        return self

    def stop(self):
        """Ends master; it ends its own children."""
        if self.master:
            self.master.terminate()
            process.wait_until(lambda: not self._alive(), "the end of Postfix's processes")
            self.master = None

    def _alive(self):
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                fields = pathlib.Path(stat).read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.master.pid and fields[0] != "Z":
                return True
        return False

    def cpu_seconds(self):
        return process.session_cpu_seconds(self.master.pid)

    def log(self):
        return self.maillog.read_text(errors="replace") if self.maillog.exists() else ""

    def queued(self):
        """Messages in the queue, whatever their state."""
        folders = ("maildrop", "incoming", "active", "deferred", "hold")
        return sum(len(names) for f in folders for _, _, names in os.walk(self.queue / f))

"""Outpost as a child process: a configuration from a dict, start, readiness, log, stop."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import yaml

from . import process

BIN = pathlib.Path(os.environ.get("OUTPOST_BIN", process.ROOT / "build/release/bin"))
DAEMON = BIN / "outpostd"
CTL = BIN / "outpostctl"

PASSWORD = "correct horse; battery=staple"
ACCOUNT = "app"
SENDER = "news@example.com"


def smtp_upstream(port, **keys):
    """An upstream on loopback; encryption `none` unless `keys` say otherwise."""
    return {"type": "smtp", "host": f"[127.0.0.1]:{port}", "encryption": "none", **keys}


class Outpost:
    """One configuration and data directory; may be started several times.

    `ports` maps a name to the listener's keys, without the ports, which the kernel chooses:
    by default `starttls` and `implicit`. `config` overrides top-level keys.
    """

    LISTENERS = {"starttls": {"tls": "starttls"}, "implicit": {"tls": "implicit"}}

    def __init__(self, directory, certificate, upstream, listeners=None, **config):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate
        self.listeners = listeners or self.LISTENERS
        self.upstream = upstream
        self.overrides = config
        self.file = self.directory / "outpost.yaml"
        self.data = self.directory / "data"
        # A socket's path is short; pytest's directories may not be.
        self._short = tempfile.TemporaryDirectory(prefix="outpost-", ignore_cleanup_errors=True)
        self.socket = pathlib.Path(self._short.name) / "control"
        self.daemon = None
        self.environment = {}
        self.ports = {}

    def config(self):
        settings = {
            "hostname": "relay.test",
            "data_dir": str(self.data),
            "listen": [
                {"address": "127.0.0.1", "ports": [port], **self.listeners[name]}
                for name, port in self.ports.items()
            ],
            "tls": {
                "certificates": [
                    {"certificate": str(self.certificate.chain), "key": str(self.certificate.key)}
                ]
            },
            "control": {"socket": str(self.socket)},
            "spool": {"min_free": "0MB"},
            "retry": {"first": "1s", "factor": 1, "max": "1s", "jitter": 0},
            "accounts": {
                ACCOUNT: {
                    "password": PASSWORD,
                    "authorized_domains": ["example.com"],
                    "route": "out",
                }
            },
            "upstreams": {"out": self.upstream},
        }
        for key, value in self.overrides.items():
            if isinstance(value, dict) and isinstance(settings.get(key), dict) and key != "upstreams":
                settings[key] = {**settings[key], **value}
            else:
                settings[key] = value
        return settings

    def write_config(self):
        self.file.write_text(yaml.safe_dump(self.config(), sort_keys=False, allow_unicode=True))

    def start(self, tries=5):
        """Starts the daemon and waits for a greeting on every listener."""
        for attempt in range(tries):
            fresh = not self.ports
            if fresh:
                numbers = process.free_ports(len(self.listeners))
                self.ports = dict(zip(self.listeners, numbers))
            self.write_config()
            self.daemon = self.launch()
            process.wait_until(
                lambda: not self.daemon.running() or self._ready(), "the greeting of outpostd", 60
            )
            if self.daemon.running():
                return self
            taken = "in use" in self.daemon.log()
            if not (fresh and taken and attempt + 1 < tries):
                break
            self.ports = {}
        raise AssertionError(f"outpostd ended at the start:\n{self.daemon.log()}")

    def launch(self):
        """The bare start, for those who expect it to fail."""
        return process.Process(
            [DAEMON, "--config", self.file], self.directory / "stderr", env=self.environment
        )

    def _ready(self):
        # A PROXY listener says nothing before it has seen a header; accepting is all it can show.
        return all(process.banner(port) for port in self.ports.values())

    @property
    def port(self):
        return next(iter(self.ports.values()))

    def log(self):
        return self.daemon.log()

    def whole_log(self):
        """Everything since the first start."""
        return (self.directory / "stderr").read_text(errors="replace")

    def ctl(self, *arguments, code=0, **keys):
        """What outpostctl prints; parsed if `--json` is among the arguments."""
        ended = subprocess.run(
            [CTL, "--socket", self.socket, *arguments], capture_output=True, text=True, timeout=60, **keys
        )
        assert code in (None, ended.returncode), (ended.returncode, ended.stdout, ended.stderr)
        return json.loads(ended.stdout) if "--json" in arguments else ended.stdout + ended.stderr

    def wait_log(self, pattern, limit=process.PATIENCE):
        """Waits for a line that matches; returns the match."""
        return process.wait_until(
            lambda: re.search(pattern, self.log(), re.MULTILINE), f"a log line /{pattern}/", limit
        )

    def json_log(self):
        return [json.loads(line) for line in self.log().splitlines()]

    def stop(self):
        """SIGTERM; the exit status."""
        if self.daemon is None:
            return 0
        status = self.daemon.terminate()
        self.daemon = None
        return status

    def kill(self):
        """kill -9, as a crash."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def check(self):
        """`outpostd --check`: the finished process."""
        return subprocess.run(
            [DAEMON, "--check", "--config", self.file],
            capture_output=True, text=True, timeout=process.PATIENCE,
            env={**os.environ, **self.environment},
        )  # fmt: skip

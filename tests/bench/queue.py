"""The commands of outpostctl on a long queue, each through outpostctl against the running daemon,
while another upstream goes on delivering: how long a command takes, and how long at most nothing was
delivered and no NOOP was answered meanwhile."""

import argparse
import os
import socket
import subprocess
import threading
import time
import urllib.request

from bench import measure
from harness import certificates, outpost, postfix, process

PATIENCE = 3600  # seconds for one command
# Each has a fifth of the queue. `paused` is paused, `slow` has a rate that is used up, nobody
# listens at `down`.
BULK = {
    "news": {"priority": 3, "route": "paused"},
    "shop": {"priority": 2, "route": "paused"},
    "crm": {"priority": 4, "route": "slow"},
    "forum": {"priority": 3, "route": "slow"},
    "billing": {"priority": 1, "route": "down"},
}
FREE = "free"  # the upstream of the mail that goes on; its account is the usual one


class Gaps:
    """The longest time without progress since it was last asked."""

    def __init__(self, step):
        self._step = step  # true if there was progress; called again and again
        self._lock = threading.Lock()
        self._worst = 0.0
        self._last = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.is_set():
            progress = self._step()
            now = time.monotonic()
            with self._lock:
                self._worst = max(self._worst, now - self._last)
                if progress:
                    self._last = now

    def take(self):
        with self._lock:
            worst, self._worst = self._worst, 0.0
            return max(worst, time.monotonic() - self._last)

    def stop(self):
        self._over.set()
        self._thread.join(process.PATIENCE)


def delivery_gaps(sink):
    """smtp-sink writes a line for each message that it has taken."""
    size = 0

    def step():
        nonlocal size
        time.sleep(0.001)
        before, size = size, os.stat(sink.counters).st_size
        return size != before

    return Gaps(step)


def noop_gaps(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    lines = connection.makefile("rb")
    lines.readline()

    def step():
        time.sleep(0.001)
        connection.sendall(b"NOOP\r\n")
        return lines.readline().startswith(b"250")

    return Gaps(step)


class Stream:
    """Mail that comes and goes without end at the free upstream."""

    def __init__(self, port):
        command = [postfix.tool("smtp-source"), "-d", "-s", 4, "-m", 1_000_000_000, "-l", 1024,
                   "-f", "news@example.com", "-t", "rcpt@example.net", f"127.0.0.1:{port}"]  # fmt: skip
        self.process = subprocess.Popen([str(word) for word in command], env={**os.environ, **postfix.environment()},
                                        stderr=subprocess.DEVNULL)  # fmt: skip

    def stop(self):
        self.process.kill()
        self.process.wait()


def relay_for(work, sink):
    limits = {
        "paused": outpost.smtp_upstream(process.free_port()),
        "slow": outpost.smtp_upstream(sink.port, rate="10/h", quota={"daily": 100000}),
        "down": outpost.smtp_upstream(process.free_port()),
        FREE: outpost.smtp_upstream(sink.port),
    }
    accounts = {
        name: {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], **keys}
        for name, keys in {**BULK, outpost.ACCOUNT: {"route": FREE}}.items()
    }
    listener = {"tls": "none", "require_tls": False}
    return outpost.Outpost(
        work / "queue", certificates.make(work / "tls"), None,
        listeners={name: {**listener, "trusted_account": name} for name in accounts},
        accounts=accounts, upstreams=limits, retry={"first": "1h", "max": "1h"},
        control={"http": f"127.0.0.1:{process.free_port()}"},
    )  # fmt: skip


def fill(relay, count):
    options = argparse.Namespace(clients=20, size=256)
    began = time.monotonic()
    for name in BULK:
        measure.source(relay.ports[name], count // len(BULK), options, kept=True, distinct=True)
    print(f"{count} messages queued in {time.monotonic() - began:.0f} s")


def commands(relay, count):
    """What is run, in this order: a name for the table, and the arguments."""
    some = relay.ctl("--json", "queue", "list", "--account", "news", "--limit", "50")
    newest = some[-1]["id"]
    rcpt = some[0]["recipients"][0]
    listing = ("queue", "list")
    yield "status", ("status",)
    yield "queue", ("queue",)
    yield "list", listing
    yield "list --account", (*listing, "--account", "forum")
    yield "list --state waiting", (*listing, "--state", "waiting")
    yield "list --older 1s", (*listing, "--older", "1s")
    yield "list --limit 10000", (*listing, "--limit", "10000")
    yield "list --rcpt @domain", (*listing, "--rcpt", "@example.net")
    yield "list --rcpt, one match", (*listing, "--rcpt", rcpt)
    yield "list --sender, no match", (*listing, "--sender", "@nowhere.example")
    yield "show", ("queue", "show", newest)
    yield "why", ("why", newest)
    share = f"of {count // len(BULK)}"
    yield f"hold --dry-run {share}", ("queue", "hold", "--account", "news", "--dry-run")
    yield f"hold --rcpt --dry-run {share}", ("queue", "hold", "--account", "news", "--rcpt", rcpt, "--dry-run")
    yield f"hold {share}", ("queue", "hold", "--account", "news")
    yield f"release {share}", ("queue", "release", "--account", "news")
    yield f"retry {share}", ("queue", "retry", "--account", "shop")
    yield f"priority {share}", ("queue", "priority", "5", "--account", "shop")
    yield f"move {share}", ("queue", "move", "--to", "paused", "--account", "crm")
    yield f"cancel {share}", ("queue", "cancel", "--account", "forum")


def run(relay, arguments):
    return subprocess.run([outpost.CTL, "--socket", relay.socket, *arguments], check=True,
                          capture_output=True, timeout=PATIENCE)  # fmt: skip


def queue(work, count):
    sink = measure.Sink(work)
    relay = relay_for(work, sink)
    stream = delivery = noop = None
    try:
        relay.start()
        relay.ctl("upstream", "pause", "paused")
        fill(relay, count)
        todo = list(commands(relay, count))
        stream = Stream(relay.ports[outpost.ACCOUNT])
        delivery, noop = delivery_gaps(sink), noop_gaps(relay.ports[outpost.ACCOUNT])
        time.sleep(5)
        print(f"\n{'command':<32}{'took':>10}{'longest gap: delivery':>24}{'NOOP':>10}{'delivered/s':>13}")

        def report(name, call):
            delivery.take()
            noop.take()
            sent, began = sink.messages(), time.monotonic()
            call()
            took = time.monotonic() - began
            rate = (sink.messages() - sent) / took
            print(f"{name:<32}{took * 1000:>7.0f} ms{delivery.take() * 1000:>21.0f} ms"
                  f"{noop.take() * 1000:>7.0f} ms{rate:>13.0f}", flush=True)  # fmt: skip

        report("(nothing, 5 s)", lambda: time.sleep(5))
        for name, arguments in todo:
            report(name, lambda: run(relay, arguments))
        relay.overrides["upstreams"]["slow"]["rate"] = "11/h"
        relay.write_config()
        report("reload", lambda: run(relay, ("reload",)))
        page = f"http://{relay.config()['control']['http']}/metrics"
        report("GET /metrics", lambda: urllib.request.urlopen(page, timeout=PATIENCE).read())
    finally:
        for one in (delivery, noop, stream, relay, sink):
            if one is not None:
                one.stop()

"""The measurements behind tests/bench/run. Every relay is measured in the same way."""

import dataclasses
import pathlib
import re
import statistics
import subprocess
import sys
import time

from harness import certificates, outpost, postfix, process

LIMIT = 600  # seconds for one measurement; a relay that needs more has hung


@dataclasses.dataclass
class Figures:
    accepted: float  # messages a second, as the clients see it
    end_to_end: float  # messages a second until the sink has the last one
    cpu_ms: float  # CPU of the relay's processes a message


class Sink:
    """smtp-sink on a port of its own. It counts the messages that it has taken."""

    def __init__(self, work):
        self.port = process.free_port()
        self.counters = work / "sink.counters"
        with open(self.counters, "wb") as stdout:
            self.process = process.Process(
                [postfix.tool("smtp-sink"), "-u", postfix.DELIVERY_USER, "-c", "-m", 1000,
                 f"127.0.0.1:{self.port}", 1024],
                work / "sink.log", env=postfix.environment(), stdout=stdout,
            )  # fmt: skip
        process.wait_until(lambda: process.banner(self.port), "the sink's greeting")

    def messages(self):
        with open(self.counters, "rb") as counters:
            counters.seek(max(0, self.counters.stat().st_size - 100))
            return int((re.findall(rb"mesg=(\d+)\s", counters.read()) or [0])[-1])

    def wait(self, count):
        process.wait_until(lambda: self.messages() >= count, f"{count} messages at the sink", LIMIT)

    def stop(self):
        self.process.terminate()


def source(port, count, options, kept, distinct=False):
    """Sends `count` messages from `options.clients` parallel clients; `distinct`: each to another
    recipient."""
    command = [postfix.tool("smtp-source"), *(["-d"] if kept else []), *(["-N"] if distinct else []),
               "-s", options.clients, "-m", count, "-l", options.size,
               "-f", "news@example.com", "-t", "rcpt@example.net", f"127.0.0.1:{port}"]  # fmt: skip
    subprocess.run([str(word) for word in command], check=True, timeout=LIMIT,
                   env=postfix.environment())  # fmt: skip


class PostfixRelay:
    name = "Postfix"

    def __init__(self, work, sink_port):
        self.port = process.free_port()
        # As shipped but for the paths, the port and the next hop.
        self.relay = postfix.Postfix(
            work / "postfix",
            {"relayhost": f"[127.0.0.1]:{sink_port}"},
            [f"127.0.0.1:{self.port} inet n - n - - smtpd"],
        )
        self.relay.start(self.port)

    def cpu_seconds(self):
        return self.relay.cpu_seconds()

    def stop(self):
        self.relay.stop()


def open_relay(directory, upstream, **config):
    """Outpost as a relay without AUTH: the counterpart of Postfix's mynetworks."""
    return outpost.Outpost(
        directory,
        certificates.make(directory / "tls"),
        upstream,
        listeners={"plain": {"tls": "none", "require_tls": False, "trusted_account": outpost.ACCOUNT}},
        **config,
    )


class OutpostRelay:
    name = "Outpost"

    def __init__(self, work, sink_port, **config):
        self.relay = open_relay(work / "outpost", outpost.smtp_upstream(sink_port), **config).start()
        self.port = self.relay.port

    def cpu_seconds(self):
        return process.cpu_seconds(self.relay.daemon.pid)

    def stop(self):
        self.relay.stop()


def one_run(relay, sink, count, options, kept, distinct=False):
    before = sink.messages()
    cpu = relay.cpu_seconds()
    begin = time.monotonic()
    source(relay.port, count, options, kept, distinct)
    accepted = time.monotonic() - begin
    sink.wait(before + count)
    done = time.monotonic() - begin
    cpu = relay.cpu_seconds() - cpu
    return Figures(count / accepted, count / done, cpu * 1000 / count)


class NoRelay:
    """The load tools alone: what no relay on this machine can exceed."""

    name = "no relay"

    def __init__(self, _work, sink_port):
        self.port = sink_port

    def cpu_seconds(self):
        return 0.0

    def stop(self):
        pass


def relay(work, options):
    kinds = [NoRelay, PostfixRelay, OutpostRelay]
    if options.only:
        kinds = [kind for kind in kinds if kind.name.lower() == options.only]
    best = {}
    for turn in range(options.rounds):
        for kind in kinds:
            count = options.messages // (4 if kind is PostfixRelay else 1)
            directory = work / f"{kind.__name__}-{turn}"
            directory.mkdir()
            sink = Sink(directory)
            under_test = kind(directory, sink.port)
            try:
                for kept in (False, True):
                    # Processes are forked, connections opened, caches filled: not counted.
                    one_run(under_test, sink, count // 10, options, kept)
                    figures = one_run(under_test, sink, count, options, kept)
                    report(kind.name, kept, figures)
                    known = best.get((kind.name, kept))
                    if known is None or figures.end_to_end > known.end_to_end:
                        best[kind.name, kept] = figures
            finally:
                under_test.stop()
                sink.stop()
    print_table(best, options)


def history(work, options):
    """Throughput with the history and without, in turns, so that a machine that slows down or gets
    busy does so for both. Recipients differ, as their index costs most."""
    kinds = {"with": {}, "without": {"history": {"keep": 0}}}
    runs = {name: [] for name in kinds}
    sinks, relays = {}, {}
    try:
        for name, config in kinds.items():
            directory = work / f"history-{name}"
            directory.mkdir()
            sinks[name] = Sink(directory)
            relays[name] = OutpostRelay(directory, sinks[name].port, **config)
            one_run(relays[name], sinks[name], options.messages // 10, options, True, True)
        for turn in range(2 * options.rounds):
            # Who comes first changes: what one leaves to be written burdens the next.
            for name in sorted(kinds, reverse=turn % 2 == 1):
                runs[name].append(
                    one_run(relays[name], sinks[name], options.messages, options, True, True)
                )
                report(f"{name} history", True, runs[name][-1])
        lost = "history incomplete" in relays["with"].relay.log()
        answer = relays["with"].relay.ctl("--json", "history", "--limit", "1")
        rows = answer[0]["number"] if answer else 0
    finally:
        for one in (*relays.values(), *sinks.values()):
            one.stop()
    print_history(runs, rows, lost, options)


def print_history(runs, rows, lost, options):
    print(f"\n{options.size}-octet messages, {options.clients} clients, kept connections, median of "
          f"{2 * options.rounds} runs of {options.messages} in turns")  # fmt: skip
    median = {
        name: Figures(*(statistics.median(values) for values in zip(*map(dataclasses.astuple, all))))
        for name, all in runs.items()
    }
    for name, figures in median.items():
        print(f"{name + ' history':16} {figures.accepted:8.0f} accepted/s {figures.end_to_end:8.0f} "
              f"end to end/s {figures.cpu_ms:8.3f} CPU ms/msg")  # fmt: skip
    on, off = median["with"], median["without"]
    pairs = [a.end_to_end / b.end_to_end for a, b in zip(runs["with"], runs["without"])]
    print(f"With history: {100 * on.end_to_end / off.end_to_end:.0f} % of the throughput end to end "
          f"(single pairs {100 * min(pairs):.0f} to {100 * max(pairs):.0f} %), "
          f"{100 * on.accepted / off.accepted:.0f} % accepted, "
          f"{100 * on.cpu_ms / off.cpu_ms:.0f} % of the CPU; {rows} rows written"
          f"{', SOME LOST' if lost else ''}\n")  # fmt: skip


def report(name, kept, figures):
    print(f"  {name}, {'kept' if kept else 'new'} connections: {figures.end_to_end:.0f} msg/s",
          file=sys.stderr)  # fmt: skip


def print_table(best, options):
    print(f"\n{options.size}-octet messages, {options.clients} clients, best of {options.rounds}\n")
    print(f"{'relay':10} {'connections':14} {'accepted/s':>10} {'end to end/s':>13} {'CPU ms/msg':>11}")
    for (name, kept), figures in best.items():
        connections = "kept" if kept else "new each"
        print(f"{name:10} {connections:14} {figures.accepted:10.0f} {figures.end_to_end:13.0f} "
              f"{figures.cpu_ms:11.3f}")  # fmt: skip
    for kept in (False, True):
        ours, theirs = best.get(("Outpost", kept)), best.get(("Postfix", kept))
        if ours and theirs:
            print(f"Outpost to Postfix, {'kept' if kept else 'new'} connections: "
                  f"{ours.end_to_end / theirs.end_to_end:.1f} times end to end, "
                  f"{ours.accepted / theirs.accepted:.1f} times accepted, "
                  f"1/{theirs.cpu_ms / ours.cpu_ms:.1f} of the CPU")  # fmt: skip
    print()


def settled(pid):
    """Memory once it has kept still for longer than the spool holds what it has just stored."""
    quiet = 0
    last = process.memory_kib(pid)
    while quiet < 6:
        time.sleep(1)
        now = process.memory_kib(pid)
        quiet = quiet + 1 if abs(now - last) <= last // 200 else 0
        last = now
    return last


def memory(work, options):
    nobody = process.free_port()  # the upstream is down: all mail stays queued
    daemon = open_relay(
        work / "memory",
        outpost.smtp_upstream(nobody),
        retry={"first": "1h", "max": "1h"},
    ).start()
    try:
        source(daemon.port, 100, options, kept=True)
        empty = settled(daemon.daemon.pid)
        source(daemon.port, options.queued, options, kept=True)
        loaded = process.memory_kib(daemon.daemon.pid)
        full = settled(daemon.daemon.pid)
        daemon.stop()
        began = time.monotonic()
        daemon.start()
        ready = time.monotonic() - began
        again = settled(daemon.daemon.pid)
    finally:
        daemon.stop()
    each = (full - empty) * 1024 / options.queued
    print(f"{options.queued} messages of {options.size} octets queued: private memory "
          f"{empty} KiB before, {loaded} KiB as the last is accepted, {full} KiB seconds later: "
          f"{each:.0f} octets a message; {again} KiB after a restart, which took "
          f"{ready * 1000:.0f} ms")  # fmt: skip


def start(work):
    script = pathlib.Path(__file__).with_name("start_time.py")
    # A network of its own, so that nobody else's ports are in the way and none is open to others.
    subprocess.run(["unshare", "--net", sys.executable, "-B", script, work / "start"], check=True)

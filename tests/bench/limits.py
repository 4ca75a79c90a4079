"""How well limits are used and how exactly they hold, with the daemon, clients and upstreams that
record. One run covers every example rate of docs/limits.md; the long ones see their first window."""

import math
import threading
import time

from harness import certificates, outpost, submit, upstream

RATES = {
    "14/s": ["14/s"],
    "14/s smooth": ["14/s"],
    "600/m": ["600/m"],
    "1200/h": ["1200/h"],
    "6000/h": ["6000/h"],
    "500/5m and 80MB": ["500 messages/5m", "80MB/5m"],
}
PERIODS = {"s": 1, "m": 60, "5m": 300, "h": 3600}


def limits(work, seconds):
    certificate = certificates.make(work)
    rates(work, certificate, seconds)
    quota_edge(work, certificate)
    crash(work, certificate)


def account(name, **keys):
    return {"password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": name, **keys}


def first_limit(name):
    count, _, period = RATES[name][0].replace(" messages", "").partition("/")
    return int(count), PERIODS[period]


def rates(work, certificate, seconds):
    peers = {name: upstream.ScriptedUpstream(certificate, starttls=False) for name in RATES}
    upstreams = {
        name: outpost.smtp_upstream(peers[name].port, rate=rate, smooth=name.endswith("smooth"))
        for name, rate in RATES.items()
    }
    upstreams["out"] = {"type": "sandbox", "directory": str(work / "sandbox")}  # the default account's
    accounts = {name: account(name) for name in RATES}
    relay = outpost.Outpost(work / "rates", certificate, None, accounts=accounts,
                            upstreams=upstreams).start()  # fmt: skip
    print(f"\nRates, {seconds} s of mail that always waits, as the upstreams saw it")
    print(f"{'rate':<18}{'sent':>7}{'possible':>10}{'used':>8}{'worst window':>14}")
    try:
        threads = [threading.Thread(target=offer, args=(relay, name, seconds)) for name in RATES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        begin = {name: min(m.at for m in peer.accepted) for name, peer in peers.items()}
        time.sleep(max(0.0, max(begin.values()) + seconds - time.monotonic()))
        for name, peer in peers.items():
            report(name, [m.at for m in peer.accepted if m.at <= begin[name] + seconds], seconds)
    finally:
        relay.stop()
        for peer in peers.values():
            peer.shutdown()


def offer(relay, name, seconds):
    """Hands in what the rate lets through in the time, and a little more."""
    count, period = first_limit(name)
    with submit.client(relay, user=name) as connection:
        for _ in range(count * (1 + math.ceil(seconds / period))):
            submit.transaction(connection)


def report(name, times, seconds):
    count, period = first_limit(name)
    # From the first message on: a full window at once, and another whenever a period is over.
    possible = count * math.ceil(seconds / period)
    times, first, worst = sorted(times), 0, 0
    for last, at in enumerate(times):
        while at - times[first] > period:
            first += 1
        worst = max(worst, last - first + 1)
    used = 100 * len(times) / possible
    print(f"{name:<18}{len(times):>7}{possible:>10}{used:>7.1f}%{worst:>8} of {count}")


def quota_edge(work, certificate, sessions=50, quota=500):
    peer = upstream.ScriptedUpstream(certificate, starttls=False)
    relay = outpost.Outpost(
        work / "quota", certificate, outpost.smtp_upstream(peer.port),
        accounts={outpost.ACCOUNT: account("out", quota={"monthly": quota})},
    ).start()  # fmt: skip
    accepted = []
    try:
        def client():
            with submit.client(relay) as connection:
                for _ in range(2 * quota // sessions):
                    try:
                        submit.transaction(connection)
                        accepted.append(1)
                    except Exception:  # noqa: BLE001 - 454
                        connection.rset()

        threads = [threading.Thread(target=client) for _ in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"\nQuota of {quota} with {sessions} sessions that offer {2 * quota}: "
              f"{len(accepted)} accepted, overshoot {max(0, len(accepted) - quota)}")  # fmt: skip
    finally:
        relay.stop()
        peer.shutdown()


def crash(work, certificate, quota=1000, crashes=3):
    peer = upstream.ScriptedUpstream(certificate, starttls=False)
    relay = outpost.Outpost(
        work / "crash", certificate, outpost.smtp_upstream(peer.port),
        accounts={outpost.ACCOUNT: account("out", quota={"monthly": quota})},
    ).start()  # fmt: skip
    accepted = 0
    try:
        for life in range(crashes + 1):
            with submit.client(relay) as connection:
                for _ in range(137 if life < crashes else 2 * quota):
                    try:
                        submit.transaction(connection)
                        accepted += 1
                    except Exception:  # noqa: BLE001 - 454: used up
                        break
            if life < crashes:
                relay.kill()
                relay.start()
        lost = quota - accepted
        print(f"Quota of {quota} with {crashes} times kill -9: {accepted} accepted, "
              f"{lost} permits lost, {lost / crashes:.1f} a crash")  # fmt: skip
    finally:
        relay.stop()
        peer.shutdown()

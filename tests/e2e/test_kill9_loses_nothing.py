"""kill -9 of the daemon again and again under load: all that was acknowledged arrives.

OUTPOST_KILL_MESSAGES (1000) and OUTPOST_KILLS (8) make it longer; the duplicates are printed.
"""

import collections
import hashlib
import os
import random
import re
import smtplib
import ssl
import threading
import time

from harness import messages, outpost, process, submit

COUNT = int(os.environ.get("OUTPOST_KILL_MESSAGES", 1000))
KILLS = int(os.environ.get("OUTPOST_KILLS", 8))
CLIENTS = 4
LIMIT = 60 + COUNT / 20  # seconds


class Ledger:
    """What was acknowledged: the key of each attempt and the digest of its octets."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.refused = collections.Counter()

    def __len__(self):
        return len(self.acknowledged)


def digest(octets):
    return hashlib.sha256(octets).digest()


def feed(relay, ledger, numbers, deadline):
    """Sends its share, each message until it is acknowledged; an attempt has a key of its own."""
    attempt = 0
    pending = list(numbers)
    while pending and time.monotonic() < deadline:
        try:
            with submit.client(relay) as client:
                while pending:
                    attempt += 1
                    key = f"K{pending[0]}-{attempt}-"
                    kind = messages.MIXED[pending[0] % len(messages.MIXED)]
                    sent = kind(f"kill {key}")
                    submit.transaction(client, sent, recipients=["kill9@example.net"],
                                       mail=["BODY=8BITMIME"])  # fmt: skip
                    with ledger.lock:
                        ledger.acknowledged[key] = digest(sent)
                    pending.pop(0)
        except smtplib.SMTPResponseException as refusal:
            with ledger.lock:
                ledger.refused[refusal.smtp_code] += 1
        except (OSError, smtplib.SMTPException, ssl.SSLError):
            time.sleep(0.02)  # not for synchronisation: the daemon is down, knock again


def test_every_acknowledged_message_arrives(outposts, postfix):
    relay = outposts(postfix.upstream(verify="none"), spool={"segment_size": "1MB"}).start()
    ledger, deadline = Ledger(), time.monotonic() + LIMIT
    shares = [range(first, COUNT, CLIENTS) for first in range(CLIENTS)]
    feeders = [threading.Thread(target=feed, args=(relay, ledger, share, deadline)) for share in shares]
    for feeder in feeders:
        feeder.start()
    dice = random.Random(9)
    for kill in range(KILLS):
        after = (kill + dice.random()) * COUNT / KILLS
        process.wait_until(lambda: len(ledger) >= after, f"{after:.0f} acknowledgements", LIMIT)
        relay.kill()
        relay.start()
    for feeder in feeders:
        feeder.join(LIMIT)
    assert len(ledger) == COUNT, f"{len(ledger)} of {COUNT} acknowledged; refused {ledger.refused}"

    seen, broken, read = collections.Counter(), [], 0

    def all_arrived():
        nonlocal read
        for octets in postfix.messages("kill9")[read:]:
            read += 1
            whole, _ = messages.without_received(octets)
            key = re.search(rb"kill (K\d+-\d+-)", octets).group(1).decode()
            seen[key] += 1
            if ledger.acknowledged.get(key, digest(whole)) != digest(whole):
                broken.append(key)
        return ledger.acknowledged.keys() <= seen.keys()

    process.wait_until(all_arrived, "every acknowledged message at Postfix", LIMIT)
    assert not broken
    assert relay.stop() == 0
    all_arrived()
    doubles = sum(count - 1 for count in seen.values())
    unknown = len(seen.keys() - ledger.acknowledged.keys())
    print(f"\nkill -9: {COUNT} messages from {CLIENTS} clients, {KILLS} kills, all arrived, "
          f"{doubles} duplicates, {unknown} arrived whose acknowledgement was lost")  # fmt: skip
    # S3: after a crash only what was in flight may be sent again; 20 connections, 50 ms unsynced.
    in_flight = KILLS * 20 * 5
    assert doubles <= in_flight

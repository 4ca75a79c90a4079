"""The upstream is down and mail piles up: at most 200 octets of memory a queued message."""

import types

import pytest
from bench import measure
from harness import outpost, process

MESSAGES = 40000
OCTETS_EACH = 200
LOAD = types.SimpleNamespace(clients=20, size=2048)


@pytest.fixture
def relay(tmp_path):
    if any(word in outpost.DAEMON.read_bytes() for word in (b"__asan_init", b"__tsan_init")):
        pytest.skip("the memory of a build with sanitizers says nothing")
    upstream = outpost.smtp_upstream(process.free_port())  # nobody listens there
    daemon = measure.open_relay(tmp_path, upstream, retry={"first": "1h", "max": "1h"}).start()
    yield daemon
    assert daemon.stop() == 0


def test_memory_of_queued_mail(relay):
    pid = relay.daemon.pid
    measure.source(relay.port, 200, LOAD, kept=True)
    before = process.memory_kib(pid)
    measure.source(relay.port, MESSAGES, LOAD, kept=True)
    # What was stored just now stays a little longer, for a delivery that may come at once.
    process.wait_until(
        lambda: (process.memory_kib(pid) - before) * 1024 <= MESSAGES * OCTETS_EACH,
        f"{MESSAGES} queued messages in {OCTETS_EACH} octets each",
    )

"""On a small file system: 452 4.3.1 while it is full, nothing half stored, then on as before."""

import contextlib
import os
import smtplib
import subprocess

import pytest
from harness import messages, outpost, process, submit

MEGABYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MB; the daemon's data goes there."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", place]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(place, leave):
    with open(place / "filler", "wb") as filler, contextlib.suppress(OSError):
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        filler.write(b"\0" * max(0, free - leave))


def submission(relay, size):
    try:
        return submit.send(relay, messages.attachments(size=size))
    except smtplib.SMTPResponseException as refusal:
        return f"{refusal.smtp_code} {refusal.smtp_error.decode()}"


def start(outposts, peer, small_disk, **spool):
    relay = outposts(
        outpost.smtp_upstream(peer.port), data_dir=str(small_disk / "data"),
        spool={"segment_size": "1MB", "large_message": "512KB", **spool},
    )  # fmt: skip
    return relay.start()


@pytest.mark.parametrize("size", [100_000, 1_000_000], ids=["in the log", "in a file of its own"])
def test_when_no_space_is_left(small_disk, outposts, peer, size):
    relay = start(outposts, peer, small_disk)
    peer.close()  # nothing leaves the spool
    assert submission(relay, size).startswith("2.0.0 Ok")
    fill(small_disk, leave=size // 2)
    answers = [submission(relay, size) for _ in range(20)]  # the open segment may have room left
    assert answers[-1].startswith("452 4.3.1 "), answers
    (small_disk / "filler").unlink()
    process.wait_until(lambda: submission(relay, size).startswith("2.0.0 Ok"), "acceptance again")
    accepted = 2 + sum(answer.startswith("2.0.0 Ok") for answer in answers)
    assert relay.stop() == 0
    peer.listen()
    relay.start()
    peer.wait_messages(accepted)
    assert relay.stop() == 0
    assert len(peer.messages) == accepted  # nothing of what was refused came back


def test_below_the_reserve(small_disk, outposts, peer):
    relay = start(outposts, peer, small_disk, min_free="8MB")
    assert submission(relay, 1000).startswith("2.0.0 Ok")
    fill(small_disk, leave=6 * MEGABYTE)
    process.wait_until(lambda: submission(relay, 1000).startswith("452 4.3.1 "), "a refusal")
    (small_disk / "filler").unlink()
    process.wait_until(lambda: submission(relay, 1000).startswith("2.0.0 Ok"), "acceptance again")


def test_delivery_goes_on_while_the_disk_is_full(small_disk, outposts, peer):
    relay = start(outposts, peer, small_disk, min_free="4MB")
    peer.close()
    for _ in range(5):
        assert submission(relay, 1000).startswith("2.0.0 Ok")
    fill(small_disk, leave=2 * MEGABYTE)
    process.wait_until(lambda: submission(relay, 1000).startswith("452 4.3.1 "), "a refusal")
    peer.listen()
    assert len(peer.wait_messages(5)) >= 5

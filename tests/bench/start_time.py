"""Runs inside a network namespace of its own: starts outpostd with the ports of the shipped
configuration and prints how long it took until it said READY=1, as it would tell systemd. Then each
port is tried."""

import fcntl
import pathlib
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import certificates, outpost, process  # noqa: E402

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
RUNS = 5
LISTEN = [
    {"address": "::", "ports": [25, 587, "1025-5000"], "tls": "starttls"},
    {"address": "::", "ports": [465], "tls": "implicit"},
]
PORTS = [25, 587, *range(1025, 5001), 465]


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH", b"lo", IFF_UP))


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except ConnectionRefusedError:
        return False


def main():
    loopback_up()
    work = pathlib.Path(sys.argv[1])
    upstream = {"type": "sandbox", "directory": str(work / "sandbox")}
    daemon = outpost.Outpost(work, certificates.make(work / "tls"), upstream, listen=LISTEN)
    daemon.write_config()
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(work / "notify"))
    notify.settimeout(process.PATIENCE)
    daemon.environment = {"NOTIFY_SOCKET": str(work / "notify")}
    times = []
    for _ in range(RUNS):
        began = time.monotonic()
        daemon.daemon = daemon.launch()
        while b"READY=1" not in notify.recv(4096):
            pass
        times.append(time.monotonic() - began)
        deaf = [port for port in PORTS if not accepts(port)]
        assert not deaf, f"ready, but these ports refuse: {deaf}"
        daemon.stop()
    shown = ", ".join(f"{seconds * 1000:.0f}" for seconds in sorted(times))
    print(f"start with {len(PORTS)} listening sockets until ready: {shown} ms")


main()

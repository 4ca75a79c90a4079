"""A real redis-server of its own, on loopback, that keeps nothing on disk."""

import pathlib
import signal
import socket

from . import process


class Redis:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = process.free_port()
        self.server = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.server = process.Process(
            ["/usr/bin/redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--dir", str(self.directory)],
            self.directory / "log",
        )  # fmt: skip
        process.wait_until(self.answers, "an answer of redis-server")
        return self

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self):
        """kill -9: what it knew is lost."""
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.server = None

    def stop(self):
        if self.server:
            self.kill()

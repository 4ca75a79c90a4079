"""A raw SMTP client: sends octets as they are, reads replies."""

import base64
import socket
import ssl

from . import process


class Dialog:
    def __init__(self, port, host="127.0.0.1", greet=True, before=b"", source=None):
        self.socket = socket.create_connection(
            (host, port), timeout=process.PATIENCE, source_address=source and (source, 0)
        )
        self.buffer = b""
        if before:
            self.send(before)
        self.greeting = self.reply() if greet else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets.encode() if isinstance(octets, str) else octets)

    def line(self):
        """One line without its CRLF; raises EOFError when the peer has closed."""
        while b"\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(f"closed after {self.buffer!r}")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def reply(self):
        """A whole reply; several lines are joined by a newline."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def command(self, text):
        """Sends one line, returns its reply."""
        self.send(text.encode() + b"\r\n" if isinstance(text, str) else text)
        return self.reply()

    def expect(self, text, code):
        reply = self.command(text)
        assert reply.startswith(str(code)), f"{text!r} was answered {reply!r}, not {code}"
        return reply

    def starttls(self):
        self.expect("STARTTLS", 220)
        self.wrap()
        return self

    def wrap(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def plain(self, user, password):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")

    def log_in(self, user, password):
        """EHLO, STARTTLS, EHLO, AUTH; the second EHLO's answer."""
        self.expect("EHLO client.test", 250)
        self.starttls()
        offered = self.expect("EHLO client.test", 250)
        reply = self.plain(user, password)
        assert reply.startswith("235"), reply
        return offered

    def closed(self):
        """True once the peer has closed; fails on anything that it says instead."""
        try:
            return self.socket.recv(1) == b""
        except (ConnectionResetError, ssl.SSLError):
            return True

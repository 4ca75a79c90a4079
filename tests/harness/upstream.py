"""A scripted upstream: an SMTP server that does what a test tells it at each point.

    upstream = ScriptedUpstream(certificate)
    upstream.on("rcpt", "450 4.2.1 Busy", times=2)       # then it behaves again
    upstream.on("body", DROP)                            # after the final dot, before the reply
    upstream.on("mail", "250 2.1.0 Ok", after=event)     # slow: waits for a threading.Event

Points: connect (before the banner), banner, ehlo, starttls, auth, mail, rcpt, data, body (the
whole message has come), rset, noop, quit. Everything that came is in `connections` and `messages`.
"""

import asyncio
import base64
import dataclasses
import re
import threading
import time

from . import process

DROP = object()  # closes the connection without a word
LINE_LIMIT = 64 << 20

DEFAULTS = {
    "banner": "220 upstream.test ESMTP",
    "starttls": "220 2.0.0 Ready to start TLS",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 End data with <CR><LF>.<CR><LF>",
    "rset": "250 2.0.0 Ok",
    "noop": "250 2.0.0 Ok",
    "quit": "221 2.0.0 Bye",
}
EXTENSIONS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


@dataclasses.dataclass
class Message:
    """One transaction that reached its final dot, whatever the answer was."""

    mail: str = ""  # the whole MAIL command
    rcpts: list = dataclasses.field(default_factory=list)  # the accepted RCPT commands
    data: bytes = b""  # without dot-stuffing
    accepted: bool = False
    tls: bool = False
    user: str | None = None
    chunked: bool = False
    at: float = 0.0  # time.monotonic() when the whole message had come

    @property
    def sender(self):
        return path(self.mail)

    @property
    def recipients(self):
        return [path(command) for command in self.rcpts]


@dataclasses.dataclass
class Connection:
    commands: list = dataclasses.field(default_factory=list)
    messages: list = dataclasses.field(default_factory=list)
    tls: bool = False
    user: str | None = None
    open: bool = True

    def verbs(self):
        return [command.split(" ")[0].split(":")[0].upper() for command in self.commands]


@dataclasses.dataclass
class Rule:
    point: str
    answer: object
    times: int | None
    when: str  # a pattern that the command must match
    after: threading.Event | None
    at: int  # octets of message data before a drop; 0: none


def path(command):
    return re.search(r"<([^>]*)>", command).group(1)


class Dropped(Exception):
    pass


class ScriptedUpstream:
    def __init__(self, certificate, extensions=EXTENSIONS, users=None, starttls=True,
                 implicit_tls=False, port=0, tokens=None, mechanisms=None):  # fmt: skip
        """`users`: password by name; `tokens`: OAuth 2 tokens that are good, for any name."""
        self.extensions = list(extensions)
        self.users = users or {}
        self.tokens = tokens
        self.mechanisms = mechanisms or ("PLAIN LOGIN" if tokens is None else "XOAUTH2")
        self.starttls = starttls
        self.tls = certificate.server_context()
        self.implicit_tls = implicit_tls
        self.connections = []
        self.rules = []
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.listen()

    # What a test says and asks

    def on(self, point, answer, times=1, when="", after=None, at=0):
        """`times` None: always. The first rule that fits is used."""
        self.rules.append(Rule(point, answer, times, when, after, at))

    def forget(self):
        self.rules.clear()

    @property
    def messages(self):
        """Of all connections, in the order in which they came."""
        return sorted((m for c in self.connections for m in c.messages), key=lambda m: m.at)

    @property
    def accepted(self):
        return [message for message in self.messages if message.accepted]

    def wait_messages(self, count, limit=process.PATIENCE):
        """Waits until `count` messages were accepted; all accepted ones."""
        process.wait_until(lambda: len(self.accepted) >= count,
                           f"{count} messages at the upstream, not {len(self.accepted)}", limit)  # fmt: skip
        return self.accepted

    def listen(self):
        """Listens on its port; also after close(), as a server that is back."""
        self._server = self._call(
            asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=LINE_LIMIT, backlog=1024,
                ssl=self.tls if self.implicit_tls else None,
            )  # fmt: skip
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self):
        """Stops listening and drops every connection, as a server that went down."""
        self._call(self._close())

    def drop_idle(self):
        """Closes the connections that are open, and goes on listening."""
        self._call(self._drop())

    def shutdown(self):
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # The server

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(process.PATIENCE)

    async def _close(self):
        self._server.close()
        await self._drop()
        await self._server.wait_closed()

    async def _drop(self):
        sessions = [t for t in asyncio.all_tasks() if getattr(t, "smtp_writer", None)]
        for task in sessions:
            task.smtp_writer.transport.abort()
            task.cancel()
        if sessions:
            await asyncio.wait(sessions)

    async def _serve(self, reader, writer):
        asyncio.current_task().smtp_writer = writer
        connection = Connection(tls=self.implicit_tls)
        self.connections.append(connection)
        try:
            await Session(self, reader, writer, connection).run()
        except (Dropped, ConnectionError, EOFError, asyncio.CancelledError, OSError):
            pass
        finally:
            connection.open = False
            writer.transport.abort()

    def take(self, point, command):
        for rule in self.rules:
            if rule.point == point and rule.times != 0 and re.search(rule.when, command):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None


class Session:
    def __init__(self, server, reader, writer, connection):
        self.server, self.reader, self.writer = server, reader, writer
        self.connection = connection
        self.message = Message()

    async def run(self):
        await self.answer("connect", "", None)
        await self.answer("banner", "", DEFAULTS["banner"])
        while True:
            command = (await self.reader.readuntil(b"\r\n")).decode(errors="replace")[:-2]
            self.connection.commands.append(command)
            verb = command.split(" ")[0].upper()
            handler = getattr(self, "do_" + verb.lower(), None)
            if handler is None:
                await self.send("500 5.5.1 Unknown command")
            elif await handler(command):
                return

    async def send(self, reply):
        if reply is not None:
            self.writer.write(reply.encode() + b"\r\n")
            await self.writer.drain()

    async def answer(self, point, command, default):
        """Sends the scripted or the usual reply and returns it."""
        rule = self.server.take(point, command)
        reply = default
        if rule:
            while rule.after and not rule.after.is_set():
                await asyncio.sleep(0.01)
            if rule.answer is DROP:
                raise Dropped
            reply = rule.answer
        await self.send(reply)
        if rule and reply and reply.startswith("421"):
            raise Dropped
        return reply or ""

    async def do_ehlo(self, command):
        lines = ["upstream.test", *self.server.extensions]
        if self.server.starttls and not self.connection.tls:
            lines.append("STARTTLS")
        if self.wants_login() and (self.connection.tls or not self.server.starttls):
            lines.append(f"AUTH {self.server.mechanisms}")
        text = "\r\n".join(f"250-{line}" for line in lines[:-1])
        await self.answer("ehlo", command, f"{text}\r\n250 {lines[-1]}".lstrip())

    async def do_helo(self, command):
        await self.answer("ehlo", command, "250 upstream.test")

    async def do_starttls(self, command):
        if (await self.answer("starttls", command, DEFAULTS["starttls"])).startswith("220"):
            await self.writer.start_tls(self.server.tls)
            self.connection.tls = True

    def wants_login(self):
        return self.server.users or self.server.tokens is not None

    async def do_auth(self, command):
        words = command.split(" ")
        if words[1].upper() in ("XOAUTH2", "OAUTHBEARER"):
            await self.bearer(command, words)
            return
        if words[1].upper() == "PLAIN":
            raw = words[2] if len(words) > 2 else await self.challenge("")
            user, password = decode(raw).split("\0")[1:]
        else:
            user = words[2] if len(words) > 2 else await self.challenge("Username:")
            user, password = decode(user), decode(await self.challenge("Password:"))
        good = self.server.users.get(user) == password
        usual = "235 2.7.0 Ok" if good else "535 5.7.8 Authentication credentials invalid"
        if (await self.answer("auth", command, usual)).startswith("235"):
            self.connection.user = user

    async def bearer(self, command, words):
        """RFC 7628: a refusal is a challenge with the reason first, which the client answers."""
        raw = words[2] if len(words) > 2 else await self.challenge("")
        name, *fields = decode(raw).rstrip("\1").split("\1")
        token = next(f.removeprefix("auth=Bearer ") for f in fields if f.startswith("auth="))
        user = re.fullmatch(r"(?:n,a=|user=)([^,]*),?", name).group(1)
        usual = "235 2.7.0 Ok"
        if token not in self.server.tokens:
            answer = decode(await self.challenge('{"status":"401","schemes":"bearer"}'))
            assert answer == ("\1" if words[1].upper() == "OAUTHBEARER" else "")
            usual = "535 5.7.3 Authentication unsuccessful"
        if (await self.answer("auth", command, usual)).startswith("235"):
            self.connection.user = user

    async def challenge(self, text):
        await self.send("334 " + base64.b64encode(text.encode()).decode())
        return (await self.reader.readuntil(b"\r\n")).decode()[:-2]

    async def do_mail(self, command):
        self.message = Message(tls=self.connection.tls, user=self.connection.user)
        if self.wants_login() and not self.connection.user:
            await self.send("530 5.7.0 Authentication required")
        elif (await self.answer("mail", command, DEFAULTS["mail"])).startswith("250"):
            self.message.mail = command

    async def do_rcpt(self, command):
        if not self.message.mail:
            await self.send("503 5.5.1 MAIL first")
        elif (await self.answer("rcpt", command, DEFAULTS["rcpt"])).startswith("250"):
            self.message.rcpts.append(command)

    async def do_data(self, command):
        if not self.message.rcpts:
            await self.send("554 5.5.1 No valid recipients")
            return
        if not (await self.answer("data", command, DEFAULTS["data"])).startswith("354"):
            return
        await self.drop_within_data()
        lines = []
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        self.message.data = b"".join(lines)
        await self.finish(command)

    async def drop_within_data(self):
        rule = self.server.take("within", "")
        if rule:
            await self.reader.readexactly(rule.at)
            raise Dropped

    async def do_bdat(self, command):
        words = command.split(" ")
        self.message.chunked = True
        self.message.data += await self.reader.readexactly(int(words[1]))
        if len(words) > 2:
            await self.finish(command)
        else:
            await self.answer("chunk", command, "250 2.0.0 Ok")

    async def finish(self, command):
        message, self.message = self.message, Message()
        message.at = time.monotonic()
        self.connection.messages.append(message)
        number = len(self.server.messages)
        reply = await self.answer("body", command, f"250 2.0.0 Ok: queued as UP{number}")
        message.accepted = reply.startswith("250")

    async def do_rset(self, command):
        self.message = Message()
        await self.answer("rset", command, DEFAULTS["rset"])

    async def do_noop(self, command):
        await self.answer("noop", command, DEFAULTS["noop"])

    async def do_quit(self, command):
        await self.answer("quit", command, DEFAULTS["quit"])
        return True


def decode(text):
    return base64.b64decode(text).decode()

"""A scripted HTTP server in the place of a provider's API.

    api = ApiServer()
    api.on(429, headers={"Retry-After": "1"}, body={...})   # the next answer; then it behaves again
    api.on(DROP)                                            # reads the request and closes
    api.requests                                            # all that came, in order

What it says when it behaves is for `answer(request)` to tell: (status, headers, body).
"""

import dataclasses
import http.server
import json
import threading
import time

from . import process

DROP = object()


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes
    at: float

    def json(self):
        return json.loads(self.body)


@dataclasses.dataclass
class Rule:
    status: object
    headers: dict
    body: object
    times: int | None


class ApiServer:
    def __init__(self, answer=lambda request: (200, {}, {})):
        self.answer = answer
        self.requests = []
        self.rules = []
        self._lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body, time.monotonic())
                status, extra, answer = owner.handle(request)
                if status is DROP:
                    self.close_connection = True
                    return
                octets = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                if not isinstance(answer, bytes):
                    self.send_header("Content-Type", "application/json")
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, status, headers=None, body=None, times=1):
        self.rules.append(Rule(status, headers or {}, {} if body is None else body, times))

    def handle(self, request):
        with self._lock:
            self.requests.append(request)
            rule = next((r for r in self.rules if r.times is None or r.times > 0), None)
            if rule and rule.times:
                rule.times -= 1
        if rule:
            return rule.status, rule.headers, rule.body
        return self.answer(request)

    def wait(self, count, limit=process.PATIENCE):
        """Waits until so many requests have come; all of them."""
        process.wait_until(lambda: len(self.requests) >= count,
                           f"{count} requests, not {len(self.requests)}", limit)  # fmt: skip
        return self.requests

    def shutdown(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

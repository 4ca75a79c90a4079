"""A scripted OAuth 2 token server (RFC 6749), over plain HTTP on 127.0.0.1.

    tokens = TokenServer()
    tokens.on(503, {"error": "temporarily_unavailable"})   # once; then it behaves again

It gives `token-1`, `token-2` and so on. What was asked is in `requests`, as dicts of form fields.
"""

import http.server
import json
import threading
import urllib.parse


class TokenServer:
    def __init__(self, lifetime=3600):
        self.requests = []
        self.lifetime = lifetime
        self._answers = []
        self._lock = threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                fields = dict(urllib.parse.parse_qsl(self.rfile.read(size).decode()))
                status, answer = server._answer(fields)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def on(self, status, answer, times=1):
        self._answers.extend([(status, answer)] * times)

    def _answer(self, fields):
        with self._lock:
            self.requests.append(fields)
            if self._answers:
                return self._answers.pop(0)
            token = f"token-{len(self.requests)}"
        return 200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}

    def shutdown(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

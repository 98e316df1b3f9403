"""An HTTP proxy before a store, for tests: answers some requests itself, as a throttling store would."""

import http.client
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FaultyProxy:
    """Forwards to `store`. While `throttle_every` is n > 0, each n-th request gets the store's own kind of refusal."""

    def __init__(self, store):
        self.store = store
        self.throttle_every = 0
        self.requests, self.refused = 0, 0
        self._lock = threading.Lock()
        self.port = 0
        self.listen()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def listen(self):
        """On the port it had, if it was stopped."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # connections that a killed server leaves
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.listens = True

    def stop(self):
        """New connections are refused; those there are live on."""
        self.listens = False
        self._server.shutdown()
        self._server.server_close()

    def refuses_next(self):
        with self._lock:
            self.requests += 1
            refuses = self.throttle_every > 0 and self.requests % self.throttle_every == 0
            self.refused += refuses
            return refuses

    def handle(self, exchange, body):
        """A request that came in; others may come in at the same time."""
        if self.refuses_next():
            exchange.refuse(self.store.throttled)
        else:
            exchange.answer(*exchange.ask_store(body))

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def read_body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return body

            def answer(self, status, headers, body):
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def refuse(self, refusal):
                """`refusal` is (status, headers, text)."""
                status, headers, text = refusal
                text = text.encode()
                self.answer(status, [*headers.items(), ("Content-Length", str(len(text)))], text)

            def cut(self):
                """The client sees its connection reset."""
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.rfile.close()
                self.connection.close()

            def ask_store(self, body, sent=None):
                """The store's answer: status, headers, content. With `sent` only so many bytes get there: no answer."""
                upstream = http.client.HTTPConnection(proxy.store.address, timeout=60)
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("transfer-encoding", "content-length", "expect", "connection"):
                        upstream.putheader(name, value)
                if body or self.command in ("PUT", "POST"):
                    upstream.putheader("Content-Length", str(len(body)))
                upstream.endheaders(body[:sent])
                if sent is not None:
                    upstream.close()
                    return None
                response = upstream.getresponse()
                content = response.read()
                kept = [
                    (name, value)
                    for name, value in response.getheaders()
                    if name.lower() not in ("transfer-encoding", "content-length", "connection")
                ]
                length = response.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                if length is not None:
                    kept.append(("Content-Length", length))
                upstream.close()
                return response.status, kept, content

            def forward(self):
                proxy.handle(self, self.read_body())

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = forward

        return Handler

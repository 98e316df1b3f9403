#!/usr/bin/env python3
"""Holds arc-bench to its exit code: a server that refuses, breaks off or loses rows must not pass.

    bench/arc_bench_test.py      after make bench
"""

import http.server
import pathlib
import socket
import subprocess
import threading
import unittest

BENCH = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "arc-bench"


class Server(http.server.ThreadingHTTPServer):
    """Counts the lines it takes; the seventh write goes wrong as `fault` says."""

    def __init__(self, fault):
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = fault
        self.rows = 0
        self.writes = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/count":
            return self.answer(200, b'{"data":[[%d]]}' % server.rows)
        server.writes += 1
        fault = server.fault if server.writes == 7 else None
        if fault == "busy":
            return self.answer(503, b"busy", [("Retry-After", "1")])
        if fault == "refuse":
            return self.answer(400, b"bad")
        if fault == "break":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault != "lose":
            server.rows += body.count(b"\n")
        return self.answer(204)


class ArcBenchTest(unittest.TestCase):
    def ingest(self, fault):
        server = Server(fault)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            arguments = ["--url", url, "--format", "lp", "--records", "20000", "--connections", "1", "--flush", "-"]
            arguments += ["--write", "POST /write", "--count", "POST /count", "--count-patience", "0.2"]
            return subprocess.run([BENCH, "ingest", *arguments], capture_output=True, text=True, timeout=60, check=False)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def test_a_server_that_keeps_everything_passes(self):
        run = self.ingest(None)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("20000 acknowledged, 20000 queryable: exact", run.stdout)

    def test_a_busy_server_is_asked_again(self):
        run = self.ingest("busy")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"204: 20 503: 1 +retries 1")

    def test_a_refused_request_fails(self):
        run = self.ingest("refuse")
        self.assertEqual(run.returncode, 1)
        self.assertIn("refused 1000", run.stdout)

    def test_a_broken_connection_fails(self):
        run = self.ingest("break")
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stdout, r"broken connections 1 .*unknown 1000")

    def test_a_lost_batch_fails(self):
        run = self.ingest("lose")
        self.assertEqual(run.returncode, 1)
        self.assertIn("20000 acknowledged, 19000 queryable: WRONG", run.stdout)


if __name__ == "__main__":
    unittest.main()

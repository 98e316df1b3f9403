"""A real Arc server on a free port, for tests and crash rounds."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN = "test-admin-token-0123456789abcdef"


def default_binary():
    return os.environ.get("ARC_BINARY", str(ROOT / "build" / "release" / "arc"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ArcServer:
    def __init__(self, folder, binary=None, environment=None):
        self.folder = Path(folder)
        self.binary = binary or default_binary()
        self.port = free_port()
        self.process = None
        self.environment = {**os.environ, "ARC_ADMIN_TOKEN": TOKEN, **(environment or {})}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self):
        return TOKEN

    def start(self, timeout_s=30, until="/ready"):
        log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data-dir", str(self.folder / "data"), "--port", str(self.port)],
            cwd=self.folder,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}; see {self.folder}/server.log")
            try:
                if self.request(self.connect(), "GET", until, None)[0] == 200:
                    return self
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("the server did not become ready")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s=15):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, connection, method, path, body, headers=None):
        headers = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()

    def post(self, path, body, headers=None):
        return self.request(self.connect(), "POST", path, body, headers)

    def sql(self, statement, missing_ok=False, database=None):
        """Rows as lists. With missing_ok an unknown table is no rows."""
        request = {"sql": statement, **({"database": database} if database else {})}
        status, body = self.post("/api/v1/query", json.dumps(request), {"Content-Type": "application/json"})
        answer = json.loads(body)
        if status == 200 and answer["success"]:
            return answer["data"]
        if missing_ok and "does not exist" in answer.get("error", ""):
            return []
        raise RuntimeError(f"{statement}: {status} {answer}")

    def flush(self):
        status, body = self.post("/write/flush", "")
        if status not in (200, 204):
            raise RuntimeError(f"flush: {status} {body!r}")

    def iceberg_catalog(self):
        """pyiceberg on the server's own SQLite file: nothing of Arc is involved."""
        from pyiceberg.catalog.sql import SqlCatalog

        return SqlCatalog(
            "arc", uri=f"sqlite:///{self.folder}/data/arc.db", warehouse=f"file://{self.folder}/data/arc"
        )


def basic_auth(password, user=""):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

"""A real MinIO server on a free port, for tests: stopped and started at will, its objects stay."""

import os
import subprocess
import time
import urllib.request
from pathlib import Path

from arc_server import ROOT, free_port

BINARY = ROOT / ".deps" / "peers" / "minio"
USER = "arc-tests"
PASSWORD = "arc-tests-secret"
BUCKET = "lake"


class MinioServer:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout_s=60):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / "minio.log", "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "server", "--quiet", "--address", f"127.0.0.1:{self.port}", self.folder],
                env={
                    **os.environ,
                    "MINIO_ROOT_USER": USER,
                    "MINIO_ROOT_PASSWORD": PASSWORD,
                    "MINIO_BROWSER": "off",
                },
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/minio/health/ready", timeout=5):
                    return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("MinIO did not become ready")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def arc_environment(self, bucket=BUCKET):
        return {
            "STORAGE_BACKEND": "minio",
            "MINIO_ENDPOINT": self.url,
            "MINIO_ACCESS_KEY": USER,
            "MINIO_SECRET_KEY": PASSWORD,
            "MINIO_BUCKET": bucket,
        }

    def iceberg_properties(self):
        return {
            "s3.endpoint": self.url,
            "s3.access-key-id": USER,
            "s3.secret-access-key": PASSWORD,
            "s3.region": "us-east-1",
        }

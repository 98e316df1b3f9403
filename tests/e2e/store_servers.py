"""Real object stores on free ports, for tests: stopped and started at will, their objects stay."""

import base64
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from arc_server import ROOT, free_port

PEERS = ROOT / ".deps" / "peers"
BUCKET = "lake"
SECRET = "arc-tests-secret"  # of every store; must not be in Arc's log


class StoreServer:
    """What the kinds have in common. With `tls` (certificate and key files) it talks HTTPS."""

    binary = None
    stop_signal = signal.SIGKILL  # one that the objects survive

    def __init__(self, folder, tls=None):
        self.folder = Path(folder)
        self.port = free_port()
        self.process = None
        self.tls = tls

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    def start(self, timeout_s=60):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), env={**os.environ, **self.environment()}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0 and self.is_ready():
                    return self
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not become ready")

    def is_ready(self):
        return True

    def environment(self):
        return {}

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class Minio(StoreServer):
    name = "minio"
    binary = PEERS / "minio"
    user = "arc-tests"
    password = SECRET
    warehouse = f"s3://{BUCKET}"
    throttled = (503, {}, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")

    def command(self):
        certificates = ["--certs-dir", self.folder.parent / "minio-certs"] if self.tls else []
        if self.tls:
            certificates[1].mkdir(exist_ok=True)
            for source, name in zip(self.tls, ("public.crt", "private.key")):
                (certificates[1] / name).write_bytes(Path(source).read_bytes())
        return [self.binary, "server", "--quiet", *certificates, "--address", self.address, self.folder]

    def environment(self):
        return {"MINIO_ROOT_USER": self.user, "MINIO_ROOT_PASSWORD": self.password, "MINIO_BROWSER": "off"}

    def is_ready(self):
        ready = subprocess.run(
            ["curl", "-skf", "-o", "/dev/null", f"{self.url}/minio/health/ready"], check=False
        )
        return ready.returncode == 0

    def arc_environment(self, url=None):
        return {
            "STORAGE_BACKEND": "minio",
            "MINIO_ENDPOINT": url or self.url,
            "MINIO_ACCESS_KEY": self.user,
            "MINIO_SECRET_KEY": SECRET,
            "MINIO_BUCKET": BUCKET,
        }

    def iceberg_properties(self):
        return {
            "s3.endpoint": self.url,
            "s3.access-key-id": self.user,
            "s3.secret-access-key": SECRET,
            "s3.region": "us-east-1",
        }


class FakeGcs(StoreServer):
    name = "gcs"
    binary = PEERS / "fake_gcs_server"
    warehouse = f"gs://{BUCKET}"
    throttled = (503, {}, '{"error": {"code": 503, "message": "slow down"}}')

    def command(self):
        certificates = ["-cert-location", self.tls[0], "-private-key-location", self.tls[1]] if self.tls else []
        return [
            *(self.binary, "-scheme", self.scheme, "-host", "127.0.0.1", "-port", str(self.port)),
            *("-external-url", self.url, "-backend", "filesystem", "-filesystem-root", self.folder),
            *certificates,
        ]

    def arc_environment(self, url=None):
        return {
            "STORAGE_BACKEND": "gcs",
            "GCS_BUCKET": BUCKET,
            "GCS_PROJECT_ID": "tests",
            "GCS_ENDPOINT": url or self.url,
        }

    def iceberg_properties(self):
        return {
            "gcs.service.host": self.url,
            "gcs.oauth2.token": "any",
            "gcs.oauth2.token-expires-at": str(int(time.time() + 3600) * 1000),
        }


class Azurite(StoreServer):
    name = "azure"
    binary = PEERS / "azurite" / "node_modules" / ".bin" / "azurite-blob"
    stop_signal = signal.SIGTERM  # writes down what it holds only now and then
    account = "arctests"
    key = base64.b64encode(SECRET.encode()).decode()
    warehouse = f"abfss://{BUCKET}@{account}.dfs.core.windows.net"
    throttled = (503, {"x-ms-error-code": "ServerBusy"}, "<Error><Code>ServerBusy</Code></Error>")

    def command(self):
        certificates = ["--cert", self.tls[0], "--key", self.tls[1]] if self.tls else []
        return [
            *(self.binary, "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"),
            *("--blobPort", str(self.port), "--location", self.folder),
            *certificates,
        ]

    def environment(self):
        return {"AZURITE_ACCOUNTS": f"{self.account}:{self.key}"}

    def arc_environment(self, url=None):
        return {
            "STORAGE_BACKEND": "azure",
            "AZURE_CONTAINER": BUCKET,
            "AZURE_STORAGE_ACCOUNT": self.account,
            "AZURE_STORAGE_KEY": self.key,
            "AZURE_STORAGE_ENDPOINT": url or self.url,
        }

    def iceberg_properties(self):
        return {
            "py-io-impl": "azure_file_io.AzureFileIO",
            "adls.account-name": self.account,
            "adls.account-key": self.key,
            "adls.blob-storage-authority": self.address,
            "adls.dfs-storage-authority": self.address,
            "adls.blob-storage-scheme": self.scheme,
            "adls.dfs-storage-scheme": self.scheme,
        }


def make_certificates(folder):
    """A CA and a certificate of 127.0.0.1 signed by it: paths of the CA's file and of the certificate and its key."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.crt", folder / "ca.key"
    certificate, key = folder / "server.crt", folder / "server.key"
    request, extension = folder / "server.csr", folder / "server.ext"
    extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    new_key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *new_key, "-subj", "/CN=arc tests", "-keyout", ca_key, "-out", ca)
    openssl("req", *new_key[:3], "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", request)
    signing = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", extension)
    openssl("x509", "-req", "-in", request, *signing, "-out", certificate)
    return ca, (certificate, key)

"""Tables in real object stores (MinIO, fake-gcs-server, azurite): written, queried, read by pyiceberg, through outages of
the store, throttling, kills and restarts. The other stores than MinIO in `make test-all` where a test is long."""

import contextlib
import datetime
import http.client
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from arc_server import ArcServer
from faulty_proxy import FaultyProxy
from lake_table import EXPECTED, SUMS, write_everything
from store_servers import SECRET, Azurite, FakeGcs, Minio, make_certificates

START_NS = 1_760_000_000 * 10**9
SMALL_FLUSHES = {"ARC_INGESTION_MEMORY_MB": "32", "ARC_INGESTION_FLUSH_SIZE_MB": "1", "WRITE_BUFFER_AGE": "1"}
KINDS = {kind.name: kind for kind in (Minio, FakeGcs, Azurite)}


def of_kind(name, tmp_path, **arguments):
    if not KINDS[name].binary.exists():
        pytest.skip("no such store here: tools/setup.sh peers builds it")
    return KINDS[name](tmp_path / name, **arguments)


@contextlib.contextmanager
def running(server):
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    with running(of_kind(request.param, tmp_path)) as server:
        yield server


@pytest.fixture(params=["minio", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gcs", "azure"))])
def long_store(request, tmp_path):
    with running(of_kind(request.param, tmp_path)) as server:
        yield server


@pytest.fixture
def minio(tmp_path):
    with running(of_kind("minio", tmp_path)) as server:
        yield server


def iceberg_table(server, store, name):
    catalog = SqlCatalog(
        "arc", uri=f"sqlite:///{server.folder}/data/arc.db", warehouse=store.warehouse, **store.iceberg_properties()
    )
    return catalog.load_table(name)


def metric(server, name):
    status, body = server.request(server.connect(), "GET", "/metrics", None)
    assert status == 200
    return float(re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", body.decode(), re.MULTILINE).group(1))


def ready(server):
    status, body = server.request(server.connect(), "GET", "/ready", None)
    return status, json.loads(body)["reasons"]


def health(server):
    status, body = server.request(server.connect(), "GET", "/health", None)
    assert status == 200
    return json.loads(body)["status"]


def wait_for(what, condition, timeout_s):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"not within {timeout_s} s: {what}")


def refusal(folder, environment):
    """What a server that does not start says."""
    folder.mkdir(exist_ok=True)
    server = ArcServer(folder, environment=environment)
    with pytest.raises(RuntimeError, match="the server ended with"):
        server.start(timeout_s=120)
    log = (folder / "server.log").read_text()
    assert SECRET not in log
    return log


class Writing(threading.Thread):
    """Writes batches of 1,000 rows with unique ids until told to stop; keeps count of what was acknowledged."""

    def __init__(self, server, pause_s=0.0):
        super().__init__(daemon=True)
        self.server, self.pause_s = server, pause_s
        self.acknowledged, self.refused, self.lost = 0, 0, None
        self._stop_now = threading.Event()

    def run(self):
        connection = self.server.connect()
        while not self._stop_now.is_set():
            first = self.acknowledged
            lines = "\n".join(
                f"m,host=h{i % 7} id={i}i,a={i}.5,b={i % 100}i {START_NS + i * 10**6}" for i in range(first, first + 1000)
            )
            try:
                status, body = self.server.request(connection, "POST", "/write?db=lake", lines)
            except (OSError, http.client.HTTPException) as error:
                self.lost = error
                return
            if status == 204:
                self.acknowledged = first + 1000
            else:
                self.refused += 1
            time.sleep(self.pause_s)

    def stop(self):
        self._stop_now.set()
        self.join()


def time_of(row):
    """When a row is, as SQL writes it."""
    return (datetime.datetime(2025, 10, 9, 8, 53, 20) + datetime.timedelta(milliseconds=row)).isoformat(sep=" ")


def counted(server):
    return server.sql("SELECT count(*), count(DISTINCT id), sum(id) FROM lake.m")[0]


def expected(rows):
    return [rows, rows, rows * (rows - 1) // 2]


def test_writes_queries_and_pyiceberg(make_server, store):
    server = make_server(**store.arc_environment(), ARC_STORAGE_PREFIX="team/arc")
    write_everything(server)
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    assert not list((server.folder / "data" / "staging").rglob("*.parquet"))
    assert not (server.folder / "data" / "arc").exists()
    table = iceberg_table(server, store, ("lake", "t"))
    assert table.metadata_location.startswith(f"{store.warehouse}/team/arc/lake/t/metadata/")
    rows = table.scan().to_arrow()
    assert rows.num_rows == EXPECTED[0]
    assert sum(rows["id"].to_pylist()) == EXPECTED[1]
    assert metric(server, "arc_object_store_up") == 1
    assert metric(server, "arc_object_store_written_bytes_total") > 0
    server.kill()
    server.start()
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    assert SECRET not in (server.folder / "server.log").read_text()


def test_what_queries_read_stays_on_local_disk(make_server, minio):
    server = make_server(**minio.arc_environment())
    rows = "\n".join(f'm,host=h{i % 7} id={i}i,text="{i * 7919 % 1_000_003}" {START_NS + i * 10**6}' for i in range(400_000))
    assert server.post("/write?db=lake", rows)[0] == 204
    server.flush()
    query = "SELECT count(*), sum(id), sum(text::INT) FROM lake.m"
    first = server.sql(query)
    wait_for("blocks on local disk", lambda: metric(server, "arc_read_cache_bytes") > 1 << 20, 10)
    assert metric(server, "arc_read_cache_misses_total") > 0
    time.sleep(1)
    server.kill()
    server.start()
    minio.stop()
    assert server.sql(query) == first
    assert metric(server, "arc_read_cache_hits_total") > 0
    assert metric(server, "arc_read_cache_misses_total") == 0
    minio.start()


def test_rows_are_there_through_an_outage_and_after_it(make_server, long_store):
    store = long_store
    server = make_server(**store.arc_environment(), **SMALL_FLUSHES)
    writing = Writing(server, pause_s=0.01)
    writing.start()
    wait_for("a first commit", lambda: metric(server, "arc_flush_rows_total") > 0, 60)
    store.stop()
    down_since = time.monotonic()
    before = writing.acknowledged
    wait_for("/ready says that the store fails", lambda: "object_store" in ready(server)[1], 30)
    assert ready(server)[0] == 503
    assert health(server) == "degraded"
    assert metric(server, "arc_object_store_up") == 0
    resident = metric(server, "process_resident_memory_bytes")
    while time.monotonic() < down_since + 20:
        assert metric(server, "arc_buffer_bytes") < 32 << 20
        # Staged and hot rows need no store.
        newest = writing.acknowledged - 1
        assert server.sql(f"SELECT count(*) FROM lake.m WHERE id = {newest} AND time >= '{time_of(newest)}'") == [[1]]
        time.sleep(1)
    assert writing.acknowledged > before + 10_000
    assert metric(server, "arc_object_store_staged_bytes") > 0
    assert metric(server, "process_resident_memory_bytes") < resident + (150 << 20)
    store.start()
    wait_for("/ready is well again", lambda: ready(server)[0] == 200, 60)
    writing.stop()
    assert writing.lost is None
    server.flush()
    assert counted(server) == expected(writing.acknowledged)
    wait_for("nothing is staged", lambda: metric(server, "arc_object_store_staged_bytes") == 0, 30)
    assert iceberg_table(server, store, ("lake", "m")).scan().count() == writing.acknowledged


def test_a_store_that_hangs_is_noticed_and_holds_up_no_write(make_server, long_store):
    store = long_store
    server = make_server(**store.arc_environment())
    assert server.post("/write?db=lake", "m id=0i 1760000000000000000")[0] == 204
    server.flush()
    store.pause()
    wait_for("/ready says that the store hangs", lambda: "object_store" in ready(server)[1], 30)
    started = time.monotonic()
    assert server.post("/write?db=lake", "m id=1i 1760000000001000000")[0] == 204
    assert time.monotonic() - started < 5
    store.resume()
    wait_for("/ready is well again", lambda: ready(server)[0] == 200, 60)
    assert counted(server) == expected(2)


def test_a_crash_and_a_start_during_an_outage(make_server, long_store):
    store = long_store
    server = make_server(**store.arc_environment(), **SMALL_FLUSHES)
    writing = Writing(server)
    writing.start()
    wait_for("a first commit", lambda: metric(server, "arc_flush_rows_total") > 0, 60)
    store.stop()
    wait_for("staged files", lambda: metric(server, "arc_object_store_staged_bytes") > 0, 30)
    time.sleep(2)
    server.kill()
    writing.stop()
    # What is committed stands in local copies of the metadata, so the rows of the log find their tables.
    server.start(timeout_s=120, until="/health")
    assert ready(server)[0] == 503
    assert "object_store" in ready(server)[1]
    newest = writing.acknowledged - 1
    assert server.sql(f"SELECT count(*) FROM lake.m WHERE id = {newest} AND time >= '{time_of(newest)}'") == [[1]]
    assert server.post("/write?db=lake", f"other id=1i {START_NS}")[0] == 204
    server.kill()
    store.start()
    server.start()
    # The batch under way when the server died may be there or not.
    rows = counted(server)[0]
    assert rows in (writing.acknowledged, writing.acknowledged + 1000)
    assert counted(server) == expected(rows)
    server.flush()
    assert counted(server) == expected(rows)
    assert server.sql("SELECT id FROM lake.other") == [[1]]
    assert iceberg_table(server, store, ("lake", "m")).scan().count() == rows


def test_a_store_that_throttles_costs_time_only(make_server, long_store):
    proxy = FaultyProxy(long_store)
    server = make_server(**long_store.arc_environment(proxy.url), **SMALL_FLUSHES)
    proxy.throttle_every = 4
    write_everything(server)
    writing = Writing(server, pause_s=0.05)
    writing.start()
    time.sleep(8)
    writing.stop()
    wait_for("a flush", lambda: server.post("/write/flush", "")[0] in (200, 204), 120)
    assert proxy.refused > 5
    assert writing.lost is None and writing.refused == 0
    assert counted(server) == expected(writing.acknowledged)
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    proxy.throttle_every = 0
    server.kill()
    server.start()
    assert counted(server) == expected(writing.acknowledged)
    proxy.stop()


def test_a_first_start_that_cannot_work_says_why(long_store, tmp_path):
    store = long_store
    environment = store.arc_environment()
    folder = tmp_path / "refused"
    section = f"storage.{store.name}"
    dead = refusal(folder, {**environment, **store.arc_environment("http://127.0.0.1:9")})
    assert "the store at http://127.0.0.1:9 does not answer" in dead and section in dead
    nowhere = refusal(tmp_path / "nowhere", {**environment, **store.arc_environment("http://store.invalid:1")})
    assert "the store's name is unknown: no address of http://store.invalid:1" in nowhere and section in nowhere


def test_wrong_credentials_refuse(minio, tmp_path):
    log = refusal(tmp_path / "a", {**minio.arc_environment(), "MINIO_SECRET_KEY": "wrong-secret"})
    assert "denies access to the bucket lake with these credentials (storage.minio)" in log
    assert "wrong-secret" not in log


def test_wrong_azure_credentials_refuse(tmp_path):
    with running(of_kind("azure", tmp_path)) as azurite:
        log = refusal(tmp_path / "a", {**azurite.arc_environment(), "AZURE_STORAGE_KEY": "d3Jvbmcta2V5"})
        assert "d3Jvbmcta2V5" not in log
        assert "(storage.azure)" in log and ("does not know the credentials" in log or "denies access" in log)


def test_an_s3_bucket_must_be_there(make_server, minio, tmp_path):
    s3 = {
        "STORAGE_BACKEND": "s3",
        "S3_ENDPOINT": minio.url,
        "S3_BUCKET": "absent",
        "S3_ACCESS_KEY": minio.user,
        "S3_SECRET_KEY": SECRET,
    }
    log = refusal(tmp_path / "absent", s3)
    assert "there is no bucket absent" in log and "storage.s3" in log
    make_server(**minio.arc_environment()).stop()
    server = make_server(**{**s3, "S3_BUCKET": "lake"}, ARC_STORAGE_PREFIX="second")
    assert server.post("/write?db=lake", "m id=0i 1760000000000000000")[0] == 204
    server.flush()
    assert counted(server) == expected(1)


def test_missing_settings_are_named(tmp_path):
    for backend, names in {
        "s3": ["storage.s3.bucket (S3_BUCKET)"],
        "gcs": ["storage.gcs.bucket (GCS_BUCKET)"],
        "azure": ["storage.azure.container (AZURE_CONTAINER)", "storage.azure.account_name (AZURE_STORAGE_ACCOUNT)"],
    }.items():
        log = refusal(tmp_path / backend, {"STORAGE_BACKEND": backend})
        assert all(name in log for name in names), log
    log = refusal(tmp_path / "half", {"STORAGE_BACKEND": "minio", "MINIO_ACCESS_KEY": "user"})
    assert "storage.minio.secret_key (MINIO_SECRET_KEY): needed with storage.minio.access_key" in log
    gcs = {"STORAGE_BACKEND": "gcs", "GCS_BUCKET": "b", "GCS_CREDENTIALS_FILE": str(tmp_path / "none.json")}
    assert "storage.gcs.credentials_file" in refusal(tmp_path / "file", gcs)


@pytest.mark.parametrize("name", KINDS)
def test_tls_trusts_the_ca_file_and_nobody_else(make_server, tmp_path, name):
    ca, certificate = make_certificates(tmp_path / "certificates")
    with running(of_kind(name, tmp_path, tls=certificate)) as store:
        log = refusal(tmp_path / "distrust", store.arc_environment())
        assert "is not trusted (storage.ca_file)" in log
        server = make_server(**store.arc_environment(), ARC_STORAGE_CA_FILE=str(ca))
        assert server.post("/write?db=lake", "m id=0i 1760000000000000000")[0] == 204
        server.flush()
        server.kill()
        server.start()
        assert counted(server) == expected(1)
    bad = refusal(tmp_path / "bad", {**store.arc_environment(), "ARC_STORAGE_CA_FILE": str(tmp_path / "none.crt")})
    assert "storage.ca_file" in bad


class CredentialsServer:
    """What a container's or machine's role gives: keys that hold for some seconds."""

    def __init__(self, seconds):
        self.secret, self.seconds, self.answers = SECRET, seconds, 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/role"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(credentials):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                credentials.answers += 1
                ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=credentials.seconds)
                keys = {
                    "AccessKeyId": Minio.user,
                    "SecretAccessKey": credentials.secret,
                    "Token": "",
                    "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                body = json.dumps(keys).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


def test_keys_of_a_role_are_asked_for_again_before_they_end(make_server, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    role = CredentialsServer(seconds=20)
    minio = of_kind("minio", tmp_path)
    with running(minio):
        make_server(**minio.arc_environment()).stop()
        server = make_server(
            STORAGE_BACKEND="s3",
            S3_ENDPOINT=minio.url,
            S3_BUCKET="lake",
            ARC_STORAGE_PREFIX="role",
            HOME=str(tmp_path),
            AWS_EC2_METADATA_DISABLED="true",
            AWS_CONTAINER_CREDENTIALS_FULL_URI=role.url,
        )
        assert server.post("/write?db=lake", "m id=0i 1760000000000000000")[0] == 204
        server.flush()
        asked = role.answers
        assert asked > 0
        # The keys change, as a role's do: the old ones are worth nothing, and nobody is told.
        minio.stop()
        role.secret = minio.password = "quite-another-secret"
        minio.start()
        wait_for("the new keys work", lambda: role.answers > asked and ready(server)[0] == 200, 60)
        assert server.post("/write?db=lake", "m id=1i 1760000000001000000")[0] == 204
        server.flush()
        assert counted(server) == expected(2)
        assert SECRET not in (server.folder / "server.log").read_text()
    role.stop()

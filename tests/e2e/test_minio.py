"""Tables in a real MinIO: written, queried, read by pyiceberg, and through outages of the store."""

import datetime
import http.client
import json
import re
import signal
import threading
import time

import pytest
from pyiceberg.catalog.sql import SqlCatalog

import minio_server
from lake_table import EXPECTED, SUMS, write_everything
from minio_server import MinioServer

pytestmark = pytest.mark.skipif(
    not minio_server.BINARY.exists(), reason="no MinIO here: tools/setup.sh peers builds it"
)

START_NS = 1_760_000_000 * 10**9
SMALL_FLUSHES = {"ARC_INGESTION_MEMORY_MB": "32", "ARC_INGESTION_FLUSH_SIZE_MB": "1", "WRITE_BUFFER_AGE": "1"}


@pytest.fixture
def minio(tmp_path):
    server = MinioServer(tmp_path / "minio").start()
    yield server
    server.kill()


def iceberg_table(server, minio, name):
    catalog = SqlCatalog(
        "arc", uri=f"sqlite:///{server.folder}/data/arc.db", warehouse="s3://lake", **minio.iceberg_properties()
    )
    return catalog.load_table(name)


def metric(server, name):
    status, body = server.request(server.connect(), "GET", "/metrics", None)
    assert status == 200
    return float(re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", body.decode(), re.MULTILINE).group(1))


def ready(server):
    status, body = server.request(server.connect(), "GET", "/ready", None)
    return status, json.loads(body)["reasons"]


def wait_for(what, condition, timeout_s):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"not within {timeout_s} s: {what}")


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


def test_writes_queries_and_pyiceberg(make_server, minio):
    server = make_server(**minio.arc_environment())
    write_everything(server)
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    assert not list((server.folder / "data" / "staging").rglob("*.parquet"))
    assert not (server.folder / "data" / "arc").exists()
    table = iceberg_table(server, minio, ("lake", "t"))
    assert table.metadata_location.startswith("s3://lake/lake/t/metadata/")
    rows = table.scan().to_arrow()
    assert rows.num_rows == EXPECTED[0]
    assert sum(rows["id"].to_pylist()) == EXPECTED[1]
    assert metric(server, "arc_object_store_up") == 1
    assert metric(server, "arc_object_store_written_bytes_total") > 0
    server.kill()
    server.start()
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED


def test_rows_are_there_through_an_outage_and_after_it(make_server, minio):
    server = make_server(**minio.arc_environment(), **SMALL_FLUSHES)
    writing = Writing(server, pause_s=0.01)
    writing.start()
    wait_for("a first commit", lambda: metric(server, "arc_flush_rows_total") > 0, 60)
    minio.kill()
    down_since = time.monotonic()
    before = writing.acknowledged
    wait_for("/ready says that the store fails", lambda: "object_store" in ready(server)[1], 30)
    assert ready(server)[0] == 503
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
    minio.start()
    wait_for("/ready is well again", lambda: ready(server)[0] == 200, 60)
    writing.stop()
    assert writing.lost is None
    server.flush()
    assert counted(server) == expected(writing.acknowledged)
    wait_for("nothing is staged", lambda: metric(server, "arc_object_store_staged_bytes") == 0, 30)
    assert iceberg_table(server, minio, ("lake", "m")).scan().count() == writing.acknowledged


def test_a_store_that_hangs_is_noticed_and_holds_up_no_write(make_server, minio):
    server = make_server(**minio.arc_environment())
    assert server.post("/write?db=lake", "m id=0i 1760000000000000000")[0] == 204
    server.flush()
    minio.process.send_signal(signal.SIGSTOP)
    wait_for("/ready says that the store hangs", lambda: "object_store" in ready(server)[1], 30)
    started = time.monotonic()
    assert server.post("/write?db=lake", "m id=1i 1760000000001000000")[0] == 204
    assert time.monotonic() - started < 5
    minio.process.send_signal(signal.SIGCONT)
    wait_for("/ready is well again", lambda: ready(server)[0] == 200, 60)
    assert counted(server) == expected(2)


def test_a_crash_during_an_outage(make_server, minio):
    server = make_server(**minio.arc_environment(), **SMALL_FLUSHES)
    writing = Writing(server)
    writing.start()
    wait_for("a first commit", lambda: metric(server, "arc_flush_rows_total") > 0, 60)
    minio.kill()
    wait_for("staged files", lambda: metric(server, "arc_object_store_staged_bytes") > 0, 30)
    time.sleep(2)
    server.kill()
    writing.stop()
    with pytest.raises(RuntimeError, match="the server ended with"):
        server.start()
    assert "the bucket lake" in (server.folder / "server.log").read_text()
    minio.start()
    server.start()
    # The batch under way when the server died may be there or not.
    rows = counted(server)[0]
    assert rows in (writing.acknowledged, writing.acknowledged + 1000)
    assert counted(server) == expected(rows)
    server.flush()
    assert counted(server) == expected(rows)
    assert iceberg_table(server, minio, ("lake", "m")).scan().count() == rows


def test_a_bucket_that_cannot_be_used_refuses_to_start(make_server, minio):
    with pytest.raises(RuntimeError, match="the server ended with"):
        make_server(**{**minio.arc_environment(), "MINIO_SECRET_KEY": "wrong-secret"})

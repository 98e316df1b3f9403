"""Old data files move to a second store and stay parts of their tables: for Arc, pyiceberg and DuckDB, through kills,
outages of the cold store, retention and deletion."""

import json
import random
import threading
import time

import pyarrow.parquet
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from store_servers import BUCKET, SECRET
from test_object_stores import health, metric, of_kind, ready, refusal, running, wait_for
from test_retention import DAY_NS, NOW_NS, add_policy, call, execute, write_days
from table_readers import duckdb_with

COLD_BUCKET = "cold"
SUMS = "SELECT count(*), sum(id), min(time)::VARCHAR, max(time)::VARCHAR, count(DISTINCT host) FROM lake.{}"


def cold_settings(minio):
    return {
        "ARC_TIERING_BACKEND": "minio",
        "ARC_TIERING_MINIO_ENDPOINT": minio.url,
        "ARC_TIERING_MINIO_ACCESS_KEY": minio.user,
        "ARC_TIERING_MINIO_SECRET_KEY": SECRET,
        "ARC_TIERING_MINIO_BUCKET": COLD_BUCKET,
    }


def objects(minio, bucket):
    """Keys of the data files in a bucket."""
    folder = minio.folder / bucket
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))


def table_of(server, minio, name, warehouse="file:///"):
    catalog = SqlCatalog(
        "arc", uri=f"sqlite:///{server.folder}/data/arc.db", warehouse=warehouse, **minio.iceberg_properties()
    )
    return catalog.load_table(("lake", name))


def file_paths(table):
    return sorted(table.inspect.files()["file_path"].to_pylist())


def metrics_of(table):
    """What the manifests say of the files, without where these are."""
    columns = ["record_count", "file_size_in_bytes", "column_sizes", "value_counts", "null_value_counts",
               "lower_bounds", "upper_bounds", "split_offsets"]
    return sorted(repr(row) for row in table.inspect.files().select(columns).to_pylist())


def get(server, path):
    status, answer = call(server, "GET", path)
    assert status == 200, answer
    return answer


def query(server, sql):
    status, answer = server.post("/api/v1/query", json.dumps({"sql": sql}), {"Content-Type": "application/json"})
    return status, json.loads(answer)


def days_ago(days):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((NOW_NS - days * DAY_NS) // 10**9))


def trigger(server):
    status, answer = call(server, "POST", "/api/v1/tiering/trigger")
    assert status == 200, answer
    return answer["jobs_started"]


def move(server):
    """The job that moved the files of the only table with any."""
    assert trigger(server) == 1
    wait_for("files are moved", lambda: get(server, "/api/tiering/jobs")["count"] == 0, 60)
    return get(server, "/api/tiering/history")["history"][0]


@pytest.fixture
def minio(tmp_path):
    with running(of_kind("minio", tmp_path)) as server:
        yield server


def check_before_during_and_after(server, minio, warehouse, hot_files):
    ages = [60, 45, 31, 29, 2, 0]
    write_days(server, "cpu", ages)
    write_days(server, "mem", [1])
    before = server.sql(SUMS.format("cpu"))
    described = metrics_of(table_of(server, minio, "cpu", warehouse))
    candidates = get(server, "/api/v1/tiering/candidates")
    assert [table["measurement"] for table in candidates["tables"]] == ["cpu"]
    assert candidates["to_move"]["files"] == 3 and candidates["to_move"]["rows"] == 30
    answers = set()
    done = threading.Event()

    def ask():
        while not done.is_set():
            answers.add(json.dumps(server.sql(SUMS.format("cpu"))))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        job = move(server)
    finally:
        done.set()
        asking.join()
    assert (job["status"], job["moved"]["files"], job["moved"]["rows"]) == ("completed", 3, 30), job
    assert answers == {json.dumps(before)}
    assert server.sql(SUMS.format("cpu")) == before

    table = table_of(server, minio, "cpu", warehouse)
    snapshot = table.current_snapshot()
    assert snapshot.summary.operation.value == "replace"
    assert snapshot.summary["added-records"] == snapshot.summary["deleted-records"] == "30"
    assert snapshot.summary["total-records"] == "60"
    assert metrics_of(table) == described
    paths = file_paths(table)
    cold = [path for path in paths if path.startswith(f"s3://{COLD_BUCKET}/lake/cpu/")]
    assert len(cold) == 3 and len(paths) == 6
    assert sorted(path.removeprefix(f"s3://{COLD_BUCKET}/") for path in cold) == objects(minio, COLD_BUCKET)
    rows = table.scan().to_arrow()
    assert sorted(rows["id"].to_pylist()) == sorted(age for age in ages for _ in range(10))
    # The snapshot before names the hot objects, which are there.
    assert len(hot_files()) == 7
    assert table.scan(snapshot_id=snapshot.parent_snapshot_id).to_arrow().num_rows == 60
    assert trigger(server) == 0
    assert metric(server, "arc_tiering_files_total") == 3
    assert metric(server, "arc_cold_store_up") == 1
    assert metric(server, "arc_cold_store_written_bytes_total") > 0
    cold_files = get(server, "/api/v1/tiering/candidates?database=lake&measurement=cpu")["tables"][0]
    assert (cold_files["cold"]["files"], cold_files["hot"]["files"], cold_files["to_move"]["files"]) == (3, 3, 0)

    server.kill()
    server.start()
    assert server.sql(SUMS.format("cpu")) == before
    assert SECRET not in (server.folder / "server.log").read_text()


def test_local_disk_and_a_cold_bucket(make_server, minio):
    server = make_server(**cold_settings(minio))
    lake = server.folder / "data" / "arc"
    check_before_during_and_after(server, minio, f"file://{lake}", lambda: list(lake.rglob("*.parquet")))
    # What queries read of cold files is kept as of any remote file.
    misses = metric(server, "arc_object_store_footer_misses_total")
    hits = metric(server, "arc_object_store_footer_hits_total")
    assert metric(server, "arc_object_store_footer_bytes") > 0
    server.sql(SUMS.format("cpu"))
    assert metric(server, "arc_object_store_footer_misses_total") == misses
    assert metric(server, "arc_object_store_footer_hits_total") > hits


def test_two_buckets_of_one_store(make_server, minio):
    # Address and credentials are those of the tables' store.
    server = make_server(
        **minio.arc_environment(), ARC_TIERING_BACKEND="minio", ARC_TIERING_MINIO_BUCKET=COLD_BUCKET
    )
    check_before_during_and_after(server, minio, f"s3://{BUCKET}", lambda: objects(minio, BUCKET))


def test_two_folders_and_duckdb(make_server, tmp_path):
    cold = tmp_path / "cold"
    server = make_server(ARC_TIERING_BACKEND="local", ARC_TIERING_LOCAL_PATH=str(cold))
    write_days(server, "cpu", [60, 45, 1])
    before = server.sql(SUMS.format("cpu"))
    assert move(server)["moved"]["files"] == 2
    assert server.sql(SUMS.format("cpu")) == before
    assert len(list(cold.rglob("*.parquet"))) == 2
    location = server.iceberg_catalog().load_table(("lake", "cpu")).metadata_location
    rows = duckdb_with("avro", "iceberg").execute(f"SELECT count(*), sum(id) FROM iceberg_scan('{location}')").fetchone()
    assert [int(value) for value in rows] == before[0][:2]


def test_a_damaged_cold_file_is_named_and_the_others_go_on(make_server, tmp_path):
    cold = tmp_path / "cold"
    server = make_server(ARC_TIERING_BACKEND="local", ARC_TIERING_LOCAL_PATH=str(cold))
    write_days(server, "cpu", [60, 1])
    assert move(server)["moved"]["files"] == 1
    (path,) = cold.rglob("*.parquet")
    group = pyarrow.parquet.read_metadata(path).row_group(0)
    ids = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "id")
    content = bytearray(path.read_bytes())
    content[(ids.dictionary_page_offset or ids.data_page_offset) + ids.total_compressed_size - 1] ^= 1
    path.write_bytes(content)
    status, answer = query(server, "SELECT sum(id) FROM lake.cpu")
    assert status == 500 and path.name in answer["error"] and "is damaged" in answer["error"], answer
    assert server.sql(f"SELECT sum(id) FROM lake.cpu WHERE time > '{days_ago(10)}'") == [[10]]


def test_places_within_each_other_and_missing_settings_are_refused(tmp_path, minio):
    inside = {"ARC_TIERING_BACKEND": "local", "ARC_TIERING_LOCAL_PATH": str(tmp_path / "a" / "data" / "arc" / "old")}
    assert "lie within each other" in refusal(tmp_path / "a", inside)
    same = {**minio.arc_environment(), "ARC_TIERING_BACKEND": "minio", "ARC_TIERING_MINIO_BUCKET": BUCKET}
    assert "lie within each other" in refusal(tmp_path / "b", same)
    assert "tiering.backend" in refusal(tmp_path / "c", {"ARC_TIERING_ENABLED": "true"})
    assert "tiering.minio.bucket" in refusal(tmp_path / "d", {"ARC_TIERING_BACKEND": "minio"})


def test_kills_in_the_middle_of_a_move(make_server, minio):
    server = make_server(**cold_settings(minio))
    for first in range(0, 120, 30):
        write_days(server, "cpu", range(40 + first, 70 + first))
    before = server.sql(SUMS.format("cpu"))
    chance = random.Random(5)
    killed_within = 0
    for _ in range(8):
        trigger(server)
        time.sleep(chance.uniform(0.05, 0.6))
        killed_within += get(server, "/api/tiering/jobs")["count"]
        server.kill()
        server.start()
        assert server.sql(SUMS.format("cpu")) == before
        rows = table_of(server, minio, "cpu").scan().to_arrow()
        assert [rows.num_rows, sum(rows["id"].to_pylist())] == before[0][:2]
    assert killed_within > 0
    if trigger(server):
        wait_for("files are moved", lambda: get(server, "/api/tiering/jobs")["count"] == 0, 120)
    assert server.sql(SUMS.format("cpu")) == before
    paths = file_paths(table_of(server, minio, "cpu"))
    assert len(paths) == 120 and all(path.startswith(f"s3://{COLD_BUCKET}/") for path in paths)
    # What interrupted jobs left is no part of the table: orphans, once they are old enough.
    live = {path.removeprefix(f"s3://{COLD_BUCKET}/") for path in paths}
    assert live <= set(objects(minio, COLD_BUCKET))
    assert call(server, "POST", "/api/v1/maintenance/orphans")[1]["errors"] == []


def test_retention_and_deletion_reach_cold_files(make_server, minio):
    server = make_server(**cold_settings(minio), ARC_MAINTENANCE_MAX_SNAPSHOTS="1")
    write_days(server, "cpu", [90, 60, 1])
    assert move(server)["moved"]["files"] == 2
    deletion = f"DELETE FROM lake.cpu WHERE id = 60 AND host = 'h1' AND time < '{days_ago(30)}'"
    status, answer = query(server, deletion)
    assert status == 200, answer
    assert server.sql("SELECT id, count(*) FROM lake.cpu GROUP BY id ORDER BY id") == [[1, 10], [60, 7], [90, 10]]
    table = table_of(server, minio, "cpu")
    rewritten = [path for path in file_paths(table) if path.endswith(".rewritten.parquet")]
    assert len(rewritten) == 1 and rewritten[0].startswith(f"s3://{COLD_BUCKET}/lake/cpu/")  # where the file was
    assert table.scan().to_arrow().num_rows == 27

    policy = add_policy(server, name="p", retention_days=75)
    assert execute(server, policy, dry_run=False, confirm=True)["deleted_count"] == 10
    assert server.sql("SELECT DISTINCT id FROM lake.cpu ORDER BY id") == [[1], [60]]
    # One snapshot is kept: the cold objects that no other names go with the next commit.
    write_days(server, "cpu", [0])
    assert call(server, "POST", "/api/v1/maintenance/expire?database=lake")[0] == 200
    left = [rewritten[0].removeprefix(f"s3://{COLD_BUCKET}/")]
    wait_for("cold objects are gone", lambda: objects(minio, COLD_BUCKET) == left, 10)
    assert table_of(server, minio, "cpu").scan().to_arrow().num_rows == 27

    status, answer = query(server, "DELETE FROM lake.cpu WHERE id = 60")
    assert status == 200, answer
    assert server.sql("SELECT DISTINCT id FROM lake.cpu ORDER BY id") == [[0], [1]]


def test_a_cold_store_that_is_away(make_server, minio):
    server = make_server(**cold_settings(minio), ARC_STORAGE_READ_CACHE_MB="0")
    write_days(server, "cpu", [60, 1])
    assert move(server)["moved"]["files"] == 1
    before = server.sql(SUMS.format("cpu"))
    minio.stop()
    server.kill()
    server.start(timeout_s=60)  # ready: without the cold store it takes rows and answers what is hot
    wait_for("/health says so", lambda: health(server) == "degraded", 30)
    assert ready(server) == (200, {})
    assert metric(server, "arc_cold_store_up") == 0
    assert server.sql(f"SELECT count(*) FROM lake.cpu WHERE time > '{days_ago(10)}'") == [[10]]
    status, answer = query(server, "SELECT sum(id) FROM lake.cpu")
    assert status == 503, answer
    assert f"the cold store s3://{COLD_BUCKET}/" in answer["error"]
    write_days(server, "cpu", [50])
    assert trigger(server) == 1
    wait_for("the job fails", lambda: get(server, "/api/tiering/jobs")["count"] == 0, 90)
    failed = get(server, "/api/tiering/history")["history"][0]
    assert failed["status"] == "failed" and f"s3://{COLD_BUCKET}/" in failed["error"], failed
    minio.start()
    wait_for("/health is well again", lambda: health(server) == "healthy", 30)
    assert server.sql("SELECT count(*) FROM lake.cpu") == [[before[0][0] + 10]]
    assert move(server)["moved"]["files"] == 1
    assert server.sql("SELECT count(*), sum(id) FROM lake.cpu") == [[30, before[0][1] + 500]]

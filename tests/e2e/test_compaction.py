"""Compaction as users see it: files become few, and every engine finds the same rows before and after."""

import json
import time

from lake_table import EXPECTED, HOUR, HOUR_NS, START_NS, SUMS
from table_readers import duckdb_with

FLUSHES = 15


def write_in_many_flushes(server):
    """The rows of write_everything, but each hour comes in many files."""
    for flush in range(FLUSHES):
        first = [
            f"t,host=h{i % 3} id={i}i,widened={i}i,big={2**64 - 1 - i}u {START_NS + i * HOUR_NS // 50}"
            for i in range(flush, 100, FLUSHES)
        ]
        if flush == 0:
            first += [
                f"t,host=h9 id={i}i,widened={i}.5 {START_NS + i * HOUR_NS // 50}" for i in range(100, 110)
            ]
        if flush >= 5:
            first += [
                f't,host=h1,zone=z id={i}i,late="x{i}",widened=1 {START_NS + i * HOUR_NS // 50}'
                for i in range(110 + flush - 5, 150, FLUSHES - 5)
            ]
        assert server.post("/write?db=lake", "\n".join(first))[0] == 204
        server.flush()


def text(server, path):
    status, body = server.request(server.connect(), "GET", path, None)
    assert status == 200, body
    return body.decode()


def get(server, path):
    return json.loads(text(server, path))


def table_files(server):
    return server.iceberg_catalog().load_table(("lake", "t")).inspect.files().num_rows


def test_every_engine_finds_the_same_rows_before_and_after(server):
    write_in_many_flushes(server)
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    before = table_files(server)
    assert before >= 2 * FLUSHES
    candidates = get(server, "/api/v1/compaction/candidates")
    assert candidates["count"] == 1 and candidates["candidates"][0]["file_count"] == before
    reply = json.loads(server.post("/api/v1/compaction/trigger", "")[1])
    assert reply["jobs_started"] == 1
    deadline = time.monotonic() + 60
    while get(server, "/api/compaction/jobs")["count"] > 0:
        assert time.monotonic() < deadline
        assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    job = get(server, "/api/compaction/history")["history"][0]
    assert job["status"] == "completed", job
    assert job["files_compacted"] == before and job["files_written"] == 1
    assert get(server, "/api/compaction/stats")["total_files_compacted"] == before
    assert "arc_compaction_jobs_completed_total 1" in text(server, "/metrics")

    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    assert table_files(server) == 1
    table = server.iceberg_catalog().load_table(("lake", "t"))
    assert table.current_snapshot().summary.operation.value == "replace"
    rows = table.scan().to_arrow()
    assert rows.num_rows == 150
    assert sum(rows["id"].to_pylist()) == EXPECTED[1]
    assert rows["late"].null_count == 110
    assert rows["time"].to_pylist() == sorted(rows["time"].to_pylist())
    hour = table.scan(
        row_filter=f"time >= '{HOUR[0].replace(' ', 'T')}' and time < '{HOUR[1].replace(' ', 'T')}'"
    ).to_arrow()
    assert hour.num_rows == 50
    # The snapshot before is still there to be read.
    assert table.scan(snapshot_id=table.current_snapshot().parent_snapshot_id).to_arrow().num_rows == 150
    found = duckdb_with("avro", "iceberg").execute(SUMS.format(f"iceberg_scan('{table.metadata_location}')")).fetchone()
    assert tuple(float(v) if i == 2 else int(v) for i, v in enumerate(found)) == EXPECTED


def test_killed_in_the_middle_of_a_merge(server):
    lines = [f"big,host=h{i % 100} id={i}i,a={i}.25,b={i * 7 % 1000}.5 {START_NS + i * 1_000_000}" for i in range(60_000)]
    for first in range(0, len(lines), 4_000):
        assert server.post("/write?db=lake", "\n".join(lines[first : first + 4_000]))[0] == 204
        server.flush()
    sums = "SELECT count(*), count(DISTINCT id), sum(id), sum(b) FROM lake.big"
    expected = server.sql(sums)
    assert expected[0][:2] == [60_000, 60_000]
    for delay_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        server.post("/api/v1/compaction/trigger", "")
        time.sleep(delay_s)
        server.kill()
        server.start()
        assert server.sql(sums) == expected
    server.post("/api/v1/compaction/trigger", "")
    deadline = time.monotonic() + 60
    while get(server, "/api/compaction/jobs")["count"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.sql(sums) == expected
    assert server.iceberg_catalog().load_table(("lake", "big")).inspect.files().num_rows == 1

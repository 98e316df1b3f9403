"""Every write format through plain HTTP, read back by SQL before and after the flush."""

import gzip
import io
import json

import msgpack
import pyarrow.ipc
import pytest

T0_MS = 1_736_949_600_000  # 2025-01-15T14:00:00Z


def msgpack_rows():
    rows = [
        {"m": "cpu", "t": T0_MS + i, "h": f"server{i % 2}", "tags": {"region": "eu"}, "fields": {"usage": i + 0.5, "n": i}}
        for i in range(4)
    ]
    return msgpack.packb({"batch": rows})


def msgpack_columns():
    return msgpack.packb(
        {
            "m": "cpu",
            "columns": {
                "time": [T0_MS + i for i in range(4)],
                "host": ["server0", "server1", "server0", "server1"],
                "region": ["eu"] * 4,
                "usage": [0.5, 1.5, 2.5, 3.5],
                "n": [0, 1, 2, 3],
            },
        }
    )


def line_protocol():
    return "".join(
        f"cpu,host=server{i % 2},region=eu usage={i}.5,n={i}i {(T0_MS + i) * 1_000_000}\n" for i in range(4)
    ).encode()


def json_rows():
    rows = [
        {
            "measurement": "cpu",
            "time": T0_MS + i,
            "tags": {"host": f"server{i % 2}", "region": "eu"},
            "fields": {"usage": i + 0.5, "n": i},
        }
        for i in range(4)
    ]
    return json.dumps(rows).encode()


FORMATS = [
    pytest.param("/write/v2/msgpack", msgpack_rows, id="msgpack-rows"),
    pytest.param("/api/v1/write/msgpack", msgpack_columns, id="msgpack-columns"),
    pytest.param("/api/v1/write/line-protocol", line_protocol, id="line-protocol"),
    pytest.param("/api/v1/write/json", json_rows, id="json"),
]
EXPECTED = [["server0", "eu", 0.5, 0], ["server1", "eu", 1.5, 1], ["server0", "eu", 2.5, 2], ["server1", "eu", 3.5, 3]]


@pytest.mark.parametrize("path, body", FORMATS)
def test_rows_are_there_at_once_and_after_the_flush(server, path, body):
    headers = {"x-arc-database": "production", "Content-Encoding": "gzip"}
    status, answer = server.post(path, gzip.compress(body()), headers)
    assert (status, answer) == (204, b"")
    query = "SELECT host, region, usage, n FROM production.cpu ORDER BY time"
    assert server.sql(query) == EXPECTED
    server.flush()
    assert server.sql(query) == EXPECTED
    files = list((server.folder / "data/arc/production/cpu/2025/01/15/14").glob("cpu_20250115_140000_4_*.parquet"))
    assert len(files) == 1


def test_a_restart_keeps_what_was_not_flushed(server, make_server):
    server.post("/write", line_protocol())
    server.kill()
    again = make_server()
    assert again.sql("SELECT count(*) FROM cpu") == [[4]]


def test_sigterm_drains_and_ends_well(server):
    server.post("/write", line_protocol())
    assert server.stop(timeout_s=10) == 0
    assert list((server.folder / "data/arc/default/cpu").rglob("*.parquet"))


def test_a_type_conflict_keeps_the_good_rows_and_names_the_bad_one(server):
    server.post("/write", b"m v=1.5 1000000000\n")
    status, answer = server.post("/write", b'm v=2.5 2000000000\nm v="text" 3000000000\nm v=3.5 4000000000\n')
    assert status == 400
    error = json.loads(answer)
    assert "partial write" in error["error"] and "line 2" in json.dumps(error)
    assert server.sql("SELECT v FROM m ORDER BY time") == [[1.5], [2.5], [3.5]]
    status, _ = server.post("/api/v3/write_lp?accept_partial=false", b'm v=5 5000000000\nm v="x" 6000000000\n')
    assert status == 400
    assert server.sql("SELECT count(*) FROM m") == [[3]]


def test_arrow_and_csv_answers(server):
    server.post("/write", line_protocol())
    sql = json.dumps({"sql": "SELECT host, usage FROM cpu ORDER BY time LIMIT 2"})
    status, body = server.post("/api/v1/query/arrow", sql)
    assert status == 200
    table = pyarrow.ipc.open_stream(io.BytesIO(body)).read_all()
    assert table.to_pydict() == {"host": ["server0", "server1"], "usage": [0.5, 1.5]}
    status, body = server.post("/query/stream", sql)
    assert body.decode().splitlines() == ["host,usage", "server0,0.5", "server1,1.5"]


def test_old_rows_land_in_their_own_hours(server):
    server.post("/write", "".join(f"old v={i} {i * 3600}000000000\n" for i in range(100)).encode())
    server.flush()
    assert server.sql("SELECT count(*), min(v), max(v) FROM old") == [[100, 0, 99]]
    assert server.sql("SELECT v FROM old WHERE time >= '1970-01-02 03:00:00' AND time < '1970-01-02 04:00:00'") == [[27]]


@pytest.mark.parametrize("name", ["m" * 255, "m" * 200, "\u00fc" * 42])
def test_the_longest_measurement_names_reach_the_disk(server, name):
    """A file is named after its measurement and more; file systems take 255 bytes."""
    assert server.post("/write", f"{name} v=1 1000000000\n".encode())[0] == 204
    server.flush()
    assert server.sql(f'SELECT v FROM "{name}"') == [[1]]


def test_the_sandbox_refuses_files_and_changes(server):
    server.post("/write", line_protocol())
    for statement in [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY cpu TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "SET threads = 1",
        "CREATE TABLE t (a INT)",
        "SELECT getenv('HOME')",
        "SELECT 1; SELECT 2",
    ]:
        status, body = server.post("/query", json.dumps({"sql": statement}))
        assert status in (400, 403), (statement, body)
        assert json.loads(body)["success"] is False

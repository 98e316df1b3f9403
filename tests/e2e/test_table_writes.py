"""CSV and Arrow IPC streams over HTTP, read back by SQL before and after the flush, and after a crash."""

import io
import json
from datetime import datetime, timezone

import pyarrow
import pyarrow.ipc
import pytest

CSV = (
    "when,host,usage,n,up,note,seen\r\n"
    '2025-01-15T14:00:00Z,a,0.5,1,true,"x, ""y""",5\r\n'
    "2025-01-15T14:00:01Z,b,1,2,false,,\r\n"
)


def arrow_stream(columns, **options):
    table = pyarrow.table(columns)
    out = io.BytesIO()
    with pyarrow.ipc.new_stream(out, table.schema, options=pyarrow.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_csv_rows_are_there_at_once_and_after_the_flush(server):
    status, answer = server.post("/api/v1/write/csv?measurement=cpu&time_column=when&tags=host&db=d", CSV.encode())
    assert (status, answer) == (204, b"")
    query = "SELECT host, usage, n, up, note, seen FROM d.cpu ORDER BY time"
    expected = [["a", 0.5, 1, True, 'x, "y"', 5], ["b", 1.0, 2, False, None, None]]
    assert server.sql(query) == expected
    server.flush()
    assert server.sql(query) == expected


def test_csv_names_bad_lines_and_keeps_the_others(server):
    server.post("/write/csv?measurement=m", b"time,v\n1,1.5\n")
    status, answer = server.post("/write/csv?measurement=m", b"time,v\n2,2.5\n3,text\n4\n5,3.5\n")
    assert status == 400
    error = json.loads(answer)
    assert [e["line"] for e in error["errors"]] == [3, 4]
    assert (error["rows_written"], error["rows_refused"]) == (2, 2)
    assert server.sql("SELECT v FROM m ORDER BY time") == [[1.5], [2.5], [3.5]]


def all_kinds(rows):
    return {
        "time": pyarrow.array([1_736_949_600_000_000_000 + i * 1_000_000 for i in range(rows)], pyarrow.timestamp("ns", "UTC")),
        "host": pyarrow.array([f"h{i % 3}" for i in range(rows)]).dictionary_encode(),
        "f32": pyarrow.array([i / 2 for i in range(rows)], pyarrow.float32()),
        "i": pyarrow.array(range(rows), pyarrow.int64()),
        "u": pyarrow.array([2**64 - 1 - i for i in range(rows)], pyarrow.uint64()),
        "b": pyarrow.array([None if i % 5 == 0 else i % 2 == 0 for i in range(rows)]),
        "s": pyarrow.array([f"text {i}" for i in range(rows)], pyarrow.large_utf8()),
        "seen": pyarrow.array([1_000_000 + i for i in range(rows)], pyarrow.timestamp("us")),
        "day": pyarrow.array([i % 100 for i in range(rows)], pyarrow.date32()),
    }


# Few rows are gathered, many become a batch of their own.
@pytest.mark.parametrize("rows", [10, 20_000])
@pytest.mark.parametrize("options", [{}, {"compression": "zstd"}], ids=["plain", "zstd"])
def test_arrow_rows_are_there_at_once_after_a_crash_and_after_the_flush(make_server, rows, options):
    server = make_server()
    status, answer = server.post("/api/v1/write/arrow?measurement=cpu", arrow_stream(all_kinds(rows), **options))
    assert (status, answer) == (204, b"")
    query = "SELECT host, f32, i, u::VARCHAR, b, s, seen::VARCHAR, day::VARCHAR FROM cpu ORDER BY time LIMIT 3"
    expected = [
        ["h0", 0.0, 0, "18446744073709551615", None, "text 0", "1970-01-01 00:00:01", "1970-01-01 00:00:00"],
        ["h1", 0.5, 1, "18446744073709551614", False, "text 1", "1970-01-01 00:00:01.000001", "1970-01-02 00:00:00"],
        ["h2", 1.0, 2, "18446744073709551613", True, "text 2", "1970-01-01 00:00:01.000002", "1970-01-03 00:00:00"],
    ]
    totals = "SELECT count(*), sum(i), max(epoch_us(seen)), count(b), count(DISTINCT host) FROM cpu"
    sums = [[rows, rows * (rows - 1) // 2, 1_000_000 + rows - 1, rows - (rows + 4) // 5, 3]]
    assert server.sql(query) == expected
    assert server.sql(totals) == sums
    server.kill()
    again = make_server()
    assert again.sql(query) == expected
    again.flush()
    assert again.sql(query) == expected
    assert again.sql(totals) == sums


def test_what_arrow_clients_read_they_can_write_back(server):
    server.post("/write", b"cpu,host=a usage=0.5,n=1i 1736949600000000000\ncpu,host=b usage=1.5,n=2i 1736949601000000000\n")
    status, body = server.post("/api/v1/query/arrow", json.dumps({"sql": "SELECT * FROM cpu"}))
    assert status == 200
    status, answer = server.post("/write/arrow?measurement=copy", body)
    assert (status, answer) == (204, b"")
    # The copy knows no tags, but joins what the original has.
    status, answer = server.post("/write/arrow?measurement=cpu", body)
    assert (status, answer) == (204, b"")
    assert server.sql("SELECT host, usage, n FROM copy ORDER BY time") == [["a", 0.5, 1], ["b", 1.5, 2]]
    assert server.sql("SELECT host, count(*) FROM cpu GROUP BY host ORDER BY host") == [["a", 2], ["b", 2]]


def test_arrow_columns_that_cannot_be_stored_are_named(server):
    stream = arrow_stream({"time": pyarrow.array([1]), "l": pyarrow.array([[1, 2]])})
    status, answer = server.post("/write/arrow?measurement=m", stream)
    assert status == 400 and "column 'l' is of Arrow type list" in json.loads(answer)["error"]
    status, answer = server.post("/write/arrow?measurement=m", stream[:-20])
    assert status == 400
    status, answer = server.post("/write/arrow", stream)
    assert status == 400 and "measurement" in json.loads(answer)["error"]


def test_both_count_in_the_write_statistics(server):
    server.post("/write/csv?measurement=m", b"time,v\n1,1\n2,2\n")
    now = pyarrow.array([datetime(2025, 1, 1, tzinfo=timezone.utc)])
    server.post("/write/arrow?measurement=m", arrow_stream({"time": now, "v": pyarrow.array([3])}))
    status, answer = server.request(server.connect(), "GET", "/write/stats", None)
    stats = json.loads(answer)["stats"]
    assert (stats["csv"]["records"], stats["arrow"]["records"]) == (2, 1)

"""One table through everything that happens to tables, by Arc and by other engines: after each step every engine finds
exactly the rows that Arc finds, and Arc those that a plain list of Python has.

With Spark as another engine that writes in `make test-all`, with pyiceberg in its place otherwise."""

import contextlib
import datetime
import decimal
import io
import json
import math
import subprocess
import time
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.types import LongType

import table_readers
from arc_server import ROOT
from store_servers import Minio
from table_readers import ArcReader, Spark, SparkReader, comparable_rows

TABLE = "lake.t"
HOUR = datetime.timedelta(hours=1)
ODD_DOUBLES = (math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, None)
SPARK_RUNTIME = ROOT / "tests" / "compat" / "spark_runtime.xml"


def row(number, when):
    """A row of the first columns, by its number alone."""
    return {
        "time": when + datetime.timedelta(microseconds=number),
        "host": f"h{number % 5}" if number % 7 else None,
        "zone": f"z {number % 2}, ö'\"" if number % 3 else None,
        "id": number,
        "d": ODD_DOUBLES[number % 13] if number % 13 < len(ODD_DOUBLES) else number / 8,
        "u": 2**64 - 1 - number if number % 4 else 0,
        "b": number % 2 == 0 if number % 5 else None,
        "s": f"text {number}\n\t" if number % 6 else "",
        "seen": datetime.datetime(1969, 12, 31, 23) + datetime.timedelta(microseconds=number * 10**9),
        "old": -number,
    }


ARROW_TYPES = {
    "time": pyarrow.timestamp("us", "UTC"), "host": pyarrow.string(), "zone": pyarrow.string(), "id": pyarrow.int64(),
    "d": pyarrow.float64(), "u": pyarrow.uint64(), "b": pyarrow.bool_(), "s": pyarrow.string(),
    "seen": pyarrow.timestamp("us"), "old": pyarrow.int64(), "late": pyarrow.string(), "more": pyarrow.int64(),
}


class Story:
    """The table, the engines that read it, and the rows that must be in it, by id."""

    def __init__(self, server, store, spark=None):
        self.server, self.store, self.spark = server, store, spark
        self.rows, self.next_id, self.steps = {}, 0, []
        self.day = datetime.datetime.combine(
            datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=10), datetime.time()
        )
        self.readers = []

    def open_readers(self):
        """Each once the table is there; restarts of the server change its port."""
        self.close_readers()
        kinds = [table_readers.PyicebergOnFiles, table_readers.PyicebergOverRest, table_readers.DuckdbOnFiles,
                 table_readers.DuckdbOverRest]
        if table_readers.WORKER_PYTHON.exists():
            kinds.append(table_readers.ChdbOnFiles)
            if self.store:
                kinds.append(table_readers.ChdbOverRest)
        self.readers = [kind(self.server, self.store, TABLE) for kind in kinds]
        if self.spark:
            self.readers += [SparkReader(self.spark, catalog, TABLE) for catalog in ("arc", "rest")]

    def close_readers(self):
        for reader in self.readers:
            reader.close()
        self.readers = []

    def write(self, count, hour, more=None):
        """Rows within an hour of the day, through Arrow; `more` gives further columns by the row's number."""
        step = HOUR / (count + 1)
        rows = []
        for i in range(count):
            number = self.next_id + i
            made = row(number, self.day + hour * HOUR + (i * 7 % count) * step)
            if self.renamed:
                made["load"] = made.pop("d")
                del made["old"]
            rows.append({**made, **(more(number) if more else {})})
        self.next_id += count
        types = {**ARROW_TYPES, "load": pyarrow.float64(), "theirs": pyarrow.int64()}
        table = pyarrow.table({name: pyarrow.array([one[name] for one in rows], types[name]) for name in rows[0]})
        out = io.BytesIO()
        with pyarrow.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
        status, body = self.server.post("/api/v1/write/arrow?measurement=t&db=lake&tags=host,zone", out.getvalue())
        assert status == 204, body
        self.keep(rows)

    renamed = False  # `d` is `load`, and the first `old` is gone

    def keep(self, rows):
        self.rows |= {one["id"]: one for one in rows}

    def verify(self, step):
        """All engines hold the same columns and rows, the latter also hour by hour."""
        self.steps.append(step)
        arc = ArcReader(self.server, self.store, TABLE)
        columns = arc.columns()
        rows = arc.rows(columns)
        expected = comparable_rows([one.get(name) for name in columns] for one in self.rows.values())
        assert rows == expected, self.difference(step, "Arc", rows, expected)
        hours = sorted({one["time"].replace(minute=0, second=0, microsecond=0) for one in self.rows.values()})
        counts = {hour: sum(hour <= one["time"] < hour + HOUR for one in self.rows.values()) for hour in hours}
        for reader in [arc, *self.readers]:
            where = f"{step}: {reader.name}"
            assert sorted(reader.columns()) == sorted(columns), where
            found = reader.rows(columns)
            assert found == rows, self.difference(step, reader.name, found, rows)
            assert {hour: reader.count(hour, hour + HOUR) for hour in hours} == counts, where

    def difference(self, step, name, found, expected):
        missing = [one for one in expected if one not in found][:2]
        extra = [one for one in found if one not in expected][:2]
        return f"{step}: {name} has {len(found)} rows, not {len(expected)}; missing {missing}, instead {extra}"

    def ask(self, path, body=None):
        status, answer = self.server.post(path, json.dumps(body) if body else "", {"Content-Type": "application/json"})
        assert status == 200, answer
        return json.loads(answer)

    def compact(self):
        started = self.ask("/api/v1/compaction/trigger")["jobs_started"]
        deadline = time.monotonic() + 120
        while self.ask_status("/api/v1/compaction/jobs")["count"] > 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        jobs = self.ask_status("/api/v1/compaction/history")["history"][:started]
        assert started and all(job["status"] == "completed" for job in jobs), jobs
        return {job["tier"] for job in jobs}

    def ask_status(self, path):
        status, answer = self.server.request(self.server.connect(), "GET", path, None)
        assert status == 200, answer
        return json.loads(answer)

    def delete(self, where, goes):
        done = self.ask("/api/v1/delete", {"database": "lake", "measurement": "t", "where": where})
        gone = [number for number, one in self.rows.items() if goes(one)]
        assert done["deleted_count"] == len(gone) > 0, done
        for number in gone:
            del self.rows[number]
        return done

    def catalog(self):
        properties = self.store.iceberg_properties() if self.store else {}
        return RestCatalog("arc", uri=f"{self.server.url}/iceberg", token=self.server.token, **properties)

    def change_schema(self):
        """Another engine renames `d`, drops `old` and adds `theirs`."""
        if self.spark:
            for change in ("RENAME COLUMN d TO load", "DROP COLUMN old", "ADD COLUMN theirs BIGINT"):
                self.spark.run(f"ALTER TABLE rest.{TABLE} {change}")
        else:
            with self.catalog().load_table(TABLE).update_schema() as update:
                update.rename_column("d", "load").delete_column("old").add_column("theirs", LongType())
        self.renamed = True
        for one in self.rows.values():
            one["load"] = one.pop("d")
            del one["old"]

    def append(self, count, hour):
        """Another engine appends rows of its own."""
        rows = []
        for number in range(self.next_id, self.next_id + count):
            made = row(number, self.day + hour * HOUR)
            rows.append({"time": made["time"], "id": number, "load": made["d"], "host": made["host"], "theirs": number,
                         "u": made["u"], "b": made["b"], "seen": made["seen"]})
        self.next_id += count
        if self.spark:
            values = ", ".join(self.spark_row(one) for one in rows)
            self.spark.run(f"INSERT INTO rest.{TABLE} ({', '.join(rows[0])}) VALUES {values}")
        else:
            self.append_by_pyiceberg(rows)
        self.keep(rows)

    @staticmethod
    def spark_row(one):
        def literal(name, value):
            if value is None:
                return "NULL"
            if isinstance(value, datetime.datetime):
                return f"TIMESTAMP_NTZ '{value}'"
            if name == "u":
                return f"CAST({value} AS DECIMAL(20, 0))"
            return f"DOUBLE('{value}')" if isinstance(value, float) else repr(value)

        return "(" + ", ".join(literal(name, value) for name, value in one.items()) + ")"

    def append_by_pyiceberg(self, rows):
        table = self.catalog().load_table(TABLE)
        fields = [field for field in table.schema().as_arrow() if field.name in rows[0]]
        decimals = [{**one, "u": decimal.Decimal(one["u"])} for one in rows]
        table.append(pyarrow.Table.from_pylist(decimals, pyarrow.schema(fields)))

    def files(self):
        return self.server_files().num_rows

    def server_files(self):
        return self.catalog().load_table(TABLE).inspect.files()


def tell(story):
    """The whole of it; `story.server` is restarted half-way by make_server."""
    for flush in range(12):
        story.write(20, 8 + flush % 4)
        story.server.flush()
        if flush == 0:
            story.open_readers()
            story.verify("one flush")
    story.verify("twelve flushes")
    story.write(15, 9, lambda i: {"late": f"x{i}" if i % 2 else None})
    story.server.flush()
    story.write(15, 10, lambda i: {"late": f"x{i}", "more": i * 2**40})
    story.server.flush()
    story.verify("columns that come later")
    before = story.files()
    assert story.compact() == {"hourly"}
    assert story.files() < before
    story.verify("hours compacted")
    done = story.delete("id % 5 = 0 AND (host IS NULL OR host <> 'h1')",
                        lambda one: one["id"] % 5 == 0 and one["host"] != "h1")
    assert done["files_rewritten"] > 0
    story.verify("rows deleted")
    edge = story.day + 9 * HOUR
    done = story.delete(f"time < '{edge}'", lambda one: one["time"] < edge)
    assert done["files_dropped"] > 0 and done["files_rewritten"] == 0
    story.verify("files deleted")


def go_on(story):
    """After the restart with days old enough for the daily tier."""
    story.open_readers()
    story.verify("restarted")
    assert story.compact() == {"daily"}
    story.verify("days compacted")
    story.change_schema()
    story.verify("schema changed by another engine")
    # A column that was dropped comes back under a new id: without the values that it had.
    story.write(20, 11, lambda i: {"old": i, "theirs": None, "late": "again"})
    story.server.flush()
    story.verify("rows after the schema change")
    story.append(25, 10)
    story.verify("appended by another engine")
    if story.spark:
        story.spark.run(f"DELETE FROM rest.{TABLE} WHERE id % 11 = 3")
        gone = [number for number in story.rows if number % 11 == 3]
    else:
        story.catalog().load_table(TABLE).delete("host == 'h3'")
        gone = [number for number, one in story.rows.items() if one.get("host") == "h3"]
    for number in gone:
        del story.rows[number]
    assert gone
    story.verify("deleted by another engine")
    if story.spark:
        # By time: what Spark inserts is in any order within its files, and such files Arc neither merges nor writes anew.
        story.spark.run("CALL rest.system.rewrite_data_files(table => 'lake.t', strategy => 'sort', sort_order => 'time',"
                        " options => map('rewrite-all', 'true'))")
        story.verify("rewritten by Spark")
    story.write(20, 8)
    story.write(20, 12)
    story.server.flush()
    story.verify("late rows")
    story.compact()
    story.verify("late rows compacted")
    story.ask("/api/v1/maintenance/expire?database=lake&measurement=t")
    assert len(story.catalog().load_table(TABLE).snapshots()) <= 4
    story.verify("snapshots expired")
    story.delete("theirs IS NULL", lambda one: one.get("theirs") is None)
    story.verify("most rows deleted")


def hours_that_are_over(story):
    """compaction.min_age_hours with which hours of the story's day are merged, but not the day."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return math.ceil((now - story.day) / HOUR - 24) + 1


@contextlib.contextmanager
def running(store):
    if store:
        store.start()
    try:
        yield
    finally:
        if store:
            store.stop()


def play(make_server, store, jars=None):
    environment = {
        "COMPACTION_ENABLED": "false", "COMPACTION_MIN_FILES": "2", "WRITE_BUFFER_AGE": "86400",
        "ARC_MAINTENANCE_MAX_SNAPSHOTS": "4", **(store.arc_environment() if store else {}),
    }
    with running(store), contextlib.ExitStack() as stack:
        story = Story(None, store)
        stack.callback(story.close_readers)

        def serve(min_age_hours):
            story.server = make_server(**environment, COMPACTION_MIN_AGE_HOURS=str(min_age_hours))
            if jars:
                story.spark = Spark(story.server, store, jars)
                stack.callback(story.spark.close)

        serve(hours_that_are_over(story))
        tell(story)
        story.server.kill()
        serve(1)
        go_on(story)
        return story.steps


@pytest.fixture(params=["disk", "minio"])
def store(request, tmp_path):
    if request.param == "disk":
        return None
    if not Minio.binary.exists():
        pytest.skip("no such store here: tools/setup.sh peers builds it")
    return Minio(tmp_path / "minio")


def test_every_engine_reads_what_arc_reads(make_server, store):
    play(make_server, store)


@pytest.mark.slow
def test_with_spark_as_the_other_writer(make_server, store, tmp_path):
    if not table_readers.WORKER_PYTHON.exists():
        pytest.skip("tools/setup.sh readers has not put Spark and chdb here")
    listing = tmp_path / "jars"
    subprocess.run(["mvn", "-q", "-B", "-f", SPARK_RUNTIME, "dependency:build-classpath", f"-Dmdep.outputFile={listing}"],
                   check=True)
    play(make_server, store, ",".join(Path(listing).read_text().strip().split(":")))

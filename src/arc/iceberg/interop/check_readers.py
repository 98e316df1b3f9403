#!/usr/bin/env python3
"""Other engines read what Arc's Iceberg room writes, and Arc reads what they write.

Usage: check_readers.py <arc_iceberg_test>. Needs pyiceberg[pyarrow,pyiceberg-core,sql-sqlite], fastavro and duckdb with
its iceberg and avro extensions. Exits non-zero at the first difference.
"""
import datetime
import glob
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable

HOUR, DAY = 3600 * 10**6, 86400 * 10**6
TIMESTAMP, DOUBLE, INT64, UINT64, BOOL, STRING = range(6)
TIME, TAG, FIELD = range(3)
ARROW = {TIMESTAMP: pa.timestamp("us"), DOUBLE: pa.float64(), INT64: pa.int64(), UINT64: pa.decimal128(20, 0),
         BOOL: pa.bool_(), STRING: pa.string()}
COLUMNS = [("time", TIMESTAMP, TIME, 1), ("host", STRING, TAG, 2), ("value", DOUBLE, FIELD, 3),
           ("total", UINT64, FIELD, 4), ("count", INT64, FIELD, 5), ("up", BOOL, FIELD, 6),
           ("Größe \"x\"", DOUBLE, FIELD, 7), ("time_hour", STRING, FIELD, 8)]
START = 1_767_225_600_000_000 // HOUR * HOUR  # 2026-01-01


def bound(kind, value):
    if kind in (TIMESTAMP, INT64):
        return struct.pack("<q", value)
    if kind == DOUBLE:
        return struct.pack("<d", value)
    if kind == BOOL:
        return bytes([value])
    if kind == UINT64:
        value = int(value)
        return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    return value.encode()[:16]


def make_file(root, key, start, rows, columns, rng):
    times = sorted(start + rng.randrange(HOUR) for _ in range(rows))
    values = {TIMESTAMP: times, DOUBLE: [rng.choice([None, rng.uniform(-5, 5)]) for _ in range(rows)],
              UINT64: [2**64 - 1 - rng.randrange(1000) for _ in range(rows)],
              INT64: [rng.randrange(-100, 100) for _ in range(rows)], BOOL: [rng.random() < 0.5 for _ in range(rows)],
              STRING: [f"host-{rng.randrange(4)}" for _ in range(rows)]}
    arrays, fields, metrics = [], [], []
    for name, kind, _, ident in columns:
        data = values[kind]
        arrays.append(pa.array(data, ARROW[kind]) if kind != UINT64 else
                      pa.array([str(v) for v in data]).cast(ARROW[kind]))
        fields.append(pa.field(name, ARROW[kind], metadata={"PARQUET:field_id": str(ident)}))
        present = [v for v in data if v is not None]
        entry = {"id": ident, "bytes": 100, "values": rows, "nulls": rows - len(present)}
        if kind == DOUBLE:
            entry["nans"] = 0
        if present:
            entry["lower"] = bound(kind, min(present)).hex()
            entry["upper"] = bound(kind, max(present)).hex()
        metrics.append(entry)
    table = pa.table(arrays, schema=pa.schema(fields))
    path = os.path.join(root, key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pq.write_table(table, path)
    return table, {"key": key, "bytes": os.path.getsize(path), "rows": rows, "min_time": times[0],
                   "max_time": times[-1], "metrics": metrics}


def build(binary, root, location=None, commits=14, first=0, measurement="c p/ü"):
    rng = random.Random(first + 1)
    plan = {"database": "my db", "measurement": measurement, "commits": []}
    if location:
        plan["location"] = location
    tables = []
    for i in range(first, first + commits):
        columns = COLUMNS[:3] if i < 4 else COLUMNS
        files = []
        for j, kind in enumerate(["hour", "hour", "day"] if i % 3 == 0 else ["hour"]):
            start = START + (i * 7 + j) * HOUR
            table, file = make_file(root, f"data files/{i:03}-{j}.parquet", start, 50 + i, columns, rng)
            file.update(kind=kind, value=start // (HOUR if kind == "hour" else DAY))
            files.append(file)
            tables.append(table)
        plan["commits"].append({"schema": [dict(zip(("name", "type", "role", "id"), c)) for c in columns],
                                "files": files if i != 5 else [], "now_ms": 1_767_300_000_000 + i * 1000,
                                "merge_count": 4, "max_snapshots": 10, "properties": {"arc.test": str(i)}})
        if i == 5:
            del tables[-len(files):]
    json.dump(plan, open(os.path.join(root, "plan.json"), "w"))
    subprocess.run([binary, "--gtest_filter=Interop.*", "--gtest_brief=1"], check=True,
                   env={**os.environ, "ARC_ICEBERG_INTEROP": root})
    return tables, json.load(open(os.path.join(root, "result.json")))


def totals(table):
    value = pc.sum(table["value"]).as_py() or 0.0
    big = sum(int(v) for v in table["total"].to_pylist() if v is not None) if "total" in table.column_names else 0
    return table.num_rows, round(value, 6), big, pc.min(table["time"]).as_py(), pc.max(table["time"]).as_py()


def same(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: got {got}, expected {expected}")
    print(f"ok  {what}: {got}")


def expected_rows(tables, since, until):
    whole = pa.concat_tables(tables, promote_options="default")
    mask = pc.and_(pc.greater_equal(whole["time"], since), pc.less(whole["time"], until))
    return whole, whole.filter(mask)


def check_pyiceberg(location, whole, part, since, until):
    table = StaticTable.from_metadata(location)
    same("pyiceberg all", totals(table.scan().to_arrow()), totals(whole))
    condition = f"time >= '{since.isoformat()}' and time < '{until.isoformat()}'"
    scan = table.scan(row_filter=condition)
    same("pyiceberg by time", totals(scan.to_arrow()), totals(part))
    planned, everything = len(list(scan.plan_files())), len(list(table.scan().plan_files()))
    if planned >= everything:
        sys.exit(f"pyiceberg pruned nothing: {planned} of {everything} files")
    print(f"ok  pyiceberg pruned to {planned} of {everything} files")
    same("pyiceberg snapshot total", int(table.current_snapshot().summary["total-records"]), whole.num_rows)
    for snapshot in table.snapshots():
        expected = int(snapshot.summary["total-records"])
        same("pyiceberg time travel", table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows, expected)


def check_duckdb(location, whole, part, since, until):
    db = duckdb.connect()
    db.execute("SET TimeZone='America/New_York'")
    for name in ("avro", "iceberg"):
        module = __import__(f"duckdb_extension_{name}", fromlist=["x"])
        path = glob.glob(os.path.join(os.path.dirname(module.__file__), "**", "*.duckdb_extension"), recursive=True)[0]
        db.execute(f"LOAD '{path}'")
    sql = "SELECT count(*), round(sum(value), 6), sum(total), min(time), max(time) FROM iceberg_scan(?)"
    row = db.execute(sql, [location]).fetchone()
    same("duckdb all", (row[0], row[1], int(row[2]), row[3], row[4]), totals(whole))
    row = db.execute(sql + " WHERE time >= ? AND time < ?", [location, since, until]).fetchone()
    same("duckdb by time", (row[0], row[1], int(row[2] or 0), row[3], row[4]), totals(part))
    folder = os.path.dirname(os.path.dirname(location))
    same("duckdb by folder", db.execute("SELECT count(*) FROM iceberg_scan(?, allow_moved_paths=false)",
                                        [folder]).fetchone()[0], whole.num_rows)


def flatten(schema, path=""):
    """An Avro schema as {path: (kind, field id, optional)}; docs, names and defaults of no meaning left out."""
    if isinstance(schema, list):
        return {p: (k, i, True) for p, (k, i, _) in flatten([s for s in schema if s != "null"][0], path).items()
                } if "null" in schema else flatten(schema[0], path)
    if isinstance(schema, str):
        return {path: (schema, None, False)}
    kind = schema["type"]
    out = {path: ((kind, schema.get("logicalType"), schema.get("element-id")), None, False)}
    if kind == "record":
        out[path] = (("record", schema["name"]), None, False)
        for order, field in enumerate(schema["fields"]):
            inner = flatten(field["type"], f"{path}/{order}:{field['name']}#{field['field-id']}")
            out.update(inner)
    elif kind == "array":
        out.update(flatten(schema["items"], path + "/item"))
    return out


def check_avro_schemas(root):
    """Our schemas against pyiceberg's, field by field, order and ids included."""
    warehouse = tempfile.mkdtemp()
    catalog = SqlCatalog("check", uri=f"sqlite:///{warehouse}/c.db", warehouse=f"file://{warehouse}")
    catalog.create_namespace("db")
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import DayTransform, HourTransform
    from pyiceberg.types import NestedField, TimestampType
    theirs = {}
    for name, transform, ident in (("hour", HourTransform(), 1000), ("day", DayTransform(), 1001)):
        table = catalog.create_table(f"db.{name}", Schema(NestedField(1, "time", TimestampType())),
                                     partition_spec=PartitionSpec(PartitionField(1, ident, transform, f"time_{name}")))
        table.append(pa.table({"time": pa.array([0], pa.timestamp("us"))}))
        for path in glob.glob(f"{warehouse}/db/{name}/metadata/*.avro"):
            kind = "list" if os.path.basename(path).startswith("snap-") else name
            theirs[kind] = flatten(fastavro.reader(open(path, "rb")).writer_schema)
    seen = set()
    for path in glob.glob(f"{root}/**/metadata/*.avro", recursive=True):
        reader = fastavro.reader(open(path, "rb"))
        list(reader)
        if os.path.basename(path).startswith("snap-"):
            kind = "list"
        else:
            kind = "day" if '"day"' in reader.metadata["partition-spec"] else "hour"
            for key in ("schema", "schema-id", "partition-spec", "partition-spec-id", "format-version", "content"):
                if key not in reader.metadata:
                    sys.exit(f"{path} lacks header {key}")
        # The partition field gave way to a column of its name; pyiceberg numbers its only one 1000.
        ours = {p.replace("time_hour_part", "time_hour").replace("time_day#1001", "time_day#1000"): v
                for p, v in flatten(reader.writer_schema).items()}
        for field in sorted(set(ours) | set(theirs[kind])):
            if "equality_ids" in field and "item" in field:
                continue  # the specification and Java say int, pyiceberg long
            if ours.get(field) != theirs[kind].get(field):
                sys.exit(f"{kind} {field}: ours {ours.get(field)}, pyiceberg {theirs[kind].get(field)}")
        seen.add(kind)
    same("avro schemas equal pyiceberg's", sorted(seen), ["day", "hour", "list"])


def check_foreign_append(binary, root, location, tables):
    """pyiceberg adds to Arc's table, then Arc goes on from there."""
    catalog = SqlCatalog("mixed", uri=f"sqlite:///{root}/mixed.db", warehouse=f"file://{root}/wh")
    catalog.create_namespace("db")
    table = catalog.register_table("db.t", location)
    added = pa.table({"time": pa.array([START + 500 * HOUR, START + 501 * HOUR], pa.timestamp("us")),
                      "host": ["from-pyiceberg", None], "value": [math.pi, None]})
    with table.update_schema() as update:
        from pyiceberg.types import DateType
        update.add_column("theirs", DateType())
    table.append(added)
    more, result = build(binary, root, table.metadata_location, commits=12, first=40)
    keys = [f for f in result["files"] if f["min_time"] >= START + 500 * HOUR]
    same("arc sees pyiceberg's files", sorted(f["rows"] for f in keys if f["rows"] < 50), [1, 1])
    return tables + [added] + more, result


def main():
    binary = os.path.abspath(sys.argv[1])
    root = tempfile.mkdtemp(prefix="arc-iceberg-")
    tables, result = build(binary, root)
    since = datetime.datetime(2026, 1, 1, 20, 30)
    until = datetime.datetime(2026, 1, 2, 10, 15)
    for step in range(2):
        whole, part = expected_rows(tables, since, until)
        same("arc's own rows", sum(f["rows"] for f in result["files"]), whole.num_rows)
        check_pyiceberg(result["location"], whole, part, since, until)
        check_duckdb(result["location"], whole, part, since, until)
        check_avro_schemas(root)
        if step == 0:
            tables, result = check_foreign_append(binary, root, result["location"], tables)
    print("table left in", root)


if __name__ == "__main__":
    main()

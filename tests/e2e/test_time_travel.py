"""Time travel and metadata tables in SQL, against what pyiceberg reads from the same snapshots."""

import datetime
import json

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from arc_server import ArcServer
from lake_table import HOUR_NS, START_NS
from store_servers import Minio
from test_compaction import FLUSHES, get, write_in_many_flushes

EPOCH = datetime.datetime(1970, 1, 1)
TEXTS = ("host", "late", "zone")


def micros(time):
    return (time.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1)


def millis(time):
    return micros(time) // 1000


def rows_of_arc(server, at, columns):
    shown = ["epoch_us(time)", "id", "widened", "CAST(big AS VARCHAR)", *(c for c in TEXTS if c in columns)]
    return sorted(map(tuple, server.sql(f"SELECT {', '.join(shown)} FROM lake.t {at}")), key=repr)


def rows_of_pyiceberg(table, snapshot_id):
    rows = table.scan(snapshot_id=snapshot_id).to_arrow()
    found = []
    for row in rows.to_pylist():
        big = None if row["big"] is None else str(int(row["big"]))
        found.append((micros(row["time"]), row["id"], row["widened"], big, *(row[c] for c in TEXTS if c in row)))
    return sorted(found, key=repr), rows.column_names


def columns_of_arc(server, at):
    return [row[0] for row in server.sql(f"DESCRIBE SELECT * FROM lake.t {at}")]


def assert_rows_agree(server, table):
    """Every snapshot that there is, by its id and by its time."""
    for entry in table.history():
        expected, columns = rows_of_pyiceberg(table, entry.snapshot_id)
        by_id = f"AT (VERSION => {entry.snapshot_id})"
        assert sorted(columns_of_arc(server, by_id)) == sorted(columns)
        assert rows_of_arc(server, by_id, columns) == expected
        by_time = f"AT (TIMESTAMP => make_timestamp({entry.timestamp_ms * 1000}))"
        assert rows_of_arc(server, by_time, columns) == expected


def text_map(value):
    return {} if value is None else json.loads(value)


def map_of(pairs):
    return {str(key): value for key, value in (pairs or [])}


def assert_metadata_agrees(server, table, name="lake.t"):
    inspect = table.inspect
    snapshots = server.sql(
        "SELECT epoch_ms(committed_at), snapshot_id, parent_id, operation, manifest_list, "
        f"CAST(to_json(summary) AS VARCHAR) FROM {name}$snapshots"
    )
    expected = inspect.snapshots().to_pylist()
    assert len(snapshots) == len(expected)
    for found, row in zip(snapshots, expected):
        assert found[:5] == [
            millis(row["committed_at"]), row["snapshot_id"], row["parent_id"], row["operation"], row["manifest_list"]
        ]
        assert text_map(found[5]) == dict(row["summary"])

    history = server.sql(
        f"SELECT epoch_ms(made_current_at), snapshot_id, parent_id, is_current_ancestor FROM {name}$history"
    )
    assert history == [
        [millis(row["made_current_at"]), row["snapshot_id"], row["parent_id"], row["is_current_ancestor"]]
        for row in inspect.history().to_pylist()
    ]

    refs = server.sql(f"SELECT * FROM {name}$refs ORDER BY name")
    assert refs == [list(row.values()) for row in sorted(inspect.refs().to_pylist(), key=lambda row: row["name"])]

    assert_files_agree(server, table, name, "", inspect.files())
    for entry in table.history():
        at = f"AT (VERSION => {entry.snapshot_id})"
        assert_files_agree(server, table, name, at, inspect.files(snapshot_id=entry.snapshot_id))

    manifests = server.sql(
        "SELECT content, path, length, partition_spec_id, added_snapshot_id, added_data_files_count, "
        "existing_data_files_count, deleted_data_files_count, added_delete_files_count, existing_delete_files_count, "
        "deleted_delete_files_count, CAST(to_json(partition_summaries) AS VARCHAR) "
        f"FROM {name}$manifests ORDER BY path"
    )
    expected = sorted(inspect.manifests().to_pylist(), key=lambda row: row["path"])
    assert [[*row[:-1], json.loads(row[-1])] for row in manifests] == [list(row.values()) for row in expected]

    partitions = server.sql(
        "SELECT CAST(to_json(partition) AS VARCHAR), spec_id, record_count, file_count, total_data_file_size_in_bytes, "
        "position_delete_record_count, position_delete_file_count, equality_delete_record_count, "
        "equality_delete_file_count, epoch_ms(last_updated_at), last_updated_snapshot_id "
        f"FROM {name}$partitions"
    )
    expected = inspect.partitions().to_pylist()
    assert sorted([partition_text(json.loads(row[0])), *row[1:]] for row in partitions) == sorted(
        [
            partition_text(row["partition"]), row["spec_id"], row["record_count"], row["file_count"],
            row["total_data_file_size_in_bytes"], row["position_delete_record_count"],
            row["position_delete_file_count"], row["equality_delete_record_count"], row["equality_delete_file_count"],
            millis(row["last_updated_at"]), row["last_updated_snapshot_id"],
        ]
        for row in expected
    )


def partition_text(partition):
    return json.dumps({key: str(value) for key, value in sorted(partition.items()) if value is not None})


def assert_files_agree(server, table, name, at, expected):
    maps = ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts")
    shown = ", ".join(f"CAST(to_json({column}) AS VARCHAR)" for column in maps)
    bounds = ", ".join(
        f"CAST(to_json(map_keys({column})) AS VARCHAR), CAST(to_json([hex(b) FOR b IN map_values({column})]) AS VARCHAR)"
        for column in ("lower_bounds", "upper_bounds")
    )
    found = server.sql(
        "SELECT file_path, content, file_format, spec_id, record_count, file_size_in_bytes, split_offsets, equality_ids, "
        f"sort_order_id, {shown}, {bounds}, readable_metrics.id.lower_bound, readable_metrics.host.upper_bound, "
        "epoch_us(readable_metrics.time.lower_bound), readable_metrics.widened.null_value_count, "
        f"CAST(readable_metrics.big.upper_bound AS VARCHAR) FROM {name}$files {at} ORDER BY file_path"
    )
    expected = sorted(expected.to_pylist(), key=lambda row: row["file_path"])
    assert len(found) == len(expected)
    for row, want in zip(found, expected):
        names = ["file_path", "content", "file_format", "spec_id", "record_count", "file_size_in_bytes"]
        assert row[:6] == [want[column] for column in names]
        assert row[6:9] == [want["split_offsets"], want["equality_ids"] or None, want["sort_order_id"]]
        for value, column in zip(row[9:13], maps):
            assert text_map(value) == map_of(want[column]), column
        for place, column in ((13, "lower_bounds"), (15, "upper_bounds")):
            keys, values = json.loads(row[place] or "[]"), json.loads(row[place + 1] or "[]")
            assert dict(zip(keys, values)) == {key: b.hex().upper() for key, b in want[column]}, column
        metrics = want["readable_metrics"]
        big = metrics["big"]["upper_bound"]
        assert row[17:] == [
            metrics["id"]["lower_bound"], metrics["host"]["upper_bound"], micros(metrics["time"]["lower_bound"]),
            metrics["widened"]["null_value_count"], None if big is None else str(int(big)),
        ]


def refused(server, statement):
    with pytest.raises(RuntimeError) as error:
        server.sql(statement)
    assert "400" in str(error.value)
    return str(error.value)


def compact(server):
    assert json.loads(server.post("/api/v1/compaction/trigger", "")[1])["jobs_started"] == 1
    while get(server, "/api/compaction/jobs")["count"] > 0:
        pass
    assert get(server, "/api/compaction/history")["history"][0]["status"] == "completed"


def test_every_snapshot_reads_as_pyiceberg_reads_it(make_server, tmp_path):
    server = make_server()
    write_in_many_flushes(server)
    hot = f"t,host=hot id=999i,widened=1,extra=true {START_NS + HOUR_NS}"
    assert server.post("/write?db=lake", hot)[0] == 204
    table = server.iceberg_catalog().load_table(("lake", "t"))
    assert len(table.history()) == FLUSHES
    assert_rows_agree(server, table)
    assert_metadata_agrees(server, table)
    assert server.sql("SELECT count(*) FROM lake.t WHERE id = 999") == [[1]]

    compact(server)
    table = server.iceberg_catalog().load_table(("lake", "t"))
    assert table.current_snapshot().summary.operation.value == "replace"
    assert_rows_agree(server, table)
    assert_metadata_agrees(server, table)

    ids = [entry.snapshot_id for entry in table.history()]
    before_all = table.history()[0].timestamp_ms - 1
    message = refused(server, f"SELECT * FROM lake.t AT (TIMESTAMP => make_timestamp({before_all * 1000}))")
    assert f"the earliest is {ids[0]}" in message
    assert "there is no snapshot 4711" in refused(server, "SELECT * FROM lake.t AT (VERSION => 4711)")
    assert server.stop() == 0

    # A shorter history: the earliest snapshots and the files that only they had go.
    server = make_server(ARC_MAINTENANCE_MAX_SNAPSHOTS="4")
    status, body = server.post("/api/v1/maintenance/expire?database=lake", "")
    assert status == 200, body
    table = server.iceberg_catalog().load_table(("lake", "t"))
    left = [entry.snapshot_id for entry in table.history()]
    assert len(left) == 4 and set(left) - set(ids) == {left[-1]}  # what was hot was flushed at the end
    assert_rows_agree(server, table)
    assert_metadata_agrees(server, table)
    message = refused(server, f"SELECT * FROM lake.t AT (VERSION => {ids[0]})")
    assert "expired" in message and str(left[0]) in message
    parent = table.snapshot_by_id(left[0]).parent_snapshot_id
    assert f"snapshot {parent} has expired" in refused(server, f"SELECT * FROM lake.t AT (VERSION => {parent})")
    message = refused(server, f"SELECT * FROM lake.t AT (TIMESTAMP => make_timestamp({before_all * 1000}))")
    assert f"the earliest is {left[0]}" in message and "earlier ones have expired" in message

    names = [row[1] for row in server.sql("SHOW TABLES", database="lake")]
    assert names == ["t"]


def test_readers_of_other_databases_see_nothing(server):
    assert server.post("/write?db=secret", f"t id=1i {START_NS}")[0] == 204
    server.flush()
    snapshot = server.sql("SELECT snapshot_id FROM secret.t$snapshots")[0][0]
    assert server.sql(f"SELECT id FROM secret.t AT (VERSION => {snapshot})") == [[1]]
    status, body = server.post("/auth/tokens", json.dumps({"name": "other", "permissions": ["read"], "databases": ["lake"]}))
    assert status in (200, 201), body
    token = json.loads(body)["token"]
    for statement in (
        "SELECT * FROM secret.t$snapshots",
        "SELECT * FROM secret.t$files",
        f"SELECT * FROM secret.t AT (VERSION => {snapshot})",
    ):
        status, body = server.post(
            "/api/v1/query", json.dumps({"sql": statement}), {"Authorization": f"Bearer {token}"}
        )
        assert status in (400, 403) and b"does not exist" in body, (status, body)


def test_over_an_object_store(tmp_path):
    if not Minio.binary.exists():
        pytest.skip("no MinIO here: tools/setup.sh peers builds it")
    store = Minio(tmp_path / "minio").start()
    server = ArcServer(tmp_path, environment=store.arc_environment())
    try:
        server.start()
        write_in_many_flushes(server)
        catalog = SqlCatalog(
            "arc",
            uri=f"sqlite:///{server.folder}/data/arc.db",
            warehouse=store.warehouse,
            **store.iceberg_properties(),
        )
        assert_rows_agree(server, catalog.load_table(("lake", "t")))
        assert_metadata_agrees(server, catalog.load_table(("lake", "t")))
        compact(server)
        assert_rows_agree(server, catalog.load_table(("lake", "t")))
        assert_metadata_agrees(server, catalog.load_table(("lake", "t")))
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        store.stop()

"""The catalog made anew from the object store: rows are there exactly once, with the log and without, on local disk and
in MinIO."""

import http.client
import json
import shutil
import threading

import pytest

import arc_command
from arc_server import ArcServer
from lake_table import EXPECTED, SUMS, write_everything
from store_servers import Minio

START_NS = 1_760_000_000 * 10**9
COUNT = "SELECT count(*), count(DISTINCT id) FROM lake.{}"


def write_ids(server, measurement, ids):
    lines = [f"{measurement} id={i}i {START_NS + i * 10**9}" for i in ids]
    assert server.post("/write?db=lake", "\n".join(lines))[0] == 204


def lose_catalog(server):
    for name in ("arc.db", "arc.db-journal"):
        (server.folder / "data" / name).unlink(missing_ok=True)


def rows_of_pyiceberg(server, measurement):
    ids = server.iceberg_catalog().load_table(("lake", measurement)).scan().to_arrow()["id"].to_pylist()
    return [len(ids), len(set(ids))]


@pytest.mark.parametrize("with_log", [True, False])
def test_a_deleted_catalog_comes_back_with_every_row_once(server, with_log):
    write_everything(server)
    write_ids(server, "flushed", range(1000))
    server.flush()
    write_ids(server, "flushed", range(1000, 1500))  # in the log only
    write_ids(server, "fresh", range(10))
    server.kill()
    lose_catalog(server)
    if not with_log:
        shutil.rmtree(server.folder / "data" / "wal")
    server.start()
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
    expected = 1500 if with_log else 1000
    assert server.sql(COUNT.format("flushed")) == [[expected, expected]]
    assert server.sql(COUNT.format("fresh"), missing_ok=True) == ([[10, 10]] if with_log else [])
    assert "there was no catalog" in (server.folder / "server.log").read_text()

    write_ids(server, "flushed", range(expected, expected + 100))
    server.flush()
    assert server.sql(COUNT.format("flushed")) == [[expected + 100] * 2]
    assert rows_of_pyiceberg(server, "flushed") == [expected + 100] * 2
    assert server.stop() == 0
    server.start()
    assert server.sql(COUNT.format("flushed")) == [[expected + 100] * 2]


def test_rows_are_counted_once_through_kills_and_lost_catalogs(make_server):
    """Every round: writers, small flushes, compaction; kill -9; the catalog is gone; acknowledged rows are all there."""
    server = make_server(WRITE_BUFFER_AGE="1", WRITE_BUFFER_SIZE="500", ARC_MAINTENANCE_MAX_SNAPSHOTS="3")
    acknowledged = []
    next_id = 0
    for round_number in range(4):
        stop = threading.Event()
        sent = []

        def write(first=next_id):
            batch = first
            while not stop.is_set():
                ids = range(batch, batch + 50)
                sent.extend(ids)
                try:
                    write_ids(server, "m", ids)
                except (OSError, http.client.HTTPException):
                    return
                acknowledged.extend(ids)
                batch += 50

        writer = threading.Thread(target=write)
        writer.start()
        threading.Event().wait(1.5 + round_number * 0.3)
        server.post("/api/v1/compaction/trigger", "")
        server.kill()
        stop.set()
        writer.join()
        lose_catalog(server)
        server.start()
        found = [row[0] for row in server.sql("SELECT id FROM lake.m")]
        assert len(found) == len(set(found)), f"round {round_number}: doubled rows"
        assert set(acknowledged) <= set(found), f"round {round_number}: lost rows"
        assert set(found) <= set(acknowledged) | set(sent)
        next_id = max(found) + 1 if found else 0
        acknowledged = found
    server.flush()
    assert rows_of_pyiceberg(server, "m") == [len(acknowledged)] * 2


def test_the_command_says_what_it_did_and_what_it_left(server):
    write_ids(server, "a", range(10))
    write_ids(server, "b", range(20))
    server.flush()
    planned = arc_command.run_json(server, "rebuild", "--dry-run", "--json")  # beside the running server
    assert [(table["table"], table["rows"]) for table in planned["tables"]] == [("a", 10), ("b", 20)]
    assert arc_command.run(server, "rebuild", ok=False).returncode == 3  # a server has the folder
    server.kill()
    refused = arc_command.run(server, "rebuild", ok=False)
    assert refused.returncode == 1 and "holds a catalog" in refused.stderr

    # A commit that a crash cut short: its metadata file is there, its manifest list is not.
    metadata = server.folder / "data" / "arc" / "lake" / "a" / "metadata"
    current = max(metadata.glob("*.metadata.json"))
    torn = metadata / current.name.replace("00000-", "00001-", 1)
    document = json.loads(current.read_text())
    document["last-sequence-number"] += 1
    document["last-updated-ms"] += 1
    document["metadata-log"] = [{"metadata-file": str(current), "timestamp-ms": 1}]
    document["snapshots"][0]["manifest-list"] += ".never-written"
    torn.write_text(json.dumps(document))
    lose_catalog(server)
    done = arc_command.run_json(server, "rebuild", "--json")
    assert [table["metadata_location"] for table in done["tables"]][0] == str(current)
    assert [file["key"] for file in done["left"]] == [f"lake/a/metadata/{torn.name}"]
    assert "is missing" in done["left"][0]["reason"]
    server.start()
    assert server.sql(COUNT.format("a")) == [[10, 10]]
    assert server.sql(COUNT.format("b")) == [[20, 20]]


def test_a_new_node_with_an_empty_folder_on_an_old_lake(make_server, tmp_path):
    lake = {"LOCAL_STORAGE_PATH": str(tmp_path / "lake")}
    old = make_server(**lake)
    write_ids(old, "m", range(100))
    assert old.stop() == 0
    (tmp_path / "node").mkdir()
    node = ArcServer(tmp_path / "node", environment=lake).start()
    try:
        assert node.sql(COUNT.format("m")) == [[100, 100]]
        write_ids(node, "m", range(100, 200))
        node.kill()
        node.start()
        assert node.sql(COUNT.format("m")) == [[200, 200]]
        node.flush()
        assert rows_of_pyiceberg(node, "m") == [200, 200]
    finally:
        node.kill()
    forbidden = ArcServer(tmp_path / "forbidden", environment={**lake, "ARC_STORAGE_REBUILD_CATALOG": "false"})
    forbidden.folder.mkdir()
    forbidden.start()
    try:
        assert forbidden.sql(COUNT.format("m"), missing_ok=True) == []
    finally:
        forbidden.kill()


@pytest.mark.slow
@pytest.mark.parametrize("with_log", [True, False])
def test_in_minio(make_server, tmp_path, with_log):
    if not Minio.binary.exists():
        pytest.skip("no MinIO here: tools/setup.sh peers builds it")
    store = Minio(tmp_path / "minio").start()
    try:
        server = make_server(**store.arc_environment())
        write_everything(server)
        write_ids(server, "m", range(300))
        server.flush()
        write_ids(server, "m", range(300, 400))
        server.kill()
        if with_log:
            lose_catalog(server)
        else:
            shutil.rmtree(server.folder / "data")
        server.start()
        expected = 400 if with_log else 300
        assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED
        assert server.sql(COUNT.format("m")) == [[expected, expected]]
        server.flush()
        server.kill()
        # Without the store nobody knows which tables there are: no start that would make them anew.
        lose_catalog(server)
        store.stop()
        with pytest.raises(RuntimeError, match="the server ended"):
            server.start()
        store.start()
        server.start()
        assert server.sql(COUNT.format("m")) == [[expected, expected]]
    finally:
        store.stop()

"""Deleting rows, tables and databases as users do it: hot, staged and committed rows, while others write and query, and
with the server killed in the middle. What Arc says is left, pyiceberg finds too."""

import http.client
import json
import re
import threading
import time

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from arc_server import ArcServer
from store_servers import Minio

START_NS = 1_760_000_000 * 10**9  # 2025-10-09 08:53:20
SECOND_NS = 10**9


def write(server, ids, table="t", database="lake", host=lambda i: i % 7):
    lines = "\n".join(f"{table},host=h{host(i)} id={i}i,v={i % 100}i {START_NS + i * SECOND_NS}" for i in ids)
    status, body = server.post(f"/write?db={database}", lines)
    assert status == 204, body


def ask(server, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    text = json.dumps(body) if body is not None else None
    status, answer = server.request(server.connect(), method, path, text, headers)
    return status, json.loads(answer) if answer else None


def delete(server, where, token=None, **more):
    body = {"database": "lake", "measurement": "t", "where": where, **more}
    return ask(server, "POST", "/api/v1/delete", body, token)


def statement(server, sql, token=None, **more):
    return ask(server, "POST", "/api/v1/query", {"sql": sql, **more}, token)


def ids(server, table="lake.t"):
    return [row[0] for row in server.sql(f"SELECT id FROM {table} ORDER BY id")]


def lake_ids(server, name=("lake", "t")):
    """What another engine finds, without Arc."""
    return sorted(server.iceberg_catalog().load_table(name).scan().to_arrow()["id"].to_pylist())


def make_token(server, name, permissions, databases=()):
    body = {"name": name, "permissions": permissions, "databases": list(databases)}
    status, answer = ask(server, "POST", "/api/v1/auth/tokens", body)
    assert status in (200, 201), answer
    return answer["token"]


def metric(server, name):
    status, body = server.request(server.connect(), "GET", "/metrics", None)
    assert status == 200
    return float(re.search(rf"^{name} (\S+)$", body.decode(), re.MULTILINE).group(1))


def test_rows_go_whether_hot_or_committed(server):
    write(server, range(10_000))  # hours 8 to 11
    server.flush()
    write(server, range(10_000, 12_000))
    left = [i for i in range(12_000) if i % 7 != 3]
    status, plan = statement(server, "EXPLAIN DELETE FROM lake.t WHERE host = 'h3'")
    assert status == 200, plan
    assert plan["columns"] == ["rows_to_delete", "files_to_drop", "files_to_rewrite", "bytes"]
    assert plan["data"][0][0] == 12_000 - len(left)
    status, plan = delete(server, "host = 'h3'", dry_run=True)
    assert status == 200 and plan["dry_run"] and plan["deleted_count"] == 12_000 - len(left), plan
    assert plan["message"].startswith(f"would delete {12_000 - len(left)} rows, rewrite ")
    assert len(ids(server)) == 12_000
    status, done = statement(server, "DELETE FROM lake.t WHERE host = 'h3'")
    assert status == 200, done
    told = dict(zip(done["columns"], done["data"][0]))
    assert told["rows_deleted"] == 12_000 - len(left)
    assert told["files_dropped"] == 0 and told["files_rewritten"] == plan["files_rewritten"] > 0
    assert ids(server) == left == lake_ids(server)
    snapshot = server.iceberg_catalog().load_table(("lake", "t")).current_snapshot()
    assert snapshot.snapshot_id == told["snapshot_id"]
    assert snapshot.summary.operation.value == "overwrite"
    assert int(snapshot.summary["total-records"]) == len(left)
    # Whole files, by their range of time.
    status, done = delete(server, "time < '2025-10-09T10:00:00Z'")
    assert status == 200, done
    left = [i for i in left if i >= 4000]
    assert done["files_dropped"] > 0 and done["files_rewritten"] == 0
    assert ids(server) == left == lake_ids(server)
    assert server.iceberg_catalog().load_table(("lake", "t")).current_snapshot().summary.operation.value == "delete"
    status, done = delete(server, "host = 'nobody'")
    assert status == 200 and done["deleted_count"] == 0 and done["snapshot_id"] is None
    rows = server.iceberg_catalog().load_table(("lake", "t")).scan().to_arrow()
    assert rows["time"].to_pylist() == sorted(rows["time"].to_pylist())
    # The snapshot before is still there to be read.
    table = server.iceberg_catalog().load_table(("lake", "t"))
    assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows == 12_000 - 12_000 // 7 - (1 if 12_000 % 7 > 3 else 0)
    assert metric(server, "arc_deletes_total") == 3
    assert metric(server, "arc_delete_rows_total") == 12_000 - len(left)


def test_conditions_are_sql_and_null_is_not_true(server):
    write(server, range(100))
    assert server.post("/write?db=lake", f"t id=1000i,note=\"x\" {START_NS}")[0] == 204  # neither host nor v
    assert server.post("/write?db=other", f"gone,host=h5 n=1i {START_NS}")[0] == 204
    assert delete(server, "v < 10")[1]["deleted_count"] == 10
    assert delete(server, "host <> 'h5' AND id >= 50 -- the rest")[1]["deleted_count"] == len(
        [i for i in range(50, 100) if i % 7 != 5]
    )
    sql = "DELETE FROM lake.t AS x WHERE x.host IN (SELECT host FROM other.gone) AND x.id < 30"
    assert statement(server, sql)[1]["data"][0][0] == len([i for i in range(10, 30) if i % 7 == 5])
    left = [i for i in range(10, 50) if i % 7 != 5 or i >= 30] + [i for i in range(50, 100) if i % 7 == 5] + [1000]
    assert ids(server) == left == lake_ids(server)


def test_what_is_wrong_is_said_and_nothing_goes(server):
    write(server, range(100))
    for answer in (
        delete(server, "nosuch = 1"),
        delete(server, "v = "),
        delete(server, "true); DROP TABLE lake.t; --"),
        delete(server, "true) RETURNING (id"),
        delete(server, ""),
        delete(server, "v = 1", dry_rum=True),
        statement(server, "DELETE FROM lake.t"),
        statement(server, "TRUNCATE lake.t"),
        statement(server, "DELETE FROM lake.t; DELETE FROM lake.t"),
        statement(server, "DELETE FROM lake.t WHERE host = (SELECT content FROM read_text('/etc/passwd'))"),
        statement(server, "DELETE FROM lake.nosuch WHERE true"),
        statement(server, "UPDATE lake.t SET v = 1"),
    ):
        assert answer[0] in (400, 403, 404, 422), answer
        assert not answer[1]["success"] and answer[1]["error"], answer
    assert len(ids(server)) == 100
    assert delete(server, "", confirm=True)[1]["deleted_count"] == 100
    assert ids(server) == []
    write(server, range(5))
    assert ids(server) == [0, 1, 2, 3, 4]
    assert statement(server, "DELETE FROM lake.t WHERE true")[1]["data"][0][0] == 5


def test_who_may_delete(server):
    write(server, range(10))
    write(server, range(10), database="other")
    reader = make_token(server, "reader", ["read"])
    writer = make_token(server, "writer", ["write"])
    tenant = make_token(server, "tenant", ["read", "write"], ["other"])
    for token in (reader, writer, tenant):
        assert delete(server, "id = 1", token)[0] == 403
        assert delete(server, "id = 1", token, dry_run=True)[0] == 403
    for token in (reader, tenant):
        assert statement(server, "DELETE FROM lake.t WHERE id = 1", token)[0] == 403
    assert statement(server, "DELETE FROM other.t WHERE id IN (SELECT id FROM lake.t)", tenant)[0] in (400, 403)
    assert statement(server, "DELETE FROM other.t WHERE id = 1", tenant)[1]["data"][0][0] == 1
    for token in (reader, writer, tenant):
        assert ask(server, "DELETE", "/api/v1/databases/other/measurements/t", token=token)[0] == 403
    assert statement(server, "DROP TABLE other.t", tenant)[0] == 403
    assert len(ids(server)) == 10 and len(ids(server, "other.t")) == 9


def test_rows_that_come_meanwhile_stay_and_queries_see_before_or_after(make_server):
    server = make_server(ARC_INGESTION_BUFFER_AGE_SECONDS="1", ARC_COMPACTION_MIN_FILES="2")
    write(server, range(60_000))
    server.flush()
    stop = threading.Event()
    written, wrong = [60_000], []

    def keep_writing():
        while not stop.is_set():
            write(server, range(written[0], written[0] + 500), host=lambda i: 8)
            written[0] += 500

    def keep_counting():
        while not stop.is_set():
            # Of each host all rows or none, of every other row all.
            for host, rows in server.sql("SELECT host, count(*) FROM lake.t WHERE host <> 'h8' GROUP BY host"):
                number = int(host[1:])
                if rows != len(range(number, 60_000, 7)):
                    wrong.append((host, rows))

    threads = [threading.Thread(target=keep_writing), threading.Thread(target=keep_counting)]
    for thread in threads:
        thread.start()
    for number in range(6):
        ask(server, "POST", "/api/v1/compaction/trigger?database=lake")
        status, done = delete(server, f"host = 'h{number}'")
        assert status == 200, done
        assert done["deleted_count"] == len(range(number, 60_000, 7))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    server.flush()
    left = [i for i in range(60_000) if i % 7 == 6] + list(range(60_000, written[0]))
    assert ids(server) == left == lake_ids(server)


def test_killed_in_the_middle(server):
    """All of a deletion or nothing, and nothing else: at the first attempts kills come at random moments."""
    write(server, range(40_000))
    server.flush()
    write(server, range(40_000, 50_000))
    left = list(range(50_000))
    for round_number, delay_s in enumerate((0.0, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2, 0.4)):
        number = round_number % 7
        outcome = []

        def attempt():
            try:
                outcome.append(delete(server, f"host = 'h{number}'"))
            except (OSError, http.client.HTTPException, ValueError):
                pass

        thread = threading.Thread(target=attempt)
        thread.start()
        time.sleep(delay_s)
        server.kill()
        thread.join()
        server.start()
        found = ids(server)
        without = [i for i in left if i % 7 != number]
        assert found in (left, without)
        if outcome and outcome[0][0] == 200:
            assert found == without
        left = found
    status, done = delete(server, "host = 'h6'")
    assert status == 200, done
    left = [i for i in left if i % 7 != 6]
    assert ids(server) == left == lake_ids(server)


def test_staged_rows_too(tmp_path):
    """Rows that wait for an object store that is away."""
    if not Minio.binary.exists():
        pytest.skip("no MinIO here: tools/setup.sh peers builds it")
    store = Minio(tmp_path / "minio").start()
    server = ArcServer(tmp_path, environment={**store.arc_environment(), "ARC_INGESTION_BUFFER_AGE_SECONDS": "1"})
    try:
        server.start()
        write(server, range(1000))
        server.flush()
        store.stop()
        write(server, range(1000, 2000))
        deadline = time.monotonic() + 30
        while metric(server, "arc_object_store_staged_bytes") == 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        store.start()
        write(server, range(2000, 3000))  # hot
        status, done = delete(server, "v >= 50")
        assert status == 200, done
        assert done["deleted_count"] == 1500
        left = [i for i in range(3000) if i % 100 < 50]
        assert ids(server) == left
        catalog = SqlCatalog(
            "arc", uri=f"sqlite:///{server.folder}/data/arc.db", warehouse=store.warehouse, **store.iceberg_properties()
        )
        assert sorted(catalog.load_table(("lake", "t")).scan().to_arrow()["id"].to_pylist()) == left
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        store.stop()


def test_influxdb_2_clients_delete(server):
    write(server, range(100))
    write(server, range(100), table="u")
    body = {"start": "2025-10-09T08:53:20Z", "stop": "2025-10-09T08:54:00Z", "predicate": '_measurement="t" AND host="h3"'}
    assert ask(server, "POST", "/api/v2/delete?org=o&bucket=lake", body)[0] == 204
    assert ids(server) == [i for i in range(100) if i >= 40 or i % 7 != 3]
    assert len(ids(server, "lake.u")) == 100
    body = {"start": "2025-10-09T08:53:20Z", "stop": "2025-10-09T08:53:30Z"}
    assert ask(server, "POST", "/api/v2/delete?bucket=lake", body)[0] == 204
    assert ids(server, "lake.u") == list(range(10, 100))
    assert ids(server)[0] == 11  # 10 is of host h3
    assert ask(server, "POST", "/api/v2/delete?bucket=lake", {**body, "predicate": "host=a OR host=b"})[0] == 400
    assert ask(server, "POST", "/api/v2/delete?bucket=lake", {"predicate": ""})[0] == 400
    writer = make_token(server, "writer", ["write"])
    for measurement in ("t", "nosuch"):
        more = {**body, "predicate": f"_measurement={measurement}"}
        assert ask(server, "POST", "/api/v2/delete?bucket=lake", more, writer)[0] == 403


def test_a_table_is_dropped_in_two_steps(server):
    write(server, range(100))
    server.flush()
    write(server, range(100, 150))
    write(server, range(10), table="u")
    folder = server.folder / "data" / "arc" / "lake" / "t"
    assert any(folder.rglob("*.parquet"))
    path = "/api/v1/databases/lake/measurements/t"
    status, asked = ask(server, "DELETE", path)
    assert status == 409 and not asked["success"]
    assert (asked["tables"], asked["rows"]) == (1, 150) and asked["files"] >= 1 and asked["bytes"] > 0
    assert ask(server, "DELETE", path + "?confirm=wrong")[0] == 409
    assert ask(server, "DELETE", f"/api/v1/databases/lake/measurements/u?confirm={asked['confirm']}")[0] == 409
    assert len(ids(server)) == 150
    status, done = ask(server, "DELETE", f"{path}?confirm={asked['confirm']}")
    assert status == 200 and done["success"] and done["rows"] == 150, done
    assert server.sql("SELECT * FROM lake.t", missing_ok=True) == []
    assert ask(server, "DELETE", path)[0] == 404
    assert not any(folder.rglob("*.parquet"))
    assert ("lake", "t") not in server.iceberg_catalog().list_tables("lake")
    # Rows that come afterwards make a new table; the old ones do not come back.
    write(server, [7])
    assert ids(server) == [7]
    server.kill()
    server.start()
    assert ids(server) == [7] and len(ids(server, "lake.u")) == 10
    server.flush()
    assert lake_ids(server) == [7]


def test_drops_in_sql(server):
    write(server, range(20))
    write(server, range(20), database="gone")
    write(server, range(30), database="gone", table="u")
    server.flush()
    write(server, range(20, 25), database="gone")
    status, asked = statement(server, "DROP TABLE lake.t")
    assert status == 409 and "20 rows" in asked["error"], asked
    confirm = re.search(r'"confirm": "([^"]+)"', asked["error"]).group(1)
    assert len(ids(server)) == 20
    status, done = statement(server, "DROP TABLE lake.t", confirm=confirm)
    assert status == 200 and done["data"] == [[1, 20, 1, done["data"][0][3]]], done
    assert statement(server, "DROP TABLE lake.t")[0] == 404
    assert statement(server, "DROP TABLE IF EXISTS lake.t")[0] == 200

    status, asked = statement(server, "DROP DATABASE gone")
    assert status == 409 and "55 rows" in asked["error"], asked
    confirm = re.search(r'"confirm": "([^"]+)"', asked["error"]).group(1)
    status, done = statement(server, "DROP DATABASE gone", confirm=confirm)
    assert status == 200 and done["data"][0][:2] == [2, 55], done
    assert "gone" not in [row[0] for row in server.sql("SHOW DATABASES")]
    assert not any((server.folder / "data" / "arc" / "gone").rglob("*.parquet"))
    assert statement(server, "DROP DATABASE default")[0] == 400
    server.kill()
    server.start()
    assert "gone" not in [row[0] for row in server.sql("SHOW DATABASES")]
    write(server, [1], database="gone")
    assert ids(server, "gone.t") == [1]
    status, asked = ask(server, "DELETE", "/api/v1/databases/gone")
    assert status == 409 and asked["tables"] == 1
    assert ask(server, "DELETE", f"/api/v1/databases/gone?confirm={asked['confirm']}")[0] == 200
    assert metric(server, "arc_tables_dropped_total") == 1

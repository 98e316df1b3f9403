"""Retention, snapshot expiry and orphan removal on a real server, with pyiceberg reading before and after."""

import json
import os
import time

NOW_NS = time.time_ns()
DAY_NS = 86_400 * 10**9
JSON = {"Content-Type": "application/json"}


def call(server, method, path, body=None, token=None):
    headers = {**JSON, **({"Authorization": f"Bearer {token}"} if token else {})}
    text = json.dumps(body) if body is not None else None
    status, answer = server.request(server.connect(), method, path, text, headers)
    return status, json.loads(answer)


def write_days(server, measurement, ages):
    """Ten rows of each age in days, a flush each; id is the age."""
    for age in ages:
        lines = [f"{measurement},host=h{i % 3} id={age}i {NOW_NS - age * DAY_NS + i * 1000}" for i in range(10)]
        assert server.post("/write?db=lake", "\n".join(lines))[0] == 204
        server.flush()


def ids(server, measurement):
    return sorted(row[0] for row in server.sql(f"SELECT DISTINCT id FROM lake.{measurement}"))


def ids_of_pyiceberg(server, measurement, snapshot_id=None):
    table = server.iceberg_catalog().load_table(("lake", measurement))
    return sorted(set(table.scan(snapshot_id=snapshot_id).to_arrow()["id"].to_pylist()))


def data_files(server, measurement):
    folder = server.folder / "data" / "arc" / "lake" / measurement
    return sorted(path for path in folder.rglob("*.parquet"))


def add_policy(server, **policy):
    status, answer = call(server, "POST", "/api/v1/retention", {"database": "lake", **policy})
    assert status == 201, answer
    return answer["id"]


def execute(server, policy, **body):
    status, answer = call(server, "POST", f"/api/v1/retention/{policy}/execute", body)
    assert status == 200, answer
    return answer


def test_a_policy_deletes_whole_files_and_other_engines_see_it(make_server):
    server = make_server(ARC_MAINTENANCE_MAX_SNAPSHOTS="2")
    write_days(server, "cpu", [40, 35, 2, 1])
    write_days(server, "mem", [40, 1])
    policy = add_policy(server, name="a month", retention_days=30)
    keep = add_policy(server, name="mem keeps a year", measurement="mem", retention_days=365)
    assert ids_of_pyiceberg(server, "cpu") == [1, 2, 35, 40]

    planned = execute(server, policy, dry_run=True)
    assert (planned["files_deleted"], planned["deleted_count"]) == (2, 20)
    assert planned["bytes_deleted"] == sum(path.stat().st_size for path in data_files(server, "cpu")[:2])
    assert ids(server, "cpu") == [1, 2, 35, 40]
    assert call(server, "POST", f"/api/v1/retention/{policy}/execute", {"dry_run": False})[0] == 400  # not confirmed

    before = server.iceberg_catalog().load_table(("lake", "cpu")).current_snapshot().snapshot_id
    done = execute(server, policy, dry_run=False, confirm=True)
    assert (done["files_deleted"], done["deleted_count"]) == (2, 20)
    assert [share["measurement"] for share in done["affected_measurements"]] == ["cpu"]
    assert ids(server, "cpu") == ids_of_pyiceberg(server, "cpu") == [1, 2]
    assert ids(server, "mem") == ids_of_pyiceberg(server, "mem") == [1, 40]
    snapshot = server.iceberg_catalog().load_table(("lake", "cpu")).current_snapshot()
    assert snapshot.summary.operation.value == "delete"
    assert snapshot.summary["arc.retention-policy"] == "a month"
    assert ids_of_pyiceberg(server, "cpu", before) == [1, 2, 35, 40]  # history until it expires
    assert len(data_files(server, "cpu")) == 4

    write_days(server, "cpu", [0])
    assert call(server, "POST", "/api/v1/maintenance/expire?database=lake")[0] == 200
    assert len(data_files(server, "cpu")) == 3
    assert ids(server, "cpu") == ids_of_pyiceberg(server, "cpu") == [0, 1, 2]

    server.kill()
    server.start()
    executions = call(server, "GET", f"/api/v1/retention/{policy}/executions")[1]["executions"]
    assert [(e["status"], e["files_deleted"], e["deleted_count"]) for e in executions] == [("completed", 2, 20)]
    listed = call(server, "GET", "/api/v1/retention")[1]["policies"]
    assert [(p["id"], p["last_execution_status"]) for p in listed] == [(policy, "completed"), (keep, None)]
    assert ids(server, "cpu") == [0, 1, 2]


def test_policies_are_for_administrators_and_checked(server):
    status, answer = call(server, "POST", "/auth/tokens", {"name": "reader", "permissions": ["read"]})
    assert status in (200, 201)
    reader = answer["token"]
    policy = {"name": "p", "database": "lake", "retention_days": 3}
    assert call(server, "POST", "/api/v1/retention", policy, reader)[0] == 403
    assert call(server, "POST", "/api/v1/maintenance/orphans", None, reader)[0] == 403
    made = add_policy(server, name="p", retention_days=3)
    assert call(server, "GET", "/api/v1/retention", None, reader)[1]["count"] == 1
    assert call(server, "POST", f"/api/v1/retention/{made}/execute", {}, reader)[0] == 403
    assert call(server, "POST", "/api/v1/retention", policy)[0] == 409
    for wrong in ({"retention_days": 0}, {"retention_day": 3}, {"database": ""}, {"retention_days": "3"}):
        status, answer = call(server, "POST", "/api/v1/retention", {**policy, "name": "q", **wrong})
        assert status == 400, answer
    status, answer = call(server, "PUT", f"/api/v1/retention/{made}", {"buffer_days": 2, "is_active": False})
    assert (status, answer["retention_days"], answer["buffer_days"], answer["is_active"]) == (200, 3, 2, False)
    assert call(server, "DELETE", f"/api/v1/retention/{made}")[0] == 200
    assert call(server, "GET", f"/api/v1/retention/{made}")[0] == 404


def test_orphans_go_and_nothing_else(make_server):
    server = make_server()
    write_days(server, "cpu", [3, 2, 1])
    folder = server.folder / "data" / "arc" / "lake" / "cpu"
    live = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in live:
        os.utime(path, (10**9, 10**9))  # old, and needed
    old = folder / "2025" / "lost.parquet"
    old.parent.mkdir(parents=True)
    old.write_text("lost")
    os.utime(old, (10**9, 10**9))
    young = folder / "metadata" / "young.avro"
    young.write_text("a commit under way")
    found = call(server, "POST", "/api/v1/maintenance/orphans")[1]
    assert (found["dry_run"], found["orphans"], found["removed"]) == (True, 1, 0)
    assert found["objects"][0]["key"] == "lake/cpu/2025/lost.parquet"
    assert old.exists()
    removed = call(server, "POST", "/api/v1/maintenance/orphans?dry_run=false")[1]
    assert (removed["orphans"], removed["removed"], removed["errors"]) == (1, 1, [])
    assert not old.exists()
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted([*live, young])
    assert ids(server, "cpu") == ids_of_pyiceberg(server, "cpu") == [1, 2, 3]
    assert call(server, "POST", "/api/v1/maintenance/orphans?older_than_hours=1")[0] == 400
    status = call(server, "GET", "/api/v1/maintenance/status")[1]
    assert status["orphans_removed"] == 1
    assert b"arc_orphans_removed_total 1" in server.request(server.connect(), "GET", "/metrics", None)[1]

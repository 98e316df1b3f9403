"""Backups of a server at work: consistent, incremental, verified; restored in another place and read by others."""

import threading
import time

import pytest

import arc_command
from arc_server import ArcServer
from lake_table import EXPECTED, SUMS, write_everything
from store_servers import Minio

START_NS = 1_760_000_000 * 10**9
COUNT = "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM lake.{}"


def write_ids(server, measurement, ids):
    lines = [f"{measurement},host=h{i % 5} id={i}i {START_NS + i * 10**9}" for i in ids]
    assert server.post("/write?db=lake", "\n".join(lines))[0] == 204


class Writer(threading.Thread):
    """Writes ids from 0 on, one request after the other."""

    def __init__(self, server, measurement):
        super().__init__()
        self.server, self.measurement = server, measurement
        self.acknowledged = 0
        self.stopping = threading.Event()
        self.start()

    def run(self):
        while not self.stopping.is_set():
            write_ids(self.server, self.measurement, range(self.acknowledged, self.acknowledged + 20))
            self.acknowledged += 20

    def stop(self):
        self.stopping.set()
        self.join()


def restore(target, folder, *arguments, environment=None):
    """A server, not started, whose data folder comes from the backup."""
    folder.mkdir()
    server = ArcServer(folder, environment=environment)
    arc_command.run(server, "restore", target, *arguments)
    return server


def ids_of_pyiceberg(server, measurement):
    return sorted(server.iceberg_catalog().load_table(("lake", measurement)).scan().to_arrow()["id"].to_pylist())


def backup(server, target):
    """The id of a new backup and how many objects it copied."""
    line = arc_command.run(server, "backup", target).stdout
    return line.split()[1].rstrip(":"), int(line.split("; ")[1].split()[0])


def test_a_backup_under_load_is_consistent_and_restores_elsewhere(make_server, tmp_path):
    server = make_server(
        WRITE_BUFFER_AGE="1", WRITE_BUFFER_SIZE="400", ARC_MAINTENANCE_MAX_SNAPSHOTS="3",
        ARC_COMPACTION_MIN_FILES="2", ARC_COMPACTION_MIN_AGE_HOURS="0",
    )
    write_everything(server)
    token = arc_command.run(server, "token", "create", "grafana", "--read").stdout.strip()
    target = tmp_path / "backups"
    writers = [Writer(server, name) for name in ("a", "b")]
    made = []
    try:
        for _ in range(3):
            time.sleep(1)
            server.post("/api/v1/compaction/trigger", "")
            before = [writer.acknowledged for writer in writers]
            id_, _ = backup(server, target)
            made.append((id_, before, [writer.acknowledged + 20 for writer in writers]))
    finally:
        for writer in writers:
            writer.stop()
    assert "0 damaged" in arc_command.run(server, "backup", "--verify", target).stdout
    assert len(arc_command.run(server, "backup", "--list", target).stdout.splitlines()) == 4
    for number, (id_, before, after) in enumerate(made):
        restored = restore(target, tmp_path / f"restored{number}", "--id", id_)
        # pyiceberg first: nothing of Arc has touched it since.
        found = {name: ids_of_pyiceberg(restored, name) for name in ("a", "b")}
        restored.start()
        try:
            for name, least, most in zip(("a", "b"), before, after):
                rows = len(found[name])
                assert found[name] == list(range(rows))  # a prefix of what was written, each row once
                assert least <= rows <= most
                assert restored.sql(COUNT.format(name)) == [[rows, rows, 0, rows - 1]]
            assert tuple(restored.sql(SUMS.format("lake.t"))[0]) == EXPECTED
            headers = {"Authorization": f"Bearer {token}"}
            assert restored.request(restored.connect(), "GET", "/api/v1/auth/verify", None, headers)[0] == 200
            write_ids(restored, "a", range(len(found["a"]), len(found["a"]) + 10))
            restored.flush()
            assert ids_of_pyiceberg(restored, "a") == list(range(len(found["a"]) + 10))
        finally:
            restored.kill()


def test_incremental_pruned_and_every_damage_found(server, tmp_path):
    target = tmp_path / "backups"
    for part in range(10):
        write_ids(server, "m", range(part * 100, part * 100 + 100))
        server.flush()
    first, copied = backup(server, target)
    assert copied >= 30
    write_ids(server, "m", range(1000, 1100))
    second, copied = backup(server, target)
    assert copied <= 7  # a data file, manifest, list, metadata file; the data folder's own files
    restored = restore(target, tmp_path / "one", "--id", first)
    assert ids_of_pyiceberg(restored, "m") == list(range(1000))
    again = arc_command.run(restored, "restore", target, ok=False)
    assert again.returncode == 1 and "is not empty" in again.stderr

    data_file = next(path for path in sorted(target.rglob("*.parquet")))
    content = bytearray(data_file.read_bytes())
    content[len(content) // 2] ^= 1
    data_file.write_bytes(content)
    found = arc_command.run(server, "backup", "--verify", target, ok=False)
    assert found.returncode == 4 and data_file.name in found.stderr and "1 damaged" in found.stdout
    (tmp_path / "bad").mkdir()
    bad = ArcServer(tmp_path / "bad")
    refused = arc_command.run(bad, "restore", target, ok=False)
    assert refused.returncode == 4 and data_file.name in refused.stderr
    with pytest.raises(RuntimeError, match="the server ended"):
        bad.start()
    content[len(content) // 2] ^= 1
    data_file.write_bytes(content)

    pruned = arc_command.run(server, "backup", "--prune", target, "--keep", 1).stdout
    assert f"removed {first}" in pruned
    assert arc_command.run(server, "backup", "--verify", target).stdout.startswith("1 backup,")
    assert ids_of_pyiceberg(restore(target, tmp_path / "two"), "m") == list(range(1100))
    assert second in arc_command.run(server, "backup", "--list", target).stdout


def objects_in(target):
    """How many there are, without what a killed writer had not yet put under its name."""
    paths = [path for path in (target / "objects").rglob("*") if path.is_file()]
    return sum(not path.name.startswith(".arc-tmp-") for path in paths)


def test_kill_in_the_middle_leaves_the_target_sound(make_server, tmp_path):
    server = make_server()
    target = tmp_path / "backups"
    write_ids(server, "small", range(10))
    first, _ = backup(server, target)
    for part in range(12):
        for table in range(60):
            write_ids(server, f"t{table}", range(part * 10, part * 10 + 10))
        server.flush()
    status, _ = server.post("/api/v1/backup", f'{{"target": "{target}"}}')
    assert status == 202
    deadline = time.monotonic() + 60
    while len(list((target / "objects").rglob("*.parquet"))) < 50 and time.monotonic() < deadline:
        time.sleep(0.002)
    server.kill()
    assert [path.stem for path in (target / "backups").iterdir()] == [first]
    arc_command.run(server, "backup", "--verify", target)
    there = objects_in(target)
    server.start()
    second, copied = backup(server, target)
    total = objects_in(target)
    assert copied <= total - there + 2 + 1  # what was there is not copied again
    arc_command.run(server, "backup", "--verify", target)
    restored = restore(target, tmp_path / "restored", "--id", second)
    restored.start()
    try:
        for table in (0, 31, 59):
            assert restored.sql(COUNT.format(f"t{table}")) == [[120, 120, 0, 119]]
    finally:
        restored.kill()


@pytest.mark.slow
def test_from_minio_to_minio_and_to_local_disk(make_server, tmp_path):
    if not Minio.binary.exists():
        pytest.skip("no MinIO here: tools/setup.sh peers builds it")
    store = Minio(tmp_path / "minio").start()
    try:
        server = make_server(**store.arc_environment())
        write_everything(server)
        _, copied = backup(server, "s3://backups/of/arc")
        assert copied > 5
        _, copied = backup(server, "s3://backups/of/arc")
        assert copied <= 3
        assert "0 damaged" in arc_command.run(server, "backup", "--verify", "s3://backups/of/arc").stdout
        backup(server, tmp_path / "local")
        for number, (source, environment) in enumerate(
            [(tmp_path / "local", {}), ("s3://backups/of/arc", {**store.arc_environment(), "MINIO_BUCKET": "other"})]
        ):
            restored = restore(source, tmp_path / f"restored{number}", environment=environment)
            restored.start()
            try:
                assert tuple(restored.sql(SUMS.format("lake.t"))[0]) == EXPECTED
            finally:
                restored.kill()
    finally:
        store.stop()

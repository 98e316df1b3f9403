"""A server on a lake of its own in a shared store, what its client knows, and the checks of what is there."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow.fs
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.manifest import ManifestEntryStatus

from arc_server import ArcServer
from fault_points import PointProxy
from store_servers import BUCKET

HOUR_NS = 3600 * 10**9
START_NS = 1_760_004_000 * 10**9  # 2025-10-09 10:00:00
JSON = {"Content-Type": "application/json"}
SETTINGS = {
    "WRITE_BUFFER_AGE": "3600",  # nothing is flushed but by request
    "COMPACTION_ENABLED": "false",
    "COMPACTION_MIN_FILES": "2",
    "ARC_MAINTENANCE_ENABLED": "false",
    "ARC_MAINTENANCE_ORPHAN_AGE_HOURS": "1",
    "ARC_WORKERS": "2",
    "DUCKDB_MEMORY_LIMIT": "256MB",
}


class Wrong(Exception):
    """The lake is not what it must be."""


class NoAnswer(Wrong):
    """A query that was refused: wrong, but for while a fault lasts."""


class NotDone(Exception):
    """The server answered that it did not do it, or does not know."""


class FaultLake:
    """One table, lake.t. `ids` are the rows that must be there; `deleting` those that a running request deletes."""

    def __init__(self, store, folder, name, binary=None):
        self.store, self.prefix = store, name
        self.folder = Path(folder) / name
        self.folder.mkdir(parents=True)
        self.proxy = PointProxy(store, f"{name}/lake/t")
        self.environment = {**SETTINGS, **store.arc_environment(self.proxy.url), "ARC_STORAGE_PREFIX": name}
        self.server = ArcServer(self.folder, binary=binary, environment=self.environment)
        self.ids, self.deleting = set(), set()
        self.gone = False  # the table may be dropped

    def close(self, keep=False):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.proxy.stop()
        if not keep:
            shutil.rmtree(self.folder)

    def restart(self, **settings):
        self.server.kill()
        self.server.environment.update(settings)
        self.server.start()

    def was_killed(self, wait_s=0.0):
        """Whether the server is dead, or within `wait_s`. Then it is started, and what it has on disk checked."""
        try:
            self.server.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        self.server.start()
        self.check_rows()
        return True

    # What a client does.

    def write(self, ids, hour=0):
        lines = "\n".join(f"t,host=h{i % 3} id={i}i,v={i}.5 {START_NS + hour * HOUR_NS + i * 10**6}" for i in ids)
        status, body = self.server.post("/write?db=lake", lines)
        if status != 204:
            raise Wrong(f"a write was answered with {status}: {body!r}")
        self.ids.update(ids)

    def flush(self):
        status, body = self.server.post("/write/flush", "")
        if status not in (200, 204):
            raise NotDone(f"flush: {status} {body!r}")

    def ask(self, method, path, body=None):
        text = json.dumps(body) if body is not None else ""
        status, answer = self.server.request(self.server.connect(), method, path, text, JSON)
        return status, json.loads(answer) if answer else {}

    # What must hold.

    def check_rows(self):
        """At any moment: each row once, and what is being deleted wholly there or wholly gone, for both readers."""
        self._check_ids("Arc", self._ids_by_sql())
        if not self._rows_wait():
            self._check_ids("pyiceberg", self._ids_by_pyiceberg())

    def check_everything(self):
        """At the end: also all files of all snapshots, and that nothing else is in the store once it is swept."""
        self.check_rows()
        self.write([1_000_000])  # a commit after the fault, as in life; upkeep waits for it
        self.flush()
        self.check_rows()
        self._sweep()
        needed, present = self._needed_keys(), self._present_keys()
        if needed - present:
            raise Wrong(f"a snapshot needs {sorted(needed - present)}")
        if present - needed:
            raise Wrong(f"left behind after the orphans were removed: {sorted(present - needed)}")
        self.restart()
        self.check_rows()

    def check_dropped(self):
        """The table is gone for both readers. How many of its objects are left."""
        if self._ids_by_sql() is not None or self._table() is not None:
            raise Wrong("the table is there after it was dropped")
        return len(self._present_keys())

    def _check_ids(self, reader, found):
        if found is None:
            if not self.gone and self.ids:
                raise Wrong(f"{reader} finds no table")
            return
        counts = Counter(found)
        doubled = [i for i, n in counts.items() if n > 1]
        lost = self.ids - self.deleting - counts.keys()
        invented = counts.keys() - self.ids
        half = self.deleting & counts.keys() not in (set(), self.deleting)
        for what, which in (("DOUBLED", doubled), ("LOST", lost), ("INVENTED", invented)):
            if which:
                raise Wrong(f"{what} for {reader}: {sorted(which)[:10]}")
        if half:
            raise Wrong(f"HALF DELETED for {reader}: {sorted(self.deleting & counts.keys())[:10]}")

    def _ids_by_sql(self):
        status, answer = self.ask("POST", "/api/v1/query", {"sql": "SELECT id FROM lake.t"})
        if status == 200 and answer["success"]:
            return [row[0] for row in answer["data"]]
        if "does not exist" in answer.get("error", ""):
            return None
        raise NoAnswer(f"a query was answered with {status}: {answer}")

    def _rows_wait(self):
        """Whether rows are hot or staged: pyiceberg cannot know them."""
        status, text = self.server.request(self.server.connect(), "GET", "/metrics", None)
        waiting = re.findall(r"^arc_(?:buffer_rows|object_store_staged_bytes) (\S+)$", text.decode(), re.MULTILINE)
        if status != 200 or len(waiting) != 2:
            raise Wrong("no metrics arc_buffer_rows and arc_object_store_staged_bytes")
        return any(float(value) > 0 for value in waiting)

    def _table(self):
        catalog = SqlCatalog(
            "arc",
            uri=f"sqlite:///{self.folder}/data/arc.db",
            warehouse=f"{self.store.warehouse}/{self.prefix}",
            **self.store.iceberg_properties(),
        )
        try:
            return catalog.load_table(("lake", "t"))
        except NoSuchTableError:
            return None
        finally:
            catalog.engine.dispose()

    def _ids_by_pyiceberg(self):
        table = self._table()
        return None if table is None else table.scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()

    def _sweep(self):
        """Removes orphans at once: to the server all objects look old."""
        self.proxy.ages_objects = True
        status, answer = self.ask("POST", "/api/v1/maintenance/orphans?dry_run=false")
        self.proxy.ages_objects = False
        if status != 200 or answer["errors"]:
            raise Wrong(f"the removal of orphans was answered with {status}: {answer}")

    def _files(self):
        properties = self.store.iceberg_properties()
        return pyarrow.fs.S3FileSystem(
            access_key=properties["s3.access-key-id"],
            secret_key=properties["s3.secret-access-key"],
            endpoint_override=properties["s3.endpoint"],
            region=properties["s3.region"],
        )

    def _present_keys(self):
        selector = pyarrow.fs.FileSelector(f"{BUCKET}/{self.prefix}/lake/t", allow_not_found=True, recursive=True)
        found = self._files().get_file_info(selector)
        return {info.path for info in found if info.type == pyarrow.fs.FileType.File}

    def _needed_keys(self):
        """Of all that any snapshot names, each data file read to its end, and of the table's metadata."""
        table, files = self._table(), self._files()

        def key_of(uri):
            return uri.removeprefix("s3://")

        needed = {key_of(table.metadata_location), f"{BUCKET}/{self.prefix}/lake/t/metadata/version-hint.text"}
        needed |= {key_of(entry.metadata_file) for entry in table.metadata.metadata_log}
        rows = {}
        for snapshot in table.metadata.snapshots:
            needed.add(key_of(snapshot.manifest_list))
            for manifest in snapshot.manifests(table.io):
                needed.add(key_of(manifest.manifest_path))
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                    if entry.status != ManifestEntryStatus.DELETED:
                        rows[key_of(entry.data_file.file_path)] = entry.data_file.record_count
        for key, count in rows.items():
            found = pyarrow.parquet.read_table(key, filesystem=files).num_rows
            if found != count:
                raise Wrong(f"{key} has {found} rows instead of {count}")
        return needed | rows.keys()

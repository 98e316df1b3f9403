"""The operations of the fault matrix: what is there before, the request, and how it is asked again."""

import http.client
import time

from fault_lake import NotDone

FIRST, SECOND, HOT = range(10), range(10, 20), range(20, 25)


class Operation:
    def prepare(self, lake):
        raise NotImplementedError

    def run(self, lake):
        """Returns when it is done; else NotDone, or the connection's error."""
        raise NotImplementedError

    def finish(self, lake):
        """Once `run` returned: the checks. A word on what is left, or nothing."""
        lake.ids -= lake.deleting
        lake.deleting = set()
        lake.check_everything()
        return ""


class Flush(Operation):
    def prepare(self, lake):
        lake.write(FIRST)
        lake.flush()
        lake.write(SECOND)

    def run(self, lake):
        lake.flush()


class Compaction(Operation):
    def prepare(self, lake):
        for first in (0, 5, 10):
            lake.write(range(first, first + 5))
            lake.flush()

    def run(self, lake):
        status, answer = lake.ask("POST", "/api/v1/compaction/trigger")
        if status not in (200, 202):
            raise NotDone(f"trigger: {status} {answer}")
        while lake.ask("GET", "/api/v1/compaction/jobs")[1]["count"] > 0:
            time.sleep(0.02)
        left = lake.ask("GET", "/api/v1/compaction/candidates")[1]["count"]
        history = lake.ask("GET", "/api/v1/compaction/history")[1]["history"]
        if left > 0 or any(job.get("files_left") for job in history):
            raise NotDone(f"compaction: {history[0] if history else answer}")


class Expiry(Operation):
    """Snapshots with data files that only they need."""

    def prepare(self, lake):
        lake.write(FIRST)
        lake.flush()
        lake.write(SECOND, hour=1)
        lake.flush()
        lake.deleting = set(FIRST)
        Delete.request(lake, "time < '2025-10-09 11:00:00'")
        lake.ids -= lake.deleting
        lake.deleting = set()
        lake.write(HOT, hour=1)
        lake.flush()
        lake.restart(ARC_MAINTENANCE_MAX_SNAPSHOTS="1", ARC_MAINTENANCE_KEEP_METADATA_FILES="1")

    def run(self, lake):
        status, answer = lake.ask("POST", "/api/v1/maintenance/expire?database=lake&measurement=t")
        if status != 200:
            raise NotDone(f"expire: {status} {answer}")


class Delete(Operation):
    def __init__(self, condition, deleted):
        self._condition, self._deleted = condition, set(deleted)

    def prepare(self, lake):
        lake.write(FIRST)
        lake.write(SECOND, hour=1)
        lake.flush()
        lake.write(HOT, hour=1)  # committed by the deletion, first of all

    def run(self, lake):
        lake.deleting = self._deleted
        self.request(lake, self._condition)

    @staticmethod
    def request(lake, condition):
        status, answer = lake.ask("POST", "/api/v1/delete", {"database": "lake", "measurement": "t", "where": condition})
        if status != 200:
            raise NotDone(f"delete: {status} {answer}")


class Drop(Operation):
    PATH = "/api/v1/databases/lake/measurements/t"

    def prepare(self, lake):
        lake.write(FIRST)
        lake.flush()
        lake.write(SECOND)

    def run(self, lake):
        lake.gone = True
        status, answer = lake.ask("DELETE", self.PATH)
        if status == 404:
            return
        if status != 409:
            raise NotDone(f"drop: {status} {answer}")
        status, answer = lake.ask("DELETE", f"{self.PATH}?confirm={answer['confirm']}")
        if status not in (200, 404):
            raise NotDone(f"drop: {status} {answer}")

    def finish(self, lake):
        left = lake.check_dropped()
        lake.restart()
        lake.check_dropped()
        lake.ids, lake.gone = set(), False
        lake.write(range(100, 105))  # a table of the same name has nothing of the old one
        lake.flush()
        lake.check_rows()
        return f"{left} objects left" if left else ""


OPERATIONS = {
    "flush": Flush(),
    "compaction": Compaction(),
    "expiry": Expiry(),
    "delete rows": Delete("id % 2 = 0", [i for i in range(25) if i % 2 == 0]),
    "delete files": Delete("time >= '2025-10-09 11:00:00'", range(10, 25)),
    "drop": Drop(),
}
CONNECTION_LOST = (OSError, http.client.HTTPException)

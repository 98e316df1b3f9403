#!/usr/bin/env python3
"""The fault matrix: each operation on a lake in MinIO, with each request that it makes of the store failing in each way.

    tests/crash/fault_matrix.py --arc build/dev/arc --out DIR [--quick] [--operation drop] [--workers 4] [--seed N]

A first run of an operation tells its points. Each cell then runs it anew on a lake of its own with one fault at one
point, asks again until it is done, and checks that every row is there once for Arc and for pyiceberg, that all files of
all snapshots can be read, and that the removal of orphans leaves what snapshots need and nothing else. Writes matrix.txt
and matrix.json. See docs/faults.md.
"""

import argparse
import contextlib
import itertools
import json
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from fault_lake import FaultLake, NoAnswer, NotDone, Wrong  # noqa: E402
from fault_operations import CONNECTION_LOST, OPERATIONS  # noqa: E402
from fault_points import FAULTS, KILLS, faults_of  # noqa: E402
from store_servers import Minio  # noqa: E402

GIVE_UP_S = 60
BY_TIME = "kill by time"  # at moments drawn within the operation, for what lies between its requests
KILLS_BY_TIME = 10
# Of each operation one kill at its commit, and one of each other fault.
QUICK = [
    ("flush", "PUT metadata #1", "kill before"),
    ("flush", "PUT data file #1", "reply lost"),
    ("compaction", "PUT metadata #1", "kill after"),
    ("expiry", "DELETE data file #1", "kill before"),
    ("delete rows", "PUT manifest list #1", "503 once"),
    ("delete rows", "PUT data file #1", "half upload"),
    ("delete files", "PUT metadata #2", "reply lost"),
    ("drop", "DELETE data file #1", "kill before"),
]


class Matrix:
    def __init__(self, folder, store, binary):
        self._folder, self._store, self._binary = folder, store, binary
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.cells = []

    def lake(self):
        return FaultLake(self._store, self._folder, f"cell{next(self._numbers)}", self._binary)

    def points_of(self, name):
        """The requests of an undisturbed run, and the seconds that it took."""
        operation, lake = OPERATIONS[name], self.lake()
        lake.server.start()
        operation.prepare(lake)
        lake.proxy.begin()
        started = time.monotonic()
        operation.run(lake)
        seconds = time.monotonic() - started
        points = list(lake.proxy.points)
        lake.proxy.end()
        operation.finish(lake)
        lake.close()
        return points, seconds

    def run_cell(self, name, point, fault):
        """`point` is a request, or the seconds after which the server is killed."""
        started = time.monotonic()
        lake = self.lake()
        good = False
        try:
            outcome = self._outcome(OPERATIONS[name], lake, point, fault)
            good = True
        except Wrong as wrong:
            outcome = str(wrong)
        except Exception:  # the cell failed, whatever it is; the others go on
            outcome = traceback.format_exc(limit=-3).strip()
        lake.close(keep=not good)
        cell = {"operation": name, "point": point, "fault": fault, "good": good, "outcome": outcome}
        cell["seconds"] = round(time.monotonic() - started, 1)
        if not good:
            cell["folder"] = str(lake.folder)
        with self._lock:
            self.cells.append(cell)
            mark = "" if good else "FAILED "
            print(f"{mark}{name}, {point}, {fault}: {outcome} ({cell['seconds']} s)", flush=True)
        return cell

    def _outcome(self, operation, lake, point, fault):
        lake.server.start()
        operation.prepare(lake)
        by_time = fault == BY_TIME
        lake.proxy.begin(None if by_time else point, fault, lake.server.kill)
        timer = threading.Timer(float(point) if by_time else 0, lake.server.kill)
        if by_time:
            timer.start()
        retries, killed, deadline = 0, False, time.monotonic() + GIVE_UP_S
        while True:
            try:
                operation.run(lake)
                break
            except (NotDone, *CONNECTION_LOST) as error:
                if lake.was_killed(0.0 if isinstance(error, NotDone) else 0.5):
                    killed = True
                    continue
                if time.monotonic() > deadline:
                    raise Wrong(f"not done after {GIVE_UP_S} s: {error}") from error
                retries += 1
                with contextlib.suppress(NoAnswer):  # as long as the fault lasts
                    lake.check_rows()
                time.sleep(0.2)
        if by_time:
            timer.join()
        elif not lake.proxy.fires_within(1):
            return "not reached"
        if fault in KILLS or by_time:  # maybe after it answered: what it had still to do is cut
            killed = killed or lake.was_killed(2)
        lake.proxy.end()
        lake.proxy.wait_for_the_store()
        left = operation.finish(lake)
        words = ["exact"]
        if killed:
            words.append("killed")
        if retries:
            words.append(f"asked again {retries}x")
        return ", ".join(words + [left] if left else words)


def cells_to_run(matrix, names, rng, workers):
    cells = []
    with ThreadPoolExecutor(workers) as pool:
        for name, (points, seconds) in zip(names, pool.map(matrix.points_of, names)):
            print(f"{name}: {len(points)} requests in {seconds:.2f} s: {', '.join(points)}", flush=True)
            cells += [(name, point, fault) for i, point in enumerate(points) for fault in faults_of(i, points)]
            times = sorted(rng.uniform(0, seconds * 1.1) for _ in range(KILLS_BY_TIME))
            cells += [(name, f"{at:.3f}", BY_TIME) for at in times]
    return cells


def in_short(cell):
    """"=" for exact, "k" when the server was killed, "+2" when it took two more requests, "1 left" for objects."""
    if not cell["good"]:
        return "FAILED: " + cell["outcome"].splitlines()[-1]
    words = {"exact": "=", "killed": "k"}
    parts = [words.get(part, part) for part in cell["outcome"].split(", ")]
    parts = [re.sub(r"asked again (\d+)x", r"+\1", part).replace(" objects left", " left") for part in parts]
    return " ".join(parts[1:] or parts)


def table_of(cells):
    """Rows: operation and point; columns: faults. Then the kills that were drawn by time."""
    rows = {}
    for cell in cells:
        if cell["fault"] in FAULTS:
            rows.setdefault((cell["operation"], cell["point"]), {})[cell["fault"]] = cell
    lines = ["| operation | point | " + " | ".join(FAULTS) + " |", "|---|---|" + "---|" * len(FAULTS)]
    for (operation, point), by_fault in rows.items():
        words = [in_short(by_fault[fault]) if fault in by_fault else "" for fault in FAULTS]
        lines.append(f"| {operation} | {point} | " + " | ".join(words) + " |")
    for operation in dict.fromkeys(cell["operation"] for cell in cells):
        timed = [c for c in cells if c["operation"] == operation and c["fault"] == BY_TIME]
        if timed:
            exact = sum(c["good"] for c in timed)
            lines.append(f"\n{operation}: {exact} of {len(timed)} kills at random moments exact")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arc", default=None)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--quick", action="store_true", help="some cells, within a minute")
    parser.add_argument("--operation", action="append", choices=list(OPERATIONS))
    parser.add_argument("--fault", action="append", choices=[*FAULTS, BY_TIME], help="only these")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="arc-faults-"))
    store = Minio(folder / "minio").start()
    started = time.monotonic()
    try:
        matrix = Matrix(folder, store, arguments.arc)
        names = arguments.operation or list(OPERATIONS)
        if arguments.quick:
            cells = [cell for cell in QUICK if cell[0] in names]
        else:
            cells = cells_to_run(matrix, names, random.Random(arguments.seed), arguments.workers)
        cells = [cell for cell in cells if not arguments.fault or cell[2] in arguments.fault]
        with ThreadPoolExecutor(arguments.workers) as pool:
            done = list(pool.map(lambda cell: matrix.run_cell(*cell), cells))
    finally:
        store.stop()
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "matrix.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
        (arguments.out / "matrix.txt").write_text(table_of(done) + "\n", encoding="utf-8")
    failed = [cell for cell in done if not cell["good"]]
    missed = [cell for cell in done if cell["outcome"] == "not reached"]
    if not failed:
        shutil.rmtree(folder)
    print(
        f"{len(done)} cells in {time.monotonic() - started:.0f} s: {len(done) - len(failed) - len(missed)} exact, "
        f"{len(missed)} not reached, {len(failed)} FAILED" + (f"; folders are kept in {folder}" if failed else "")
    )
    return 1 if failed or (arguments.quick and missed) else 0


if __name__ == "__main__":
    sys.exit(main())

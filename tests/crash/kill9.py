#!/usr/bin/env python3
"""Rounds of kill -9 under load: concurrent writers, flushes and queries, then the ledger against what is there.

    tests/crash/kill9.py --rounds 200 [--seed N] [--arc build/release/arc]

After the last round everything is flushed and pyiceberg alone must see the same ids.
"""

import argparse
import http.client
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from arc_server import ArcServer  # noqa: E402
from ledger import Ledger  # noqa: E402

TABLES = ["cpu", "mem", "disk"]
ROWS_PER_WRITE = 20
HOUR_NS = 3600 * 10**9
START_NS = 1_760_000_000 * 10**9


class Load:
    """Writers, a flusher and a reader against one server until told to stop."""

    def __init__(self, server, ledger, ids, writers):
        self._server = server
        self._ledger = ledger
        self._ids = ids
        self._stop = threading.Event()
        self.flush_in_flight = False
        self.flushes = 0
        self.queries = 0
        bodies = [self._write] * writers + [self._flush, self._query]
        self._threads = [threading.Thread(target=body, daemon=True) for body in bodies]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _until_stopped(self, step):
        connection = self._server.connect()
        while not self._stop.is_set():
            try:
                step(connection)
            except (OSError, http.client.HTTPException):
                connection.close()
                if self._stop.wait(0.005):
                    return

    def _write(self):
        def step(connection):
            ids = self._ids.take(ROWS_PER_WRITE)
            lines = [
                f"{TABLES[i % 3]},host=h{i % 7} id={i}i,value={i}.5 {START_NS + (i % 3) * HOUR_NS + i * 1000}" for i in ids
            ]
            self._ledger.sent(ids)
            status, body = self._server.request(connection, "POST", "/write?db=default", "\n".join(lines))
            if status == 204:
                self._ledger.acknowledged(ids)
            elif status != 503:
                raise SystemExit(f"write answered {status}: {body}")

        self._until_stopped(step)

    def _flush(self):
        def step(connection):
            self.flush_in_flight = True
            self._server.request(connection, "POST", "/write/flush", "")
            self.flush_in_flight = False
            self.flushes += 1
            self._stop.wait(0.02)

        self._until_stopped(step)

    def _query(self):
        def step(connection):
            status, body = self._server.request(
                connection, "POST", "/query", json.dumps({"sql": "SELECT count(*), count(DISTINCT id) FROM cpu"})
            )
            if status == 200:
                count, distinct = json.loads(body)["data"][0]
                if count != distinct:
                    raise SystemExit(f"a query under load saw {count} rows but {distinct} ids")
                self.queries += 1

        self._until_stopped(step)


class Ids:
    def __init__(self):
        self._lock = threading.Lock()
        self._next = 1

    def take(self, count):
        with self._lock:
            first = self._next
            self._next += count
        return range(first, first + count)


def ids_by_sql(server):
    found = []
    for table in TABLES:
        answer = server.sql(f"SELECT id FROM {table}", missing_ok=True)
        found += [row[0] for row in answer]
    return found


def ids_by_pyiceberg(server):
    catalog = server.iceberg_catalog()
    found = []
    for table in TABLES:
        found += catalog.load_table(("default", table)).scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--arc", default=None)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="arc-kill9-"))
    ledger, ids = Ledger(), Ids()
    inside_flush = queries = flushes = 0
    server = ArcServer(folder, binary=arguments.arc, environment={"WAL_MAX_SIZE_MB": "4"})
    for number in range(1, arguments.rounds + 1):
        server.start()
        load = Load(server, ledger, ids, arguments.writers)
        time.sleep(rng.uniform(0.05, 0.5))
        if rng.random() < 0.5:  # half of the kills wait for a flush, to land inside it
            deadline = time.monotonic() + 1
            while not load.flush_in_flight and time.monotonic() < deadline:
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.01))
        inside_flush += load.flush_in_flight
        server.kill()
        load.stop()
        queries += load.queries
        flushes += load.flushes
        server.start()
        found = ids_by_sql(server)
        violations = ledger.check(found)
        if violations:
            print("\n".join(violations[:20]))
            print(f"FAILED in round {number}; seed {arguments.seed}; the folder is kept: {folder}")
            return 1
        ledger.settle(found)
        server.kill()
        if number % 10 == 0 or number == arguments.rounds:
            print(f"round {number}: {ledger.acknowledged_count} rows, {inside_flush} kills inside a flush", flush=True)

    server.start()
    server.request(server.connect(), "POST", "/write/flush", "")
    by_sql = sorted(ids_by_sql(server))
    server.stop()
    by_pyiceberg = sorted(ids_by_pyiceberg(server))
    if by_sql != by_pyiceberg or ledger.check(by_pyiceberg):
        print(f"FAILED: pyiceberg sees {len(by_pyiceberg)} ids, Arc {len(by_sql)}; the folder is kept: {folder}")
        return 1
    shutil.rmtree(folder)
    print(
        f"{arguments.rounds} rounds passed, 0 failed: {len(by_sql)} ids each exactly once by Arc and pyiceberg, "
        f"{inside_flush} kills inside a flush, {flushes} flushes and {queries} queries under load"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

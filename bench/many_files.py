#!/usr/bin/env python3
"""One table of 100,000 data files: how long a start, a commit and a query take, and how much memory the file index is.

    bench/many_files.py --out bench/results/today            about ten minutes
    bench/many_files.py --files 10000                        a look at it

Every file is real: one row in an hour of its own, 60 files a flush, nothing compacted. The commit is measured as a
client sees it: a row is written, then `POST /write/flush`, which writes a data file, a manifest, the manifest list and
the metadata, and swaps the pointer. Writes OUT/many-files.json.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from arc_server import ArcServer  # noqa: E402

HOUR_NS = 3_600_000_000_000
HOURS_A_FLUSH = 60  # more than 64 would go to files of a day
START_NS = 946_684_800 * 10**9  # 2000-01-01
REPEATS = 11


def resident_bytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def milliseconds(action):
    started = time.monotonic()
    action()
    return (time.monotonic() - started) * 1000


def write(server, first_hour, hours):
    lines = "\n".join(f"t,host=a v={h}i {START_NS + h * HOUR_NS}" for h in range(first_hour, first_hour + hours))
    status, body = server.post("/write?db=many", lines)
    if status != 204:
        raise RuntimeError(f"write: {status} {body!r}")


def commit_ms(server, hour):
    write(server, hour, 1)
    return milliseconds(server.flush)


def fill(server, files):
    """Commits as they get slower, or do not: (files, ms of the last flush of 60 files)."""
    steps, started = [], time.monotonic()
    for first in range(0, files, HOURS_A_FLUSH):
        count = min(HOURS_A_FLUSH, files - first)
        write(server, first, count)
        taken = milliseconds(server.flush)
        if (first + count) // 10_000 != first // 10_000:
            steps.append((first + count, taken))
            print(f"{first + count:>8,} files after {time.monotonic() - started:.0f} s; {taken:.0f} ms a flush", flush=True)
    return steps


def measure(server, files):
    steps = fill(server, files)
    commits = [commit_ms(server, files + i) for i in range(REPEATS)]
    server.stop(timeout_s=120)
    start_ms = milliseconds(server.start)
    idle_bytes = resident_bytes(server)
    total = files + REPEATS
    hour = START_NS // 10**9 + 3600 * (files // 2)
    one_hour = f"SELECT v FROM many.t WHERE time >= to_timestamp({hour}) AND time < to_timestamp({hour + 3600})"
    if server.sql(one_hour) != [[files // 2]] or server.sql("SELECT count(*) FROM many.t") != [[total]]:
        raise RuntimeError("rows are missing")
    return {
        "files": total,
        "flush_of_60_ms": steps,
        "commit_ms": statistics.median(commits),
        "commit_after_start_ms": statistics.median(commit_ms(server, total + i) for i in range(REPEATS)),
        "start_ms": start_ms,
        "rss_after_start_bytes": idle_bytes,
        "one_hour_query_ms": statistics.median(milliseconds(lambda: server.sql(one_hour)) for _ in range(REPEATS)),
        "metadata_bytes": sum(
            path.stat().st_size for path in (server.folder / "data/arc/many/t/metadata").iterdir() if path.is_file()
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arc", default=str(ROOT / "build" / "release" / "arc"))
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", help="where the server's folder is made (default: TMPDIR)")
    parser.add_argument("--out", type=pathlib.Path, help="folder of the results")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="arc-many-", dir=arguments.folder))
    server = ArcServer(folder, os.path.abspath(arguments.arc), {"COMPACTION_ENABLED": "false"}).start()
    try:
        result = measure(server, arguments.files)
    finally:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{result['files']:,} files: start {result['start_ms']:.0f} ms with {result['rss_after_start_bytes'] / 1e6:.0f} MB;"
        f" commit {result['commit_ms']:.1f} ms, after a start {result['commit_after_start_ms']:.1f} ms;"
        f" one hour of it in {result['one_hour_query_ms']:.2f} ms; metadata folder {result['metadata_bytes'] / 1e6:.0f} MB"
    )
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "many-files.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

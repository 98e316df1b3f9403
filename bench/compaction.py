"""Compaction beside DuckDB: both merge the same files by time into zstd, on one thread, in the same run.

    make bench && .deps/venv/bin/python bench/compaction.py [--rows 20000000] [--files 100] [--folder /tmp/arc-compaction]

Prints a row for each shape of rows and each overlap of the files: seconds of CPU, bytes a row, memory at most; then
how long a query takes over the files before and after. The runs alternate and the least of each counts.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

DUCKDB_COPY = """
import duckdb, json, resource, sys, time
folder, level, memory = sys.argv[1:4]
con = duckdb.connect()
con.execute("SET threads = 1")
con.execute("SET TimeZone = 'UTC'")
con.execute("SET enable_progress_bar = false")
con.execute(f"SET memory_limit = '{memory}'")
con.execute(f"SET temp_directory = '{folder}/spill'")
start = time.monotonic()
con.execute(f"COPY (SELECT * FROM read_parquet('{folder}/in*.parquet', union_by_name = true) ORDER BY time) "
            f"TO '{folder}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level}, "
            f"ROW_GROUP_SIZE 122880)")
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": time.monotonic() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime,
                  "peak_bytes": usage.ru_maxrss * 1024}))
"""


def run(command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def query_ms(pattern):
    import duckdb

    con = duckdb.connect()
    con.execute("SET threads = 1")
    times = []
    for _ in range(5):
        start = time.monotonic()
        con.execute(f"SELECT count(*), max(time) FROM read_parquet('{pattern}') WHERE time > TIMESTAMP '2023-11-14'")
        con.fetchall()
        times.append((time.monotonic() - start) * 1000)
    return min(times)


def measure(program, folder, shape, files, rows, overlap, repeats):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run([program, "make", folder, shape, files, rows // files, overlap])
    best = {}
    for _ in range(repeats):
        for level in (1, 3):
            for old in folder.glob(f"out{level}-*"):
                old.unlink()
            found = json.loads(run([program, "merge", folder, shape, level]))
            name = f"arc zstd-{level}"
            if name not in best or found["cpu_seconds"] < best[name]["cpu_seconds"]:
                best[name] = found
        found = json.loads(run([sys.executable, "-c", DUCKDB_COPY, folder, 3, "4GB"]))
        found["bytes_out"] = (folder / "duckdb.parquet").stat().st_size
        if "duckdb zstd-3" not in best or found["cpu_seconds"] < best["duckdb zstd-3"]["cpu_seconds"]:
            best["duckdb zstd-3"] = found
    arc = best["arc zstd-3"]
    print(f"\n{shape}: {arc['rows']:,} rows in {arc['files']} files, of which {overlap} at a time overlap; "
          f"{arc['bytes_in'] / arc['rows']:.2f} B/row before, {arc['snappy_bytes'] / arc['rows']:.2f} as snappy")
    print(f"{'':16}{'CPU s':>8}{'Mrows/s':>9}{'x DuckDB':>10}{'B/row':>8}{'of snappy':>11}{'peak MB':>9}")
    peer = best["duckdb zstd-3"]["cpu_seconds"]
    for name, found in best.items():
        print(f"{name:16}{found['cpu_seconds']:8.2f}{arc['rows'] / found['cpu_seconds'] / 1e6:9.2f}"
              f"{peer / found['cpu_seconds']:10.2f}{found['bytes_out'] / arc['rows']:8.2f}"
              f"{found['bytes_out'] / arc['snappy_bytes']:10.0%} {found['peak_bytes'] / 2**20:8.0f}")
    before, after = query_ms(f"{folder}/in*.parquet"), query_ms(f"{folder}/out3-*.parquet")
    print(f"query of all files: {before:.1f} ms before, {after:.1f} ms after, {before / after:.1f}x")
    return best


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--files", type=int, default=100)
    arguments.add_argument("--overlaps", type=int, nargs="+", default=[1, 4])
    arguments.add_argument("--shapes", nargs="+", default=["small", "tsbs"])
    arguments.add_argument("--repeats", type=int, default=2)
    arguments.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/arc-compaction"))
    arguments.add_argument("--program", default=REPOSITORY / "build/release/arc-compact")
    options = arguments.parse_args()
    for shape in options.shapes:
        for overlap in options.overlaps:
            measure(options.program, options.folder, shape, options.files, options.rows, overlap, options.repeats)
    shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()

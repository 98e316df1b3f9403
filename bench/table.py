#!/usr/bin/env python3
"""Fills the tables of what Arc is to reach: runs arc-bench, writes OUT/table.md and the raw figures beside it.

    bench/table.py --out bench/results/today
    bench/table.py --rounds 1 --seconds 5 --out /tmp/look        a quick look

Every run has a fresh server with default settings (WAL on, fdatasync). The figure of a cell is the median of the rounds;
the best stands beside it, because on a shared machine the difference is the neighbours'.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Format, shape, CPU-s per million records at most, million records/s at least, bytes a record at most.
INGEST = [
    ("columns", "small", 0.30, 5.0, 15),
    ("columns", "tsbs", 0.70, 2.0, None),
    ("rows", "small", 0.45, 3.0, 15),
    ("lp", "small", 0.45, 3.0, 15),
    ("lp", "tsbs", 1.20, 1.3, None),
]
MOST_RSS_BYTES = 1.5e9
MOST_P99_MS = 25
MOST_ONE_ROW_P50_MS = 1
# Query and its format as arc-bench names them, milliseconds at most.
QUERIES = {
    ("count(*)", "json"): 1.5,
    ("avg by host", "json"): 70,
    ("1-minute buckets, last hour", "json"): 60,
    ("SELECT * LIMIT 100000", "json"): 40,
    ("SELECT * LIMIT 100000", "arrow"): 15,
}


def stolen_and_all():
    """Processor time that the host gave to others, and all of it, in ticks."""
    ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


def bench(arguments, name, *options):
    """One run; its figures and `stolen`, the share of the processors that the host took away meanwhile."""
    output = arguments.out / f"{name}.json"
    command = [arguments.bench, *options, "--arc", arguments.arc, "--json", str(output)]
    before = stolen_and_all()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    stolen, total = (after - early for after, early in zip(stolen_and_all(), before))
    print(run.stdout, run.stderr, flush=True)
    if run.returncode != 0:
        sys.exit(f"{name}: arc-bench failed")
    shown = " ".join(command).replace(f"{ROOT}/", "")
    (arguments.out / f"{name}.txt").write_text(f"$ {shown}\n{run.stdout}")
    return {"stolen": stolen / total, **json.loads(output.read_text())}


def verdict(middle, best, target, less_is_better=True):
    """'median (best) pass|best only|MISS target'"""
    digits = 3 if target and target < 1 else 2
    text = f"{middle:.{digits}f} ({best:.{digits}f})"
    if target is None:
        return text
    reached, near = (v <= target if less_is_better else v >= target for v in (middle, best))
    word = "pass" if reached else "best only" if near else "MISS"
    return f"{text} {word} {'≤' if less_is_better else '≥'} {target:g}"


def cell(values, target, less_is_better=True, scale=1.0):
    values = [value * scale for value in values]
    best = min(values) if less_is_better else max(values)
    return verdict(statistics.median(values), best, target, less_is_better)


def ingest_table(arguments):
    yield "| format | CPU-s/M | million records/s | p99 ms | peak RSS MB | bytes/record | disk MB/s, fdatasync/s | stolen |"
    yield "|---|---|---|---|---|---|---|---|"
    runs = {}
    for number in range(arguments.rounds):  # in turns: a slow minute of the machine meets all of them
        for form, shape, *_ in INGEST:
            options = ("--format", form, "--shape", shape, "--batch", "1000", "--seconds", str(arguments.seconds))
            name = f"ingest-{form}-{shape}-{number + 1}"
            runs.setdefault((form, shape), []).append(bench(arguments, name, "ingest", *options))
    for form, shape, cpu, rate, size in INGEST:
        mine = runs[form, shape]
        yield (
            f"| {form} {shape} | {cell([r['server_cpu_s_per_million'] for r in mine], cpu)}"
            f" | {cell([r['records_per_s'] for r in mine], rate, False, 1e-6)}"
            f" | {cell([r['latency_ms']['p99'] for r in mine], MOST_P99_MS)}"
            f" | {cell([r['peak_rss_bytes'] for r in mine], MOST_RSS_BYTES / 1e6, scale=1e-6)}"
            f" | {cell([r['disk_bytes_per_record'] for r in mine], size)}"
            f" | {mine[0]['disk']['write_mb_per_s']:.0f}, {mine[0]['disk']['fdatasync_per_s']:.0f}"
            f" | {', '.join(format(run['stolen'], '.0%') for run in mine)} |"
        )
    one = bench(arguments, "ingest-one-row", "ingest", "--format", "lp", "--batch", "1", "--connections", "1", "--seconds", "5")
    yield ""
    yield f"One row a request, one connection: p50 ms {cell([one['latency_ms']['p50']], MOST_ONE_ROW_P50_MS)}."


def query_table(arguments):
    figures = bench(arguments, "query", "query", "--rows", str(arguments.query_rows), "--runs", "21")
    yield "| query | format | rows in | median ms (best) | server CPU ms |"
    yield "|---|---|---|---|---|"
    for place in figures["places"]:
        for query in place["queries"]:
            target = QUERIES.get((query["name"], query["format"]))
            shown = verdict(query["median_ms"], query["best_ms"], target)
            yield f"| {query['name']} | {query['format']} | {place['place']} | {shown} | {query['server_cpu_ms']:.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arc", default=str(ROOT / "build" / "release" / "arc"))
    parser.add_argument("--bench", default=str(ROOT / "build" / "release" / "arc-bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--query-rows", type=int, default=10_000_000)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="folder of the results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = [f"`bench/table.py --rounds {arguments.rounds} --seconds {arguments.seconds:g}` on {os.cpu_count()} cores.", ""]
    lines += [*ingest_table(arguments), "", *query_table(arguments)]
    (arguments.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Keeps Arc under a steady load with queries for minutes, then kills it: memory, latency and counts must stay as they were.

    bench/soak.py --out bench/results/today
    bench/soak.py --minio --minutes 10 --out bench/results/today      over a real MinIO that is away for a minute
    bench/soak.py --minutes 1 --segment-s 10                          a look at it

First the top rate is measured for half a minute, queries running; then arc-bench sends at a part of it, one segment
after the other, each into a database of its own whose count must be exact at once, while another client asks queries.
At the end rows are left in memory, the server is killed with SIGKILL and started again: every segment's count must be
the same. Writes OUT/soak.json and OUT/soak.svg (soak-minio.*). Fails when a count is wrong.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from arc_server import ArcServer  # noqa: E402
from soak_plot import draw  # noqa: E402
from store_servers import Minio  # noqa: E402

OUTAGE_S = 60
FIRST_S = 5  # what is asked about while the top rate is measured
TOP_S = 30
CONNECTIONS = 32  # at a fixed rate eight would bound the rate by the latency
QUERY_PAUSE_S = 0.2
UNANSWERED = (0, 500, 503, 504)


def resident_bytes(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def stolen_and_all():
    """Processor time that the host gave to others, and all, in ticks since the machine started."""
    ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[7], sum(ticks)


class Watch:
    """What the server's memory was, second by second, and how much of the processors the host took meanwhile."""

    def __init__(self, server):
        self.server, self.samples, self.done = server, [], threading.Event()
        self.ticks = stolen_and_all()
        threading.Thread(target=self.look, daemon=True).start()

    def look(self):
        while not self.done.wait(1):
            self.samples.append(resident_bytes(self.server.process))

    def take(self):
        """Mean and most resident bytes, and the share stolen, since the last time."""
        samples, self.samples = self.samples or [resident_bytes(self.server.process)], []
        before, self.ticks = self.ticks, stolen_and_all()
        stolen, ticks = (now - then for now, then in zip(self.ticks, before))
        return statistics.mean(samples), max(samples), stolen / max(1, ticks)


class Load:
    """arc-bench against one server."""

    def __init__(self, server, arguments, folder):
        self.server, self.arguments, self.folder = server, arguments, folder

    def run(self, database, seconds, rate):
        """Figures of one run into a database of its own; rows that the server did not flush by itself stay in memory."""
        output = self.folder / f"{database}.json"
        command = [self.arguments.bench, "ingest", "--url", self.server.url, "--token", self.server.token]
        command += ["--server-pid", str(self.server.process.pid), "--data-dir", str(self.server.folder / "data")]
        command += ["--format", self.arguments.format, "--shape", self.arguments.shape, "--json", str(output)]
        command += ["--header", f"x-arc-database: {database}", "--seconds", str(seconds), "--flush", "-"]
        command += ["--rate", str(rate), "--connections", str(CONNECTIONS)] if rate else []
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if not output.exists():
            raise RuntimeError(f"arc-bench: {run.stderr}")
        figures = json.loads(output.read_text())
        if run.returncode != 0:
            print(run.stdout, run.stderr, file=sys.stderr)
        return {"ok": run.returncode == 0, **figures}


class Asker(threading.Thread):
    """Asks one query after the other about the segments that are known to be whole, and about the one being written."""

    QUERIES = (
        "SELECT count(*) FROM {whole}.cpu",
        "SELECT hostname, avg(usage_user) FROM {whole}.cpu GROUP BY hostname",
        "SELECT time_bucket(INTERVAL 1 MINUTE, time) AS t, max(usage_user) FROM {latest}.cpu GROUP BY t ORDER BY t",
        "SELECT * FROM {latest}.cpu LIMIT 1000",
    )

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.whole, self.latest = server, {}, None
        self.times_ms, self.refused, self.wrong = [], 0, []
        self.done = threading.Event()

    def take(self):
        """Times and refusals since the last call."""
        taken = self.times_ms, self.refused
        self.times_ms, self.refused = [], 0
        return taken

    def run(self):
        turn = 0
        while not self.done.wait(QUERY_PAUSE_S):
            query = self.QUERIES[turn % len(self.QUERIES)]
            turn += 1
            if not self.whole or ("{latest}" in query and self.latest is None):
                continue
            name = list(self.whole)[turn % len(self.whole)]
            started = time.monotonic()
            status, rows = ask(self.server, query.format(whole=name, latest=self.latest))
            if status in UNANSWERED:
                self.refused += 1
            if status != 200:  # the segment being written may have no table yet
                continue
            self.times_ms.append((time.monotonic() - started) * 1000)
            if "count(*)" in query and rows[0][0] != self.whole[name]:
                self.wrong.append((name, rows[0][0], self.whole[name]))


def ask(server, sql):
    try:
        connection = server.connect()
        body = json.dumps({"sql": sql})
        status, answer = server.request(connection, "POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        return status, json.loads(answer).get("data")
    except (OSError, ValueError):
        return 0, None


def count_everything(server, whole):
    """Segments whose count is not what was acknowledged."""
    wrong = []
    for name, expected in whole.items():
        status, rows = ask(server, f"SELECT count(*) FROM {name}.cpu")
        if status != 200 or rows[0][0] != expected:
            wrong.append((name, rows[0][0] if rows else status, expected))
    return wrong


def outage(minio):
    print(f"MinIO is stopped for {OUTAGE_S} s", flush=True)
    minio.stop()
    time.sleep(OUTAGE_S)
    minio.start()
    print("MinIO is back", flush=True)


def soak(server, minio, load, arguments):
    # The top rate is what the machine sustains while it answers the same queries: they, the bench client and MinIO take
    # their share of the processors too.
    asker = Asker(server)
    asker.start()
    asker.whole["first"] = load.run("first", FIRST_S, None)["acknowledged"]
    asker.latest = "top"
    measured = load.run("top", TOP_S, None)
    asker.whole["top"] = measured["acknowledged"]
    asker.take()
    top = measured["records_per_s"]
    rate = top * arguments.share
    print(f"top rate {top:,.0f} records/s; {arguments.share:.0%} of it for {arguments.minutes:g} minutes", flush=True)
    segments, away, watch = [], None, Watch(server)
    count = max(1, round(arguments.minutes * 60 / arguments.segment_s))
    for number in range(count):
        if minio and number == count // 2:
            away = threading.Thread(target=outage, args=(minio,))
            away.start()
        name = f"segment_{number:03}"
        asker.latest = name
        figures = load.run(name, arguments.segment_s, rate)
        rss_bytes, most_rss_bytes, stolen = watch.take()
        asker.whole[name] = figures["acknowledged"]
        times, refused = asker.take()
        segment = {
            "name": name,
            "ok": figures["ok"],
            "records_per_s": figures["records_per_s"],
            "p50_ms": figures["latency_ms"]["p50"],
            "p99_ms": figures["latency_ms"]["p99"],
            "max_ms": figures["latency_ms"]["max"],
            "retries": figures["retries"],
            "server_cpu_s_per_million": figures["server_cpu_s_per_million"],
            "disk_fdatasync_p99_ms": figures["disk"]["fdatasync_p99_ms"],
            "rss_bytes": rss_bytes,
            "most_rss_bytes": most_rss_bytes,
            "stolen": stolen,
            "queries": len(times),
            "queries_refused": refused,
            "query_p50_ms": statistics.median(times) if times else None,
            "store_away": bool(away and away.is_alive()),
        }
        segments.append(segment)
        print(
            f"{name}: {segment['records_per_s']:,.0f} records/s  p50 {segment['p50_ms']:.2f}  p99 {segment['p99_ms']:.2f}"
            f"  max {segment['max_ms']:.1f} ms (disk alone {segment['disk_fdatasync_p99_ms']:.1f})  RSS {rss_bytes / 1e6:.0f} MB (most {most_rss_bytes / 1e6:.0f})  stolen {stolen:.0%}  {len(times)} queries"
            f" (p50 {segment['query_p50_ms'] or 0:.1f} ms, {refused} refused)  retries {segment['retries']}"
            f"{'' if segment['ok'] else '   NOT EXACT'}{'   store away' if segment['store_away'] else ''}",
            flush=True,
        )
    if away:
        away.join()
    asker.done.set()
    watch.done.set()
    asker.join()
    return {"top_records_per_s": top, "rate": rate, "segments": segments, "wrong_while_running": asker.wrong}, asker.whole


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arc", default=str(ROOT / "build" / "release" / "arc"))
    parser.add_argument("--bench", default=str(ROOT / "build" / "release" / "arc-bench"))
    parser.add_argument("--minio", action="store_true", help="store on a real MinIO (tools/setup.sh peers)")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--segment-s", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.8, help="of the top rate")
    parser.add_argument("--format", default="lp")
    parser.add_argument("--shape", default="tsbs")
    parser.add_argument("--folder", help="where the server's folder is made (default: TMPDIR)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="folder of the results")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="arc-soak-", dir=arguments.folder))
    minio = Minio(folder / "minio").start() if arguments.minio else None
    server = ArcServer(folder, os.path.abspath(arguments.arc), minio.arc_environment() if minio else None).start()
    try:
        result, whole = soak(server, minio, Load(server, arguments, folder), arguments)
        server.kill()
        started = time.monotonic()
        server.start(timeout_s=120)
        result["restart_s"] = time.monotonic() - started
        result["wrong_after_kill"] = count_everything(server, whole)
        server.stop(timeout_s=120)
    finally:
        if server.process.poll() is None:
            server.kill()
        if minio:
            minio.stop()
        shutil.rmtree(folder, ignore_errors=True)
    exact = all(s["ok"] for s in result["segments"]) and not result["wrong_while_running"] + result["wrong_after_kill"]
    print(
        f"{sum(whole.values()):,} records; after kill -9 ready in {result['restart_s']:.1f} s;"
        f" {'every count exact' if exact else 'WRONG: ' + str(result['wrong_after_kill'])}"
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = "soak-minio" if minio else "soak"
    result = {"exact": exact, "format": arguments.format, "shape": arguments.shape, "cores": os.cpu_count(), **result}
    (arguments.out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (arguments.out / f"{name}.svg").write_text(draw(result["segments"]))
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())

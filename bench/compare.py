#!/usr/bin/env python3
"""Measures Arc and other servers in turns, with the same bodies from the same client (arc-bench).

    tools/setup.sh bench && make bench
    bench/compare.py                                            Arc, VictoriaMetrics, QuestDB and InfluxDB, line protocol
    bench/compare.py --peers arc,questdb --cases lp:small --rounds 5 --records 5000000
    bench/compare.py --peers arc,arc-before --program arc-before=PATH --cases columns:small,rows:small
    bench/compare.py --peers arc,go-arc,go-arc-wal --program go-arc=PATH --cases columns:small,columns:tsbs,rows:small

Every run has a fresh server on a fresh folder; a round runs each peer once, and each round begins with another one.
Prints the medians, their ratios to the first peer and whether they reach the goals of peers.toml, and writes
OUT/compare.json (every run) and OUT/compare.svg. Fails when a server did not hold exactly what it acknowledged, not when
a goal is missed.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request

from compare_plot import draw

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_PATIENCE_S = 60
STOP_PATIENCE_S = 60

# Figure of arc-bench's JSON, heading, digits, whether more is better.
FIGURES = [
    ("records_per_s", "records/s", 0, True),
    ("server_cpu_s_per_million", "CPU-s/M", 3, False),
    ("disk_bytes_per_record", "B/record", 2, False),
    ("peak_rss_bytes", "RSS MB", 0, False),
    ("p99_ms", "p99 ms", 2, False),
    ("queryable_after_s", "visible s", 3, False),
]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def entry_of(name, peers):
    """The entry with what it takes from another one."""
    entry = peers[name]
    other = entry.get("like", entry.get("variant_of"))
    if other is None:
        return entry
    base = entry_of(other, peers)
    return {**base, **entry, "environment": {**base.get("environment", {}), **entry.get("environment", {})}}


def program_of(name, peers, programs):
    """The path given for it or for the peer it is a variant of, else that of peers.toml."""
    if name in programs:
        return programs[name]
    if other := peers[name].get("variant_of"):
        return program_of(other, peers, programs)
    return peers[name].get("program")


class Peer:
    """One server of peers.toml."""

    def __init__(self, name, peers, programs):
        self.name = name
        self.entry = entry_of(name, peers)
        program = program_of(name, peers, programs)
        if program is None and any("{program}" in word for word in self.entry["start"]):
            sys.exit(f"{name} needs --program {peers[name].get('variant_of', name)}=PATH")
        self.program = str((ROOT / program).resolve()) if program else ""
        self.process = None

    def fill(self, text):
        for key, value in self.values.items():
            text = text.replace("{" + key + "}", value)
        return text

    def start(self, folder):
        port, port2 = free_ports(2)
        data = folder / "data"
        data.mkdir()
        self.values = {
            "port": str(port),
            "port2": str(port2),
            "data": str(data),
            "bench": str(ROOT / ".deps" / "bench"),
            "program": self.program,
        }
        self.url = f"http://127.0.0.1:{port}"
        environment = {key: self.fill(value) for key, value in self.entry.get("environment", {}).items()}
        self.log = folder / "server.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.fill(word) for word in self.entry["start"]],
                env={**os.environ, **environment},
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_PATIENCE_S
        while not self.healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        for request in self.entry.get("prepare", []):
            method, path = request.split(" ", 1)
            urllib.request.urlopen(urllib.request.Request(self.url + path, method=method), timeout=30).close()

    def healthy(self):
        try:
            urllib.request.urlopen(self.url + self.entry["health"], timeout=5).close()
            return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def load(self, bench, case, arguments, output):
        """One arc-bench run; its figures."""
        form, shape = case.split(":")
        entry = self.entry
        command = [bench, "ingest", "--url", self.url, "--server-pid", str(self.process.pid), "--json", str(output)]
        command += ["--format", form, "--shape", shape, "--batch", str(arguments.batch)]
        command += ["--records", str(arguments.records), "--connections", str(arguments.connections)]
        command += ["--write", entry["write"][form], "--flush", entry.get("flush", "-")]
        command += ["--count", entry["count"], "--count-body", entry.get("count_body", "")]
        command += ["--count-type", entry.get("count_type", "application/json")]
        command += ["--count-result", entry["count_result"]]
        command += ["--count-per-record", str(entry.get("count_per_record", {}).get(shape, 1))]
        command += ["--data-dir", str(pathlib.Path(self.values["data"]) / entry.get("disk", ""))]
        command += ["--disk-suffix", entry.get("disk_suffix", ""), "--disk-skip", entry.get("disk_skip", "")]
        command += ["--settle-s", str(entry.get("settle_s", 0))]
        if "token" in entry:
            command += ["--token", entry["token"]]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if not output.exists():
            raise RuntimeError(f"{self.name}: {run.stderr}{self.log.read_text(errors='replace')[-2000:]}")
        figures = json.loads(output.read_text())
        figures["p99_ms"] = figures["latency_ms"]["p99"]
        if run.returncode != 0:
            print(run.stdout, file=sys.stderr)
        return {"peer": self.name, "case": case, "ok": run.returncode == 0, **figures}


def run_once(peer, case, arguments):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="arc-compare-", dir=arguments.folder))
    try:
        peer.start(folder)
        return peer.load(arguments.bench, case, arguments, folder / "run.json")
    finally:
        peer.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_all(peers, cases, arguments):
    runs = []
    for case in cases:
        able = [peer for peer in peers if case.split(":")[0] in peer.entry["formats"]]
        for number in range(arguments.rounds):
            first = number % len(able)
            for peer in able[first:] + able[:first]:
                # What fails is said and the other peers' minutes are kept.
                try:
                    run = run_once(peer, case, arguments)
                except (RuntimeError, OSError) as error:
                    run = {"peer": peer.name, "case": case, "ok": False, "error": str(error)}
                run["round"] = number
                runs.append(run)
                if "error" in run:
                    print(f"{case} round {number + 1}: {peer.name:18} FAILED: {run['error']}", flush=True)
                    continue
                print(
                    f"{case} round {number + 1}: {peer.name:18} {run['records_per_s']:10.0f} records/s"
                    f" {run['server_cpu_s_per_million']:7.3f} CPU-s/M   disk {run['disk']['write_mb_per_s']:.0f} MB/s,"
                    f" {run['disk']['fdatasync_per_s']:.0f} fdatasync/s{'' if run['ok'] else '   FAILED'}",
                    flush=True,
                )
    return runs


def medians(runs, peers, cases):
    """case -> peer -> figure -> median of its runs."""
    table = {}
    for case in cases:
        for peer in peers:
            mine = [run for run in runs if run["case"] == case and run["peer"] == peer.name and "error" not in run]
            if mine:
                row = table.setdefault(case, {}).setdefault(peer.name, {})
                for key, *_ in FIGURES:
                    row[key] = statistics.median(run[key] for run in mine)
    return table


def print_table(table):
    for case, rows in table.items():
        first = next(iter(rows))
        print(f"\n{case}: medians, and how many times better {first} is")
        print(f"{'':18}" + "".join(f"{heading:>22}" for _, heading, _, _ in FIGURES))
        for name, row in rows.items():
            cells = []
            for key, _, digits, more_is_better in FIGURES:
                value, own = row[key], rows[first][key]
                shown = value / 1e6 if key == "peak_rss_bytes" else value
                ratio = (own / value if more_is_better else value / own) if value and own else float("nan")
                cells.append(f"{shown:.{digits}f}" + ("" if name == first else f" ({ratio:.2f}x)"))
            print(f"{name:18}" + "".join(f"{cell:>22}" for cell in cells))


def goals_of(table, peers):
    """A row for each goal of a case that was run: case, peer, goal, reached."""
    goals = []
    for case, rows in table.items():
        first = next(iter(rows))
        for peer in peers:
            goal = peer.entry.get("goal", {}).get(case.split(":")[0])
            if goal is None or peer.name == first or peer.name not in rows:
                continue
            reached = rows[peer.name]["server_cpu_s_per_million"] / rows[first]["server_cpu_s_per_million"]
            goals.append({"case": case, "peer": peer.name, "goal": goal, "reached": reached})
    return goals


def print_goals(goals):
    print("\nRecords for the same CPU time, of the first peer to each other")
    for goal in goals:
        verdict = "pass" if goal["reached"] >= goal["goal"] else "miss"
        print(f"{goal['case']:14} {goal['peer']:18} goal {goal['goal']:4.1f}x   {goal['reached']:6.2f}x   {verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=pathlib.Path, default=ROOT / "bench" / "peers.toml", help="the peers' file")
    parser.add_argument("--peers", default="arc,victoria-metrics,questdb,influxdb", help="the first is compared to")
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH", help="program of a peer")
    parser.add_argument("--cases", default="lp:small,lp:tsbs", help="format:shape, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=2_000_000, help="in each run")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--bench", default=str(ROOT / "build" / "release" / "arc-bench"))
    parser.add_argument("--folder", help="where the servers' folders are made (default: TMPDIR)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="folder of the results")
    arguments = parser.parse_args()
    # Before the first of many minutes, not after the last.
    arguments.out.mkdir(parents=True, exist_ok=True)
    listed = tomllib.loads(arguments.list.read_text())["peer"]
    programs = dict(one.split("=", 1) for one in arguments.program)
    names = arguments.peers.split(",")
    if unknown := [name for name in names if name not in listed]:
        sys.exit(f"not in {arguments.list}: {', '.join(unknown)}")
    peers = [Peer(name, listed, programs) for name in names]
    cases = arguments.cases.split(",")
    if lone := [case for case in cases if not any(case.split(":")[0] in peer.entry["formats"] for peer in peers)]:
        sys.exit(f"none of the peers reads {', '.join(lone)}")
    runs = run_all(peers, cases, arguments)
    table = medians(runs, peers, cases)
    print_table(table)
    if goals := goals_of(table, peers):
        print_goals(goals)
    settings = {key: getattr(arguments, key) for key in ("rounds", "records", "batch", "connections")}
    result = {"settings": settings, "cores": os.cpu_count(), "medians": table, "goals": goals, "runs": runs}
    (arguments.out / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
    (arguments.out / "compare.svg").write_text(draw(table, FIGURES[:4]))
    return 0 if all(run["ok"] for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())

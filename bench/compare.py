#!/usr/bin/env python3
"""Measures Arc and other servers in turns, with the same bodies from the same client (arc-bench).

    tools/setup.sh bench && make bench
    bench/compare.py                                            Arc, VictoriaMetrics, QuestDB and InfluxDB, line protocol
    bench/compare.py --peers arc,questdb --cases lp:small --rounds 5 --records 5000000
    bench/compare.py --peers arc,arc-before --program arc-before=PATH --cases columns:small,rows:small

Every run has a fresh server on a fresh folder; a round runs each peer once, and each round begins with another one.
Prints the medians and their ratios to the first peer, and writes OUT/compare.json (every run) and OUT/compare.svg. Fails
when a server did not hold exactly what it acknowledged.
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


class Peer:
    """One server of peers.toml."""

    def __init__(self, name, peers, programs):
        self.name = name
        entry = dict(peers[name])
        if "like" in entry:
            entry = {**{key: value for key, value in peers[entry["like"]].items() if key != "program"}, **entry}
        self.entry = entry
        program = programs.get(name, entry.get("program"))
        if program is None and any("{program}" in word for word in entry["start"]):
            sys.exit(f"{name} needs --program {name}=PATH")
        self.program = str((ROOT / program).resolve()) if program else ""

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
        if self.process.poll() is not None:
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
        try:
            return peer.load(arguments.bench, case, arguments, folder / "run.json")
        finally:
            peer.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_all(peers, cases, arguments):
    runs = []
    for case in cases:
        able = [peer for peer in peers if case.split(":")[0] in peer.entry["formats"]]
        for number in range(arguments.rounds):
            first = number % len(able)
            for peer in able[first:] + able[:first]:
                run = run_once(peer, case, arguments)
                run["round"] = number
                runs.append(run)
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
            mine = [run for run in runs if run["case"] == case and run["peer"] == peer.name]
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
    listed = tomllib.loads(arguments.list.read_text())["peer"]
    programs = dict(one.split("=", 1) for one in arguments.program)
    names = arguments.peers.split(",")
    if unknown := [name for name in names if name not in listed]:
        sys.exit(f"not in {arguments.list}: {', '.join(unknown)}")
    peers = [Peer(name, listed, programs) for name in names]
    cases = arguments.cases.split(",")
    runs = run_all(peers, cases, arguments)
    table = medians(runs, peers, cases)
    print_table(table)
    arguments.out.mkdir(parents=True, exist_ok=True)
    settings = {key: getattr(arguments, key) for key in ("rounds", "records", "batch", "connections")}
    result = {"settings": settings, "cores": os.cpu_count(), "medians": table, "runs": runs}
    (arguments.out / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
    (arguments.out / "compare.svg").write_text(draw(table, FIGURES[:4]))
    return 0 if all(run["ok"] for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A month of a small fleet's Telegraf metrics in minutes: how many files there are, how large, and how fast queries are.

    make bench && bench/month.py --out bench/results/today
    bench/month.py --days 3 --skip-as-flushed --out /tmp/month         a look at it

Telegraf (tools/setup.sh peers) watches this machine for a while; arc-month writes what it saw, over and over, as that
of several hosts every simulated minute, on a clock of its own: flushes after five minutes, compaction by its schedule,
retention of two weeks of `cpu`, expiry of snapshots. Then the same without compaction. Writes OUT/month.json,
OUT/month.txt and OUT/month.svg.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import svg_panels

ROOT = pathlib.Path(__file__).resolve().parent.parent
TELEGRAF = """
[agent]
  interval = "1s"
  flush_interval = "1s"
[[inputs.cpu]]
[[inputs.mem]]
[[inputs.disk]]
[[inputs.net]]
  ignore_protocol_stats = true
[[inputs.system]]
[[inputs.processes]]
[[outputs.file]]
  files = ["{lines}"]
  data_format = "influx"
"""
QUERIES = {
    "last_hour_ms": "last hour, average by host",
    "last_day_ms": "last day, hourly by host",
    "whole_range_ms": "all of mem, counted",
}


def record(telegraf, seconds, folder):
    """What Telegraf says about this machine in that time, a round a second."""
    lines, configuration = folder / "recording.lp", folder / "telegraf.conf"
    configuration.write_text(TELEGRAF.format(lines=lines))
    process = subprocess.Popen([telegraf, "--config", configuration, "--quiet"])
    time.sleep(seconds)
    process.terminate()
    if process.wait(30) != 0 or not lines.exists():
        raise SystemExit(f"month: telegraf ended with {process.returncode}")
    return lines


def simulate(arguments, recording, folder, compaction):
    """Hours and days as arc-month tells them, and the seconds that it took."""
    started = time.monotonic()
    command = [arguments.program, recording, folder / compaction, str(arguments.days), str(arguments.hosts),
               str(arguments.retention_days), compaction]
    hours, days = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            told = json.loads(line)
            (hours if "hour" in told else days).append(told)
            if "day" in told:
                print(f"{compaction}: day {told['day']}, {hours[-1]['live_files']} files,"
                      f" {time.monotonic() - started:.0f} s", flush=True)
    if process.returncode != 0:
        raise SystemExit(f"month: arc-month ended with {process.returncode}")
    return {"hours": hours, "days": days, "seconds": round(time.monotonic() - started, 1)}


def draw(runs):
    compacted = runs["compacted"]

    def over_days(run, key, scale=1.0):
        return [(one["hour"] / 24, one[key] * scale) for one in run["hours"]]

    others = {f"{key}, as flushed": over_days(run, "live_files") for key, run in runs.items() if key != "compacted"}
    panels = [
        svg_panels.Panel("files of all tables, without compaction",
                         others or {"flushed": over_days(compacted, "flushed_files")}),
        svg_panels.Panel("files of all tables", {
            "live": over_days(compacted, "live_files"), "on disk": over_days(compacted, "data_files"),
            "metadata": over_days(compacted, "metadata_files")}),
        svg_panels.Panel("bytes, MB", {
            "live": over_days(compacted, "live_bytes", 1e-6), "on disk": over_days(compacted, "data_bytes", 1e-6),
            "metadata": over_days(compacted, "metadata_bytes", 1e-6)}),
    ]
    for key, heading in QUERIES.items():
        panels.append(svg_panels.Panel(f"{heading}, ms", {
            name.replace("-", " "): [(one["day"], one[key]) for one in run["days"]] for name, run in runs.items()}))
    return svg_panels.draw(panels)


def report(runs, arguments, recording):
    lines = [f"{arguments.days} simulated days of {arguments.hosts} hosts, a round a minute of a recording of"
             f" {recording.stat().st_size / 1e3:.0f} kB; cpu is kept for {arguments.retention_days} days"]
    for name, run in runs.items():
        hours, days, last = run["hours"], run["days"], run["hours"][-1]
        lines += [
            f"\n{name} ({run['seconds']:.0f} s of real time)",
            f"  rows written                     {last['rows']}",
            f"  files flushed                    {last['flushed_files']}",
            f"  live files at the end            {last['live_files']}",
            f"  most live files at any hour      {max(one['live_files'] for one in hours)}",
            f"  data files on disk, most         {max(one['data_files'] for one in hours)}",
            f"  metadata files, most             {max(one['metadata_files'] for one in hours)}",
            f"  live MB at the end               {last['live_bytes'] / 1e6:.1f}",
            f"  data MB on disk, at the end      {last['data_bytes'] / 1e6:.1f}",
            f"  metadata MB at the end           {last['metadata_bytes'] / 1e6:.1f}",
        ]
        third = max(1, len(days) // 3)
        for key, heading in QUERIES.items():
            first, final = (statistics.median(one[key] for one in part) for part in (days[:third], days[-third:]))
            lines.append(f"  {heading + ', ms':<32} {first:.1f} in the first third, {final:.1f} in the last")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--program", default=ROOT / "build" / "release" / "arc-month", type=pathlib.Path)
    parser.add_argument("--telegraf", default=ROOT / ".deps" / "peers" / "telegraf", type=pathlib.Path)
    parser.add_argument("--record-s", type=int, default=60)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--retention-days", type=int, default=14, help="of the measurement cpu")
    parser.add_argument("--skip-as-flushed", action="store_true", help="not without compaction")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arc-month-") as name:
        folder = pathlib.Path(name)
        recording = record(arguments.telegraf, arguments.record_s, folder)
        kinds = ["compacted"] if arguments.skip_as_flushed else ["compacted", "as-flushed"]
        runs = {kind: simulate(arguments, recording, folder, kind) for kind in kinds}
        text = report(runs, arguments, recording)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "month.json").write_text(json.dumps({"days": arguments.days, "hosts": arguments.hosts, **runs}))
    (arguments.out / "month.txt").write_text(text)
    (arguments.out / "month.svg").write_text(draw(runs))
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

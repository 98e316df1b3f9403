#!/usr/bin/env python3
"""A real Telegraf writes its host's metrics through outputs.arc, then outputs.influxdb; each row is compared with what
its outputs.file wrote in parallel.

    tests/e2e/telegraf_rounds.py --telegraf PATH [--seconds 60]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from arc_server import ArcServer  # noqa: E402

INPUTS = """
[agent]
  interval = "1s"
  flush_interval = "2s"
  omit_hostname = false
[[inputs.cpu]]
  percpu = true
  totalcpu = true
[[inputs.mem]]
[[inputs.disk]]
[[inputs.system]]
[[inputs.net]]
  ignore_protocol_stats = true
[[inputs.processes]]
[[inputs.kernel]]
[[outputs.file]]
  files = ["{lines}"]
  data_format = "influx"
"""
OUTPUTS = {
    "arc": """
[[outputs.arc]]
  url = "{url}/api/v1/write/msgpack"
  api_key = "{token}"
  database = "by_arc"
""",
    "influxdb": """
[[outputs.influxdb]]
  urls = ["{url}"]
  database = "by_influxdb"
  username = ""
  password = "{token}"
""",
}


def parse_line(line):
    """measurement, tags, fields, time in µs of a line without escapes but the space (what host metrics have)."""
    head, fields, time_ns = re.match(r"((?:\\.|[^ \\])+) (.*) (\d+)$", line).groups()
    measurement, *tags = re.split(r"(?<!\\),", head)
    columns = dict(re.split(r"(?<!\\)=", tag) for tag in tags)
    columns = {name: re.sub(r"\\(.)", r"\1", value) for name, value in columns.items()}
    for name, value in re.findall(r'([^=,]+)=("(?:\\.|[^"\\])*"|[^,]+)', fields):
        columns[name] = parse_value(value)
    return measurement, columns, int(time_ns) // 1000


def parse_value(text):
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    if text[-1] in "iu":
        return int(text[:-1])
    return float(text)


def rows_of_file(path):
    rows = {}
    for line in path.read_text().splitlines():
        measurement, columns, time_us = parse_line(line)
        rows.setdefault(measurement, []).append((time_us, columns))
    return rows


def rows_by_arc_sql(server, database, measurement):
    """Through the command line, as a user would."""
    sql = f'SELECT epoch_us(time) AS __time, * EXCLUDE (time) FROM "{database}"."{measurement}"'
    out = subprocess.run(
        [server.binary, "sql", sql, "--url", server.url, "--token", server.token, "--format", "json"],
        check=True,
        capture_output=True,
    ).stdout
    answer = json.loads(out)
    rows = []
    for row in answer["data"]:
        columns = dict(zip(answer["columns"], row))
        time_us = columns.pop("__time")
        rows.append((time_us, {name: value for name, value in columns.items() if value is not None}))
    return rows


def canonical(rows):
    def number(value):
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    return sorted((time_us, sorted((name, number(value)) for name, value in columns.items())) for time_us, columns in rows)


def run(server, telegraf, output, seconds, folder):
    lines = folder / f"{output}.lp"
    config = folder / f"{output}.conf"
    config.write_text(INPUTS.format(lines=lines) + OUTPUTS[output].format(url=server.url, token=server.token))
    process = subprocess.Popen([telegraf, "--config", str(config), "--quiet"], stderr=open(folder / "telegraf.log", "ab"))
    database = f"by_{output}"
    time.sleep(seconds / 2)
    during = server.sql(f"SELECT count(*) FROM {database}.cpu")[0][0]
    time.sleep(seconds / 2)
    process.terminate()  # it writes what it has before it goes
    process.wait(20)
    if process.returncode != 0 or during == 0:
        raise SystemExit(f"{output}: telegraf ended with {process.returncode}; {during} rows half-way")
    compare(server, database, rows_of_file(lines), f"outputs.{output} (hot and flushed)")
    server.flush()
    compare(server, database, rows_of_file(lines), f"outputs.{output} (all flushed); {during} cpu rows half-way")


def compare(server, database, expected, what):
    total = 0
    for measurement, rows in expected.items():
        got = rows_by_arc_sql(server, database, measurement)
        if canonical(got) != canonical(rows):
            missing = [row for row in canonical(rows) if row not in canonical(got)][:3]
            extra = [row for row in canonical(got) if row not in canonical(rows)][:3]
            raise SystemExit(f"{what}: {measurement} differs: {len(rows)} sent, {len(got)} there\n{missing}\n{extra}")
        total += len(rows)
    print(f"{what}: {total} rows of {len(expected)} measurements equal", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--telegraf", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="arc-telegraf-"))
    server = ArcServer(folder, environment={"WRITE_BUFFER_AGE": "5"}).start()
    try:
        for output in OUTPUTS:
            run(server, arguments.telegraf, output, arguments.seconds, folder)
    finally:
        server.kill()
    print("2 passed, 0 failed")


if __name__ == "__main__":
    main()

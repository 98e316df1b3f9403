"""Client libraries, unmodified."""

import json
import subprocess
import time
from pathlib import Path

from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS


def test_influxdb_client_writes_by_the_v2_api(server):
    with InfluxDBClient(url=server.url, token=server.token, org="any") as client:
        write = client.write_api(write_options=SYNCHRONOUS)
        points = [
            Point("weather").tag("city", "Łódź, west").field("temperature", 20.5 + i).field("note", 'a "b" \\ c').time(i + 1, "s")
            for i in range(10)
        ]
        write.write(bucket="home", record=points)
    rows = server.sql("SELECT city, count(*), sum(temperature), any_value(note) FROM home.weather GROUP BY city")
    assert rows == [["Łódź, west", 10, 250.0, 'a "b" \\ c']]


def test_superset_arrow_dialect_through_sqlalchemy(server):
    now = int(time.time())
    server.post("/write?db=production&precision=s", "\n".join(f"cpu,host=h{i} usage={i}.5 {now - i}" for i in range(5)))
    server.post("/write?precision=s", f"mem,host=h used=1.5 {now}")
    folder = Path(__file__).resolve().parent
    # An interpreter of its own: the dialect is made for Superset's SQLAlchemy, older than pyiceberg's.
    python = folder.parent.parent / ".deps/venv-superset/bin/python"
    url = f"arc+arrow://{server.token}@127.0.0.1:{server.port}/default"
    out = subprocess.run([python, folder / "superset_client.py", url], check=True, capture_output=True).stdout
    seen = json.loads(out)
    assert seen["rows"] == [[f"h{i}", i + 0.5] for i in range(5)]
    assert {"default", "production"} <= set(seen["schemas"])
    assert seen["tables"] == ["cpu"]
    assert seen["columns"] == ["time", "host", "usage"]

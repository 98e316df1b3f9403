"""Client libraries, unmodified."""

import time

from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from sqlalchemy import create_engine, inspect, text


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
    engine = create_engine(f"arc+arrow://{server.token}@127.0.0.1:{server.port}/default")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT host, usage FROM production.cpu ORDER BY usage")).fetchall()
        assert [tuple(row) for row in rows] == [(f"h{i}", i + 0.5) for i in range(5)]
    inspector = inspect(engine)
    assert {"default", "production"} <= set(inspector.get_schema_names())
    assert "cpu" in inspector.get_table_names(schema="production")

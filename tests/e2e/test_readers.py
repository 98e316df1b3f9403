"""Other engines on Arc's files and its SQLite catalog: counts and sums as Arc gives them."""

import importlib.util
from pathlib import Path

import duckdb
import pytest

HOUR_NS = 3600 * 10**9
START_NS = 1_760_000_000 * 10**9


def write_everything(server):
    """A widened column, a UBIGINT, columns that came later, hostile names, two flushes, three hours."""
    first = [f"t,host=h{i % 3} id={i}i,widened={i}i,big={2**64 - 1 - i}u {START_NS + i * HOUR_NS // 50}" for i in range(100)]
    widening = [f"t,host=h9 id={i}i,widened={i}.5 {START_NS + i * HOUR_NS // 50}" for i in range(100, 110)]
    later = [f't,host=h1,zone=z id={i}i,late="x{i}",widened=1 {START_NS + i * HOUR_NS // 50}' for i in range(110, 150)]
    for lines in (first, widening):
        assert server.post("/write?db=lake", "\n".join(lines))[0] == 204
    server.flush()
    assert server.post("/write?db=lake", "\n".join(later))[0] == 204
    server.flush()


SUMS = "SELECT count(*), sum(id), sum(widened), max(big), count(late), count(zone) FROM {}"
EXPECTED = (150, sum(range(150)), sum(range(100)) + sum(i + 0.5 for i in range(100, 110)) + 40, 2**64 - 1, 40, 40)


def test_arc_itself(server):
    write_everything(server)
    assert tuple(server.sql(SUMS.format("lake.t"))[0]) == EXPECTED


def test_pyiceberg_sql_catalog_reads_our_sqlite(server):
    write_everything(server)
    catalog = server.iceberg_catalog()
    assert ("lake",) in catalog.list_namespaces()
    table = catalog.load_table(("lake", "t"))
    rows = table.scan().to_arrow()
    assert rows.num_rows == 150
    assert sum(rows["id"].to_pylist()) == EXPECTED[1]
    assert sum(rows["widened"].to_pylist()) == EXPECTED[2]
    assert max(v for v in rows["big"].to_pylist() if v is not None) == 2**64 - 1
    assert rows["late"].null_count == 110
    hour = table.scan(row_filter="time >= '2025-10-09T09:00:00' and time < '2025-10-09T10:00:00'").to_arrow()
    by_arc = server.sql("SELECT count(*) FROM lake.t WHERE time >= '2025-10-09 09:00:00' AND time < '2025-10-09 10:00:00'")
    assert hour.num_rows == by_arc[0][0] == 50


def duckdb_with_iceberg():
    """DuckDB with the extensions that came as Python packages: nothing is downloaded."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    for name in ("avro", "iceberg"):
        package = Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
        connection.execute(f"LOAD '{next(package.rglob(name + '.duckdb_extension'))}'")
    return connection


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_duckdb_iceberg_extension(server, zone):
    write_everything(server)
    location = server.iceberg_catalog().load_table(("lake", "t")).metadata_location
    connection = duckdb_with_iceberg()
    connection.execute(f"SET TimeZone = '{zone}'")
    rows = connection.execute(SUMS.format(f"iceberg_scan('{location}')")).fetchone()
    assert tuple(float(v) if i == 2 else int(v) for i, v in enumerate(rows)) == EXPECTED
    hour = connection.execute(
        f"SELECT count(*) FROM iceberg_scan('{location}') WHERE time >= TIMESTAMP '2025-10-09 09:00:00'"
        " AND time < TIMESTAMP '2025-10-09 10:00:00'"
    ).fetchone()
    assert hour == (50,)

"""Other engines on Arc's files and its SQLite catalog: counts and sums as Arc gives them."""

import pytest

from lake_table import EXPECTED, HOUR, SUMS, write_everything
from table_readers import duckdb_with


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
    hour = table.scan(row_filter=f"time >= '{HOUR[0].replace(' ', 'T')}' and time < '{HOUR[1].replace(' ', 'T')}'").to_arrow()
    by_arc = server.sql(f"SELECT count(*) FROM lake.t WHERE time >= '{HOUR[0]}' AND time < '{HOUR[1]}'")
    assert hour.num_rows == by_arc[0][0] == 50


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_duckdb_iceberg_extension(server, zone):
    write_everything(server)
    location = server.iceberg_catalog().load_table(("lake", "t")).metadata_location
    connection = duckdb_with("avro", "iceberg")
    connection.execute(f"SET TimeZone = '{zone}'")
    rows = connection.execute(SUMS.format(f"iceberg_scan('{location}')")).fetchone()
    assert tuple(float(v) if i == 2 else int(v) for i, v in enumerate(rows)) == EXPECTED
    hour = connection.execute(
        f"SELECT count(*) FROM iceberg_scan('{location}') WHERE time >= TIMESTAMP '{HOUR[0]}'"
        f" AND time < TIMESTAMP '{HOUR[1]}'"
    ).fetchone()
    assert hour == (50,)

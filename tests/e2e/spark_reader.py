#!/usr/bin/env python3
"""Spark's JdbcCatalog on Arc's SQLite file: the counts and sums that Arc gives, under the session zone New York.

    tests/e2e/spark_reader.py --jars iceberg-spark-runtime.jar,sqlite-jdbc.jar

Needs pyspark 4.1 in the interpreter that runs it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from arc_server import ArcServer  # noqa: E402
from lake_table import EXPECTED, HOUR, SUMS, write_everything  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jars", required=True)
    arguments = parser.parse_args()
    from pyspark.sql import SparkSession

    folder = Path(tempfile.mkdtemp(prefix="arc-spark-"))
    server = ArcServer(folder).start()
    try:
        write_everything(server)
        by_arc = tuple(server.sql(SUMS.format("lake.t"))[0])
        spark = (
            SparkSession.builder.master("local[1]")
            .config("spark.jars", arguments.jars)
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "America/New_York")
            .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
            .config("spark.sql.catalog.arc", "org.apache.iceberg.spark.SparkCatalog")
            .config("spark.sql.catalog.arc.catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog")
            .config("spark.sql.catalog.arc.uri", f"jdbc:sqlite:{folder}/data/arc.db")
            .config("spark.sql.catalog.arc.jdbc.schema-version", "V1")
            .config("spark.sql.catalog.arc.warehouse", f"file://{folder}/data/arc")
            .getOrCreate()
        )
        by_spark = tuple(spark.sql(SUMS.format("arc.lake.t")).first())
        # `time` is a timestamp without zone holding UTC: literals of that type compare whatever the session's zone is.
        first, last = (f"TIMESTAMP_NTZ '{edge}'" for edge in HOUR)
        hour = spark.sql(f"SELECT count(*) FROM arc.lake.t WHERE time >= {first} AND time < {last}").first()[0]
        print("Arc:  ", by_arc)
        print("Spark:", by_spark, "in the hour:", hour)
        same = tuple(float(v) for v in by_spark) == tuple(float(v) for v in EXPECTED) and by_arc == EXPECTED and hour == 50
    finally:
        server.kill()
    print("1 passed, 0 failed" if same else "0 passed, 1 failed")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())

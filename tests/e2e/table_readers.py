"""Every engine that reads Arc's tables, behind one interface: all rows as comparable values, and the rows of a range of
time as the engine itself finds them, by its own pruning."""

import datetime
import decimal
import importlib.util
import json
import pickle
import subprocess
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.ipc
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog

from arc_server import ROOT

WORKER_PYTHON = ROOT / ".deps" / "venv-readers" / "bin" / "python"  # tools/setup.sh readers
ZONE = "America/New_York"  # of every session that has one: `time` holds UTC whatever it is


def comparable(value):
    """One text for what is one value in all engines: NaN, -0.0, instants and integers of any width included."""
    if isinstance(value, datetime.datetime):
        return str(value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value)
    return str(int(value) if isinstance(value, decimal.Decimal) else value)


def comparable_rows(rows):
    return sorted(tuple(comparable(value) for value in row) for row in rows)


class Reader:
    """`rows` are those of the table as it is now, sorted; `count` counts those with first <= time < last."""

    def rows(self, columns):
        return comparable_rows(self.select(", ".join(columns)))

    def count(self, first, last):
        return self.select("count(*)", f"time >= {self.instant(first)} AND time < {self.instant(last)}")[0][0]

    def columns(self):
        raise NotImplementedError

    def select(self, what, where=None):
        return self.run(f"SELECT {what} FROM {self.table()}" + (f" WHERE {where}" if where else ""))

    def instant(self, time):
        return f"TIMESTAMP '{time}'"

    def close(self):
        pass


class ArcReader(Reader):
    name = "Arc"

    def __init__(self, server, store, table):
        self.server, self.name_of_table = server, table

    def run(self, sql):
        status, body = self.server.post("/api/v1/query/arrow", json.dumps({"sql": sql}))
        assert status == 200, body
        table = pyarrow.ipc.open_stream(body).read_all()
        return list(zip(*(column.to_pylist() for column in table.columns)))

    def columns(self):
        status, body = self.server.post("/api/v1/query/arrow", json.dumps({"sql": f"SELECT * FROM {self.table()} LIMIT 0"}))
        assert status == 200, body
        return pyarrow.ipc.open_stream(body).schema.names

    def table(self):
        return self.name_of_table


class PyicebergReader(Reader):
    def __init__(self, server, store, table):
        self.name_of_table = table
        self.catalog = self.open(server, store.iceberg_properties() if store else {})

    def scan(self, **how):
        return self.catalog.load_table(self.name_of_table).scan(**how).to_arrow()

    def rows(self, columns):
        table = self.scan()
        return comparable_rows(zip(*(table[name].to_pylist() for name in columns)))

    def count(self, first, last):
        return self.scan(row_filter=f"time >= '{first.isoformat()}' and time < '{last.isoformat()}'").num_rows

    def columns(self):
        return self.catalog.load_table(self.name_of_table).schema().column_names


class PyicebergOnFiles(PyicebergReader):
    name = "pyiceberg, SQLite catalog"

    def open(self, server, properties):
        return SqlCatalog("arc", uri=f"sqlite:///{server.folder}/data/arc.db", **properties)


class PyicebergOverRest(PyicebergReader):
    name = "pyiceberg, REST catalog"

    def open(self, server, properties):
        return RestCatalog("arc", uri=f"{server.url}/iceberg", token=server.token, **properties)


def duckdb_with(*extensions):
    """DuckDB with the extensions that came as Python packages: nothing is downloaded."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    for name in extensions:
        package = Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
        connection.execute(f"LOAD '{next(package.rglob(name + '.duckdb_extension'))}'")
    return connection


class DuckdbReader(Reader):
    def __init__(self, server, store, table):
        self.server, self.name_of_table, self.catalog = server, table, PyicebergOnFiles(server, store, table).catalog
        self.connection = duckdb_with("httpfs", "avro", "iceberg")
        if store:
            self.connection.execute(
                f"CREATE SECRET (TYPE s3, KEY_ID '{store.user}', SECRET '{store.password}', ENDPOINT '{store.address}',"
                " URL_STYLE 'path', USE_SSL false, REGION 'us-east-1')"
            )
        self.prepare()

    def prepare(self):
        pass

    def run(self, sql):
        return self.connection.execute(sql).fetchall()

    def columns(self):
        return [row[0] for row in self.run(f"DESCRIBE SELECT * FROM {self.table()}")]


class DuckdbOnFiles(DuckdbReader):
    name = "DuckDB, iceberg_scan"

    def table(self):
        return f"iceberg_scan('{self.catalog.load_table(self.name_of_table).metadata_location}')"


class DuckdbOverRest(DuckdbReader):
    name = "DuckDB, REST catalog"

    def prepare(self):
        self.run(f"CREATE SECRET arc_token (TYPE iceberg, TOKEN '{self.server.token}')")
        self.run(
            f"ATTACH '' AS arc (TYPE iceberg, ENDPOINT '{self.server.url}/iceberg', AUTHORIZATION_TYPE 'oauth2',"
            " SECRET arc_token, ACCESS_DELEGATION_MODE 'none')"
        )

    def table(self):
        return f"arc.{self.name_of_table}"


class Worker:
    """One of the engines that engine_worker.py runs."""

    def __init__(self, engine, settings, log):
        with open(log, "ab") as stderr:
            self.process = subprocess.Popen(
                [WORKER_PYTHON, Path(__file__).with_name("engine_worker.py"), engine],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
            )
        self.send(settings)

    def send(self, value):
        self.process.stdin.write(json.dumps(value).encode() + b"\n")
        self.process.stdin.flush()

    def run(self, sql):
        self.send(sql)
        good, answer = pickle.load(self.process.stdout)
        assert good, f"{sql}: {answer}"
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class ChdbOnFiles(Reader):
    name = "chdb, files"

    def __init__(self, server, store, table):
        settings = {"session_timezone": ZONE, **self.settings()}
        self.worker = Worker("chdb", settings, server.folder / "chdb.log")
        self.server, self.store = server, store
        self.database, self.measurement = table.split(".")
        self.run = self.worker.run
        self.prepare()

    def settings(self):
        return {}

    def prepare(self):
        pass

    def table(self):
        if not self.store:
            return f"icebergLocal('{self.server.folder}/data/arc/{self.database}/{self.measurement}')"
        url = f"{self.store.url}/{self.store.warehouse.split('//')[1]}/{self.database}/{self.measurement}"
        return f"icebergS3('{url}', '{self.store.user}', '{self.store.password}')"

    def instant(self, time):
        return f"toDateTime64('{time}', 6, 'UTC')"

    def columns(self):
        return [row[0] for row in self.run(f"DESCRIBE {self.table()}")]

    def close(self):
        self.worker.close()


class ChdbOverRest(ChdbOnFiles):
    """With an object store only: chdb wants locations with a scheme."""

    name = "chdb, REST catalog"

    def settings(self):
        return {"allow_experimental_database_iceberg": 1}

    def prepare(self):
        self.run(
            f"CREATE DATABASE arc ENGINE = DataLakeCatalog('{self.server.url}/iceberg/v1', '{self.store.user}',"
            f" '{self.store.password}') SETTINGS catalog_type = 'rest', warehouse = 'arc', vended_credentials = 0,"
            f" storage_endpoint = '{self.store.url}/{self.store.warehouse.split('//')[1]}',"
            f" auth_header = 'Authorization: Bearer {self.server.token}'"
        )

    def table(self):
        return f"arc.`{self.database}.{self.measurement}`"


class Spark(Worker):
    """One session with two catalogs: `arc` (its name in the file) on Arc's SQLite file, and `rest`. Writes, too."""

    def __init__(self, server, store, jars):
        properties = {f"rest.{name}": value for name, value in {
            "type": "rest", "uri": f"{server.url}/iceberg", "token": server.token, "rest.auth.type": "oauth2",
        }.items()}
        properties |= {f"arc.{name}": value for name, value in {
            "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog", "uri": f"jdbc:sqlite:{server.folder}/data/arc.db",
            "jdbc.schema-version": "V1", "warehouse": store.warehouse if store else f"file://{server.folder}/data/arc",
        }.items()}
        for catalog in ("arc", "rest"):
            # What others commit is seen by the next statement.
            properties |= {catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.cache-enabled": "false"}
            if store:
                properties |= {f"{catalog}.{name}": value for name, value in {
                    "io-impl": "org.apache.iceberg.aws.s3.S3FileIO", "s3.path-style-access": "true",
                    "client.region": "us-east-1", **store.iceberg_properties(),
                }.items()}
        settings = {
            "spark.jars": jars,
            "spark.ui.enabled": "false",
            "spark.driver.memory": "1g",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.session.timeZone": ZONE,
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            **{f"spark.sql.catalog.{name}": value for name, value in properties.items()},
        }
        super().__init__("spark", settings, server.folder / "spark.log")


class SparkReader(Reader):
    def __init__(self, spark, catalog, table):
        self.name, self.run = f"Spark, {catalog}", spark.run
        self.name_of_table = f"{catalog}.{table}"

    def table(self):
        return self.name_of_table

    def instant(self, time):
        return f"TIMESTAMP_NTZ '{time}'"  # literals of that type compare whatever the session's zone is

    def columns(self):
        return [row[0] for row in self.run(f"SHOW COLUMNS IN {self.table()}")]

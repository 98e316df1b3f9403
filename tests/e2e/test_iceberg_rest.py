"""Other engines through Arc's Iceberg REST catalog: pyiceberg, DuckDB, and plain requests for what must be refused."""

import json
import threading
import time
from datetime import datetime, timedelta
from urllib.parse import quote

import pyarrow
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.expressions import EqualTo
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, ListType, LongType, NestedField, StringType, TimestampType

from lake_table import EXPECTED, SUMS, write_everything
from table_readers import duckdb_with

START = datetime(2025, 10, 9, 9)
SCHEMA = Schema(
    NestedField(1, "time", TimestampType(), required=False),
    NestedField(2, "host", StringType(), required=False),
    NestedField(3, "usage", DoubleType(), required=False),
)
ARROW = pyarrow.schema([("time", pyarrow.timestamp("us")), ("host", pyarrow.string()), ("usage", pyarrow.float64())])


def rest_catalog(server, **properties):
    return RestCatalog("arc", uri=f"{server.url}/iceberg", token=server.token, **properties)


def rows(first, count, host="py"):
    times = [START + timedelta(seconds=first + i) for i in range(count)]
    return pyarrow.table([times, [host] * count, [float(first + i) for i in range(count)]], schema=ARROW)


def line(second, host="arc", usage=0.0, more=""):
    stamp = int((START - datetime(1970, 1, 1)).total_seconds() + second) * 10**9
    return f'cpu host="{host}",usage={usage}{more} {stamp}'


def counts(server, table="lake.cpu"):
    return {host: n for host, n in server.sql(f"SELECT host, count(*) FROM {table} GROUP BY host")}


@pytest.fixture
def catalog(server):
    made = rest_catalog(server)
    made.create_namespace("lake", {"owner": "me"})
    return made


def ask(server, method, path, body=None, token=None, form=None):
    connection = server.connect()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if token is None:
        headers = {"Authorization": f"Bearer {server.token}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, f"/iceberg/v1{path}", form if form is not None else body and json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read()
    return response.status, json.loads(text) if text else None


def refusal(server, method, path, body=None, token=None):
    status, answer = ask(server, method, path, body, token)
    assert answer["error"]["code"] == status
    return status, answer["error"]["type"]


def make_token(server, name, permissions, databases):
    body = json.dumps({"name": name, "permissions": permissions, "databases": databases})
    status, answer = server.post("/api/v1/auth/tokens", body, {"Content-Type": "application/json"})
    assert status == 201
    return json.loads(answer)["token"]


def test_pyiceberg_creates_appends_and_arc_queries_at_once(server, catalog):
    table = catalog.create_table("lake.cpu", SCHEMA, properties={"note": "by pyiceberg"})
    assert server.sql("SELECT count(*) FROM lake.cpu") == [[0]]
    table.append(rows(0, 100))
    assert counts(server) == {"py": 100}
    assert server.sql("SELECT min(time)::VARCHAR, max(time)::VARCHAR, sum(usage) FROM lake.cpu") == [
        ["2025-10-09 09:00:00", "2025-10-09 09:01:39", 4950.0]
    ]
    # Arc writes into it too; both see everything once flushed.
    assert server.post("/write?db=lake", "\n".join(line(i) for i in range(10)))[0] == 204
    assert counts(server) == {"py": 100, "arc": 10}
    server.flush()
    table = catalog.load_table("lake.cpu")
    table.append(rows(100, 5))
    assert counts(server) == {"py": 105, "arc": 10}
    assert table.scan().to_arrow().num_rows == 115
    assert table.properties["note"] == "by pyiceberg"
    assert catalog.list_tables("lake") == [("lake", "cpu")]
    assert catalog.load_namespace_properties("lake") == {"owner": "me"}


def test_pyiceberg_reads_what_arc_wrote(server):
    write_everything(server)
    table = rest_catalog(server).load_table("lake.t")
    found = table.scan().to_arrow()
    assert found.num_rows == EXPECTED[0]
    assert sum(found["id"].to_pylist()) == EXPECTED[1]
    assert sum(found["widened"].to_pylist()) == EXPECTED[2]


def test_hot_rows_stay_exactly_once_through_foreign_changes(server, catalog):
    catalog.create_table("lake.cpu", SCHEMA)
    server.post("/write?db=lake", "\n".join(line(i) for i in range(50)))
    server.flush()
    server.post("/write?db=lake", "\n".join(line(100 + i, "hot") for i in range(7)))
    table = catalog.load_table("lake.cpu")
    table.append(rows(0, 20))
    assert counts(server) == {"arc": 50, "hot": 7, "py": 20}
    table.delete("host = 'arc'")
    assert counts(server) == {"hot": 7, "py": 20}
    table.overwrite(rows(0, 3, "new"), EqualTo("host", "py"))
    assert counts(server) == {"hot": 7, "new": 3}
    server.flush()
    assert counts(server) == {"hot": 7, "new": 3}
    table.refresh()
    assert table.scan().to_arrow().num_rows == 10


def test_schema_evolution_while_rows_are_hot(server, catalog):
    server.post("/write?db=lake", line(0, "a", 1.5, ",old=1i"))
    server.flush()
    server.post("/write?db=lake", line(1, "b", 2.5, ",old=2i,mine=7i"))  # `mine` is known to Arc alone
    table = catalog.load_table("lake.cpu")
    for attempt in range(2):  # the first finds Arc's new column committed
        try:
            with table.update_schema() as update:
                update.add_column("theirs", LongType())
            break
        except CommitFailedException:
            assert attempt == 0
            table.refresh()
    with table.update_schema() as update:
        update.rename_column("usage", "load")
    with table.update_schema() as update:
        update.delete_column("old")
    everything = "SELECT host, load, mine, theirs FROM lake.cpu ORDER BY time"
    assert server.sql(everything) == [["a", 1.5, None, None], ["b", 2.5, 7, None]]
    server.flush()
    assert server.sql(everything) == [["a", 1.5, None, None], ["b", 2.5, 7, None]]
    # What comes now under the old names are new columns: the dropped one's values do not come back.
    server.post("/write?db=lake", line(2, "c", 9.0, ",old=3i,theirs=4i"))
    again = 'SELECT host, load, theirs, usage, old FROM lake.cpu ORDER BY time'
    expected = [["a", 1.5, None, None, None], ["b", 2.5, None, None, None], ["c", None, 4, 9.0, 3]]
    assert server.sql(again) == expected
    server.flush()
    assert server.sql(again) == expected
    names = {field.name for field in catalog.load_table("lake.cpu").schema().fields}
    assert names == {"time", "host", "load", "mine", "theirs", "usage", "old"}


def test_everything_is_there_after_a_crash(make_server):
    server = make_server()
    catalog = rest_catalog(server)
    catalog.create_namespace("lake")
    catalog.create_table("lake.cpu", SCHEMA).append(rows(0, 10))
    catalog.create_table("lake.gone", SCHEMA)
    server.post("/write?db=lake", line(1) + "\n" + line(2).replace("cpu", "gone"))
    with catalog.load_table("lake.cpu").update_schema() as update:
        update.rename_column("usage", "load")
    catalog.rename_table("lake.cpu", "lake.renamed")
    server.post("/write?db=lake", line(5).replace("cpu", "renamed"))
    catalog.drop_table("lake.gone")
    server.kill()
    server = make_server()
    assert counts(server, "lake.renamed") == {"py": 10, "arc": 2}
    assert server.sql("SELECT count(*) FROM lake.gone", missing_ok=True) == []
    server.flush()
    assert rest_catalog(server).load_table("lake.renamed").scan().to_arrow().num_rows == 12


def test_tables_that_arc_cannot_represent_are_served_and_refused_in_sql(server, catalog):
    nested = Schema(NestedField(1, "id", LongType(), required=True),
                    NestedField(2, "tags", ListType(3, StringType(), element_required=False), required=False))
    table = catalog.create_table("lake.nested", nested)
    table.append(pyarrow.table({"id": pyarrow.array([1, 2]), "tags": pyarrow.array([["a"], ["b", "c"]])},
                               schema=pyarrow.schema([pyarrow.field("id", pyarrow.int64(), nullable=False),
                                                      ("tags", pyarrow.list_(pyarrow.string()))])))
    assert catalog.load_table("lake.nested").scan().to_arrow().num_rows == 2
    with pytest.raises(RuntimeError, match="other engines only: the table has no column"):
        server.sql("SELECT * FROM lake.nested")
    status, answer = server.post("/write?db=lake", "nested,host=a v=1 1")
    assert status == 400 and b"takes no rows" in answer
    # Columns of other types are left out, and rows with required columns are not Arc's to write.
    mixed = catalog.create_table("lake.mixed", Schema(*SCHEMA.fields, NestedField(4, "n", LongType(), required=True)))
    assert server.sql("SELECT count(*) FROM lake.mixed") == [[0]]
    status, answer = server.post("/write?db=lake", "mixed,host=a usage=1 1")
    assert status == 400 and b"column 'n' is required" in answer
    assert mixed.schema().find_field("n").required
    # The lake goes on without them.
    assert server.post("/write?db=lake", line(1))[0] == 204
    server.flush()


def test_a_change_that_arc_could_not_go_on_with_is_refused(server, catalog):
    server.post("/write?db=lake", line(1))
    server.flush()
    table = catalog.load_table("lake.cpu")
    with pytest.raises(Exception, match="Arc writes lake.cpu and could not go on"):
        with table.update_schema() as update:
            update.add_column("list", ListType(100, StringType(), element_required=False))
    with pytest.raises(Exception, match="belongs to Arc"):
        with table.transaction() as transaction:
            transaction.remove_properties("arc.column-roles")
    assert counts(server) == {"arc": 1}


def test_writers_on_both_sides_lose_nothing(server, catalog):
    table = catalog.create_table("lake.cpu", SCHEMA)
    problems = []

    def append_by_pyiceberg():
        own = rest_catalog(server).load_table("lake.cpu")
        for batch in range(6):
            for attempt in range(20):
                try:
                    own.append(rows(batch * 10, 10))
                    break
                except CommitFailedException:
                    own.refresh()
            else:
                problems.append(f"batch {batch} never committed")

    thread = threading.Thread(target=append_by_pyiceberg)
    thread.start()
    written = 0
    while thread.is_alive():
        server.post("/write?db=lake", "\n".join(line(written + i) for i in range(20)))
        written += 20
        server.flush()
        time.sleep(0.2)  # who commits all the time lets nobody else through
    thread.join()
    assert not problems
    assert counts(server) == {"py": 60, "arc": written}
    table.refresh()
    assert table.scan().to_arrow().num_rows == 60 + written


def test_loading_flushes_what_is_older_than_the_setting(make_server):
    server = make_server(ARC_ICEBERG_MAX_STALENESS_MS="0")
    server.post("/write?db=lake", line(1))
    assert rest_catalog(server).load_table("lake.cpu").scan().to_arrow().num_rows == 1
    server.post("/write?db=lake", line(2))
    assert rest_catalog(server).load_table("lake.cpu").scan().to_arrow().num_rows == 2


def test_a_table_of_hot_rows_only_is_listed_and_loadable(server):
    server.post("/write?db=lake", line(1))
    catalog = rest_catalog(server)
    assert catalog.list_tables("lake") == [("lake", "cpu")]
    assert catalog.load_table("lake.cpu").scan().to_arrow().num_rows == 1
    server.post("/write?db=lake", line(2))
    assert catalog.load_table("lake.cpu").scan().to_arrow().num_rows == 1  # by default hot rows stay hot
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("lake.cpu", SCHEMA)


def test_duckdb_attaches_the_catalog(server):
    write_everything(server)
    connection = duckdb_with("httpfs", "avro", "iceberg")
    connection.execute(f"CREATE SECRET (TYPE iceberg, TOKEN '{server.token}')")
    connection.execute(f"ATTACH '' AS arc (TYPE iceberg, ENDPOINT '{server.url}/iceberg', AUTHORIZATION_TYPE 'oauth2')")
    found = connection.execute(SUMS.format("arc.lake.t")).fetchone()
    assert tuple(float(v) if i == 2 else int(v) for i, v in enumerate(found)) == EXPECTED


def test_client_credentials_are_an_arc_token(server):
    catalog = RestCatalog("arc", uri=f"{server.url}/iceberg", credential=f"arc:{server.token}",
                          **{"oauth2-server-uri": f"{server.url}/iceberg/v1/oauth/tokens"})
    assert ("default",) in catalog.list_namespaces()
    status, answer = ask(server, "POST", "/oauth/tokens", form="grant_type=client_credentials&client_secret=wrong", token="")
    assert (status, answer["error"]) == (401, "invalid_client")
    status, answer = ask(server, "POST", "/oauth/tokens", form="grant_type=password", token="")
    assert (status, answer["error"]) == (400, "unsupported_grant_type")


def test_config_names_the_endpoints(server):
    status, answer = ask(server, "GET", "/config?warehouse=any")
    assert status == 200
    assert "POST /v1/{prefix}/transactions/commit" in answer["endpoints"]
    assert answer["defaults"] == {} and answer["overrides"] == {}


def test_names_come_in_pages(server, catalog):
    for name in ("a", "b", "c"):
        catalog.create_table(f"lake.{name}", SCHEMA)
    status, page = ask(server, "GET", "/namespaces/lake/tables?pageToken=&pageSize=2")
    assert [one["name"] for one in page["identifiers"]] == ["a", "b"]
    token = page["next-page-token"]
    status, page = ask(server, "GET", f"/namespaces/lake/tables?pageToken={quote(token)}&pageSize=2")
    assert [one["name"] for one in page["identifiers"]] == ["c"]
    assert "next-page-token" not in page
    status, page = ask(server, "GET", "/namespaces?pageToken=&pageSize=1")
    assert page["namespaces"] == [["default"]] and page["next-page-token"] == "default"
    assert ask(server, "GET", "/namespaces/lake/tables?pageToken=&pageSize=0")[0] == 400


def test_what_is_not_there_and_what_is_there_already(server, catalog):
    catalog.create_table("lake.cpu", SCHEMA)
    schema = {"type": "struct", "fields": [{"id": 1, "name": "a", "required": False, "type": "int"}]}
    for method, path, body, expected in [
        ("GET", "/namespaces/none", None, (404, "NoSuchNamespaceException")),
        ("GET", "/namespaces/a%1Fb", None, (404, "NoSuchNamespaceException")),
        ("DELETE", "/namespaces/none", None, (404, "NoSuchNamespaceException")),
        ("DELETE", "/namespaces/lake", None, (409, "NamespaceNotEmptyException")),
        ("GET", "/namespaces?parent=none", None, (404, "NoSuchNamespaceException")),
        ("POST", "/namespaces", {"namespace": ["lake"]}, (409, "AlreadyExistsException")),
        ("POST", "/namespaces", {"namespace": ["a", "b"]}, (400, "BadRequestException")),
        ("POST", "/namespaces", {}, (400, "BadRequestException")),
        ("GET", "/namespaces/none/tables", None, (404, "NoSuchNamespaceException")),
        ("GET", "/namespaces/lake/tables/none", None, (404, "NoSuchTableException")),
        ("GET", "/namespaces/lake/tables/cpu?snapshots=some", None, (400, "BadRequestException")),
        ("DELETE", "/namespaces/lake/tables/none", None, (404, "NoSuchTableException")),
        ("POST", "/namespaces/lake/tables", {"name": "cpu", "schema": schema}, (409, "AlreadyExistsException")),
        ("POST", "/namespaces/none/tables", {"name": "t", "schema": schema}, (404, "NoSuchNamespaceException")),
        ("POST", "/namespaces/lake/tables", {"name": "t"}, (400, "BadRequestException")),
        ("POST", "/namespaces/lake/tables", {"name": "t", "schema": schema, "properties": {"format-version": "9"}},
         (406, "UnsupportedOperationException")),
        ("POST", "/namespaces/lake/tables/none", {"requirements": [], "updates": []}, (404, "NoSuchTableException")),
        ("POST", "/namespaces/lake/tables/cpu", {"requirements": [{"type": "assert-current-schema-id", "current-schema-id": 9}],
                                                 "updates": []}, (409, "CommitFailedException")),
        ("POST", "/namespaces/lake/tables/cpu", {"updates": [{"action": "dance"}]}, (400, "BadRequestException")),
        ("POST", "/namespaces/lake/register", {"name": "r", "metadata-location": "/etc/passwd"}, (400, "BadRequestException")),
        ("POST", "/tables/rename", {"source": {"namespace": ["lake"], "name": "none"},
                                    "destination": {"namespace": ["lake"], "name": "x"}}, (404, "NoSuchTableException")),
        ("POST", "/transactions/commit", {"table-changes": []}, (400, "BadRequestException")),
        ("GET", "/nothing/here", None, (404, "NotFoundException")),
        ("PUT", "/namespaces", None, (405, "BadRequestException")),
    ]:
        assert refusal(server, method, path, body) == expected, (method, path)
    status, answer = ask(server, "POST", "/namespaces/lake/properties", {"removals": ["a"], "updates": {"a": "b"}})
    assert status == 422
    assert ask(server, "POST", "/namespaces/lake/tables/cpu/metrics", {"report-type": "scan-report"})[0] == 204
    assert ask(server, "HEAD", "/namespaces/lake/tables/cpu")[0] == 204
    assert ask(server, "HEAD", "/namespaces/lake/tables/none")[0] == 404
    assert ask(server, "HEAD", "/namespaces/lake")[0] == 204


def test_tokens_reach_their_databases_only(server, catalog):
    catalog.create_table("lake.cpu", SCHEMA)
    catalog.create_namespace("other")
    assert refusal(server, "GET", "/namespaces", token="wrong") == (401, "NotAuthorizedException")
    reader = make_token(server, "reader", ["read"], ["lake"])
    tenant = make_token(server, "tenant", ["read", "write"], ["other"])
    assert ask(server, "GET", "/namespaces", token=reader)[1]["namespaces"] == [["lake"]]
    assert ask(server, "GET", "/namespaces/lake/tables/cpu", token=reader)[0] == 200
    denied = (403, "ForbiddenException")
    assert refusal(server, "DELETE", "/namespaces/lake/tables/cpu", token=reader) == denied
    assert refusal(server, "POST", "/namespaces/lake/tables/cpu", {"updates": []}, token=reader) == denied
    assert refusal(server, "POST", "/namespaces", {"namespace": ["mine"]}, token=reader) == denied
    assert refusal(server, "GET", "/namespaces/lake/tables/cpu", token=tenant) == denied
    assert refusal(server, "GET", "/namespaces/lake/tables", token=tenant) == denied
    rename = {"source": {"namespace": ["lake"], "name": "cpu"}, "destination": {"namespace": ["other"], "name": "x"}}
    assert refusal(server, "POST", "/tables/rename", rename, token=tenant) == denied
    change = {"table-changes": [{"identifier": {"namespace": ["lake"], "name": "cpu"}, "requirements": [], "updates": []}]}
    assert refusal(server, "POST", "/transactions/commit", change, token=tenant) == denied
    assert refusal(server, "DELETE", "/namespaces/other/tables/x?purgeRequested=true", token=tenant) == denied
    assert refusal(server, "DELETE", "/namespaces/other/tables/x", token=tenant) == (404, "NoSuchTableException")


def test_a_transaction_changes_all_its_tables_or_none(server, catalog):
    for name in ("a", "b"):
        catalog.create_table(f"lake.{name}", SCHEMA)

    def change(name, value, schema_id=0):
        return {
            "identifier": {"namespace": ["lake"], "name": name},
            "requirements": [{"type": "assert-current-schema-id", "current-schema-id": schema_id}],
            "updates": [{"action": "set-properties", "updates": {"v": value}}],
        }

    assert ask(server, "POST", "/transactions/commit", {"table-changes": [change("a", "1"), change("b", "1")]})[0] == 204
    refused = {"table-changes": [change("a", "2"), change("b", "2", schema_id=5)]}
    assert refusal(server, "POST", "/transactions/commit", refused) == (409, "CommitFailedException")
    assert [catalog.load_table(f"lake.{name}").properties["v"] for name in ("a", "b")] == ["1", "1"]


def test_register_and_purge(server, catalog):
    table = catalog.create_table("lake.cpu", SCHEMA)
    table.append(rows(0, 10))
    location = catalog.load_table("lake.cpu").metadata_location
    catalog.drop_table("lake.cpu")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("lake.cpu")
    assert server.sql("SELECT count(*) FROM lake.cpu", missing_ok=True) == []
    catalog.register_table("lake.back", location)
    assert counts(server, "lake.back") == {"py": 10}
    data = server.folder / "data" / "arc" / "lake" / "cpu"
    assert list(data.rglob("*.parquet"))
    catalog.purge_table("lake.back")
    assert not [path for path in data.rglob("*") if path.is_file() and path.name != "version-hint.text"]

"""`arc token` and `arc sql` against a running server."""

import http.client
import io
import json
import os
import subprocess

import pyarrow.ipc
import pytest


def arc(server, *arguments, text=True, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ARC_")}
    command = [server.binary, *arguments, "--data-dir", str(server.folder / "data")]
    return subprocess.run(command, env={**clean, **environment}, capture_output=True, text=text, timeout=60)


def query_status(connection, token):
    connection.request("POST", "/query", json.dumps({"sql": "SELECT 1"}), {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_a_token_works_at_once_and_a_revoked_one_no_more(server):
    created = arc(server, "token", "create", "grafana", "--read", "--databases", "default,other", "--description", "dashboards")
    assert created.returncode == 0, created.stderr
    secret = created.stdout.strip()
    # One connection throughout: what it was allowed before must not outlive the token.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    assert query_status(connection, secret) == 200
    connection.request("POST", "/write", "m v=1 1\n", {"Authorization": f"Bearer {secret}"})
    refused = connection.getresponse()
    refused.read()
    assert refused.status == 403

    listed = arc(server, "token", "list")
    line = next(line for line in listed.stdout.splitlines() if "grafana" in line)
    assert "read" in line and "default,other" in line and "dashboards" in line
    assert secret not in listed.stdout

    revoked = arc(server, "token", "revoke", "grafana")
    assert revoked.returncode == 0 and "revoked grafana" in revoked.stdout
    assert query_status(connection, secret) == 401
    assert "grafana" not in arc(server, "token", "list").stdout
    again = arc(server, "token", "revoke", "grafana")
    assert again.returncode == 1 and "there is no token named 'grafana'" in again.stderr


def test_a_name_is_taken_once_and_ids_revoke_too(server):
    assert arc(server, "token", "create", "one", "--write").returncode == 0
    twice = arc(server, "token", "create", "one")
    assert twice.returncode == 1 and twice.stdout == ""
    line = next(line for line in arc(server, "token", "list").stdout.splitlines() if " one " in line)
    assert arc(server, "token", "revoke", line.split()[0]).returncode == 0


def test_commands_with_a_token_that_is_none(server):
    run = arc(server, "token", "list", ARC_TOKEN="arc_nonsense")
    assert run.returncode == 1 and run.stderr.startswith("arc: ")
    run = arc(server, "sql", "SELECT 1", ARC_TOKEN="arc_nonsense")
    assert run.returncode == 1 and run.stderr.startswith("arc: ")


@pytest.fixture
def filled(server):
    rows = 'cpu,host=a usage=0.5,n=1i,note="x,\\"y\\"" 1736949600000000000\ncpu,host=b usage=1.5 1736949601000000000\n'
    assert server.post("/write?db=prod", rows.encode())[0] == 204
    return server


SQL = "SELECT host, usage, n, note FROM cpu ORDER BY time"


def test_sql_as_a_table(filled):
    run = arc(filled, "sql", SQL, "--database", "prod")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    header = next(line for line in lines if "usage" in line)
    assert [cell.strip() for cell in header.strip("│|").replace("│", "|").split("|")] == ["host", "usage", "n", "note"]
    row = next(line for line in lines if '"y"' in line)
    assert [cell.strip() for cell in row.strip("│|").replace("│", "|").split("|")] == ["a", "0.5", "1", 'x,"y"']
    assert "2 rows" in lines[-1]
    few = arc(filled, "sql", "SELECT * FROM range(50)", "--max-rows", "5")
    assert few.returncode == 0 and "50 rows" in few.stdout and len(few.stdout.splitlines()) < 20


def test_sql_as_csv(filled):
    run = arc(filled, "sql", SQL, "-D", "prod", "--format", "csv", text=False)
    assert run.returncode == 0
    assert run.stdout.decode().replace("\r\n", "\n") == 'host,usage,n,note\na,0.5,1,"x,""y"""\nb,1.5,,\n'


def test_sql_as_json(filled):
    run = arc(filled, "sql", SQL, "-f", "json", ARC_DATABASE="prod")
    answer = json.loads(run.stdout)
    assert answer["columns"] == ["host", "usage", "n", "note"]
    assert answer["data"] == [["a", 0.5, 1, 'x,"y"'], ["b", 1.5, None, None]]


def test_sql_as_arrow(filled):
    run = arc(filled, "sql", SQL, "-D", "prod", "-f", "arrow", text=False)
    rows = pyarrow.ipc.open_stream(io.BytesIO(run.stdout)).read_all()
    assert rows.to_pydict() == {"host": ["a", "b"], "usage": [0.5, 1.5], "n": [1, None], "note": ['x,"y"', None]}


def test_sql_that_is_wrong(filled):
    for form in ["table", "csv", "json", "arrow"]:
        run = arc(filled, "sql", "SELECT nothing FROM nowhere", "--format", form)
        assert run.returncode == 1, form
        assert run.stderr.startswith("arc: ") and "nowhere" in run.stderr
    assert arc(filled, "sql", " ; ").returncode == 2

"""`arc write FILE` against a real server: every format, bad rows, interruption, a server that is away for a while."""

import gzip
import json
import os
import subprocess
import time

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

T0 = 1_736_949_600  # 2025-01-15T14:00:00Z
ROWS = 1_000


def arc(server, *arguments, **options):
    environment = {**os.environ, "ARC_URL": server.url, "ARC_TOKEN": server.token}
    return subprocess.run(
        [server.binary, *map(str, arguments)], cwd=server.folder, env=environment, capture_output=True, text=True, timeout=120, **options
    )


def line_protocol(rows):
    return "".join(f"cpu,host=h{i % 3} usage={i}.5,note=\"a\nb\" {(T0 + i) * 10**9}\n" for i in range(rows))


def csv(rows, separator=","):
    lines = [["time", "host", "usage", "note"]] + [[str(T0 + i), f"h{i % 3}", f"{i}.5", '"a\nb"'] for i in range(rows)]
    return "".join(separator.join(line) + "\n" for line in lines)


def json_items(rows):
    return [
        {"m": "cpu", "t": (T0 + i) * 1000, "tags": {"host": f"h{i % 3}"}, "fields": {"usage": i + 0.5, "note": "a\nb"}}
        for i in range(rows)
    ]


def table(rows):
    return pyarrow.table(
        {
            "time": pyarrow.array([T0 + i for i in range(rows)], pyarrow.timestamp("s")),
            "host": pyarrow.array([f"h{i % 3}" for i in range(rows)]).dictionary_encode(),
            "usage": pyarrow.array([i + 0.5 for i in range(rows)]),
            "note": pyarrow.array(["a\nb"] * rows),
        }
    )


def arrow_stream(path, rows):
    with pyarrow.ipc.new_stream(path, table(1).schema) as writer:
        writer.write_table(table(rows), max_chunksize=300)


WRITERS = {
    "cpu.lp": lambda path: path.write_text(line_protocol(ROWS)),
    "cpu.lp.gz": lambda path: path.write_bytes(gzip.compress(line_protocol(ROWS).encode())),
    "cpu.csv": lambda path: path.write_text(csv(ROWS)),
    "cpu.tsv": lambda path: path.write_text(csv(ROWS, "\t")),
    "cpu.csv.zst": lambda path: path.write_bytes(pyarrow.compress(csv(ROWS).encode(), codec="zstd", asbytes=True)),
    "cpu.json": lambda path: path.write_text(json.dumps(json_items(ROWS), indent=1)),
    "cpu.ndjson": lambda path: path.write_text("\n".join(map(json.dumps, json_items(ROWS)))),
    "cpu.parquet": lambda path: pyarrow.parquet.write_table(table(ROWS), path, row_group_size=300),
    "cpu.arrows": lambda path: arrow_stream(path, ROWS),
    "cpu.feather": lambda path: pyarrow.feather.write_feather(table(ROWS), path, chunksize=300),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(server, tmp_path, name):
    file = tmp_path / name
    WRITERS[name](file)
    run = arc(server, "write", file, "--db", "d", "--batch-rows", 270, *(["--tags", "host"] if "sv" in name else []))
    assert run.returncode == 0, run.stderr
    assert "1,000 rows written, 0 refused" in run.stdout
    assert not (tmp_path / (name + ".arc-progress")).exists()
    assert server.sql("SELECT count(*), sum(usage), min(note), max(note), count(DISTINCT time) FROM d.cpu") == [
        [ROWS, sum(i + 0.5 for i in range(ROWS)), "a\nb", "a\nb", ROWS]
    ]
    assert server.sql("SELECT host, count(*) FROM d.cpu GROUP BY host ORDER BY host") == [["h0", 334], ["h1", 333], ["h2", 333]]
    roles = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'd' AND table_name = 'cpu'"
    assert sorted(server.sql(roles)) == [["host"], ["note"], ["time"], ["usage"]]


def test_refused_rows_are_named_by_their_place_in_the_file(server, tmp_path):
    lines = csv(ROWS).replace('"a\nb"', "x").splitlines()
    lines[700] = "never,h,1,x"
    lines[801] = f"{T0},h"
    file = tmp_path / "cpu.csv"
    file.write_text("\n".join(lines))
    run = arc(server, "write", file, "--batch-rows", 100)
    assert run.returncode == 1
    assert "998 rows written, 2 refused" in run.stdout
    assert "line 701: column 'time': time 'never'" in run.stderr
    assert "line 802: the line has 2 cells for 4 columns" in run.stderr
    lp = tmp_path / "bad.lp"
    lp.write_text("m v=1 1\n\n# comment\nm v=2 2\nnonsense\n")
    run = arc(server, "write", lp, "--batch-rows", 1)
    assert run.returncode == 1 and "line 5: " in run.stderr and "2 rows written, 1 refused" in run.stdout


def test_mistakes_are_told_before_anything_is_written(server, tmp_path):
    file = tmp_path / "cpu.csv"
    file.write_text("a,b\n1,2\n")
    run = arc(server, "write", file)
    assert run.returncode == 1 and "time_column" in run.stderr
    assert arc(server, "write", tmp_path / "none.csv").returncode == 1
    (tmp_path / "what").write_text("x")
    assert arc(server, "write", tmp_path / "what").returncode == 2
    (tmp_path / "no.parquet").write_text("x")
    assert arc(server, "write", tmp_path / "no.parquet").returncode == 1
    assert arc(server, "write", file, "--format", "xml").returncode == 2


def interrupt(server, file, *arguments):
    """Kills a run once it has noted progress; the place it noted."""
    environment = {**os.environ, "ARC_URL": server.url, "ARC_TOKEN": server.token}
    run = subprocess.Popen([server.binary, "write", str(file), *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    progress = file.with_name(file.name + ".arc-progress")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and run.poll() is None:
        if progress.exists():
            break
        time.sleep(0.002)
    assert run.poll() is None, "the run ended before it could be killed: more rows or smaller batches are needed"
    run.kill()
    run.wait()
    return json.loads(progress.read_text())


@pytest.mark.parametrize("name", ["cpu.lp", "cpu.csv", "cpu.csv.gz", "cpu.ndjson", "cpu.parquet", "cpu.arrows", "cpu.feather"])
def test_an_interrupted_run_goes_on_and_doubles_one_batch_at_most(server, tmp_path, name):
    rows, batch = 20_000, 100
    file = tmp_path / name
    if name == "cpu.lp":
        file.write_text(line_protocol(rows))
    elif name == "cpu.csv":
        file.write_text(csv(rows))
    elif name == "cpu.csv.gz":
        file.write_bytes(gzip.compress(csv(rows).encode()))
    elif name == "cpu.ndjson":
        file.write_text("\n".join(map(json.dumps, json_items(rows))))
    elif name == "cpu.parquet":
        pyarrow.parquet.write_table(table(rows), file, row_group_size=3_000)
    elif name == "cpu.arrows":
        arrow_stream(file, rows)
    else:
        pyarrow.feather.write_feather(table(rows), file, chunksize=3_000)
    noted = interrupt(server, file, "--batch-rows", str(batch))
    assert 0 < noted["rows_written"] < rows
    run = arc(server, "write", file, "--batch-rows", batch)
    assert run.returncode == 0, run.stderr
    assert "going on behind" in run.stderr and f"with earlier runs: {rows:,} rows written" in run.stdout
    count, distinct = server.sql("SELECT count(*), count(DISTINCT time) FROM cpu")[0]
    assert distinct == rows
    assert rows <= count <= rows + batch
    assert not file.with_name(name + ".arc-progress").exists()


def test_a_changed_file_or_target_is_not_gone_on_with(server, tmp_path):
    file = tmp_path / "cpu.csv"
    file.write_text(csv(20_000))
    interrupt(server, file, "--batch-rows", "100")
    run = arc(server, "write", file, "--db", "other")
    assert run.returncode == 2 and "another target" in run.stderr
    with open(file, "a") as more:
        more.write(f"{T0},h,1,x\n")
    run = arc(server, "write", file)
    assert run.returncode == 2 and "has changed" in run.stderr
    run = arc(server, "write", file, "--restart")
    assert run.returncode == 0 and "20,001 rows written" in run.stdout


def test_a_server_that_is_away_is_waited_for(server, make_server, tmp_path):
    file = tmp_path / "cpu.lp"
    file.write_text(line_protocol(ROWS))
    server.stop()
    environment = {**os.environ, "ARC_URL": server.url, "ARC_TOKEN": server.token}
    run = subprocess.Popen([server.binary, "write", str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert run.poll() is None
    server.start()
    out, problems = run.communicate(timeout=60)
    assert run.returncode == 0 and "1,000 rows written" in out and "waiting for the server" in problems


def test_no_token_is_needed_beside_the_data_folder(server, tmp_path):
    file = tmp_path / "m.lp"
    file.write_text("m v=1 1\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARC_")}
    command = [server.binary, "write", str(file), "--data-dir", str(server.folder / "data")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert server.sql("SELECT v FROM m") == [[1.0]]

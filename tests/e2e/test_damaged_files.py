"""Data files that were damaged on disk: a query either finds the right rows or names the file, and the others go on."""

import json
import random

import pyarrow.parquet

START_NS = 1_760_004_000 * 10**9  # 2025-10-09 10:00:00
ROWS = 5_000
SUMS = "SELECT count(*), sum(id), sum(v), count(DISTINCT text), min(host), max(text), max(time) FROM lake.{}"


def write_table(server, name):
    rng = random.Random(7)
    lines = "\n".join(
        f't,host=h{i % 50} id={i}i,v={rng.random()},text="{rng.randrange(10**9)}" {START_NS + i * 10**6}'
        for i in range(ROWS)
    )
    assert server.post("/write?db=lake", lines.replace("t,host", f"{name},host"))[0] == 204
    server.flush()


def file_of(server, name):
    (path,) = (server.folder / "data" / "arc" / "lake" / name).rglob("*.parquet")
    return path


def ask(server, name):
    body = json.dumps({"sql": SUMS.format(name)})
    status, answer = server.post("/api/v1/query", body, {"Content-Type": "application/json"})
    answer = json.loads(answer)
    return status, answer["data"] if status == 200 else answer["error"]


def pages_of(path):
    """Where the pages are: from the first to the end of the last."""
    group = pyarrow.parquet.read_metadata(path).row_group(0)
    chunks = [group.column(i) for i in range(group.num_columns)]
    begins = [c.dictionary_page_offset or c.data_page_offset for c in chunks]
    return min(begins), max(begin + c.total_compressed_size for begin, c in zip(begins, chunks))


def test_one_flipped_bit_never_gives_wrong_rows(server):
    names = [f"t{i}" for i in range(24)]
    for name in names:
        write_table(server, name)
    assert server.stop() == 0
    rng = random.Random(11)
    for name in names[1:]:
        path = file_of(server, name)
        content = bytearray(path.read_bytes())
        content[rng.randrange(*pages_of(path))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
    server.start()
    right = ask(server, names[0])
    assert right[0] == 200 and right[1][0][:2] == [ROWS, ROWS * (ROWS - 1) // 2]
    damaged = 0
    for name in names[1:]:
        answer = ask(server, name)
        if answer == right:
            continue  # the bit means nothing
        damaged += 1
        assert answer[0] == 500 and file_of(server, name).name in answer[1] and "is damaged" in answer[1], answer
    assert damaged > 20
    # What a query does not read does it no harm.
    assert server.sql("SELECT count(*) FROM lake.t1") == [[ROWS]]


def test_a_file_cut_short_is_named_and_the_others_go_on(server):
    for name in ("cut", "whole"):
        write_table(server, name)
    right = ask(server, "whole")
    assert ask(server, "cut") == right
    path = file_of(server, "cut")
    content = path.read_bytes()
    for length in (0, 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        status, error = ask(server, "cut")
        assert status == 500 and path.name in error and "is damaged" in error, error
        assert ask(server, "whole") == right
    path.write_bytes(content)
    assert ask(server, "cut") == right

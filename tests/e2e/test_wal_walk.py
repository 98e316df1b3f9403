"""pyarrow walks a WAL segment by the recipe of docs/formats/wal.md, without Arc."""

import pyarrow as pa
import pyarrow.ipc as ipc

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def walk(path):
    """(table name, record batch) of every group of the segment, up to its end marker."""
    data = pa.py_buffer(path.read_bytes())
    offset = 0
    while offset + 8 <= data.size and data[offset : offset + 8].to_pybytes() not in (END, bytes(8)):
        source = pa.BufferReader(data.slice(offset))
        reader = ipc.open_stream(source)
        for batch in reader:
            yield reader.schema.metadata[b"arc.name"].decode(), batch
        offset += source.tell()


def test_pyarrow_walks_a_segment(server):
    for i in range(20):
        body = f"cpu,host=h{i % 3} id={i}i,load={i}.5,up=true {i + 1}000\nmem,host=h used={i}u {i + 1}000\n"
        assert server.post("/write", body)[0] == 204
    server.kill()
    rows = {"cpu": [], "mem": []}
    for path in sorted((server.folder / "data/wal").glob("segment_*.arrow")):
        for table, batch in walk(path):
            rows[table] += batch.to_pylist()
    assert [row["id"] for row in rows["cpu"]] == list(range(20))
    assert [row["used"] for row in rows["mem"]] == list(range(20))
    assert {row["__change_type"] for row in rows["cpu"]} == {"INSERT"}
    lsns = sorted(row["__lsn"] for table in rows.values() for row in table)
    assert lsns == list(range(1, 41))
    assert rows["cpu"][4]["host"] == "h1" and rows["cpu"][4]["load"] == 4.5 and rows["cpu"][4]["up"] is True

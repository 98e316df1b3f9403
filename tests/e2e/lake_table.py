"""One table that holds what other engines may stumble over, and what they must find in it."""

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
HOUR = ("2025-10-09 09:00:00", "2025-10-09 10:00:00")  # holds 50 rows

"""The plot of soak.py: memory, latency and rate over the segments, as SVG."""

WIDTH, HEIGHT, LEFT, GAP = 720, 110, 70, 34
FIGURES = [
    ("rss_bytes", "memory, MB", 1e-6),
    ("p99_ms", "p99, ms", 1),
    ("records_per_s", "million records/s", 1e-6),
    ("query_p50_ms", "query p50, ms", 1),
]


def panel(segments, key, heading, scale, top):
    values = [(segment[key] or 0) * scale for segment in segments]
    most = max(values) * 1.1 or 1
    step = WIDTH / max(1, len(values) - 1)
    points = " ".join(f"{LEFT + i * step:.1f},{top + HEIGHT * (1 - v / most):.1f}" for i, v in enumerate(values))
    yield f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{heading}</text>'
    for i, segment in enumerate(segments):
        if segment["store_away"]:
            left = LEFT + (i - 0.5) * step
            yield f'<rect x="{left:.1f}" y="{top}" width="{step:.1f}" height="{HEIGHT}" fill="#f3d9c9"/>'
    yield f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#b8c4cc"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:.4g}</text>'
    yield f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>'
    yield f'<polyline points="{points}" fill="none" stroke="#1f6f8b" stroke-width="2"/>'


def draw(segments):
    """SVG of one panel a figure; segments with the store away are shaded."""
    pieces = []
    for index, (key, heading, scale) in enumerate(FIGURES):
        pieces.extend(panel(segments, key, heading, scale, GAP + index * (HEIGHT + GAP)))
    height = GAP + len(FIGURES) * (HEIGHT + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 10}" height="{height}"'
        ' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{LEFT + WIDTH + 10}" height="{height}" fill="white"/>\n' + "\n".join(pieces) + "\n</svg>\n"
    )

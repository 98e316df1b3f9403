"""The plot of soak.py: memory, latency and rate over the segments, as SVG."""

import svg_panels

FIGURES = [
    ("rss_bytes", "memory, MB", 1e-6),
    ("p99_ms", "p99, ms", 1),
    ("records_per_s", "million records/s", 1e-6),
    ("query_p50_ms", "query p50, ms", 1),
]


def draw(segments):
    """SVG of one panel a figure; segments with the store away are shaded."""
    shaded = [(i - 0.5, i + 0.5) for i, segment in enumerate(segments) if segment["store_away"]]
    return svg_panels.draw([
        svg_panels.Panel(heading, {key: [(i, (one[key] or 0) * scale) for i, one in enumerate(segments)]}, shaded)
        for key, heading, scale in FIGURES
    ])

"""Plots as SVG: panels one below the other, each with lines over the same x."""

from dataclasses import dataclass, field

WIDTH, HEIGHT, LEFT, GAP = 720, 110, 70, 34
COLOURS = ("#1f6f8b", "#c8553d", "#7a9e3b")


@dataclass
class Panel:
    heading: str
    lines: dict  # name -> [(x, y), …]; the names are shown when there are several
    shaded: list = field(default_factory=list)  # [(from x, to x), …]


def pieces(panel, top, first, last):
    most = max(y for line in panel.lines.values() for _, y in line) * 1.1 or 1

    def across(x):
        return LEFT + WIDTH * (x - first) / max(1e-9, last - first)

    yield f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{panel.heading}</text>'
    for start, end in panel.shaded:
        yield (f'<rect x="{across(start):.1f}" y="{top}" width="{across(end) - across(start):.1f}" height="{HEIGHT}"'
               ' fill="#f3d9c9"/>')
    yield f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#b8c4cc"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:.4g}</text>'
    yield f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>'
    for index, (name, line) in enumerate(panel.lines.items()):
        points = " ".join(f"{across(x):.1f},{top + HEIGHT * (1 - y / most):.1f}" for x, y in line)
        yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[index]}" stroke-width="2"/>'
        if len(panel.lines) > 1:
            right = LEFT + WIDTH - index * 170
            yield f'<text x="{right}" y="{top - 8}" text-anchor="end" fill="{COLOURS[index]}">{name}</text>'


def draw(panels):
    xs = [x for panel in panels for line in panel.lines.values() for x, _ in line]
    parts = []
    for index, panel in enumerate(panels):
        parts.extend(pieces(panel, GAP + index * (HEIGHT + GAP), min(xs), max(xs)))
    height = GAP + len(panels) * (HEIGHT + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 10}" height="{height}"'
        ' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{LEFT + WIDTH + 10}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )

"""The plot of compare.py: a row of bars for each figure and case, as SVG."""

from xml.sax.saxutils import escape

BAR_HEIGHT = 18
NAME_WIDTH = 130
BAR_WIDTH = 260
VALUE_WIDTH = 90
PANEL_WIDTH = NAME_WIDTH + BAR_WIDTH + VALUE_WIDTH
HEAD_HEIGHT = 44
FIRST_COLOUR = "#1f6f8b"
OTHER_COLOUR = "#b8c4cc"


def bars(rows, key, digits, left, top):
    longest = max(row[key] for row in rows.values()) or 1
    first = next(iter(rows))
    for index, (name, row) in enumerate(rows.items()):
        y = top + index * (BAR_HEIGHT + 6)
        width = BAR_WIDTH * row[key] / longest
        shown = row[key] / 1e6 if key == "peak_rss_bytes" else row[key]
        colour = FIRST_COLOUR if name == first else OTHER_COLOUR
        yield f'<text x="{left + NAME_WIDTH - 6}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{left + NAME_WIDTH}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="{colour}"/>'
        yield f'<text x="{left + NAME_WIDTH + width + 5:.1f}" y="{y + 13}">{shown:,.{digits}f}</text>'


def draw(table, figures):
    """SVG of case -> peer -> figure; `figures`: key, heading, digits, whether more is better."""
    pieces = []
    top = 10
    for case, rows in table.items():
        for column, (key, heading, digits, more_is_better) in enumerate(figures):
            left = column * PANEL_WIDTH
            title = f"{case}  {heading} ({'more' if more_is_better else 'less'} is better)"
            pieces.append(f'<text x="{left + 10}" y="{top + 20}" font-weight="bold">{escape(title)}</text>')
            pieces.extend(bars(rows, key, digits, left, top + HEAD_HEIGHT - 10))
        top += HEAD_HEIGHT + len(rows) * (BAR_HEIGHT + 6) + 10
    width = PANEL_WIDTH * len(figures) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{top}" fill="white"/>\n' + "\n".join(pieces) + "\n</svg>\n"
    )

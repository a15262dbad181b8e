# SPDX-License-Identifier: Apache-2.0
"""The main workloads as one picture, in SVG: how many times faster than torchmetrics, on a logarithmic axis."""

import math
from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 900, 400, 70, 24, 64, 24
INK, FAINT, BAR, PAPER = "#22303c", "#d5dce2", "#1d5f8a", "#ffffff"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def text(x, y, words, anchor="start", size=13, colour=INK):
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'


def headline(result, times):
    """SVG of the rows of a result that are headlines and have a ratio to torchmetrics.

    Args:
        result: of a benchmark.
        times: writes a ratio.
    """
    rows = [row for row in result["rows"] if row.get("headline") and "torchmetrics" in row.get("faster", {})]
    ratios = [row["faster"]["torchmetrics"] for row in rows]
    decades = max(1, math.ceil(math.log10(max(ratios, default=1))))
    height = TOP + ROW * len(rows) + BOTTOM

    def place(ratio):
        return LEFT + (WIDTH - LEFT - RIGHT) * max(0.0, math.log10(ratio)) / decades

    lines = [
        "<!-- SPDX-License-Identifier: Apache-2.0; written by `python -m bench report` -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" role="img">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        text(16, 26, "How many times faster than torchmetrics", size=16),
    ]
    for power in range(decades + 1):
        x = place(10**power)
        lines.append(f'<path d="M{x:.1f} {TOP - 8}V{height - BOTTOM + 4}" stroke="{FAINT}"/>')
        lines.append(text(round(x, 1), TOP - 14, f"{10**power} ×", "middle", 11))
    for i, (row, ratio) in enumerate(zip(rows, ratios, strict=True)):
        y, end = TOP + ROW * i, place(ratio)
        lines.append(text(LEFT - 10, y + 15, row["name"], "end"))
        lines.append(f'<rect x="{LEFT}" y="{y + 3}" width="{end - LEFT:.1f}" height="{ROW - 8}" rx="2" fill="{BAR}"/>')
        lines.append(text(round(end + 6, 1), y + 15, times(ratio), size=12))
    return "\n".join([*lines, "</svg>"]) + "\n"

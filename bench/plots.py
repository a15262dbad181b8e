# SPDX-License-Identifier: Apache-2.0
"""Results as pictures. Needs matplotlib."""

import re

from matplotlib.figure import Figure

COLOURS = {
    "fastmetrics": "#c1272d",
    "torchmetrics": "#0000a7",
    "unchecked": "#7a7ae0",
    "eager": "#008176",
    "compile": "#eecc16",
    "torcheval": "#8a5a00",
    "read": "#b3b3b3",
}


def draw(result, stem):
    """Draw what the result has, into files whose names begin with ``stem``.

    Returns:
        Their paths.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for row in result["rows"]:
        if "sweep" in row:
            slug = re.sub(r"[^a-z0-9]+", "-", row["name"].lower()).strip("-")
            paths.append(stem.with_name(f"{stem.name}-{slug}.png"))
            save(times_by_size(row), paths[-1])
    measured = [row for row in result["rows"] if "reads" in row]
    if measured:
        paths.append(stem.with_name(f"{stem.name}-bandwidth.png"))
        save(bandwidth(result, measured), paths[-1])
    return paths


def save(figure, path):
    figure.savefig(path, dpi=100, bbox_inches="tight", metadata={"Software": None})


def times_by_size(row):
    """Time of every contestant by the number of samples, both on logarithmic axes."""
    figure = Figure(figsize=(7, 4.5))
    axes = figure.add_subplot()
    for name, colour in COLOURS.items():
        points = [(p["samples"], p["medians"][name] * 1e3) for p in row["sweep"] if name in p["medians"]]
        if points:
            axes.loglog(*zip(*points, strict=True), "o-", color=colour, label=name, markersize=4)
    axes.set(title=row["name"], xlabel="samples", ylabel="ms a call")
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=8)
    return figure


def bandwidth(result, rows):
    """The share of the bandwidth that each workload reaches; a full bar reads its batch as fast as can be."""
    figure = Figure(figsize=(9, 0.8 + 0.24 * len(rows)))
    axes = figure.add_subplot()
    names = [row["name"] for row in rows]
    axes.barh(names, [100 / row["reads"] for row in rows], color=COLOURS["fastmetrics"])
    for i, row in enumerate(rows):
        axes.text(100 / row["reads"] + 1, i, f"{row['gigabytes_per_second']:.1f} GB/s", va="center", fontsize=7)
    axes.axvline(100, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.tick_params(axis="y", labelsize=7)
    by = "a copy" if result["device"] == "cuda" else "a sum"
    axes.set(xlabel=f"% of the bandwidth of {by} in the same run", title=f"{result['machine']['name']}")
    return figure

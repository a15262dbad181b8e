# SPDX-License-Identifier: Apache-2.0
"""What a row must hold."""


def times(peer):
    """How many times as long as a peer a row takes."""
    return lambda row: 1 / row["faster"][peer] if peer in row["faster"] else None


# bar -> (what of the row it is about, whether that must be at most the bar, how it is written)
BARS = {
    "reads": (lambda row: row.get("reads"), True, "{} reads"),
    "alone": (lambda row: row.get("alone"), True, "{} × alone"),
    "torchmetrics": (lambda row: row["faster"].get("torchmetrics"), False, "{} × torchmetrics"),
    "eager": (lambda row: row["faster"].get("eager"), False, "{} × PyTorch"),
    "ranx": (lambda row: row["faster"].get("ranx"), False, "{} × ranx"),
    "compile": (lambda row: row["faster"].get("compile"), False, "{} × compile"),
    "scikit-learn": (lambda row: row["faster"].get("scikit-learn"), False, "{} × scikit-learn"),
    "numpy.sort": (times("numpy.sort"), True, "{} × numpy.sort"),
    "product": (times("product"), True, "{} × product"),
    "memory": (lambda row: row["does"]["fastmetrics"].get("memory"), True, "{:,} B"),
    "seconds": (lambda row: row["times"]["fastmetrics"][0], True, "{:g} s"),
    "bandwidth": (lambda row: 1 / row["reads"] if row.get("reads") else None, False, "{:.0%} of the bandwidth"),
    "kernels": (lambda row: row["does"]["fastmetrics"].get("kernels"), True, "{} kernels"),
    "waits": (lambda row: row["does"]["fastmetrics"].get("waits"), True, "{} waits"),
    "host": (lambda row: row["does"]["fastmetrics"].get("host"), True, "{:g} s of the host"),
}


def held(row):
    """Bar -> whether it is held, or None if it was not measured."""
    found = {}
    for name, bar in row["bars"].items():
        value, at_most = BARS[name][0](row), BARS[name][1]
        found[name] = None if value is None else bool(value <= bar if at_most else value >= bar)
    return found


def verdict(row):
    """The bars of a row, and which are missed."""
    signs = {True: "", False: "MISSED ", None: "not measured: "}
    said = []
    for name, ok in held(row).items():
        _, at_most, written = BARS[name]
        said.append(f"{signs[ok]}{'≤' if at_most else '≥'} {written.format(row['bars'][name])}")
    return ", ".join(said) or "–"

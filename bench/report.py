# SPDX-License-Identifier: Apache-2.0
"""Results as tables: docs/benchmarks.md and a block of the README."""

import json
import re
from pathlib import Path

from bench.measure import COMPILED, EAGER, THEIRS, UNCHECKED

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"


def heading(result):
    machine, versions = result["machine"], result["versions"]
    return (
        f"{machine['name']}, {machine['threads']} threads, torch {versions['torch']}, torchmetrics"
        f" {versions['torchmetrics']}, native kernels: {result['native']}, commit {result['commit']}, {result['date']}"
    )


def verdict(row):
    """The bars of a row and whether they are held."""
    said = []
    if row["most_reads"] is not None:
        said.append(f"{'≤' if row['reads'] <= row['most_reads'] else 'MISSED ≤'} {row['most_reads']} reads")
    if row["least_faster"] is not None:
        held = row["faster"][THEIRS] >= row["least_faster"]
        said.append(f"{'≥' if held else 'MISSED ≥'} {row['least_faster']} ×")
    return ", ".join(said) or "–"


def table(result):
    """Markdown."""
    lines = [
        "| workload | time | × the read | GB/s | × faster than torchmetrics | … unchecked | … PyTorch | … torch.compile | bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in result["rows"]:
        time = row["times"]["fastmetrics"]
        spread = (time["high"] - time["low"]) / time["median"]
        shown = f"{time['median'] * 1e3:.2f} ms" if time["median"] > 1e-3 else f"{time['median'] * 1e6:.1f} µs"
        small = row["bytes"] < 1e6
        faster = [
            f"{row['faster'][n]:.1f}" if n in row["faster"] else "–" for n in (THEIRS, UNCHECKED, EAGER, COMPILED)
        ]
        reads = "–" if small else f"{row['reads']:.2f}"
        speed = "–" if small else f"{row['gigabytes_per_second']:.1f}"
        lines.append(
            f"| {row['name']} | {shown} ± {spread / 2:.0%} | {reads} | {speed} | {' | '.join(faster)} | {verdict(row)} |"
        )
    return "\n".join(lines)


def write(files, readme=ROOT / "README.md", page=ROOT / "docs" / "benchmarks.md"):
    """Fill the page and the block of the README from result files, the newest last."""
    results = [json.loads(Path(file).read_text()) for file in files]
    text = [
        "# Benchmarks",
        "",
        "Made by `python -m bench report` from `bench/results/*.json`, each of which `python -m bench --output FILE` wrote.",
        "Contestants are timed in turn in one process, after their results were found equal; times are medians with half",
        "the distance of the quartiles. *The read* is `torch.sum` over as many bytes of float32 on the CPU, a device copy",
        "on a GPU, in the same run. A torch.compile column without compile time; *unchecked* is `validate_args=False`.",
        "",
    ]
    for result in results:
        text += [f"## {result['device']}: {heading(result)}", "", table(result), ""]
    Path(page).write_text("\n".join(text))
    if not results or BEGIN not in Path(readme).read_text():
        return
    last = next((r for r in reversed(results) if r["device"] == "cpu"), results[-1])
    lines = ["| workload | × the time to read the bytes | × faster than torchmetrics |", "| --- | --- | --- |"]
    for row in last["rows"]:
        if row["least_faster"] is None:
            continue
        reads = "–" if row["bytes"] < 1e6 else f"{row['reads']:.2f}"
        lines.append(f"| {row['name']} | {reads} | {row['faster'][THEIRS]:.1f} |")
    block = (
        f"{BEGIN}\nOn the {last['device'].upper()} ({heading(last)}); `make bench` measures your machine, and\n"
        "[benchmarks](docs/benchmarks.md) has the other contestants.\n\n" + "\n".join(lines) + f"\n{END}"
    )
    filled = re.sub(f"{BEGIN}.*{END}", lambda _: block, Path(readme).read_text(), flags=re.S)
    Path(readme).write_text(filled)

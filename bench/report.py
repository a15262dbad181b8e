# SPDX-License-Identifier: Apache-2.0
"""Results as tables and pictures: on the terminal, docs/benchmarks.md, and a block of the README."""

import re
import statistics
from pathlib import Path

from bench import picture, results
from bench.bars import held, verdict

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
RIVALS = {
    "torchmetrics": "torchmetrics",
    "unchecked": "… unchecked",
    "eager": "PyTorch",
    "compile": "torch.compile",
    "torcheval": "torcheval",
}
HEADER = "workload: time, GB/s, × the read | how many times faster than whom | operations, memory, host | bars"


def duration(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def size(nbytes):
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= each:
            return f"{nbytes / each:.3g} {unit}"
    return f"{nbytes:.0f} B"


def times(ratio):
    """How many times, in three digits."""
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def time_of(row):
    """Median, and half the distance of the quartiles."""
    median, low, high = row["times"]["fastmetrics"]
    return f"{duration(median)} ± {(high - low) / median / 2:.0%}"


def done_of(row, name="fastmetrics"):
    """Operations, or kernels, copies and waits; memory; time of the host."""
    does = row["does"].get(name)
    if does is None:
        return "–"
    parts = [f"{does[key]:.0f} {key}" for key in ("operations", "kernels", "copies", "waits") if key in does]
    return ", ".join([*parts, size(does["memory"]), duration(does["host"])])


def line(row):
    """A row on the terminal."""
    if "times" not in row:
        why = f"not there yet: {row['missing']}" if "missing" in row else f"FAILED: {row['failed']}"
        return f"{row['name']}: {why}"
    parts = [time_of(row)]
    if "reads" in row:
        parts += [f"{row['gigabytes_per_second']:.1f} GB/s", f"{row['reads']:.2f} reads"]
    if "alone" in row:
        parts.append(f"{row['alone']:.2f} × alone")
    faster = ", ".join(f"{times(ratio)} × {name}" for name, ratio in row["faster"].items())
    text = f"{row['name']}: {', '.join(parts)} | {faster or '–'} | {done_of(row)} | {verdict(row)}"
    return "\n    ".join([text, *row.get("differences", [])])


def summary(result):
    """How many bars are held, and the ratio to torchmetrics at the median workload."""
    rows = [row for row in result["rows"] if "times" in row]
    bars = [ok for row in rows for ok in held(row).values()]
    middle = middle_of(result)
    absent = len([row for row in result["rows"] if "missing" in row])
    failed = len([row for row in result["rows"] if "failed" in row])
    return (
        f"{len(rows)} workloads, {absent} not there yet, {failed} failed; {bars.count(True)} of {len(bars)} bars"
        f" held{middle and '; '}{middle}."
    )


def middle_of(result):
    """The ratio to torchmetrics at the median workload, in words."""
    ratios = [row["faster"]["torchmetrics"] for row in result["rows"] if "torchmetrics" in row.get("faster", {})]
    return f"the median workload is {times(statistics.median(ratios))} × torchmetrics" if ratios else ""


def heading(result):
    machine, versions = result["machine"], result["versions"]
    threads = f", {machine['threads']} threads" if result["device"] == "cpu" else ""
    return (
        f"{machine['name']}{threads}, torch {versions['torch']}, torchmetrics {versions['torchmetrics']}, native"
        f" kernels: {result['native']}, commit {result['commit']}, {result['date']}"
    )


def table(result):
    """Markdown: every workload."""
    faster = [*RIVALS.values(), "others"]
    titles = ["workload", "time", "GB/s", "× the read", "× alone", *faster, "does", "torchmetrics does", "bar"]
    lines = [f"| {' | '.join(titles)} |", f"| {' | '.join(['---'] * len(titles))} |"]
    for row in result["rows"]:
        if "times" not in row:
            continue
        speed = f"{row['gigabytes_per_second']:.1f}" if "gigabytes_per_second" in row else "–"
        ratios = [f"{row[key]:.2f}" if key in row else "–" for key in ("reads", "alone")]
        # with a star if it had a part of the batch
        faster = {name: times(ratio) + "*" * (name in row.get("shares", {})) for name, ratio in row["faster"].items()}
        others = [f"{ratio} × {name}" for name, ratio in faster.items() if name not in RIVALS]
        rivals = [*(faster.get(name, "–") for name in RIVALS), ", ".join(others) or "–"]
        does = [done_of(row, name) for name in ("fastmetrics", "torchmetrics")]
        name = row["name"] + (f" ({row['note']})" if "note" in row else "")
        lines.append(f"| {' | '.join([name, time_of(row), speed, *ratios, *rivals, *does, verdict(row)])} |")
    return "\n".join(lines)


def left_out(result):
    """Markdown: what has no row, and what is worth a remark."""
    said = [f"{row['name']}: {row['missing']}" for row in result["rows"] if "missing" in row]
    said += [f"{row['name']}: failed, {row['failed']}" for row in result["rows"] if "failed" in row]
    said += [f"{row['name']}: {text}" for row in result["rows"] for text in row.get("differences", [])]
    said += [f"{name} took no part: {why}" for name, why in result.get("absent", {}).items()]
    return "\n".join(["", *(f"- {text}" for text in said)]) if said else ""


EXPLAINED = """\
# Benchmarks

Made by `python -m bench report` from `bench/results/*.json`, each of which `python -m bench --output FILE` wrote. All
contestants are timed in turn in one process, after their results were found equal.

- *time*: the median ± half the distance of the quartiles. Before each call a GPU's cache is emptied, and a CPU reads as
  many other bytes. Contestants that allocate pay for fresh pages, which a virtual machine may make several times dearer
  from one hour to the next.
- *× the read*: how often the batch could have been read meanwhile, with the bandwidth measured in the same rounds:
  `torch.sum` over as many bytes of float32 on the CPU, a device copy on a GPU. It can be less than 1: a kernel that
  walks through several pages at a time reads faster than the sum does.
- *× alone*: the time over that of the confusion matrix alone, of the same batch.
- How many times faster than torchmetrics 1.9 with its defaults, with `validate_args=False` (*unchecked*), than the best
  PyTorch expression, than that under `torch.compile` (compile time apart), than torcheval, and than others, such as
  scikit-learn or a sort of the same numbers. \\* It had a part of the batch, and its time was multiplied accordingly:
  what it makes of a part may fit a cache, so this is kind to it.
- *does*: operations that PyTorch dispatches, on a GPU kernels and copies started and waits of the host; the most memory
  that PyTorch's allocator gave out during the call beyond what there was; the time of the host for a call: on a GPU until
  it returns, on a CPU for a batch of two samples.
"""


def write(files, readme=ROOT / "README.md", page=ROOT / "docs" / "benchmarks.md"):
    """Fill the page, its plots, and the block of the README from result files."""
    found = [results.read(file) for file in files]
    text = [EXPLAINED]
    pictures = page.parent / "benchmarks"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in (*pictures.glob("*.png"), *pictures.glob("*.svg")):
        old.unlink()
    for file, result in zip(files, found, strict=True):
        what = result["device"].upper() + (" without native kernels" if result.get("fallback") else "")
        text += [f"## {what}: {heading(result)}", "", summary(result), ""]
        if result is newest(found, result["device"]):
            (pictures / f"{result['device']}.svg").write_text(picture.headline(result, times))
            text += [f"![The main workloads](benchmarks/{result['device']}.svg)", ""]
        text += [table(result)]
        text += [left_out(result), ""]
        text += [f"![{path.stem}]({path.relative_to(page.parent)})" for path in plots_of(result, file, page)] + [""]
    if not any(result["device"] == "cuda" for result in found):
        text += ["## GPU", "", "Not measured on a GPU yet.", ""]
    page.write_text(re.sub("\n{3,}", "\n\n", "\n".join(text)))
    if found and BEGIN in readme.read_text():
        filled = re.sub(f"{BEGIN}.*{END}", lambda _: block(found), readme.read_text(), flags=re.S)
        readme.write_text(filled)


def plots_of(result, file, page):
    if result.get("fallback"):
        return []
    try:
        from bench import plots
    except ImportError:
        return []
    return plots.draw(result, page.parent / "benchmarks" / Path(file).stem)


def newest(found, device, fallback=False):
    """The last result of a kind of device, with native kernels or without, or None."""
    of_kind = [result for result in found if result["device"] == device and bool(result.get("fallback")) == fallback]
    return of_kind[-1] if of_kind else None


def cost_of_fallback(result):
    """What the PyTorch bodies cost, as a sentence of the README."""
    rows = [row for row in result["rows"] if "times" in row]
    costs = {row["name"]: 1 / row["faster"]["torchmetrics"] for row in rows}
    barred = [costs[row["name"]] for row in rows if row["bars"]]
    dearer = [f"{costs[row['name']]:.1f} × for {row['name']}" for row in rows if not row["bars"]]
    return (
        "Without native kernels the same results come from PyTorch operations: an update takes"
        f" {min(barred):.2f} to {max(barred):.2f} × torchmetrics' time in {len(barred)} workloads of all passes,"
        f" {statistics.median(barred):.2f} × at the median{', but ' if dearer else ''}{' and '.join(dearer)}"
        f" (`python -m bench fallback`; {heading(result)})."
    )


def block(found):
    """The block of the README: a picture of the newest result of each kind of device."""
    text = []
    for device in ("cpu", "cuda"):
        last = newest(found, device)
        if last is None:
            text += ["Not measured on a GPU yet.", ""] if device == "cuda" else []
            continue
        middle = middle_of(last)
        text += [f"![How many times faster than torchmetrics](docs/benchmarks/{device}.svg)", ""]
        text += [f"On the {'CPU' if device == 'cpu' else 'GPU'} ({heading(last)}){middle and '; '}{middle}.", ""]
    slow = newest(found, "cpu", fallback=True)
    text += [cost_of_fallback(slow), ""] if slow else []
    text += ["`make bench` measures your machine; [benchmarks](docs/benchmarks.md) has every workload and peer."]
    return f"{BEGIN}\n" + "\n".join(text) + f"\n{END}"

# SPDX-License-Identifier: Apache-2.0
"""``python -m bench tune``: other launch parameters of the CUDA kernels, one at a time, against the present ones.

The parameters are the constants of ``struct Tuning`` beside each kernel. A candidate is a copy of the sources in which
one of them is halved or doubled; its library is built and timed like any other, in a process of its own.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.timing import SMALL

ROOT = Path(__file__).parent.parent
FACTORS = ("* 2", "/ 2")
# pass -> parts of the names of the workloads that show its parameters
SHOWN_BY = {
    "multiclass": ("GPU, 100M int64 labels",),
    "multiclass_tiles": ("GPU, 1M x 10 f32 scores",),
    "multiclass_score_rows": ("GPU, 100k x 1000 bf16 scores, uniform", "top-5 accuracy, 50k"),
    "multiclass_planes": ("GPU, 16 x 19 x 1024 x 2048 f32 logits, uniform",),
    "binary_wide": ("binary accuracy, 10M f32",),
    "binary_labels": ("multilabel accuracy",),
    "binary_cells": ("of 4 groups",),
    "pairs": ("f32 pairs",),
    "values": ("f32 values",),
    "rows": ("ExactMatch, 8", "HingeLoss", "x 20 f32 scores"),
    "row_pairs": ("pairs of rows",),
    "scores": ("AUROC, 200 thresholds",),
    "scores_kept": ("AUROC, exact, GPU", "AUROC, exact, 100k x 10"),
    "calibration": ("calibration error, ",),
    "proper_scores": ("BrierScore, ", "LogLoss, "),
    "token_rows": ("perplexity, ",),
}
NOTICED = 0.98  # a candidate must take at most this share of the time to be combined with others


@dataclass(frozen=True)
class Parameter:
    """A constant of a kernel's ``Tuning``: its source, relative to the checkout, its name and its value in C++."""

    source: str
    name: str
    value: str

    @property
    def kernel_pass(self):
        return Path(self.source).name.removesuffix("_cuda.cu")


def parameters(root=ROOT):
    """The launch parameters of all kernels."""
    found = []
    for path in sorted((root / "csrc").rglob("*_cuda.cu")):
        struct = re.search(r"struct Tuning \{(.*?)\n\};", path.read_text(), flags=re.S)
        if struct:
            constants = re.findall(r"static constexpr \w+ (k\w+) = ([^;]+);", struct[1])
            found += [Parameter(str(path.relative_to(root)), name, value) for name, value in constants]
    return found


def candidate(changes, folder, root=ROOT):
    """A copy of what a benchmark needs, with the changes (pairs of parameter and factor) made in it."""
    for name in ("fastmetrics", "csrc", "bench"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
    for parameter, factor in changes:
        path = folder / parameter.source
        old = f" {parameter.name} = {parameter.value};"
        text = path.read_text()
        if text.count(old) != 1:
            raise ValueError(f"{parameter.source}: {old!r} stands there {text.count(old)} times")
        path.write_text(text.replace(old, f" {parameter.name} = ({parameter.value}) {factor};"))
    return folder


def started_in(folder, *arguments):
    """Run Python so that it imports what is in the folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "FASTMETRICS_NATIVE": "require"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def build(folder, device):
    """What is wrong with the build, or nothing."""
    code = f"import fastmetrics; fastmetrics.build([{device!r}])"
    done = started_in(folder, "-c", code)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]


def timed(folder, device, passes, scale):
    """Workload -> its time in reads of the same bytes, which cancels what slows everything of a process."""
    only = [arg for name in passes for part in SHOWN_BY[name] for arg in ("--only", part)]
    output = folder / "result.json"
    options = ["--device", device, "--scale", str(scale), "--budget", "0.2", "--against", "none"]
    started_in(folder, "-m", "bench", *options, *only, "--output", str(output))
    if not output.exists():
        return {}
    rows = json.loads(output.read_text())["rows"]
    measured = [row for row in rows if row.get("bytes", 0) >= SMALL * scale]
    return {row["name"]: row["times"]["fastmetrics"][0] / row["times"]["read"][0] for row in measured}


def compared(times, baseline):
    """The geometric mean of the ratios to the present parameters, or None if a workload gave no time."""
    if not times or not set(times) <= set(baseline):
        return None
    return math.exp(sum(math.log(times[name] / baseline[name]) for name in times) / len(times))


def tune(device, scale=1.0, within=None, output=None, root=ROOT):
    """Try every candidate, print a line for each, and then all that helped together."""
    started = time.perf_counter()
    found = parameters(root)
    passes = sorted({parameter.kernel_pass for parameter in found} & set(SHOWN_BY))
    for other in sorted({parameter.kernel_pass for parameter in found} - set(SHOWN_BY)):
        print(f"{other}: not tried, no workload shows it")
    tried = [(parameter, factor) for parameter in found if parameter.kernel_pass in passes for factor in FACTORS]
    results = {"device": device, "candidates": []}
    with tempfile.TemporaryDirectory() as place:
        folders = [candidate([], Path(place) / "present", root)]
        folders += [candidate([change], Path(place) / str(i), root) for i, change in enumerate(tried)]
        print(f"building {len(folders)} libraries", flush=True)
        with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 4)) as pool:
            faults = list(pool.map(lambda folder: build(folder, device), folders))
        if faults[0]:
            print(f"the present sources do not build: {faults[0]}")
            return 1
        present = timed(folders[0], device, passes, scale)
        print(f"built and the present timed in {time.perf_counter() - started:.0f} s: {len(present)} workloads")
        helped = {}
        for (parameter, factor), folder, fault in zip(tried, folders[1:], faults[1:], strict=True):
            what = f"{parameter.kernel_pass}: {parameter.name} = ({parameter.value}) {factor}"
            if within and time.perf_counter() - started > within:
                print(f"{what}: not tried, no time was left")
                continue
            times = {} if fault else timed(folder, device, [parameter.kernel_pass], scale)
            ratio = compared(times, present)
            said = f"no result ({fault or 'a workload failed'})" if ratio is None else f"{ratio:.3f} of the time"
            print(f"{what}: {said}", flush=True)
            results["candidates"].append({"what": what, "ratio": ratio, "times": times})
            if ratio is not None and ratio < min(NOTICED, helped.get(parameter, ("", 1.0))[1]):
                helped[parameter] = (factor, ratio)
        # the card may have become slower or faster since
        drift = compared(timed(folders[0], device, passes, scale), present)
        print(f"the present again: {drift:.3f} of the time")
        best = [(parameter, factor) for parameter, (factor, _) in helped.items()]
        if best:
            together = candidate(best, Path(place) / "together", root)
            fault = build(together, device)
            ratio = None if fault else compared(timed(together, device, passes, scale), present)
            print("together: " + (fault or "a workload failed" if ratio is None else f"{ratio:.3f} of the time"))
        for parameter, (factor, ratio) in helped.items():
            where = f"{parameter.source}: {parameter.name}"
            print(f"best: {where} = ({parameter.value}) {factor}, {ratio:.3f} of the time of {parameter.value}")
        if not best:
            print("best: the present parameters; no candidate is faster by 2 %")
        results |= {"present": present, "drift": drift, "best": [f"{p.name} {f}" for p, f in best]}
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=1) + "\n")
    return 0

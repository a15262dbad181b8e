# SPDX-License-Identifier: Apache-2.0
"""``python -m bench`` measures.

``list`` names the workloads, ``fallback`` measures the PyTorch bodies that serve without native kernels, ``report``
writes docs/benchmarks.md, its plots and the README's figures from the committed results, ``tune`` tries other launch
parameters of the CUDA kernels.
"""

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path

import torch

import fastmetrics
from bench import report, results, tune
from bench.contestants import RIVALS, missing
from bench.measure import measure
from bench.specs import NotThereError
from bench.workloads import WORKLOADS, fallback

QUICK = ("torchmetrics", "eager")  # who takes part in a quick run


def arguments():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["run", "fallback", "list", "report", "tune"], default="run")
    parser.add_argument("files", nargs="*", type=Path, help="for report; default bench/results/*.json")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--only", action="append", help="workloads whose name holds this; may be given again")
    parser.add_argument("--against", default=",".join(RIVALS), help="which of %(default)s are timed, or none")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute: the main workloads, no sweeps, against torchmetrics and eager PyTorch",
    )
    parser.add_argument("--budget", type=float, help="seconds of timing for a workload")
    parser.add_argument("--within", type=float, help="seconds after which no further workload is begun")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the samples; bars are for 1")
    parser.add_argument("--output", type=Path, help="where the JSON goes, and plots beside it")
    return parser.parse_args()


def chosen(options):
    """The rows of the table that the options ask for."""
    for workload in fallback.ROWS if options.action == "fallback" else WORKLOADS:
        wanted = options.only is None or any(part in workload.name for part in options.only)
        if wanted and options.device in workload.devices and (workload.headline or not options.quick):
            yield workload


def unbuilt(workload):
    """Why there is no metric to measure, if there is none."""
    try:
        workload.ours.build("fastmetrics")
    except NotThereError as error:
        yield str(error)


def measured(workload, options):
    """The row of a workload, or one that says why there is none."""
    budget = options.budget or (0.4 if options.quick else 0.5)
    rivals = [name for name in options.against.split(",") if name in RIVALS]
    if options.quick or options.action == "fallback":
        rivals = [name for name in rivals if name in QUICK]
    try:
        return measure(workload, options.device, options.scale, budget, rivals, not options.quick)
    except NotThereError as error:
        return {"name": workload.name, "missing": str(error)}
    except Exception as error:  # the others are still measured; the end says that this one failed
        return {"name": workload.name, "failed": f"{type(error).__name__}: {error}"[:500]}
    finally:
        if options.device == "cuda":
            torch.cuda.empty_cache()


def run(options):
    torch.set_num_threads(options.threads)
    if options.action == "fallback":
        os.environ["FASTMETRICS_NATIVE"] = "off"  # nothing has been loaded yet
    fastmetrics.build([options.device])
    result = results.about(options.device, options.threads, options.scale)
    result |= {"fallback": options.action == "fallback", "absent": missing(), "rows": []}
    for name, why in result["absent"].items():
        print(f"{name} takes no part: {why}")
    rows, started = list(chosen(options)), time.perf_counter()
    print(report.HEADER)
    for i, workload in enumerate(rows, 1):
        if options.within and time.perf_counter() - started > options.within:
            result["rows"] += [{"name": left.name, "missing": "no time was left"} for left in rows[i - 1 :]]
            print(f"no time left for {len(rows) - i + 1} workloads")
            break
        if sys.stdout.isatty():
            print(f"[{i}/{len(rows)}] {workload.name} …", end="\r", flush=True)
        row = measured(workload, options)
        result["rows"].append(row)
        print(f"[{i:>{len(str(len(rows)))}}/{len(rows)}] {report.line(row)}", flush=True)
        if options.output:  # after each, so that a run that is stopped leaves what it has
            results.write(result, options.output)
    print(report.summary(result), f"{time.perf_counter() - started:.0f} s")
    if options.output:
        results.write(result, options.output)
        print(f"written to {options.output}")
        with contextlib.suppress(ImportError):
            from bench import plots

            print(f"plots: {', '.join(str(path) for path in plots.draw(result, options.output.with_suffix('')))}")
    return 1 if any("failed" in row for row in result["rows"]) else 0


def main():
    options = arguments()
    if options.action == "list":
        for workload in chosen(options):
            print(workload.name + "".join(f": not there yet: {why}" for why in unbuilt(workload)))
        return 0
    if options.action == "report":
        report.write(options.files or sorted((Path(__file__).parent / "results").glob("*.json")))
        return 0
    if options.action == "tune":
        return tune.tune(options.device, options.scale, options.within, options.output)
    return run(options)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""``python -m bench`` measures; ``python -m bench report`` writes the documents from the committed results."""

import argparse
import datetime
import json
import platform
import subprocess
import sys
from pathlib import Path

import torch
import torchmetrics

import fastmetrics
from bench import report
from bench.measure import measure
from bench.workloads import WORKLOADS
from fastmetrics import native


def machine_name(device):
    if device == "cuda":
        return torch.cuda.get_device_name(0)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["run", "report"], default="run")
    parser.add_argument("files", nargs="*", help="for report; default bench/results/*.json")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--only", default="", help="workloads whose name holds this")
    parser.add_argument("--quick", action="store_true", help="a minute: fewer rounds, no torch.compile")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the samples; bars are for 1")
    parser.add_argument("--output", type=Path, help="where the JSON goes")
    options = parser.parse_args()
    if options.action == "report":
        files = options.files or sorted((Path(__file__).parent / "results").glob("*.json"))
        report.write(files)
        return 0

    torch.set_num_threads(options.threads)
    fastmetrics.build([options.device])
    found = native.status(options.device)
    result = {
        "device": options.device,
        "machine": {"name": machine_name(options.device), "threads": options.threads},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchmetrics": torchmetrics.__version__,
            "fastmetrics": fastmetrics.__version__,
        },
        "native": found.stamp.get("isa" if options.device == "cpu" else "archs") if found.native else "none",
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
        "rows": [],
    }
    chosen = [workload for workload in WORKLOADS if options.only in workload.name]
    for i, workload in enumerate(chosen, 1):
        print(f"[{i}/{len(chosen)}] {workload.name}", flush=True)
        row = measure(workload, options.device, options.scale, 1.0 if options.quick else 6.0, not options.quick)
        result["rows"].append(row)
        faster = ", ".join(f"{ratio:.1f} × {name}" for name, ratio in row["faster"].items())
        print(
            f"    {row['times']['fastmetrics']['median'] * 1e3:.4f} ms, {row['reads']:.2f} reads, {faster}; {report.verdict(row)}"
        )
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n")
        print(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

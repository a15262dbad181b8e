# SPDX-License-Identifier: Apache-2.0
"""Result files: where they were measured, and a line for each row."""

import datetime
import json
import platform
import subprocess
from pathlib import Path

import torch
import torchmetrics

import fastmetrics
from fastmetrics import native


def about(device, threads, scale):
    """Machine, versions, commit."""
    found = native.status(device)
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchmetrics": torchmetrics.__version__,
        "fastmetrics": fastmetrics.__version__,
    }
    if device == "cuda":
        versions["cuda"] = torch.version.cuda
    return {
        "device": device,
        "machine": {"name": machine_name(device), "threads": threads},
        "versions": versions,
        "native": found.stamp.get("isa" if device == "cpu" else "archs") if found.native else "none",
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
        "scale": scale,
    }


def machine_name(device):
    if device == "cuda":
        return torch.cuda.get_device_name(0)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit():
    """Of this checkout; "unknown" where there is no git."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def write(result, path):
    """JSON with a line for each row, so that a change of a figure is a change of a line."""
    head = json.dumps({key: value for key, value in result.items() if key != "rows"}, indent=1)
    rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in result["rows"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head[:-2]},\n "rows": [\n{rows}\n ]\n}}\n')


def read(path):
    return json.loads(Path(path).read_text())

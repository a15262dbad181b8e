# SPDX-License-Identifier: Apache-2.0
"""Libraries that were built ahead of time and installed with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from fastmetrics.native.parameters import TORCH_TARGET, ahead_of_time_isas, cpu_flags, library, runs_here

FOLDER = Path(__file__).resolve().parent / "lib"


@dataclass(frozen=True)
class Candidate:
    """A prebuilt library, or why it cannot be used."""

    path: Path
    stamp: dict[str, object]
    reason: str | None


def candidates(device: str, folder: Path = FOLDER) -> list[Candidate]:
    """The prebuilt libraries for a device, best first."""
    isas = ahead_of_time_isas() if device == "cpu" else ["generic"]
    found = []
    for isa in isas:
        path = folder / f"{library(device, isa).name}.so"
        if path.is_file():
            stamp = _stamp(path)
            found.append(Candidate(path, stamp, _mismatch(path, isa, stamp)))
    return found


def _stamp(path: Path) -> dict[str, object]:
    try:
        stamp = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _mismatch(path: Path, isa: str, stamp: dict[str, object]) -> str | None:
    if not stamp:
        return f"{path.name} does not say what it was built for"
    try:
        target = tuple(int(part) for part in str(stamp["torch_target"]).split("."))
    except (KeyError, ValueError):
        return f"{path.name} does not say for which torch it was built"
    present = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if present < target or target < TORCH_TARGET:
        return f"{path.name} was built for torch >= {stamp['torch_target']}, this is torch {torch.__version__}"
    built_cuda = stamp.get("cuda")
    if built_cuda is not None and str(built_cuda).partition(".")[0] != str(torch.version.cuda).partition(".")[0]:
        return f"{path.name} was built for CUDA {built_cuda}, torch has CUDA {torch.version.cuda}"
    if not runs_here(isa, cpu_flags()):
        return f"{path.name} needs {isa}, which this CPU does not have"
    return None

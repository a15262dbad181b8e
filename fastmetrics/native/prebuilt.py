# SPDX-License-Identifier: Apache-2.0
"""Libraries that were built elsewhere or before: whether they run here. Those that were installed with the package."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from fastmetrics.native.parameters import TORCH_TARGET, WHOLE, ahead_of_time_isas, cpu_flags, library, runs_here

FOLDER = Path(__file__).resolve().parent / "lib"


@dataclass(frozen=True)
class Candidate:
    """A library, and why it cannot be used if so.

    Attributes:
        path: of the library.
        stamp: what it was built for, see :func:`fastmetrics.native.parameters.stamp_of`.
        reason: against it.
    """

    path: Path
    stamp: dict[str, object]
    reason: str | None


def candidates(device: str, folder: Path = FOLDER) -> list[Candidate]:
    """The prebuilt libraries for a device, each of all its parts, best first."""
    isas = ahead_of_time_isas() if device == "cpu" else ["generic"]
    paths = (folder / f"{library(device, WHOLE, isa).name}.so" for isa in isas)
    return [candidate(path) for path in paths if path.is_file()]


def candidate(path: Path) -> Candidate:
    """A library, beside which its stamp lies."""
    try:
        stamp = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        stamp = None
    if not stamp or not isinstance(stamp, dict):
        return Candidate(path, {}, f"{path.name} does not say what it was built for")
    reason = _mismatch(stamp)
    return Candidate(path, stamp, None if reason is None else f"{path.name} {reason}")


def _mismatch(stamp: dict[str, object]) -> str | None:
    try:
        target = tuple(int(part) for part in str(stamp["torch_target"]).split("."))
    except (KeyError, ValueError):
        return "does not say for which torch it was built"
    present = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if present < target or target < TORCH_TARGET:
        return f"was built for torch >= {stamp['torch_target']}, this is torch {torch.__version__}"
    built_cuda = stamp.get("cuda")
    if built_cuda is not None and str(built_cuda).partition(".")[0] != str(torch.version.cuda).partition(".")[0]:
        return f"was built for CUDA {built_cuda}, torch has CUDA {torch.version.cuda}"
    if "archs" in stamp and torch.cuda.is_available():
        for gpu in range(torch.cuda.device_count()):
            if not _runs_on(str(stamp["archs"]), torch.cuda.get_device_capability(gpu)):
                return f"was built for the architectures {stamp['archs']}, not for {torch.cuda.get_device_name(gpu)}"
    if not runs_here(str(stamp.get("isa")), cpu_flags()):
        return f"needs {stamp['isa']}, which this CPU does not have"
    lacking = sorted({*str(stamp.get("cpu_flags", "")).split()} - cpu_flags())
    if lacking:
        return f"was built for a CPU with {', '.join(lacking[:3])}{' …' if len(lacking) > 3 else ''}"
    return None


def _runs_on(archs: str, capability: tuple[int, int]) -> bool:
    """Whether code for ``archs``, as ``8.0;9.0+PTX``, runs on a GPU."""
    found = re.findall(r"(\d+)\.(\d+)([a-z]?)(\+PTX)?", archs)
    for major, minor, own, ptx in found:
        arch = (int(major), int(minor))
        if arch == capability or (not own and arch <= capability and (ptx or arch[0] == capability[0])):
            return True
    return not found  # names, as Hopper, are not looked up

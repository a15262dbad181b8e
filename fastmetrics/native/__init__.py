# SPDX-License-Identifier: Apache-2.0
"""The native libraries: what is loaded, from where, and why not.

Nothing is compiled or loaded at import. The first call of an operator on a device asks for the library that has its
kernel: a prebuilt one, which has all kernels of the device; else one part of the kernels in the cache, else it builds
that part. A failure is logged once, with cause and cure, and the operators' PyTorch bodies serve instead;
``FASTMETRICS_NATIVE=require`` makes it an error.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fastmetrics.native import direct, prebuilt
from fastmetrics.native.parameters import PARTS, library, parts

log = logging.getLogger("fastmetrics")
if not log.handlers:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("fastmetrics: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False

DEVICES = ("cpu", "cuda")
MODES = ("auto", "require", "off")


class NativeError(RuntimeError):
    """No native library for a device, with everything that was tried."""


@dataclass
class Status:
    """What serves the operators of a part on a device.

    Attributes:
        device: ``cpu`` or ``cuda``.
        part: one of ``PARTS`` in :mod:`fastmetrics.native.parameters`.
        origin: ``prebuilt``, ``cache``, ``built now``, ``PyTorch body`` or ``not tried``.
        path: of the library.
        stamp: what it was built for.
        seconds: how long finding or building it took.
        reasons: what was tried before, and why it was not used.
        bind: makes the direct call of a kernel, if there are direct calls; see :mod:`fastmetrics.native.direct`.
    """

    device: str
    part: str = PARTS[0]
    origin: str = "not tried"
    path: str | None = None
    stamp: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    reasons: list[str] = field(default_factory=list)
    bind: direct.Bind | None = None

    @property
    def native(self) -> bool:
        """Whether native kernels serve."""
        return self.path is not None


_lock = threading.RLock()
_status: dict[tuple[str, str], Status] = {}

#: What is called when a library was loaded.
on_load: list[Callable[[], None]] = []


def mode() -> str:
    """``FASTMETRICS_NATIVE``: ``auto``, ``require`` or ``off``."""
    value = os.environ.get("FASTMETRICS_NATIVE", "auto")
    if value not in MODES:
        raise ValueError(f"FASTMETRICS_NATIVE must be one of {', '.join(MODES)}, but is {value!r}")
    return value


def load(device: str, part: str = PARTS[0]) -> bool:
    """Load a library of a device type, once; whether its kernels are registered.

    Raises:
        NativeError: none could be had and ``FASTMETRICS_NATIVE=require``.
        RuntimeError: none was looked for yet, and a CUDA graph is being captured.
    """
    found = _status.get((device, part))
    if found is None:
        if device not in DEVICES:
            return False
        if device == "cuda" and torch.version.cuda is not None and torch.cuda.is_current_stream_capturing():
            raise RuntimeError(
                "fastmetrics: the first use of the CUDA kernels was inside the capture of a CUDA graph, where they can"
                " neither be built nor loaded. Warm up first: update the metric once before the capture, or call"
                ' fastmetrics.build(["cuda"]).'
            )
        with _lock:
            found = _status.get((device, part))
            if found is None:
                found = _status[device, part] = _find(device, part)
                for call in on_load if found.native else ():
                    call()
    if not found.native and mode() == "require":
        reasons = "\n".join(f"- {reason}" for reason in found.reasons)
        raise NativeError(f"FASTMETRICS_NATIVE=require, but there is no native library for {device}:\n{reasons}")
    return found.native


def build(devices: tuple[str, ...] | list[str] | None = None) -> list[Status]:
    """Load the libraries now, building what is missing, so that the first update does not wait.

    Args:
        devices: device types; default the CPU, and CUDA if a GPU is there.

    Returns:
        What serves each of them, for each part.

    Example:
        >>> import fastmetrics
        >>> [status.part for status in fastmetrics.build(["cpu"])]
        ['counts', 'rows', 'numbers', 'scores', 'probabilities', 'documents']
    """
    if devices is None:
        devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        if device not in DEVICES:
            raise ValueError(f"there are native libraries for {', '.join(DEVICES)}, but not for {device!r}")
    wanted = [(device, part) for device in devices for part in parts(device)]
    for library_ in wanted:
        load(*library_)
    return [status(*library_) for library_ in wanted]


def status(device: str = "cpu", part: str = PARTS[0]) -> Status:
    """What serves a device type so far."""
    return _status.get((device, part)) or Status(device, part)


def is_missing(device: str, part: str) -> bool:
    """Whether a library of a device type was looked for, and there is none, and none is required."""
    found = _status.get((device, part))
    return found is not None and not found.native and mode() != "require"


def direct_call(part: str, name: str, operator: Callable[..., Any]) -> Callable[..., Any] | None:
    """What calls the kernel of an operator for its arguments' device, if it can, and else the operator.

    None before a library of the part is loaded.
    """
    call = None
    for device in reversed(DEVICES):  # the CPU's comes first, as its calls are the shortest
        found = _status.get((device, part))
        if found is not None and found.native:
            operator = call = (found.bind and found.bind(name, operator)) or operator
    return call


def _find(device: str, part: str) -> Status:
    started = time.perf_counter()
    found = Status(device, part)
    wanted = mode()
    if wanted == "off":
        found.reasons.append("FASTMETRICS_NATIVE=off")
    elif device == "cuda" and torch.version.cuda is None:
        found.reasons.append("torch was built without CUDA; install a CUDA build of torch")
    elif not (_use_prebuilt(found) or _use_cache_or_build(found)) and wanted != "require" and not _said(device):
        log.warning(
            "no native kernels for %s, PyTorch operations serve instead: %s\n"
            "`python -m fastmetrics doctor` says more; FASTMETRICS_NATIVE=off silences this.",
            device,
            "; ".join(found.reasons),
        )
    if not found.native:
        found.origin = "PyTorch body"
    found.seconds = time.perf_counter() - started
    return found


def _said(device: str) -> bool:
    """Whether there was a warning already that kernels for a device are missing."""
    return any(found.device == device and not found.native for found in _status.values())


def _open(found: Status, path: Path, origin: str, stamp: dict[str, object]) -> bool:
    try:
        torch.ops.load_library(str(path))
    except OSError as error:
        found.reasons.append(f"{origin}: {path} does not load: {error.__cause__ or error}")
        return False
    found.path, found.origin, found.stamp = str(path), origin, stamp
    found.bind = direct.load(str(path), found.device)
    return True


def _use(found: Status, candidates: list[prebuilt.Candidate], origin: str) -> bool:
    """Load the first library that can be used; whether there is one."""
    for candidate in candidates:
        if candidate.reason is not None:
            found.reasons.append(f"{origin}: {candidate.reason}")
        elif _open(found, candidate.path, origin, candidate.stamp):
            return True
    return False


def _use_prebuilt(found: Status) -> bool:
    candidates = prebuilt.candidates(found.device)
    if not candidates:
        found.reasons.append("prebuilt: none in this installation")
    return _use(found, candidates, "prebuilt")


def _use_cache_or_build(found: Status) -> bool:
    # imported here: a prebuilt library needs none of it
    from fastmetrics.native import builder, cache
    from fastmetrics.native.toolchain import BuildError

    made = library(found.device, found.part)
    try:
        folder = cache.folder()
        candidates = cache.candidates(made, folder)
        if _use(found, candidates, "cache"):
            return True
        if not candidates:
            found.reasons.append(f"cache: not in {folder}")
        folder, problem = cache.writable_folder()
        if problem is not None:
            found.reasons.append(f"cache: {problem}")
            candidates = cache.candidates(made, folder)
            if _use(found, candidates, "cache"):
                return True
            log.warning("%s", problem)
        path, built = builder.build(made, folder, again=bool(candidates))
    except (BuildError, OSError) as error:
        found.reasons.append(f"build: {error}")
        return False
    return _open(found, path, "built now" if built else "cache", prebuilt.candidate(path).stamp)

# SPDX-License-Identifier: Apache-2.0
"""States of a GPU on the host, where formulas are evaluated.

A formula of some counts is ten to twenty-five small operations, and each of them is a launch on a GPU. Whoever raises
faults waits for a copy of their record anyway: small states come along with it, and the values go back in one copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from lightning_utilities import apply_to_collection
from torch import Tensor
from torch.nn import Module

from fastmetrics import tensors
from fastmetrics.accumulator import Part

#: Bytes of states that are copied; to copy more takes longer than the launches do.
MOST = 1 << 18


def device_to_wait_for(parts: Sequence[Part]) -> torch.device | None:
    """The first device, if any, on which a record of faults is that one has to wait for."""
    for part in parts:
        if part.faults is not None and not part.faults.is_cpu:
            return part.faults.device
    return None


def holds_tensors(metric: Module) -> bool:
    """Whether a metric has tensors beside its states, which a formula may take together with them."""
    states = vars(metric).get("_defaults", {})
    last = ("_computed", "_forward_cache")
    mine = (value for name, value in vars(metric).items() if name not in states and name not in last)
    return any(isinstance(value, Tensor | Module) for value in mine) or any(True for _ in metric.buffers())


class Copy(NamedTuple):
    """What was copied to the host: a record of faults, and the states, unless they stay where they are."""

    faults: Tensor
    part: Part | None


def copies(parts: Sequence[Part], movable: Sequence[bool], device: torch.device) -> list[Copy | None]:
    """States and their records of faults on the host, by one copy of all of them.

    Args:
        parts: those on other devices, or without a record, are not copied.
        movable: whose formulas may be evaluated elsewhere. States stay where they are nevertheless if they are many,
            lists of samples, or carry a graph.
        device: of the states.
    """
    here = [i for i, part in enumerate(parts) if part.faults is not None and part.faults.device == device]
    goes = [movable[i] and _small(parts[i]) for i in here]
    brought = moved(
        [
            (parts[i].faults, *((parts[i].states, parts[i].twins) if go else ()))
            for i, go in zip(here, goes, strict=True)
        ],
        torch.device("cpu"),
    )
    found: list[Copy | None] = [None] * len(parts)
    for i, go, (faults, *states) in zip(here, goes, brought, strict=True):
        found[i] = Copy(faults, Part(parts[i].statistics, states[0], states[1], faults) if go else None)
    return found


def _small(part: Part) -> bool:
    """Whether the states are tensors that are sooner copied than worked on."""
    size = 0
    for state in (*part.states.values(), *part.twins.values()):
        if not isinstance(state, Tensor) or state.requires_grad:
            return False
        size += state.numel() * state.itemsize
    return size <= MOST


def moved(value: Any, device: torch.device) -> Any:
    """A value with its tensors, which are all on one device, on another, by one copy."""
    found: list[Tensor] = []
    apply_to_collection(value, Tensor, found.append)
    there = iter(tensors.together(found, device))
    return apply_to_collection(value, Tensor, lambda _: next(there))

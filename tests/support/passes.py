# SPDX-License-Identifier: Apache-2.0
"""Inputs and states of the passes."""

import math

import torch

from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.pairs import STATES


def zeros(*shape, device="cpu", dtype=torch.int64):
    return torch.zeros(shape, dtype=dtype, device=device)


def mask(shape, device):
    """Some of the samples are valid."""
    return torch.rand(shape, device=device) < 0.7


def multiclass_states(which, c, k, n=None, device="cpu"):
    """Not zero, so that a kernel that overwrites instead of adding is seen."""
    lead = () if n is None else (n,)
    shapes = {"m": (c, c), "c": (*lead, c, 3), "r": (*lead, c, k, 2)}
    states = [torch.randint(0, 9, shapes[s], device=device) if s in which else None for s in "mcr"]
    return [*states, zeros(FAULTS, device=device) if "f" in which else None]


def pairs_states(outputs, device="cpu"):
    """All that the pairs pass can feed, empty, and the faults."""
    states = [zeros(outputs, *shape, dtype=torch.float64, device=device) for shape in STATES.values()]
    return [*states, zeros(FAULTS, device=device)]


def binary_inputs(shape, dtype, kind):
    if not dtype.is_floating_point:
        return torch.randint(0, 2 if dtype == torch.bool else 3, shape).to(dtype)
    scores = torch.randn(shape) * 2 if kind == "logit" else torch.rand(shape)
    if kind == "nan" and scores.numel():
        scores.view(-1)[-1] = math.nan
    return scores.to(dtype)

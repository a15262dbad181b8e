# SPDX-License-Identifier: Apache-2.0
"""What the cases of the kernels are made of."""

import math

import torch

SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def rare(scores):
    """Replace a few of the scores by what is not a number, infinite, or zero of either sign."""
    chance = torch.rand(scores.shape)
    for low, value in ((0.0, math.nan), (0.02, math.inf), (0.04, -math.inf), (0.06, -0.0), (0.08, 0.0)):
        scores[(chance > low) & (chance < low + 0.02)] = value
    return scores


def weights_of(shape):
    """Weights, a few of which are 0 or out of range."""
    weights = torch.rand(shape, dtype=torch.float64) * 3
    chance = torch.rand(shape)
    for low, value in ((0.0, math.nan), (0.02, math.inf), (0.04, -1.0), (0.06, 0.0)):
        weights[(chance > low) & (chance < low + 0.02)] = value
    return weights


def eighths(shape):
    """Weights whose sums are exact, so that no order of the additions gives other bits."""
    return (weights_of(shape) * 8).round() / 8


def asked(options):
    """The arguments of an ignored index."""
    ignore = options.pop("ignore", None)
    return {**options, "ignore_index": 0 if ignore is None else ignore, "has_ignore_index": ignore is not None}


def sums_of(weights, *shape):
    """A sum of the state: whole numbers without weights."""
    return torch.full(shape, 3, dtype=torch.int64 if weights is None else torch.float64)

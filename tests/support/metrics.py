# SPDX-License-Identifier: Apache-2.0
"""Metrics of users."""

import torch

from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import PairsStatistics


def least(stacked):
    return stacked.amin(0)


def most(stacked):
    return stacked.amax(0)


class Extremes(PairsStatistics):
    """Statistics that are merged in their own way, of two dtypes, of which one does not start at zero."""

    reductions = {"least": least, "most": most}

    def __init__(self):
        super().__init__()
        self.shapes |= {"least": ((2,), torch.float64), "most": ((), torch.int64)}

    def zeros(self, *args, **kwargs):
        zeros = super().zeros(*args, **kwargs)
        zeros["least"].fill_(99.0)
        return zeros

    def add(self, states, batch):
        super().add(states, batch)
        inputs = batch[0]
        values = torch.stack([value.amin().double() for value in inputs])
        torch.minimum(states["least"], values, out=states["least"])
        torch.maximum(states["most"], torch.tensor(len(inputs[0])), out=states["most"])

    def merge(self, states, batch):
        states["count"] += batch["count"]
        torch.minimum(states["least"], batch["least"], out=states["least"])
        torch.maximum(states["most"], batch["most"], out=states["most"])


class Least(StatisticMetric):
    def __init__(self, **kwargs):
        super().__init__(Extremes(), **kwargs)

    def formula(self, count, least, most):
        return torch.cat([least, most.reshape(1).double(), count])

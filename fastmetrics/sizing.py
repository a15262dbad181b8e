# SPDX-License-Identifier: Apache-2.0
"""Metrics whose number of classes is that of the first batch."""

from __future__ import annotations

import torch

from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import Statistics


def take_size(metric: StatisticMetric, statistics: Statistics) -> None:
    """Give a metric that has seen no data statistics of the size of its first batch.

    They stay that size when the metric is reset. A metric that has seen no data has no size, so it cannot take the
    state of one that has.
    """
    own = metric.__dict__
    persistent = dict(own["_persistent"])
    for name in (*statistics.shapes, "faults"):
        own["_defaults"].pop(name)  # what is not there yet becomes a state of this metric alone
    vars(metric._statistics).update(vars(statistics))  # the update that found the size holds this very object
    with torch.inference_mode(False):
        metric._set_up_states(metric._statistics)
    own["_persistent"].update(persistent)

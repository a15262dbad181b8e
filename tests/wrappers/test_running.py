# SPDX-License-Identifier: Apache-2.0
"""Windows of the last updates, against torchmetrics."""

import math
import pickle

import pytest
import torch
import torchmetrics

import fastmetrics as ours
from fastmetrics.classification import MulticlassAccuracy
from fastmetrics.wrappers import Running


def both(name, device="cpu", **options):
    return [getattr(module, name)(**options).to(device) for module in (ours, torchmetrics)]


def test_running(device):
    for name, window in (("RunningMean", 3), ("RunningSum", 1), ("RunningSum", 4)):
        mine, theirs = both(name, device, window=window)
        for i in range(9):
            step = "forward" if i % 3 else "update"
            values = torch.tensor([i, i + 0.5], device=device)
            assert getattr(mine, step)(values) == getattr(theirs, step)(values)
            torch.testing.assert_close(mine.compute(), theirs.compute())
            mine = pickle.loads(pickle.dumps(mine)) if i == 4 else mine
        mine.reset()
        mine.update(2.0)
        assert mine.compute() == 2
    with pytest.raises(RuntimeError, match="nan"):  # noqa: PT012
        failed = ours.RunningSum(2, nan_strategy="error").to(device)
        failed.update(torch.tensor([1.0, math.nan], device=device))
        failed.compute()


def test_running_around_any_metric(device):
    torch.manual_seed(0)
    batches = [(torch.randn(20, 3, device=device), torch.randint(0, 3, (20,), device=device)) for _ in range(5)]
    mine = Running(MulticlassAccuracy(3), 2).to(device)
    theirs = torchmetrics.wrappers.Running(torchmetrics.classification.MulticlassAccuracy(3), 2).to(device)
    around_theirs = Running(torchmetrics.classification.MulticlassAccuracy(3), 2).to(device)
    for batch in batches:
        torch.testing.assert_close(mine(*batch), theirs(*batch))
        around_theirs.update(*batch)
        torch.testing.assert_close(mine.compute(), theirs.compute())
        torch.testing.assert_close(around_theirs.compute(), theirs.compute())
    weights = torch.rand(20, device=device)
    mine.update(*batches[0], weights=weights)
    expected = MulticlassAccuracy(3).to(device)
    expected.update(*batches[-1])
    expected.update(*batches[0], weights=weights)
    torch.testing.assert_close(mine.compute(), expected.compute())
    kept = Running(ours.CatMetric(), 2).to(device)
    for value in (5.0, [1.0, 2.0], 3.0, 4.0):
        kept.update(value)
    assert kept.compute().tolist() == [3.0, 4.0]
    least = Running(ours.MinMetric(), 2).to(device)
    for value in (1.0, 5.0, 3.0):
        least.update(value)
    assert least.compute() == 3
    for wrong in ((3, 5), (ours.SumMetric(), 0), (ours.SumMetric(), 1.5)):
        with pytest.raises(ValueError):
            Running(*wrong)


def test_an_error_in_a_window_keeps_what_is_right():
    metric = ours.RunningSum(2, nan_strategy="error")
    metric.update(1.0)
    with pytest.raises(RuntimeError, match="nan"):
        metric.update(torch.tensor([2.0, math.nan]))
    assert metric.compute() == 3
    with pytest.raises(ValueError):
        metric.update(torch.zeros(2, dtype=torch.complex64))
    assert metric.compute() == 3
    metric.update(4.0)
    assert metric.compute() == 6

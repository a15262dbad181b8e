# SPDX-License-Identifier: Apache-2.0
"""A batch like the one before it is added by one call; what is counted is the same as by the way that others take."""

import copy
import pickle

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import native
from fastmetrics.accumulator import Accumulator
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryCalibrationError,
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassBrierScore,
    MulticlassCalibrationError,
)
from fastmetrics.metric import StatisticMetric
from fastmetrics.native import operators
from fastmetrics.passes import values_
from fastmetrics.passes.values import KEEP
from fastmetrics.statistics import BinaryStatistics
from tests.support.cases import every_metric, same_states, states

pytestmark = pytest.mark.filterwarnings("ignore")

needs_direct_calls = pytest.mark.skipif(
    native.mode() == "off" or not (native.load("cpu", "counts") and native.status("cpu", "counts").bind),
    reason="no direct calls: no native library, Python headers or exchange of tensors",
)
CLASSES = {
    "accuracy": lambda **o: MulticlassAccuracy(3, **o),
    "AUROC": lambda **o: MulticlassAUROC(3, **o),
    "AUROC of any scores": lambda **o: MulticlassAUROC(3, logits=False, **o),
    "AUROC at thresholds": lambda **o: MulticlassAUROC(3, thresholds=20, **o),
    "AUROC of bins": lambda **o: MulticlassAUROC(3, bins=64, **o),
    "calibration": lambda **o: MulticlassCalibrationError(3, **o),
    "Brier score": lambda **o: MulticlassBrierScore(3, **o),
}
every_class = pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)


def batch(seed, n=8):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, generator=generator).softmax(1), torch.randint(3, (n,), generator=generator)


def same(a, b):
    """Equal states, of which NaN are samples that do not count."""
    for name, value in states(a).items():
        of_both = [torch.cat(one) if isinstance(one, list) and one else one for one in (value, getattr(b, name))]
        assert isinstance(of_both[0], list) == isinstance(of_both[1], list)
        if not isinstance(of_both[0], list):
            assert of_both[0].dtype == of_both[1].dtype
            assert torch.equal(*(one.nan_to_num(7) for one in of_both))


def never(accumulator, batch):
    accumulator.again = False


def updated(metric, batches, monkeypatch=None):
    """A metric with these batches; given a monkeypatch, none of them by one call."""
    if monkeypatch is not None:
        with monkeypatch.context() as patch:
            patch.setattr(Accumulator, "prepare", never)
            return updated(metric, batches)
    for one in batches:
        metric.update(*one)
    return metric


@every_metric
def test_every_metric_counts_the_same(kind, options, batch, monkeypatch):
    batches = [batch(seed) for seed in (0, 1, 2, 3, 1)]
    metric = updated(kind(**options), batches)
    same_states(metric, updated(kind(**options), batches, monkeypatch))
    metric.reset()
    same_states(updated(metric, batches[1:]), updated(kind(**options), batches[1:], monkeypatch))


@needs_direct_calls
@every_class
def test_these_take_one_call(make):
    metric = updated(make(), [batch(0), batch(1)])
    count = metric._reader.accumulator.count
    assert metric._reader.accumulator.add_again(batch(2))
    assert metric._reader.accumulator.count == count + 1
    same(metric, updated(make(), [batch(0), batch(1), batch(2)]))


@every_class
def test_others_between_them(make, monkeypatch):
    wide = [(preds.double() if "bins" not in vars(make()) else preds, target) for preds, target in [batch(4)]]
    batches = [batch(0), batch(1), batch(2, 5), batch(3), *wide, batch(5), batch(6), batch(7, 0), batch(8), batch(9, 1)]
    calls = [((*one,), {}) for one in batches]
    calls += [((*batch(10), torch.rand(8)), {}), (batch(11), {"valid": torch.rand(8) < 0.5}), (batch(12), {})]
    calls += [((), {"preds": batch(13)[0], "target": batch(13)[1]}), (batch(14), {}), (batch(15), {})]
    found = []
    for patched in (False, True):
        torch.manual_seed(0)
        metric = make()
        with monkeypatch.context() as patch:
            if patched:
                patch.setattr(Accumulator, "prepare", never)
            for args, kwargs in calls:
                try:
                    metric.update(*args, **kwargs)
                except ValueError as error:
                    found.append(str(error))
        found.append(metric)
    same(*(one for one in found if not isinstance(one, str)))
    said = [one for one in found if isinstance(one, str)]
    assert said[: len(said) // 2] == said[len(said) // 2 :]


@every_class
def test_wrong_values_raise_at_once_and_are_not_counted(make):
    metric, other = make(), make()
    for seed in range(3):
        updated(metric, [batch(seed)])
        updated(other, [batch(seed)])
    preds, target = batch(3)
    with pytest.raises(RuntimeError, match="target"):
        metric.update(preds, torch.where(target == 1, 7, target))
    with pytest.raises(RuntimeError, match="target"):
        other.update(preds, torch.where(target == 1, 7, target).to(torch.int32))
    same(metric, other)
    with pytest.raises(TypeError):
        metric.update(preds, target.tolist())
    with pytest.raises(TypeError):
        metric.update(preds)
    with pytest.raises(TypeError):
        metric.update(preds, target, None, None, None)
    same(metric, other)


@every_class
def test_states_that_are_replaced(make, monkeypatch):
    batches = [batch(seed) for seed in range(3)]
    expected = updated(make(), 3 * batches, monkeypatch)
    metric = updated(make(), batches)
    for change in (copy.deepcopy, lambda metric: pickle.loads(pickle.dumps(metric))):
        metric = updated(change(metric), batches)
    same(metric, expected)
    metric = updated(make(), batches)
    metric.persistent(True)
    kept = copy.deepcopy(metric.state_dict())
    updated(metric, batches)
    metric.load_state_dict(kept)
    updated(metric, batches)
    metric.to(torch.float64).to("cpu")
    updated(metric, batches)
    same(metric, expected)
    metric = updated(make(), batches)
    for name in metric.metric_state:
        state = getattr(metric, name)
        setattr(metric, name, [one.clone() for one in state] if isinstance(state, list) else state.clone())
    same(updated(metric, batches + batches), expected)


@every_class
def test_what_is_kept_is_seen_whenever_it_is_looked_at(make, monkeypatch):
    batches = [batch(seed, 6) for seed in range(40)]
    metric = make()
    for end in range(1, len(batches) + 1):
        metric.update(*batches[end - 1])
        if end % 3 == 0:
            same(metric, updated(make(), batches[:end], monkeypatch))
    seen = copy.deepcopy({name: getattr(metric, name) for name in metric.metric_state})
    given = {name: getattr(metric, name) for name in metric.metric_state if isinstance(getattr(metric, name), list)}
    shapes = {name: [tuple(one.shape) for one in state] for name, state in given.items()}
    updated(metric, batches)
    for name, state in given.items():  # tensors that were given away do not grow
        assert [tuple(one.shape) for one in state][: len(shapes[name])] == shapes[name]
        assert all(torch.equal(a, b) for a, b in zip(seen[name], state, strict=False) if not a.isnan().any())


def test_16_bit_scores_until_they_are_counted(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    few = [
        (torch.rand(500, generator=generator).bfloat16(), torch.randint(2, (500,), generator=generator))
        for _ in range(300)
    ]
    metric, other = updated(BinaryAUROC(), few), updated(BinaryAUROC(), few, monkeypatch)
    assert len(metric.counts) == 1
    assert torch.equal(metric.compute(), other.compute())


class Seen(TorchDispatchMode):
    """Lists the operators of this library."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names += [str(func)] if func.namespace == "fastmetrics" else []
        return func(*args, **(kwargs or {}))


@every_class
def test_who_watches_sees_the_operator(make):
    metric = updated(make(), [batch(seed) for seed in range(3)])
    with Seen() as seen:
        metric.update(*batch(3))
    assert len(seen.names) == 1
    same(metric, updated(make(), [batch(seed) for seed in range(4)]))


def test_tensors_that_are_not_plain():
    class Tensor(torch.Tensor):
        """A subclass."""

    metric = updated(BinaryCalibrationError(), [(torch.rand(4), torch.tensor([0, 1, 1, 0]))] * 3)
    before = metric.counts.sum().item()
    metric.update(torch.rand(4).as_subclass(Tensor), torch.tensor([0, 1, 1, 0]))
    metric.update(torch.rand(8)[::2].requires_grad_(), torch.tensor([0, 1, 1, 0]))
    metric.update(torch.rand(4), torch.tensor([0, 5, 1, 5, 1, 5, 0, 5])[::2])
    assert metric.counts.sum().item() == before + 12


def test_what_a_subclass_does_is_done():
    class Shifted(BinaryAccuracy):
        """Reads other scores."""

        def inputs(self, preds, target, weights=None, valid=None):
            return super().inputs(preds / 2, target, weights, valid)

    class Twice(BinaryStatistics):
        """Counts all twice."""

        def add(self, states, batch, rows=None):
            super().add(states, batch, rows)
            super().add(states, batch, rows)

    class Count(StatisticMetric):
        """Of samples."""

        def __init__(self):
            super().__init__(Twice(None))

        def formula(self, counts):
            return counts.sum()

    preds, target = torch.tensor([0.9, 0.8]), torch.tensor([1, 1])
    assert updated(Shifted(), [(preds, target)] * 4).compute() == 0
    metric = updated(Count(), [(preds, target)] * 4)
    assert metric.counts.sum() == 2 * updated(BinaryAccuracy(), [(preds, target)] * 4).counts.sum()


@needs_direct_calls
def test_no_references_are_kept():
    import gc
    import weakref

    metric = updated(BinaryAccuracy(), [(torch.rand(4), torch.tensor([0, 1, 1, 0]))] * 4)
    state, accumulator = weakref.ref(metric.counts), metric._reader.accumulator
    assert accumulator.again
    preds = torch.rand(4)
    seen = weakref.ref(preds)
    metric.update(preds, torch.tensor([0, 1, 1, 0]))
    gc.disable()
    try:
        del preds
        assert seen() is None
        del accumulator, metric
        gc.collect()
        assert state() is None
    finally:
        gc.enable()


@needs_direct_calls
def test_what_cannot_be_called_again():
    values, others = torch.zeros(3), (None, None, "total", None, None, None, None, KEEP, 0.0)
    assert operators.again(len, (values,), {}, others) is None
    assert operators.again(values_, (torch.zeros(3, device="meta"),), {}, others) is None
    assert operators.again(values_, (values,), {}, 4 * others) is None
    assert operators.again(values_, (values, values, values), {}, others[2:]) is None  # weights may be None
    assert native.load("cpu", "numbers")
    assert operators.again(values_, (values,), {}, others)(values) is False  # there is no total
    metric = updated(BinaryAccuracy(), [(torch.rand(4), torch.tensor([0, 1, 1, 0]))] * 4)
    again, counts = metric._reader.accumulator.again, metric.counts.clone()
    for wrong in ((), (torch.rand(4),), (torch.rand(4), None), (1, 2), (torch.rand(4), torch.zeros(4), 3)):
        assert again(*wrong) is False
    metric._reader.accumulator.states.pop("faults")
    assert again(torch.rand(4), torch.tensor([0, 1, 1, 0])) is False
    assert torch.equal(metric.counts, counts)

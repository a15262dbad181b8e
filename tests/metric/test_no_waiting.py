# SPDX-License-Identifier: Apache-2.0
"""Updates never wait for the device, allocate nothing that grows with the batch, and can be compiled and captured.

No GPU is needed to see it: a tensor of the meta device has no data, so whatever would look at some fails. The check for
values out of range that follows an update on the CPU is the one place that looks, and does so on the CPU alone.
"""

from contextlib import contextmanager

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import MetricCollection, native, nominal, regression, segmentation
from fastmetrics import classification as ours
from fastmetrics.formulas import surfaces
from fastmetrics.metric import StatisticMetric
from fastmetrics.passes.binary import binary_body
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.multiclass import multiclass_body
from fastmetrics.statistics import base
from fastmetrics.statistics.buffers import Buffers
from tests.support.cases import C, every_metric, multiclass_batch

pytestmark = pytest.mark.filterwarnings("ignore")

WAITING = {
    *("_local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "bincount", "equal", "is_nonzero", "item"),
    *("_unique2", "unique_dim", "unique_consecutive", "repeat_interleave", "argwhere", "histc"),
}
N = 4096


class NoWaiting(TorchDispatchMode):
    """Fails on what would wait for the device, and on new memory of ``most`` bytes."""

    def __init__(self, most=None):
        super().__init__()
        self.most = most

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.partition("::")[2]
        assert name not in WAITING, f"{name} waits for the device"
        if name in ("index", "index_put", "index_put_"):
            for index in args[1]:
                assert index is None or index.dtype != torch.bool, f"{name} by a mask waits for the device"
        found = func(*args, **(kwargs or {}))
        if self.most is not None and isinstance(found, torch.Tensor):
            known = {value.untyped_storage()._cdata for value in args if isinstance(value, torch.Tensor)}
            if found.untyped_storage()._cdata not in known:
                assert found.untyped_storage().nbytes() < self.most, f"{name} allocates {tuple(found.shape)}"
        return found


@contextmanager
def peak(most, device):
    """Fails if kernels take more than ``most`` bytes of a GPU at a time, also in an operator, where the mode sees none.

    Of bodies nothing is asked.
    """
    measured = device == "cuda" and native.load(device)
    if measured:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    yield
    if measured:
        assert torch.cuda.max_memory_allocated() - before <= most


def test_the_mode_sees_what_waits_and_what_grows():
    values = torch.rand(N)
    for waits in (
        lambda: values[values > 0.5],
        lambda: values.sum().item(),
        lambda: bool(values.any()),
        values.unique,
        lambda: torch.bincount(values.long()),
        lambda: values.masked_fill_(values > 2, 0).nonzero(),
    ):
        with NoWaiting(), pytest.raises(AssertionError, match="waits"):
            waits()
    with NoWaiting(most=N), pytest.raises(AssertionError, match="allocates"):
        values + 1
    with NoWaiting(most=N):
        values.view(2, -1).add_(1)
    with pytest.raises((RuntimeError, NotImplementedError)):
        values.to("meta").sum().tolist()


def repeated(batch, device):
    """A batch of N rows, or of fewer of which each tensor has N numbers."""
    rows = N // min(value[0].numel() for value in batch)
    return [value.repeat(rows // len(value) + 1, *(1 for _ in value.shape[1:]))[:rows].to(device) for value in batch]


def takes(kind, options, batch, mask):
    """Whether the metric takes masks or weights of samples, without waiting for the device."""
    if isinstance(kind(**options)._statistics, Buffers):
        return False  # how many it keeps of a mask decides sizes
    inputs = batch(0)
    try:
        kind(**options).update(*inputs, **{name: torch.ones(len(inputs[0]), dtype=v.dtype) for name, v in mask.items()})
    except (ValueError, TypeError):
        return False
    return True


def most_bytes(metric):
    """What an update of N rows may allocate at once; None is anything."""
    lists = any(isinstance(state, list) for state in metric._defaults.values())
    return None if lists else N  # lists keep something of every sample


@pytest.fixture
def little_at_once(monkeypatch):
    """What is kept of rows while a batch is read has a limit, which the batches here are to exceed."""
    monkeypatch.setattr(base, "AT_ONCE", 256)


@every_metric
def test_updates(kind, options, batch, device, little_at_once, monkeypatch):
    monkeypatch.setattr(surfaces, "_may_look", lambda values: False)  # which it does on the CPU alone
    if kind.forward is not StatisticMetric.forward or kind.update is not StatisticMetric.update:
        pytest.skip("has its own update")
    for where in dict.fromkeys([device, "meta"]):
        metric = kind(**options).to(where)
        inputs = repeated(batch(0), where)
        rows = len(inputs[0])
        valid = {"valid": torch.ones(rows, dtype=torch.bool, device=where)}
        weights = {**valid, "weights": torch.ones(rows, dtype=torch.float64, device=where)}
        masks = [{}, *(mask for mask in (valid, weights) if takes(kind, options, batch, mask))]
        metric.update(*(value[:8] for value in inputs), **{name: mask[:8] for name, mask in masks[-1].items()})
        for mask in masks:
            if where == "cuda":
                torch.cuda.set_sync_debug_mode("error")
            try:
                with NoWaiting(most_bytes(metric)):
                    metric.update(*inputs, **mask)
            finally:
                if where == "cuda":
                    torch.cuda.set_sync_debug_mode("default")


def conversions():
    """Batches that the passes do not read as they are."""
    labels, other = torch.randint(0, C, (2, N))
    missing = torch.where(torch.rand(N) < 0.1, torch.nan, labels)
    images, masks, scores = torch.randint(0, C, (N, 2, 2)), torch.randint(0, 2, (N, C, 2, 2)), torch.randn(N, C, 2, 2)
    one_hot, mixed = ({"num_classes": C, "input_format": name} for name in ("one-hot", "mixed"))
    yield ours.MulticlassAccuracy, {"num_classes": C, "validate_args": False}, (labels.double(), other.double())
    yield ours.MulticlassAccuracy, {"num_classes": None, "average": "micro"}, (labels, other)
    yield nominal.CramersV, {"num_classes": C}, (missing, missing.roll(1))
    yield nominal.CramersV, {"num_classes": C, "nan_strategy": "drop"}, (scores[..., 0, 0], missing)
    for options, preds, target in (
        (mixed, masks, images),
        (mixed, images, masks),
        (one_hot, scores, masks),
        (one_hot, scores, scores.flip(0)),
        (one_hot, masks, masks.flip(0)),
    ):
        for level in ("samplewise", "global"):
            more = {"ignore_index": 1, "aggregation_level": level}
            yield segmentation.DiceScore, {**options, **more}, (preds, target)
    yield segmentation.MeanIoU, mixed, (scores, images)
    yield segmentation.GeneralizedDiceScore, one_hot, (masks, masks.flip(0))
    yield regression.ContinuousRankedProbabilityScore, {}, (torch.randn(N, 9), torch.randn(N))
    yield regression.KLDivergence, {}, (torch.rand(N, 3), torch.rand(N, 3))
    yield nominal.FleissKappa, {}, (torch.randint(0, 9, (N, 3)),)
    yield nominal.FleissKappa, {"mode": "probs"}, (torch.rand(N, 3, 4),)


@pytest.mark.parametrize(("kind", "options", "inputs"), list(conversions()))
def test_what_is_converted_in_parts(kind, options, inputs, device, little_at_once, monkeypatch):
    inputs = [value.to(device) for value in inputs]
    mask = {"valid": torch.rand(N, device=device) < 0.7, "weights": torch.rand(N, device=device).double()}
    metric = kind(**options).to(device)
    for masks in ({}, mask):
        metric.update(*inputs, **masks)
        with NoWaiting(most=N):
            metric.update(*inputs, **masks)
    in_parts = metric.compute()
    monkeypatch.setattr(base, "AT_ONCE", 1 << 30)
    metric.reset()
    for masks in ({}, mask):
        metric.update(*inputs, **masks)
        with NoWaiting(most=N), pytest.raises(AssertionError, match="allocates"):
            metric.update(*inputs, **masks)
        metric.update(*inputs, **masks)
    torch.testing.assert_close(in_parts, metric.compute())


def collection():
    return MetricCollection(
        {
            "acc": ours.MulticlassAccuracy(C),
            "f1": ours.MulticlassF1Score(C),
            "confusion": ours.MulticlassConfusionMatrix(C),
            "top": ours.MulticlassAccuracy(C, top_k=2),
            "ignore": ours.MulticlassAccuracy(C, ignore_index=0),
        }
    )


def test_a_collection(device):
    for where in dict.fromkeys([device, "meta"]):
        metrics = collection().to(where)
        inputs = repeated(multiclass_batch(0), where)
        valid = torch.ones(len(inputs[1]), dtype=torch.bool, device=where)
        with NoWaiting(most=N):
            metrics.update(*inputs)
            metrics.update(*inputs, valid=valid)
        assert len(metrics.compute_groups) == 2


def test_groups_and_weights(device):
    for metric, shape, groups in (
        (ours.BinaryGroupStatRates(3), (N,), [torch.randint(0, 3, (N,), device=device)]),
        (ours.MultilabelAccuracy(3), (N, 3), []),
    ):
        batch = torch.rand(shape, device=device), torch.randint(0, 2, shape, device=device), *groups
        valid, weights = (torch.ones(shape, dtype=dtype, device=device) for dtype in (torch.bool, torch.float64))
        metric.to(device).update(*batch, weights=weights)
        with NoWaiting(most=N), peak(N, device):
            metric.update(*batch)
            metric.update(*batch, valid=valid, weights=weights)


def test_bodies():
    scores, target = repeated(multiclass_batch(0), "cpu")
    valid, weights = torch.ones_like(target, dtype=torch.bool), torch.ones_like(target, dtype=torch.float64)

    def state(*shape, dtype=torch.int64):
        return torch.zeros(shape, dtype=dtype)

    for dtype, extra in ((torch.int64, ()), (torch.float64, (weights,))):
        states = state(C, C, dtype=dtype), state(C, 3, dtype=dtype), state(C, 2, 2, dtype=dtype), state(FAULTS)
        labels = (target % 2, state(1, 4, dtype=dtype), state(FAULTS), 0.5, 0.0, 0, True, True)
        with NoWaiting():
            multiclass_body(scores, target, valid, *states, C, 1, True, None, *extra)
            binary_body(scores[:, 0], labels[0], valid, *labels[1:], *extra)
        assert states[0].any()
        assert labels[1].any()


def test_values_that_are_asked_for_later(device):
    metrics = collection().to(device)
    inputs = [value.to(device) for value in multiclass_batch(0)]
    metrics.update(*inputs)
    expected = {name: value.cpu() for name, value in metrics.compute(sync=False).items()}
    pending, single = metrics.compute_async(), metrics["acc"].compute_async()
    metrics.update(*inputs)
    for name, value in pending.result().items():
        assert value.device.type == "cpu"
        assert torch.equal(value, expected[name])
    assert pending.done()
    assert torch.equal(single.result(), expected["acc"])
    assert torch.equal(pending.result()["acc"], expected["acc"])
    metrics["acc"].faults[:2] = torch.tensor([1, 99])  # as on a device whose update does not look
    pending = metrics.compute_async()
    metrics.compute()  # the record was taken along
    with pytest.raises(RuntimeError, match="99"):
        pending.result()
    pending.result()


def test_compiled_step_with_changing_batches():
    torch.compiler.reset()
    metrics, plain = collection(), collection()
    compiles = []

    def backend(module, inputs):
        compiles.append(1)
        return module.forward

    layer = torch.nn.Linear(5, C)

    def validation_step(x, target):
        metrics.update(layer(x), target)

    with torch.no_grad():
        step = torch.compile(validation_step, fullgraph=True, dynamic=True, backend=backend)
        for epoch in range(2):
            for n in (7, 5, 11, 30, 2):
                x, target = torch.randn(n, 5), torch.randint(0, C, (n,))
                step(x, target)
                plain.update(layer(x), target)
            for name, value in plain.compute().items():
                assert torch.equal(metrics.compute()[name], value)
            metrics.reset()
            plain.reset()
            if epoch == 0:
                assert len(compiles) <= 2
    assert len(compiles) <= 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_captured_in_a_graph():
    metrics, plain = collection().to("cuda"), collection().to("cuda")
    scores, target = torch.zeros(64, C, device="cuda"), torch.zeros(64, dtype=torch.int64, device="cuda")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        metrics.update(scores, target)
    torch.cuda.current_stream().wait_stream(stream)
    metrics.reset()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        metrics.update(scores, target)
    metrics.reset()
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        scores.copy_(torch.randn(64, C, generator=generator))
        target.copy_(torch.randint(0, C, (64,), generator=generator))
        graph.replay()
        plain.update(scores, target)
    for name, metric in metrics.items():
        assert torch.equal(metric.compute(sync=False), plain[name].compute(sync=False))

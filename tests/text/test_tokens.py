# SPDX-License-Identifier: Apache-2.0
"""Metrics of logits over a vocabulary, against torchmetrics, float64 references and values by hand."""

import math

import pytest
import torch
import torchmetrics
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fastmetrics import MetricCollection
from fastmetrics.passes import token_rows
from fastmetrics.passes.token_rows import ELSEWHERE, SKIPPED, token_rows_body
from fastmetrics.statistics import output_layer
from fastmetrics.text import (
    BitsPerByte,
    NegativeLogLikelihood,
    Perplexity,
    TokenAccuracy,
    TokenCalibrationError,
    TokenEntropy,
    TokenRank,
)

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def batch(seed, v=50, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, v, (3, 7), generator=generator)
    target[0, 5:] = -100
    return (torch.randn(3, 7, v, generator=generator) * 3).to(dtype), target


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("v", [1, 5, 16, 17, 63, 100, 4095, 4096, 4097, 9000])
def test_the_kernel_is_the_body(dtype, v):
    generator = torch.Generator().manual_seed(v)
    x = (torch.randn(9, v, generator=generator) * 5).to(dtype)
    x[1], x[2, 0], x[3, 0], x[5] = -torch.inf, torch.nan, torch.inf, 1.0
    x[4, : v // 2] = -torch.inf
    target = torch.randint(0, v, (9,), generator=generator)
    target[6], target[7] = SKIPPED, ELSEWHERE
    close = {"rtol": 1e-13, "atol": 1e-13} if dtype == torch.float64 else {"rtol": 3e-7, "atol": 1e-7}
    for logits in (x, x.t().contiguous().t(), torch.stack([x, x], 1)[:, 0]):
        for asked in ((False, False), (True, False), (False, True), (True, True)):
            found, expected = token_rows(logits, target, *asked, None), token_rows_body(logits, target, *asked, None)
            torch.testing.assert_close(found, expected, equal_nan=True, **close)
            assert torch.equal(found[3:].nan_to_num(), expected[3:].nan_to_num())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_perplexity_of_torchmetrics(dtype):
    ours, theirs = Perplexity(ignore_index=-100), torchmetrics.text.Perplexity(ignore_index=-100)
    for seed in range(3):
        torch.testing.assert_close(
            ours(*batch(seed, dtype=dtype)), theirs(*batch(seed, dtype=dtype)), rtol=1e-5, atol=0
        )
    torch.testing.assert_close(ours.compute(), theirs.compute(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_in_float64(dtype):
    logits, target = batch(1, dtype=dtype)
    counted = target != -100
    log_probs = logits.double().log_softmax(-1)
    nll = -log_probs.gather(-1, target.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    entropy = -(log_probs.exp() * log_probs).sum(-1)
    order = logits.double().sort(dim=-1, descending=True, stable=True).indices
    rank = (order == target.unsqueeze(-1)).double().argmax(-1)
    metrics = {
        "nll": (NegativeLogLikelihood(ignore_index=-100), nll[counted].mean()),
        "sum": (NegativeLogLikelihood("sum", ignore_index=-100), nll[counted].sum()),
        "entropy": (TokenEntropy(ignore_index=-100), entropy[counted].mean()),
        "rank": (TokenRank(ignore_index=-100), rank[counted].double().mean() + 1),
        "top": (
            TokenAccuracy((1, 5, 10), ignore_index=-100),
            torch.stack([(rank[counted] < k).double().mean() for k in (1, 5, 10)]),
        ),
        "bytes": (
            BitsPerByte(range(50), ignore_index=-100),
            nll[counted].sum() / target[counted].sum() / math.log(2),
        ),
    }
    collection = MetricCollection({name: metric for name, (metric, _) in metrics.items()})
    collection.update(logits, target)
    found = collection.compute()
    for name, (_, expected) in metrics.items():
        torch.testing.assert_close(found[name], expected.float(), rtol=2e-6, atol=1e-7)
    each = NegativeLogLikelihood("none", ignore_index=-100)(logits, target)
    torch.testing.assert_close(each, torch.where(counted, nll, torch.nan).flatten().float(), equal_nan=True)


def test_small_likelihoods_are_right():
    logits = torch.zeros(1, 8, 100, dtype=torch.float16)
    logits[0, :, 1] = 20.0
    target = torch.ones(1, 8, dtype=torch.int64)
    target[0, 0] = 0
    expected = math.exp((20 + 8 * math.log1p(99 * math.exp(-20))) / 8)
    assert Perplexity()(logits, target).item() == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(12.18, abs=0.01)
    gap = torch.tensor([[[0.0, 120.0]]])
    assert NegativeLogLikelihood()(gap, torch.tensor([[0]])).item() == 120.0
    masked = torch.tensor([[0.0, -torch.inf, 0.0]])
    assert Perplexity()(masked, torch.tensor([0])).item() == pytest.approx(2.0)
    assert Perplexity()(masked, torch.tensor([1])).item() == math.inf


def test_probabilities_are_scores_or_logarithms():
    """torchmetrics takes the softmax of whatever it is given; the logarithms of probabilities are their logits."""
    logits, target = batch(6)
    target = target.clamp(min=0)
    probs = logits.softmax(-1)
    torch.testing.assert_close(
        Perplexity()(probs, target), torchmetrics.text.Perplexity()(probs, target), rtol=1e-5, atol=0
    )
    torch.testing.assert_close(Perplexity()(probs.log(), target), Perplexity()(logits, target), rtol=1e-5, atol=0)
    certain = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.5, 0.5]]).log()
    assert Perplexity()(certain, torch.tensor([0, 2])).item() == pytest.approx(8**0.5)


def test_shift_weights_and_valid():
    logits, target = batch(2)
    target = target.clamp(min=0)
    plain = Perplexity()(logits[:, :-1], target[:, 1:])
    assert torch.equal(Perplexity(shift=True)(logits, target), plain)
    valid = torch.rand(3, 7) < 0.7
    kept = NegativeLogLikelihood("sum")(logits[valid], target[valid])
    torch.testing.assert_close(NegativeLogLikelihood("sum")(logits, target, valid=valid), kept)
    torch.testing.assert_close(NegativeLogLikelihood("sum")(logits, target, weights=valid.double()), kept)


def test_gradients():
    logits, target = batch(3, dtype=torch.float64)
    logits.requires_grad_()
    Perplexity(ignore_index=-100)(logits, target).backward()
    (expected,) = torch.autograd.grad(
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten()).exp(), logits
    )
    torch.testing.assert_close(logits.grad, expected)


@pytest.mark.parametrize("softcap", [None, 5.0])
@pytest.mark.parametrize("v", [50, 300_000])
def test_hidden_states(v, softcap):
    generator = torch.Generator().manual_seed(4)
    hidden, weight = torch.randn(5, 9, 4, generator=generator), torch.randn(v, 4, generator=generator)
    bias, target = torch.randn(v, generator=generator), torch.randint(0, v, (5, 9), generator=generator)
    logits = hidden @ weight.t() + bias
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    for shift in (False, True):
        ours, plain = Perplexity(shift=shift), Perplexity(shift=shift)
        ours.update_hidden(hidden, weight, target, bias, softcap)
        plain.update(logits, target)
        torch.testing.assert_close(ours.compute(), plain.compute(), rtol=1e-5, atol=0)
        assert ours.update_count == 1


class Largest(TorchDispatchMode):
    """The bytes of the largest memory that an operation returns or is given to write into, but for some tensors."""

    def __init__(self, *given):
        super().__init__()
        self.given = {value.untyped_storage().data_ptr() for value in given}
        self.size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for value in tree_leaves(found):
            if isinstance(value, torch.Tensor) and value.untyped_storage().data_ptr() not in self.given:
                self.size = max(self.size, value.untyped_storage().nbytes())
        return found


@pytest.mark.parametrize("metric", [Perplexity(), TokenRank()], ids=repr)
def test_hidden_states_never_have_all_logits(monkeypatch, metric):
    monkeypatch.setattr(output_layer, "BUFFER", 1 << 20)
    hidden, weight, target = torch.randn(300, 2), torch.randn(4000, 2), torch.randint(0, 4000, (300,))
    with Largest(hidden, weight, target) as largest:
        metric.update_hidden(hidden, weight, target)
    assert (1 << 20) * 0.8 < largest.size <= 1 << 20  # of 4.8 MB
    with Largest(hidden, weight, target) as largest:
        hidden @ weight.t()
    assert largest.size == 300 * 4000 * 4


@pytest.mark.parametrize("metric", [Perplexity(), TokenRank()], ids=repr)
def test_hidden_states_in_a_graph(metric):
    torch._dynamo.reset()
    compiled, plain = metric.clone(), metric.clone()
    step = torch.compile(compiled.update_hidden, fullgraph=True, backend="aot_eager")
    weight = torch.randn(50, 4)
    for wrong in (0, 50):
        hidden, target = torch.randn(9, 4), torch.randint(0, 50, (9,))
        step(hidden, weight, target + wrong * (target == target[0]), softcap=3.0)
        plain.update_hidden(hidden, weight, target, softcap=3.0, valid=(target != target[0]) | (wrong == 0))
    with pytest.raises(RuntimeError, match="token ids in"):
        compiled.compute()
    torch.testing.assert_close(compiled.compute(), plain.compute())


def test_bad_input():
    logits, target = batch(5)
    metric = Perplexity()
    with pytest.raises(RuntimeError, match=r"token ids in \[0, V\).*but 2 were not, the first is -100"):
        metric.update(logits, target)
    assert metric.count == 19
    for error, preds, wrong in (
        (ValueError, logits[0], target),
        (ValueError, logits[:2], target),
        (TypeError, logits.long(), target),
        (TypeError, logits, target.float()),
    ):
        with pytest.raises(error):
            metric.update(preds, wrong)
    with pytest.raises(ValueError, match=r"expected `hidden` of shape \(\.\.\., D\)"):
        metric.update_hidden(torch.zeros(3, 4), torch.zeros(5, 3), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="`bytes`"):
        BitsPerByte([1, 2]).update(logits, target)
    with pytest.raises(ValueError, match="`k`"):
        TokenAccuracy(0)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_calibration_of_tokens(norm):
    x, target = batch(0, dtype=torch.float64)
    x[1, 2], target[1, 2], x[2, 1, :5] = 0.0, 0, -torch.inf  # equal logits, and masked ones
    x[2, 2, 7] = 900.0  # a probability of 1
    ours = TokenCalibrationError(7, norm, ignore_index=-100)
    theirs = torchmetrics.classification.MulticlassCalibrationError(50, 7, norm, ignore_index=-100)
    flat = x.flatten(0, 1), target.flatten()
    torch.testing.assert_close(ours(x, target), theirs(flat[0].softmax(1).float(), flat[1]), rtol=1e-6, atol=1e-7)
    other = TokenCalibrationError(3, norm, ignore_index=-100)
    both = MetricCollection({"seven": ours.clone(), "three": other})
    both.reset()
    both.update(x, target)
    assert len(both.compute_groups) == 1
    assert both.compute()["seven"] == ours.compute()
    assert both.compute()["three"] == TokenCalibrationError(3, norm, ignore_index=-100)(x, target)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_logits_without_a_softmax_have_no_confidence(norm):
    x, target = batch(0)
    for value in (torch.nan, torch.inf, -torch.inf):
        x[1, 1] = value
        assert TokenCalibrationError(norm=norm, ignore_index=-100)(x, target).isnan()
    target[1, 1] = -100
    assert TokenCalibrationError(norm=norm, ignore_index=-100)(x, target).isfinite()


def test_arguments_of_calibration():
    for n_bins in (0, 1.5, True):
        with pytest.raises(ValueError, match="`n_bins` to be an integer larger than 0"):
            TokenCalibrationError(n_bins)
    with pytest.raises(ValueError, match="norm"):
        TokenCalibrationError(norm="l3")

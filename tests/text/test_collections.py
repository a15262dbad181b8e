# SPDX-License-Identifier: Apache-2.0
"""Metrics of tokens together: references in float64, what is not counted, splits and merges, gradients."""

import itertools
import math

import hypothesis.strategies as st
import pytest
import torch
import torchmetrics.functional.text as their_functions
import torchmetrics.text as theirs
from hypothesis import given, settings

import fastmetrics.text as ours
from fastmetrics import MetricCollection
from fastmetrics.functional import text
from fastmetrics.passes import token_rows
from fastmetrics.statistics import output_layer, tokens

V = 11
BYTES = tuple(range(1, V + 1))
ALL = {
    "Perplexity": {},
    "NegativeLogLikelihood": {},
    "BitsPerByte": {"bytes": BYTES},
    "TokenAccuracy": {"k": (1, 3, V)},
    "TokenEntropy": {},
    "TokenRank": {},
    "TokenCalibrationError": {"n_bins": 4},
}


def batch(seed=0, b=3, s=5, v=V, dtype=torch.float32, device="cpu"):
    generator = torch.Generator().manual_seed(seed)
    preds = torch.randn(b, s, v, generator=generator) * 3
    return preds.to(dtype).to(device), torch.randint(0, v, (b, s), generator=generator).to(device)


def reference(preds, target, weights=None, counted=None):
    """All values, in float64, from a softmax."""
    x = preds.reshape(-1, preds.shape[-1]).double()
    y = target.reshape(-1).long()
    kept = torch.ones_like(y, dtype=torch.bool) if counted is None else counted.reshape(-1)
    w = torch.ones_like(y, dtype=torch.float64) if weights is None else weights.reshape(-1).double()
    x, y, w = x[kept], y[kept], w[kept]
    log_probs = x.log_softmax(1)
    nll = -log_probs.gather(1, y[:, None]).squeeze(1)
    entropy = -torch.where(log_probs > -torch.inf, log_probs.exp() * log_probs, 0.0).sum(1)
    order = x.argsort(dim=1, descending=True, stable=True)
    rank = (order == y[:, None]).double().argmax(1).double() + 1
    total = w.sum()
    # the sum over bins of |hits - confidences|
    confidence, gaps = log_probs.exp().amax(1), torch.zeros(5, dtype=torch.float64, device=x.device)
    gaps.index_add_(0, (confidence * 4).long(), ((rank == 1).double() - confidence) * w)
    return {
        "Perplexity": ((nll * w).sum() / total).exp(),
        "NegativeLogLikelihood": (nll * w).sum() / total,
        "BitsPerByte": (nll * w).sum() / math.log(2) / (torch.tensor(BYTES)[y % V] * w).sum(),
        "TokenAccuracy": torch.stack([((rank <= k) * w).sum() / total for k in ALL["TokenAccuracy"]["k"]]),
        "TokenEntropy": (entropy * w).sum() / total,
        "TokenRank": (rank * w).sum() / total,
        "TokenCalibrationError": gaps.abs().sum() / total,
    }


def collection(**common):
    return MetricCollection({name: getattr(ours, name)(**options, **common) for name, options in ALL.items()})


def close(found, expected, rtol=2e-6):
    for name, value in expected.items():
        torch.testing.assert_close(found[name].cpu().double(), value.cpu().double(), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("ignore_index", [None, 2, -100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_torchmetrics(device, ignore_index, dtype):
    mine, other = (m.Perplexity(ignore_index=ignore_index).to(device) for m in (ours, theirs))
    for seed in range(3):
        preds, target = batch(seed, dtype=dtype, device=device)
        if ignore_index is not None:
            target[0, 1:3] = ignore_index
        a, b = mine(preds, target), other(preds, target)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        torch.testing.assert_close(a, b, rtol=1e-5, atol=0)
        a, b = (f.perplexity(preds, target, ignore_index) for f in (text, their_functions))
        torch.testing.assert_close(a, b, rtol=1e-5, atol=0)
    torch.testing.assert_close(mine.compute(), other.compute(), rtol=1e-5, atol=0)


def test_errors_of_torchmetrics():
    preds, target = batch()
    for wrong in ((preds[0, 0], target), (preds, target[0]), (preds, target[:, :2]), (preds.long(), target)):
        raised = []
        for module in (ours, theirs):
            with pytest.raises((ValueError, TypeError)) as info:
                module.Perplexity().update(*wrong)
            raised.append(info.type)
        assert raised[0] is raised[1]
    for module in (ours, theirs):
        with pytest.raises(TypeError, match="`target`"):
            module.Perplexity().update(preds, target.double())
        with pytest.raises(ValueError, match=r"`ignore_index` expected to either be `None` or an `int` but got 1\.5"):
            module.Perplexity(ignore_index=1.5)


def test_layouts_and_integers():
    preds, target = batch(2, 4, 6, 40)
    expected = text.perplexity(preds, target)
    strided = preds.transpose(0, 2).contiguous().transpose(0, 2)
    wide = torch.zeros(4, 6, 80)[..., ::2].copy_(preds)
    for same in (strided, wide, preds.transpose(0, 1).contiguous().transpose(0, 1)):
        torch.testing.assert_close(text.perplexity(same, target), expected, rtol=1e-6, atol=0)
    for dtype in (torch.int32, torch.uint8, torch.int16):
        assert torch.equal(text.perplexity(preds, target.to(dtype)), expected)


def test_masked_entries():
    preds, target = batch(3)
    preds[..., 4:] = -math.inf
    target %= 4
    close(collection()(preds, target), reference(preds, target))

    assert text.token_rank(preds, target) <= 4
    assert text.token_entropy(preds, target) <= math.log(4)
    hidden = torch.full_like(target, 4)
    assert text.perplexity(preds, hidden).isinf()
    preds[0, 0] = -math.inf  # no distribution at all
    assert text.perplexity(preds, target).isnan()


def test_what_is_not_counted(device):
    preds, target = batch(4, device=device)
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(target.shape, generator=generator).to(device)
    valid = (torch.rand(target.shape, generator=generator) < 0.6).to(device)
    skipped = target.clone()
    skipped[1, ::2] = -100
    counted = valid & (skipped != -100)
    preds[~counted] = math.nan  # is not looked at
    metrics = collection(ignore_index=-100).to(device)
    metrics.update(preds, skipped, weights=weights, valid=valid)
    close(metrics.compute(), reference(preds, skipped, weights, counted))
    of_rows = collection(ignore_index=-100).to(device)
    of_rows.update(preds, skipped, weights=weights[:, 0], valid=valid)
    close(of_rows.compute(), reference(preds, skipped, weights[:, :1].expand_as(target), counted))
    nll = text.negative_log_likelihood(preds, skipped, "none", -100, valid=valid)
    assert torch.equal(nll.isnan(), ~counted.flatten())
    with pytest.raises(ValueError, match="Weights have no meaning without a reduction"):
        text.negative_log_likelihood(preds, skipped, "none", -100, weights=weights)


def test_shift(device):
    preds, target = batch(5, device=device)
    weights, valid = torch.rand(target.shape, device=device), target > 2
    cut = (preds[:, :-1], target[:, 1:])
    metrics = collection(shift=True).to(device)
    metrics.update(preds, target, weights=weights, valid=valid)
    close(metrics.compute(), reference(*cut, weights[:, 1:], valid[:, 1:]))
    assert torch.equal(text.perplexity(preds, target, shift=True), text.perplexity(*cut))
    assert torch.equal(text.perplexity(preds[0], target[0], shift=True), text.perplexity(cut[0][0], cut[1][0]))
    metrics.reset()
    metrics.update(preds, target, weights=weights[:, 0])
    close(metrics.compute(), reference(*cut, weights[:, :1].expand_as(cut[1])))


def test_bad_values_are_counted_out_and_named(device):
    preds, target = batch(6, device=device)
    good = target.clone()
    target[0, 1], target[2, 2] = V, -1
    counted = (target >= 0) & (target < V)
    metrics = collection().to(device)
    with pytest.raises(RuntimeError, match=r"token ids in \[0, V\) .* but 2 were not, the first is 11"):
        metrics.update(preds, target)
    # what was good of the batch is there
    close(metrics.compute(), reference(preds, good, counted=counted))
    metric = ours.Perplexity(ignore_index=-100).to(device)
    weights = torch.ones(target.shape, device=device)
    weights[0, 0] = -2.0
    with pytest.raises(RuntimeError, match=r"Perplexity: expected finite `weights` .* the first is -2"):
        metric.update(preds, good, weights=weights)
    with pytest.raises(RuntimeError, match=r"ignore_index = -100, but 2"):
        metric.update(preds, target)
    with pytest.raises(RuntimeError, match="NegativeLogLikelihood: expected `target`"):
        text.negative_log_likelihood(preds, target, "none")


@pytest.mark.parametrize("size", [1, 4 * 7 * V, 1 << 20])
def test_hidden_states_in_parts(device, monkeypatch, size):
    """Of some tokens, and of parts of the vocabulary, one of which is masked for all, and some for some."""
    monkeypatch.setattr(output_layer, "BUFFER", size)
    monkeypatch.setattr(output_layer, "AT_ONCE", 7)
    generator = torch.Generator().manual_seed(0)
    hidden, weight = torch.randn(4, 5, 6, generator=generator), torch.randn(V, 6, generator=generator)
    bias, target = torch.randn(V, generator=generator), torch.randint(0, 5, (4, 5), generator=generator)
    bias[5:8] = -math.inf
    target[1, 1], target[2, 3] = -100, 9
    weights = torch.rand(4, 5, generator=generator)
    hidden, weight, bias, target, weights = (x.to(device) for x in (hidden, weight, bias, target, weights))
    logits = 4 * torch.tanh((hidden @ weight.t() + bias) / 4)
    logits[..., 5:8] = -4.0
    for rows in (hidden, hidden.transpose(0, 1).contiguous().transpose(0, 1)):
        metrics = collection(ignore_index=-100).to(device)
        for metric in metrics.values():
            metric.update_hidden(rows, weight, target, bias, 4.0, weights=weights)
        close(metrics.compute(), reference(logits, target, weights, target != -100), rtol=1e-5)
    wrong = target.clone()
    wrong[0, 0] = V
    metric = ours.Perplexity(ignore_index=-100).to(device)
    with pytest.raises(RuntimeError, match=r"token ids in \[0, V\) .* but 1 were not, the first is 11"):
        metric.update_hidden(hidden, weight, wrong, bias, 4.0)
    masked = ours.NegativeLogLikelihood("none").to(device)
    masked.update_hidden(hidden, weight, torch.full_like(target, 6), bias)
    assert masked.compute().isinf().all()


def test_empty_batches(device):
    for shape in ((0, 5, V), (2, 0, V)):
        preds, target = torch.zeros(shape, device=device), torch.zeros(shape[:2], dtype=torch.int64, device=device)
        metrics = collection().to(device)
        assert all(value.isnan().all() for value in metrics(preds, target).values())
        more = batch(7, device=device)
        metrics.update(*more)
        close(metrics.compute(), reference(*more))
    assert text.negative_log_likelihood(preds, target, "none").shape == (0,)
    none_left = text.perplexity(*batch(7, v=1), ignore_index=0)
    assert none_left.isnan()


def test_per_token_values():
    preds, target = batch(8)
    expected = torch.nn.functional.cross_entropy(preds.flatten(0, 1), target.flatten(), reduction="none")
    for reduction in ("none", None):
        metric = ours.NegativeLogLikelihood(reduction=reduction)
        for row in zip(preds, target, strict=True):
            metric.update(*row)
        torch.testing.assert_close(metric.compute(), expected, rtol=1e-6, atol=1e-6)
    total = text.negative_log_likelihood(preds, target, "sum")
    torch.testing.assert_close(total, expected.sum(), rtol=1e-6, atol=0)


def test_k_may_exceed_the_vocabulary():
    preds, target = batch(9)
    assert text.token_accuracy(preds, target, k=(1, 500))[1] == 1


def test_a_collection_reads_once(monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args[2:])
        return token_rows(*args)

    monkeypatch.setattr(tokens, "token_rows", counted)
    metrics = collection()
    for seed in range(2):
        metrics.update(*batch(seed))
    assert calls == [(True, True, None)] * 2


def test_gradients():
    preds, target = batch(10, 2, 3, dtype=torch.float64)
    target[0, 0] = -100
    preds[1, 1, 3] = -math.inf
    target[1, 1] = 0
    for name in ("perplexity", "negative_log_likelihood", "token_entropy"):
        x = preds.clone().requires_grad_()
        getattr(text, name)(x, target, ignore_index=-100).backward()
        assert x.grad.isfinite().all()
        assert not x.grad[0, 0].any()
        assert x.grad[1, 1, 3] == 0
    finite = preds.nan_to_num(neginf=-3.0).requires_grad_()
    for name in ("perplexity", "negative_log_likelihood", "token_entropy"):
        call = getattr(text, name)
        assert torch.autograd.gradcheck(lambda x, call=call: call(x, target, ignore_index=-100), (finite,))
    x, y = batch(11)[0].requires_grad_(), batch(11)[1]
    found = collection()(x, y)
    assert found["Perplexity"].requires_grad
    close({name: value.detach() for name, value in found.items()}, reference(x.detach(), y))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.lists(st.integers(1, 11), max_size=4), st.booleans(), st.randoms())
def test_splits_orders_and_merges(seed, cuts, weighted, random):
    preds, target = batch(seed, 12, 2)
    weights = torch.rand(12, 2) if weighted else None
    bounds = sorted({0, 12, *cuts})
    parts = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    random.shuffle(parts)
    split, merged = collection(), [collection() for _ in parts]
    for part, one in zip(parts, merged, strict=True):
        given_weights = {} if weights is None else {"weights": weights[part]}
        for metrics in (split, one):
            metrics.update(preds[part], target[part], **given_weights)
    expected = reference(preds, target, weights)
    close(split.compute(), expected)
    first, *others = merged
    for other in others:
        for name, metric in first.items():
            metric.merge_state(other[name])
    close({name: metric.compute() for name, metric in first.items()}, expected)

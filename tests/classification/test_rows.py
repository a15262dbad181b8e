# SPDX-License-Identifier: Apache-2.0
"""Exact match, hinge loss and the ranking metrics against torchmetrics, scikit-learn and hand tables."""

import inspect
import itertools
import math

import numpy as np
import pytest
import torch
import torchmetrics
from sklearn import metrics as sk
from torchmetrics import classification as their_classes
from torchmetrics.functional import classification as their_functions

import fastmetrics
from fastmetrics import classification as our_classes
from fastmetrics.functional import classification as our_functions
from tests.support.calls import outcome, parameters

C, L = 4, 5
HINGE = ("BinaryHingeLoss", "MulticlassHingeLoss")
RANKING = ("MultilabelCoverageError", "MultilabelRankingAveragePrecision", "MultilabelRankingLoss")
EXACT = ("MulticlassExactMatch", "MultilabelExactMatch")
FUNCTIONS = {
    "MulticlassExactMatch": "multiclass_exact_match",
    "MultilabelExactMatch": "multilabel_exact_match",
    "BinaryHingeLoss": "binary_hinge_loss",
    "MulticlassHingeLoss": "multiclass_hinge_loss",
    "MultilabelCoverageError": "multilabel_coverage_error",
    "MultilabelRankingAveragePrecision": "multilabel_ranking_average_precision",
    "MultilabelRankingLoss": "multilabel_ranking_loss",
}
SIZES = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": L}}

pytestmark = pytest.mark.filterwarnings("ignore")


def size(name):
    return next(options for task, options in SIZES.items() if name.startswith(task))


def drawn(name, n, more=(), *, logits=False, labels=False, dtype=torch.float32, ignore=None):
    """A batch in which some rows match, few scores tie, and some targets are ignored."""
    shape = {"Binary": (n, *more), "Multiclass": (n, C, *more), "Multilabel": (n, L, *more)}
    task = next(task for task in shape if name.startswith(task))
    preds = torch.randn(shape[task]) * 2 if logits else torch.rand(shape[task])
    if task == "Multiclass":
        target = torch.randint(0, C, (n, *more))
        if name in EXACT:
            target = torch.where(torch.rand(target.shape) < 0.7, preds.argmax(1), target)
        if labels:
            preds = preds.argmax(1)
    else:
        positive = (preds > (0.0 if logits else 0.5)).long()
        target = torch.where(torch.rand(shape[task]) < (0.8 if name in EXACT else 0.3), positive, 1 - positive)
        if labels:
            preds = positive
    if ignore is not None:
        target = torch.where(torch.rand(target.shape) < 0.2, ignore, target)
    return (preds if labels else preds.to(dtype)), target


def compare(name, options, batches, device="cpu", rtol=2e-6):
    """Updates and compute, every forward, and the function give what theirs give on the CPU."""
    ours, theirs = (getattr(m, name) for m in (our_classes, their_classes))
    updated, forwarded, reference = ours(**options).to(device), ours(**options).to(device), theirs(**options)
    for preds, target in batches:
        updated.update(preds.to(device), target.to(device))
        same(forwarded(preds.to(device), target.to(device)), reference(preds, target), rtol)
    for metric in (updated, forwarded):
        same(metric.compute(), reference.compute(), rtol)
    ours, theirs = (getattr(m, FUNCTIONS[name]) for m in (our_functions, their_functions))
    preds, target = batches[0]
    same(ours(preds.to(device), target.to(device), **options), theirs(preds, target, **options), rtol)


def same(ours, theirs, rtol):
    torch.testing.assert_close(ours.cpu(), theirs, rtol=rtol, atol=1e-7, equal_nan=True)


@pytest.mark.parametrize("name", EXACT)
def test_exact_match(device, name):
    torch.manual_seed(0)
    for how, ignore, labels, logits in itertools.product(
        ("global", "samplewise"), (None, -1, 0), (False, True), (False, True)
    ):
        options = {**size(name), "multidim_average": how, "ignore_index": ignore}
        # theirs divides all samples by the number of places of the last batch
        shapes = [(9, (4,)), (2, (2, 2)), (300, (4,))] if how == "samplewise" else [(40, ()), (1, ()), (30, (2, 2))]
        batches = [drawn(name, n, more, labels=labels, logits=logits, ignore=ignore) for n, more in shapes]
        compare(name, options, batches, device)
        if "Multilabel" in name:
            compare(name, {**options, "threshold": 0.3}, batches, device)


@pytest.mark.parametrize("name", HINGE)
def test_hinge_loss(device, name):
    torch.manual_seed(0)
    modes = ("crammer-singer", "one-vs-all") if "Multiclass" in name else (None,)
    for mode, squared, ignore, logits in itertools.product(modes, (False, True), (None, -1, 1), (False, True)):
        options = {**size(name), "squared": squared, "ignore_index": ignore}
        if mode is not None:
            options["multiclass_mode"] = mode
        batches = [drawn(name, n, more, logits=logits, ignore=ignore) for n, more in ((50, ()), (2, ()), (9, (4, 3)))]
        if ignore is not None:
            batches[1][1][0] = 0  # theirs fails where a batch is ignored entirely
        compare(name, options, batches, device)
    for dtype, rtol in ((torch.float16, 2e-3), (torch.bfloat16, 2e-2), (torch.float64, 1e-6)):
        for logits in (False, True):
            batches = [drawn(name, 60, logits=logits, dtype=dtype) for _ in range(2)]
            compare(name, size(name), batches, device, rtol)


@pytest.mark.parametrize("name", RANKING)
def test_ranking(device, name):
    torch.manual_seed(0)
    for logits, dtype in itertools.product((False, True), (torch.float32, torch.float64, torch.bfloat16)):
        if logits and dtype == torch.bfloat16:
            continue  # their sigmoid makes ties of different scores
        batches = [drawn(name, n, more, logits=logits, dtype=dtype) for n, more in ((50, ()), (5, ()), (9, (4, 3)))]
        compare(name, size(name), batches, device)
    tied = [(torch.randint(0, 3, (60, L)) / 4, torch.randint(0, 2, (60, L))) for _ in range(3)]
    tied[0][1][:20], tied[0][1][20:30] = 0, 1  # no relevant label, all of them
    compare(name, size(name), tied, device)


def test_ignored_labels_are_left_out_of_their_row(device):
    torch.manual_seed(0)
    preds, target = torch.randint(0, 9, (200, L)) / 8, torch.randint(0, 2, (200, L))
    target[torch.rand(200, L) < 0.3] = -1
    for name in RANKING:
        rows = []
        for scores, labels in zip(preds, target, strict=True):
            kept = labels != -1
            if kept.sum() > 1:
                function = getattr(our_functions, FUNCTIONS[name])
                rows.append(function(scores[kept][None], labels[kept][None], num_labels=int(kept.sum())).double())
            else:
                rows.append(None)
        alone = [i for i, row in enumerate(rows) if row is not None]
        metric = getattr(our_classes, name)(L, ignore_index=-1).to(device)
        metric.update(preds[alone].to(device), target[alone].to(device))
        same(metric.compute(), torch.stack([rows[i] for i in alone]).mean().float(), 1e-6)


def test_ranking_against_scikit_learn(device):
    rng = np.random.default_rng(0)
    for labels, rows in ((3, 200), (40, 100), (700, 30), (2500, 8)):
        scores, target = rng.normal(size=(rows, labels)), rng.integers(0, 2, size=(rows, labels))
        target[0], target[1] = 0, 1
        weights = rng.random(rows)
        batch = [torch.from_numpy(x).to(device) for x in (scores, target)]
        for name, reference in (
            ("MultilabelCoverageError", sk.coverage_error),
            ("MultilabelRankingAveragePrecision", sk.label_ranking_average_precision_score),
            ("MultilabelRankingLoss", sk.label_ranking_loss),
        ):
            metric = getattr(our_classes, name)(labels).to(device)
            assert math.isclose(metric(*batch), reference(target, scores), rel_tol=1e-6)
            weighted = metric(*batch, weights=torch.from_numpy(weights).to(device))
            assert math.isclose(weighted, reference(target, scores, sample_weight=weights), rel_tol=1e-6)


def test_hinge_against_scikit_learn(device):
    rng = np.random.default_rng(0)
    probabilities, target = rng.random(500), rng.integers(0, 2, 500)
    weights = torch.from_numpy(rng.random(500)).to(device)
    metric = our_classes.BinaryHingeLoss().to(device)
    value = metric(torch.from_numpy(probabilities).to(device), torch.from_numpy(target).to(device), weights=weights)
    assert math.isclose(value, sk.hinge_loss(target, probabilities, sample_weight=weights.cpu()), rel_tol=1e-6)
    scores, target = rng.dirichlet(np.ones(C), 500), rng.integers(0, C, 500)
    metric = our_classes.MulticlassHingeLoss(C).to(device)
    value = metric(torch.from_numpy(scores).to(device), torch.from_numpy(target).to(device), weights=weights)
    assert math.isclose(value, sk.hinge_loss(target, scores, sample_weight=weights.cpu()), rel_tol=1e-6)


def test_by_hand(device):
    scores = torch.tensor([[0.9, 0.4, 0.7, 0.4], [0.5, 0.5, 0.1, 0.2]], device=device)
    target = torch.tensor([[0, 1, 1, 0], [1, 0, 0, 0]], device=device)
    # row 0: 0.4 is reached after four labels; row 1: after the two that are equal
    assert our_functions.multilabel_coverage_error(scores, target, 4) == 3.0
    # row 0: 1/2 of those from 0.7 up, 2/4 of those from 0.4 up; row 1: 1/2
    assert our_functions.multilabel_ranking_average_precision(scores, target, 4) == 0.5
    # row 0: 0.9 before both, and the last 0.4 before the first: 3 of 4 pairs; row 1: the second 0.5, 1 of 3
    assert math.isclose(our_functions.multilabel_ranking_loss(scores, target, 4), (3 / 4 + 1 / 3) / 2, rel_tol=1e-6)
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], device=device)
    label = torch.tensor([1, 1], device=device)
    assert our_functions.multiclass_hinge_loss(probabilities, label, 3) == (1.25 + 0.0) / 2
    assert our_functions.multiclass_hinge_loss(probabilities, label, 3, squared=True) == 1.5625 / 2
    by_class = our_functions.multiclass_hinge_loss(probabilities, label, 3, multiclass_mode="one-vs-all")
    assert by_class.tolist() == [1.25, 0.375, 1.125]
    logits = torch.tensor([0.0, math.log(3.0), -math.log(3.0)], device=device)  # 1/2, 3/4, 1/4
    assert math.isclose(our_functions.binary_hinge_loss(logits, torch.tensor([1, 0, 1], device=device)), 1.0)


def test_scores_that_a_sigmoid_would_make_equal_keep_their_order(device):
    scores = torch.tensor([[30.0, 40.0]], device=device)
    assert scores.sigmoid().unique().numel() == 1
    target = torch.tensor([[0, 1]], device=device)
    assert our_functions.multilabel_ranking_average_precision(scores, target, 2) == 1
    assert our_functions.multilabel_coverage_error(scores, target, 2) == 1


def test_nan_is_the_greatest_score(device):
    scores = torch.tensor([[0.1, math.nan, math.inf], [math.nan, math.nan, -math.inf]], device=device)
    target = torch.tensor([[0, 0, 1], [1, 0, 0]], device=device)
    assert our_functions.multilabel_coverage_error(scores, target, 3) == 2.0
    assert our_functions.multilabel_ranking_average_precision(scores, target, 3) == 0.5
    assert our_functions.multilabel_ranking_loss(scores, target, 3) == 0.5
    metric = our_classes.BinaryHingeLoss().to(device)
    assert metric(scores[0, :2], target[0, :2]).isnan()
    skipped = metric(scores[0, :2], target[0, :2], valid=torch.tensor([True, False], device=device))
    assert math.isclose(skipped, 1.1, rel_tol=1e-6)  # what is not valid makes no logits of the others


def test_infinite_logits(device):
    scores = torch.tensor([[-math.inf, 0.0, 0.0], [5.0, -math.inf, -math.inf]], device=device)
    for target in ([1, 0], [0, 1]):
        compare("MulticlassHingeLoss", {"num_classes": 3}, [(scores.cpu(), torch.tensor(target))], device)
    scores[0, 0] = math.inf
    assert our_functions.multiclass_hinge_loss(scores, torch.tensor([0, 0], device=device), 3).isnan()


@pytest.mark.parametrize("name", [*EXACT, *HINGE, *RANKING])
def test_wrong_values_are_not_counted(device, name):
    torch.manual_seed(0)
    preds, target = (x.to(device) for x in drawn(name, 30))
    metric, expected = (getattr(our_classes, name)(**size(name)).to(device) for _ in range(2))
    target[3].view(-1)[-1] = 9
    with pytest.raises(RuntimeError, match=r"`target`.* 1 .*9"):
        metric(preds, target)
    kept = torch.arange(30, device=device) != 3
    expected.update(preds[kept], target[kept])
    assert torch.equal(metric.compute(), expected.compute())
    with pytest.raises(RuntimeError, match="`target`"):
        getattr(our_functions, FUNCTIONS[name])(preds, target, **size(name))
    silent = getattr(our_classes, name)(**size(name), validate_args=False).to(device)
    assert torch.equal(silent(preds, target), expected.compute())
    if preds.is_floating_point():
        graph = preds.clone().requires_grad_()
        with pytest.raises(RuntimeError, match="`target`"):
            getattr(our_functions, FUNCTIONS[name])(graph, target, **size(name))
        metric.reset()
        with pytest.raises(RuntimeError, match="`target`"):
            metric(graph, target)
        torch.testing.assert_close(metric.compute(), expected.compute(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", [*EXACT, *HINGE, *RANKING])
def test_nothing_to_count(device, name):
    preds, target = (x.to(device) for x in drawn(name, 4))
    metric = getattr(our_classes, name)(**size(name), ignore_index=-1).to(device)
    empty = metric(preds[:0], target[:0])
    none_valid = metric(preds, target, valid=torch.zeros(4, dtype=torch.bool, device=device))
    assert torch.equal(empty.nan_to_num(7), none_valid.nan_to_num(7))
    assert bool(empty.isnan().all()) == (name not in EXACT)
    metric.update(preds, target)
    value = getattr(our_classes, name)(**size(name)).to(device)(preds, target)
    assert torch.equal(metric.compute(), value)
    if name in HINGE:
        ignored = metric(preds, torch.full_like(target, -1))
        assert ignored.isnan()
        assert torch.equal(metric.compute(), value)


@pytest.mark.parametrize("name", HINGE)
@pytest.mark.parametrize("logits", [False, True])
def test_gradients(device, name, logits):
    torch.manual_seed(0)
    modes = ("crammer-singer", "one-vs-all") if "Multiclass" in name else (None,)
    for mode, squared in itertools.product(modes, (False, True)):
        options = {**size(name), "squared": squared, **({} if mode is None else {"multiclass_mode": mode})}
        preds, target = drawn(name, 20, (3,), logits=logits, dtype=torch.float64, ignore=-1)
        theirs = preds.clone().requires_grad_()
        getattr(their_functions, FUNCTIONS[name])(theirs, target, ignore_index=-1, **options).sum().backward()
        spoiled = torch.where((target == -1).unsqueeze(1) if preds.dim() > 2 else target == -1, math.nan, preds)
        for how in ("forward", "function"):
            ours = spoiled.to(device).clone().requires_grad_()
            if how == "forward":
                metric = getattr(our_classes, name)(ignore_index=-1, **options).to(device)
                value = metric.set_dtype(torch.float64)(ours, target.to(device))
                torch.testing.assert_close(metric.compute(), value.detach(), rtol=1e-12, atol=0)
            else:
                value = getattr(our_functions, FUNCTIONS[name])(ours, target.to(device), ignore_index=-1, **options)
            value.sum().backward()
            torch.testing.assert_close(ours.grad.cpu(), theirs.grad, rtol=1e-9, atol=1e-12)
    metric = getattr(our_classes, name)(**size(name)).to(device)
    preds, target = (x.to(device) for x in drawn(name, 9))
    metric.update(preds.requires_grad_(), target)
    assert not metric.compute().requires_grad


def test_rows_of_masked_places():
    preds, target = torch.tensor([[0, 1, 2], [1, 1, 1]]), torch.tensor([[0, 1, 9], [1, 0, 1]])
    valid = torch.tensor([[True, True, False], [True, True, True]])
    assert our_functions.multiclass_exact_match(preds, target, 3, valid=valid) == 0.5
    valid[1] = False
    assert our_functions.multiclass_exact_match(preds, target, 3, valid=valid) == 1.0
    scores, relevant = torch.tensor([[0.9, 0.4, 0.7]]), torch.tensor([[9, 0, 1]])
    valid = torch.tensor([[False, True, True]])
    assert our_functions.multilabel_coverage_error(scores, relevant, 3, valid=valid) == 1.0


def test_weights_are_those_of_rows():
    preds, target = torch.rand(6, L, 3), torch.randint(0, 2, (6, L, 3))
    for name in ("MultilabelExactMatch", *RANKING):
        metric = getattr(our_classes, name)(L)
        assert torch.equal(metric(preds, target, torch.ones(6)), metric(preds, target, torch.ones(6, 3)))
        with pytest.raises(ValueError, match=r"one value a row, \(6, 3\)"):
            metric.update(preds, target, torch.ones(6, L, 3))
    metric = our_classes.MulticlassExactMatch(C)
    with pytest.raises(ValueError, match=r"one value a row, \(6,\)"):
        metric.update(target[:, 0], target[:, 0], torch.ones(6, 3))
    with pytest.raises(RuntimeError, match="`weights`"):
        metric.update(target[:, 0], target[:, 0], torch.tensor([1.0, -1.0, 1.0, 1.0, 1.0, 1.0]))
    assert metric.weighted_count == 5


@pytest.mark.parametrize("name", [*EXACT, *HINGE, *RANKING, "ExactMatch", "HingeLoss"])
def test_signatures_and_constants(name):
    ours, theirs = (getattr(m, name) for m in (our_classes, their_classes))
    assert parameters(ours) == parameters(theirs)
    for constant in ("higher_is_better", "is_differentiable", "plot_lower_bound", "plot_upper_bound"):
        assert getattr(ours, constant, None) == getattr(theirs, constant, None)
    function = FUNCTIONS.get(name, {"ExactMatch": "exact_match", "HingeLoss": "hinge_loss"}.get(name))
    ours, theirs = (parameters(getattr(m, function)) for m in (our_functions, their_functions))
    keywords = ("kwargs",) if function in ("exact_match", "hinge_loss") else ("weights", "valid")
    assert not {ours.pop(key) for key in keywords} - {None, inspect.Parameter.empty}
    assert not {ours.pop(key, None) for key in ("groups", "num_groups")} - {None, inspect.Parameter.empty}
    if "hinge" in function:
        theirs["validate_args"] = True  # as the class, and the function of all tasks
    assert list(ours.items()) == list(theirs.items())


def test_tasks():
    torch.manual_seed(0)
    for name, task in (("ExactMatch", "Multiclass"), ("ExactMatch", "Multilabel"), ("HingeLoss", "Binary")):
        preds, target = drawn(task + name, 30)
        options = {"task": task.lower(), **SIZES[task]}
        same(
            getattr(fastmetrics, name)(**options)(preds, target),
            getattr(torchmetrics, name)(**options)(preds, target),
            1e-6,
        )
    options = {"task": "multiclass", "num_classes": C, "multiclass_mode": "one-vs-all"}
    preds, target = drawn("MulticlassHingeLoss", 30)
    expected = torchmetrics.functional.hinge_loss(preds, target, **options)
    same(fastmetrics.functional.hinge_loss(preds, target, **options), expected, 1e-6)
    for wrapper, task in ((fastmetrics.ExactMatch, "binary"), (fastmetrics.HingeLoss, "multilabel")):
        with pytest.raises(ValueError, match="Expected argument `task`"):
            wrapper(task=task)
    with pytest.raises(ValueError, match="num_classes"):
        fastmetrics.HingeLoss(task="multiclass")


@pytest.mark.parametrize("name", [*EXACT, *HINGE, *RANKING])
def test_errors_are_theirs(name):
    arguments = [{"ignore_index": 0.5}, {"squared": 1}, {"multiclass_mode": "both"}, {"threshold": 2.0}, {"foo": 1}]
    arguments += [{"num_classes": 1}, {"num_classes": None}, {"num_labels": 2.5}, {"multidim_average": "each"}]
    for wrong in arguments:
        options = {**size(name), **wrong}
        found, expected = (outcome(lambda m=m, o=options: getattr(m, name)(**o)) for m in (our_classes, their_classes))
        assert found == expected or not isinstance(expected, type), options
        assert isinstance(expected, type), options
    preds, target = drawn(name, 8, (2,))
    inputs = [(preds[:4], target), (preds[:, :1], target), (preds[..., :1], target), (preds[0], target)]
    if name not in EXACT:
        inputs += [((preds > 0.5).long(), target), (target, target)]
    for wrong in inputs:
        found, expected = (
            outcome(lambda m=m, w=wrong: getattr(m, name)(**size(name)).update(*w))
            for m in (our_classes, their_classes)
        )
        assert isinstance(expected, type), [tuple(x.shape) for x in wrong]
        assert found == expected or (expected in (IndexError, RuntimeError) and found is ValueError)

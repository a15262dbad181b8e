# SPDX-License-Identifier: Apache-2.0
"""Functions under the transforms of ``torch.func``: the values, derivatives and errors that they have without them."""

import inspect
import warnings
from functools import partial

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import functionalize, grad, jvp, vmap
from torch.utils import _pytree as pytree

from fastmetrics.classification import MulticlassAccuracy
from fastmetrics.functional import classification, regression
from fastmetrics.native import transforms
from fastmetrics.passes import values_
from fastmetrics.passes.values import KEEP
from tests.support.function_cases import CASES, NAMED_BY_VALUES, C, K, N, functions, multiclass, one


@pytest.fixture(autouse=True)
def quiet_and_seeded():
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop")  # of vmap
        warnings.filterwarnings("ignore", "[0-9]+ NaN values found in confusion matrix")
        yield


def in_a_loop(function, inputs):
    found = [function(*one(inputs, sample)) for sample in range(K)]
    return pytree.tree_map(lambda *values: torch.stack(values), *found)


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_vmap(case):
    function, make, options = CASES[case]
    function, inputs = partial(function, **options), make()
    assert_close(vmap(function)(*inputs), in_a_loop(function, inputs))


@pytest.mark.parametrize("case", CASES)
def test_functionalize(case):
    function, make, options = CASES[case]
    function, inputs = partial(function, **options), one(make())
    assert_close(functionalize(function)(*inputs), function(*inputs))


def scalar(function, options, others):
    return lambda first: function(first, *others, **options).double().sum()


GRADIENTS = [
    name
    for name in CASES
    if (name.partition(",")[0] in functions(regression) and not name.startswith(("kendall", "spearman", "critical")))
    or any(differentiable in name for differentiable in ("hinge", "brier", "log_loss"))
]


@pytest.mark.parametrize("case", GRADIENTS)
def test_derivatives(case):
    function, make, options = CASES[case]
    inputs = make()
    first, *others = one(inputs)
    value = scalar(function, options, others)
    leaf = first.clone().requires_grad_()
    (expected,) = torch.autograd.grad(value(leaf), leaf)
    assert expected.abs().sum() > 0
    assert_close(grad(value)(first), expected)
    direction = torch.randn_like(first)
    slope = (expected.double() * direction.double()).sum()
    torch.testing.assert_close(jvp(value, (first,), (direction,))[1], slope, rtol=1e-5, atol=1e-6)
    with forward_ad.dual_level():
        found = forward_ad.unpack_dual(value(forward_ad.make_dual(first, direction))).tangent
        torch.testing.assert_close(found, slope, rtol=1e-5, atol=1e-6)
    per_sample = vmap(grad(lambda first, *others: scalar(function, options, others)(first)))(*inputs)
    assert_close(per_sample[0], expected)


OF_SCORES = [name for name, (_, make, _) in CASES.items() if name not in GRADIENTS and make()[0].is_floating_point()]


@pytest.mark.parametrize("case", OF_SCORES)
def test_what_has_no_gradient_has_its_value(case):
    function, make, options = CASES[case]
    first, *others = one(make())

    def beside(first):
        found = pytree.tree_leaves(function(first, *others, **options))
        return (first * 2).nansum(), found

    slope, found = grad(beside, has_aux=True)(first)
    assert_close(found, pytree.tree_leaves(function(first, *others, **options)))
    assert_close(slope[~first.isnan()], torch.full_like(first[~first.isnan()], 2.0))


SOME = ["multiclass_accuracy", "binary_f1_score", "mean_squared_error", "spearman_corrcoef", "rand_score", "mean_iou"]


@pytest.mark.parametrize("case", SOME)
def test_nested_and_unbatched(case):
    function, make, options = CASES[case]
    function, inputs = partial(function, **options), make()
    preds, target = inputs
    expected = torch.stack([torch.stack([function(p, t) for t in target]) for p in preds])
    found = vmap(vmap(function, in_dims=(None, 0)), in_dims=(0, None))(preds, target)
    assert_close(found, expected)
    moved = [value.movedim(0, -1) for value in inputs]
    assert_close(vmap(function, in_dims=-1)(*moved), torch.stack([function(*one(inputs, k)) for k in range(K)]))


def test_bad_values_of_all_samples_are_one_error():
    preds, target = torch.zeros(3, 4, dtype=torch.int64), torch.tensor([[0, 1, 1, 0], [7, 0, 1, 0], [0, 9, 0, 8]])
    accuracy = partial(classification.multiclass_accuracy, num_classes=2)
    with pytest.raises(RuntimeError, match=r"values in \[0, 1\], but 3 lay outside, the first is 7"):
        vmap(accuracy)(preds, target)
    expected = in_a_loop(partial(accuracy, validate_args=False), (preds, target))
    assert_close(vmap(partial(accuracy, validate_args=False))(preds, target), expected)


IGNORING = [
    name
    for name, (function, _, _) in CASES.items()
    if "ignore_index" in inspect.signature(function).parameters and "samples" not in name
]


@pytest.mark.parametrize("case", IGNORING)
def test_an_ignored_label_that_no_target_can_be(case):
    """By kernels, and by bodies under vmap: torch would compare -1 with uint8 as 255."""
    function, make, options = CASES[case]
    *inputs, target = one(make())
    target = target.to(torch.uint8)
    target.view(-1)[:2] = 255
    function = partial(function, ignore_index=-1, **options)
    for call in (function, lambda *batch: vmap(function)(*(value[None] for value in batch))):
        with pytest.raises(RuntimeError, match="the first is 255"):
            call(*inputs, target)


def test_results_named_by_values_cannot_be_stacked():
    groups = torch.tensor([[0, 1, 1], [0, 1, 1]])
    target, preds = torch.ones_like(groups), torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.9, 0.9]])  # best groups: 0, then 1
    for name in NAMED_BY_VALUES:
        inputs = (preds, groups) if name == "demographic_parity" else (preds, target, groups)
        with pytest.raises(RuntimeError, match="vmap"):
            vmap(getattr(classification, name))(*inputs)


def test_the_state_of_a_metric_takes_no_samples_of_vmap():
    metric = MulticlassAccuracy(C)
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda preds, target: (metric.update(preds, target), preds.sum())[1])(*multiclass())
    assert not metric.counts.any()


def test_a_metric_beside_a_loss():
    """Its update under ``grad`` reads the values, and the gradient knows nothing of it."""
    preds, target = one(multiclass())
    metric = MulticlassAccuracy(C)
    slope = grad(lambda preds: (metric.update(preds, target), preds.square().sum())[1])(preds)
    assert_close(slope, 2 * preds)
    assert_close(metric.compute(), classification.multiclass_accuracy(preds, target, C))


def test_operators_in_compiled_vmap():
    def total(values):
        state = transforms.like_inputs(torch.zeros((), dtype=torch.float64), values)
        values_(values, None, None, state, None, None, None, None, KEEP, 0.0)
        return state

    values = torch.rand(K, N)
    compiled = torch.compile(vmap(total), fullgraph=True, backend="aot_eager")
    assert_close(compiled(values), values.double().sum(1))


def test_every_operator_has_a_body_for_vmap():
    names = [name for name in torch._C._dispatch_get_all_op_names() if name.startswith("fastmetrics::")]
    assert len(names) > 10
    for name in names:
        assert torch._C._dispatch_has_kernel_for_dispatch_key(name, "FuncTorchBatchedDecomposition"), name

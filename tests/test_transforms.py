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
from fastmetrics.functional import classification, clustering, forms, nominal, regression, segmentation
from fastmetrics.native import transforms
from fastmetrics.passes import values_
from fastmetrics.passes.values import KEEP

K, N, C, L = 3, 12, 4, 3  # samples of vmap; rows, classes and labels of each

# The names of their results depend on the values.
NAMED_BY_VALUES = {"binary_fairness", "demographic_parity", "equal_opportunity"}


def integers(high, *shape):
    return torch.randint(high, (K, *shape))


def binary():
    return torch.rand(K, N), integers(2, N)


def multiclass():
    return torch.randn(K, N, C), integers(C, N)


def multilabel():
    return torch.rand(K, N, L), integers(2, N, L)


def labels():
    return integers(C, N), integers(C, N)


def labels_with_nan():
    preds, target = labels()
    return torch.where(preds == 0, torch.nan, preds.float()), target


def pairs():
    return torch.rand(K, N) + 0.1, torch.rand(K, N) + 0.1


def rows():
    return torch.rand(K, N, C).softmax(-1), torch.rand(K, N, C).softmax(-1)


def ensembles():
    return torch.randn(K, N, 5), torch.randn(K, N)


def of_samples(make):
    """Inputs, weights of samples and a mask of valid ones."""
    return *make(), torch.rand(K, N), torch.rand(K, N) > 0.3


def functions(module):
    """Name -> function of a namespace."""
    every = [name for name in vars(module) if not name.startswith("_")]
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and name in getattr(module, "__all__", every) and not hasattr(forms, name)
    }


def with_samples(function, make, **options):
    """A case with weights, where the function takes them, and a mask."""
    taken = inspect.signature(function).parameters
    name = next((name for name in ("sample_weights", "weights") if name in taken), None)

    def call(*args, **options):
        *inputs, weights, valid = args
        return function(*inputs, **options, valid=valid, **({} if name is None else {name: weights}))

    return call, partial(of_samples, make), options


OF_SCORES = ("hinge", "ranking", "coverage", "calibration", "adaptive", "reliability", "brier", "log_loss")


def classification_cases():
    kinds = {
        "binary": (binary, {}, (N, 2)),
        "multiclass": (multiclass, {"num_classes": C}, (N, 2)),
        "multilabel": (multilabel, {"num_labels": L}, (N, L, 2)),
    }
    every = functions(classification)
    for name, function in every.items():
        taken = inspect.signature(function).parameters
        task, _, figure = name.partition("_")
        if name in NAMED_BY_VALUES:
            continue
        if name == "binary_groups_stat_rates":
            yield name, function, lambda: (*binary(), integers(2, N)), {"num_groups": 2}
        elif task in kinds:
            make, size, shape = kinds[task]
            least = {p.name: 0.5 for p in taken.values() if p.default is p.empty and p.name.startswith("min_")}
            options = {**size, **({"beta": 2.0} if "beta" in taken else {}), **least}
            yield name, function, make, options
            at_thresholds = {"thresholds": 5} if "thresholds" in taken else {}  # kept scores have no weights
            yield f"{name}, samples", *with_samples(function, make, **options, **at_thresholds)
            if not (at_thresholds or figure.startswith(OF_SCORES)):
                yield f"{name}, labels", function, lambda t=make: (t()[1], t()[1]), options
            if "top_k" in taken:
                yield f"{name}, top_k", function, make, {**options, "top_k": 2}
            if "multidim_average" in taken:
                separate = {**options, "multidim_average": "samplewise"}
                yield f"{name}, samplewise", function, lambda s=shape: (integers(2, *s), integers(2, *s)), separate
            if "normalize" in taken:
                yield f"{name}, normalized", function, make, {**options, "normalize": "true"}
            if "sample_weights" in taken:
                yield f"{name}, linear", function, make, {**options, "weights": "linear"}
        elif "task" in taken:
            least = {p.name: 0.5 for p in taken.values() if p.default is p.empty and p.name.startswith("min_")}
            for task, (make, size, _) in kinds.items():
                if f"{task}_{name}" in every:
                    yield f"{name}, {task}", function, make, {"task": task, **size, **least}
        else:
            yield name, function, multiclass, {"num_classes": C}


def clustering_cases():
    for name, function in functions(clustering).items():
        if "data" in inspect.signature(function).parameters:
            yield name, function, lambda: (torch.randn(K, N, 2), torch.arange(N).expand(K, N) % C), {}
            continue
        yield name, function, labels, {"num_classes": C}
        if name != "cluster_accuracy":
            yield f"{name}, any labels", function, labels, {}


def nominal_cases():
    for name, function in functions(nominal).items():
        if name == "fleiss_kappa":
            yield name, function, lambda: (integers(5, N, C),), {}
            yield f"{name}, scores", function, lambda: (torch.rand(K, N, C, 6),), {"mode": "probs"}
        elif name.endswith("_matrix"):
            yield name, function, lambda: (integers(3, N, 3),), {}
        else:
            yield name, function, labels, {}
            yield f"{name}, dropping", function, labels_with_nan, {"nan_strategy": "drop"}


def regression_cases():
    needed = {"threshold": 0.6, "p": 3.0, "power": 1.5}
    for name, function in functions(regression).items():
        taken = inspect.signature(function).parameters
        options = {key: value for key, value in needed.items() if key in taken}
        if "reduction" in taken:
            yield name, function, rows, {}
            yield f"{name}, unreduced", function, rows, {"reduction": None}
        elif name == "continuous_ranked_probability_score":
            yield name, function, ensembles, {}
        else:
            yield name, function, pairs, options
            yield f"{name}, samples", *with_samples(function, pairs, **options)
            if "num_outputs" in taken:
                yield f"{name}, outputs", function, rows, {**options, "num_outputs": C}


def segmentation_cases():
    for name, function in functions(segmentation).items():
        yield name, function, lambda: (integers(2, N, C, 4), integers(2, N, C, 4)), {"num_classes": C}
        scores = {"num_classes": C, "input_format": "mixed"}
        yield f"{name}, scores", function, lambda: (torch.randn(K, N, C, 4), integers(C, N, 4)), scores


CASES = {
    name: case
    for found in (
        classification_cases(),
        clustering_cases(),
        nominal_cases(),
        regression_cases(),
        segmentation_cases(),
    )
    for name, *case in found
}


@pytest.fixture(autouse=True)
def quiet_and_seeded():
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop")  # of vmap
        warnings.filterwarnings("ignore", "[0-9]+ NaN values found in confusion matrix")
        yield


def one(inputs, sample=0):
    return [value[sample] for value in inputs]


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

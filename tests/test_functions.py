# SPDX-License-Identifier: Apache-2.0
"""Functions are found where they say, can be pickled, and name themselves and the argument in errors."""

import copy
import importlib
import inspect
import pickle
import subprocess
import sys
from functools import partial
from types import FunctionType

import pytest
import torch
from torch.utils import _pytree as pytree

import fastmetrics
from fastmetrics import classification, functional, regression
from fastmetrics.classification.family import Family
from fastmetrics.functional.forms import snake_case
from tests.support.function_cases import CASES, one

NAMESPACES = (
    "classification",
    "clustering",
    "nominal",
    "pairwise",
    "regression",
    "retrieval",
    "segmentation",
    "shape",
    "text",
)
PRED, TARGET = torch.tensor([0.2, 0.8]), torch.tensor([0, 1])


def names_of(module):
    """The public names of a module of ours."""
    return vars(module)["__all__"]


def functions():
    for namespace in NAMESPACES:
        module = getattr(functional, namespace)
        yield from (pytest.param(module, name, id=f"{namespace}.{name}") for name in names_of(module))


FAMILIES = [
    name
    for name in names_of(fastmetrics)
    if inspect.isclass(cls := getattr(fastmetrics, name)) and issubclass(cls, Family)
]


def test_there_are_all():
    assert len(list(functions())) > 105
    assert len(FAMILIES) == 40
    public = [name for name in names_of(functional) if name not in NAMESPACES]
    assert {"accuracy", "top_k_accuracy", "cramers_v_matrix", "kl_divergence"} <= set(public)
    for name in public:
        found = getattr(functional, name)
        assert found is getattr(importlib.import_module(found.__module__), name)


@pytest.mark.parametrize(("module", "name"), functions())
def test_a_function_is_where_it_says(module, name):
    function = getattr(module, name)
    assert (function.__module__, function.__name__, function.__qualname__) == (module.__name__, name, name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function
    assert name in inspect.getsource(function)
    assert function.__doc__
    plain = FunctionType(function.__code__, {}, name, function.__defaults__, function.__closure__)
    plain.__kwdefaults__ = function.__kwdefaults__
    bound, said = (inspect.signature(f).parameters for f in (plain, function))
    assert [(p.name, p.kind) for p in bound.values()] == [(p.name, p.kind) for p in said.values()]
    assert all(p.default == bound[p.name].default or p.name == "task" for p in said.values())


def test_a_pickle_is_loaded_elsewhere(tmp_path):
    chosen = [functional.accuracy, functional.nominal.theils_u_matrix, functional.kendall_rank_corrcoef]
    (tmp_path / "functions").write_bytes(pickle.dumps(chosen))
    code = f"import pickle; print([f.__name__ for f in pickle.load(open({str(tmp_path / 'functions')!r}, 'rb'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([function.__name__ for function in chosen])


@pytest.mark.parametrize(("module", "name"), functions())
def test_errors_of_a_call_name_the_function(module, name):
    function = getattr(module, name)
    parameters = inspect.signature(function).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD]
    with pytest.raises(TypeError, match=rf"{name}\b.*{needed[0].name}"):
        function()
    with pytest.raises(TypeError, match=f"{name}.*{needed[-1].name}"):
        function(*[{"task": "multiclass"}.get(p.name, TARGET) for p in needed[:-1]])
    arguments = [{"task": "multiclass"}.get(p.name, TARGET) for p in needed]
    options = {"num_classes": 2} if any(p.name == "num_classes" for p in parameters) else {}
    options = {key: value for key, value in options.items() if key not in [p.name for p in needed]}
    with pytest.raises(TypeError, match=f"{name}.*surprise"):
        function(*arguments, **options, surprise=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_errors_of_a_family_name_it(name):
    family, function = getattr(fastmetrics, name), getattr(functional, snake_case(name))
    tasks = ", ".join(map(repr, family.tasks))
    with pytest.raises(
        TypeError, match=f"{name}: missing a required argument: 'task'; expected `task` to be one of {tasks}"
    ):
        family()
    with pytest.raises(TypeError, match=f"{snake_case(name)}: missing a required argument: 'task'.* one of {tasks}"):
        function(PRED, TARGET)
    parameters = inspect.signature(family).parameters.values()
    needed = {p.name: 0.5 for p in parameters if p.default is p.empty and p.name not in ("task", "kwargs")}
    for call in (partial(family, **needed), partial(function, PRED, TARGET, **needed)):
        with pytest.raises(
            ValueError, match=rf"(?i){name[:2]}\w*: Expected argument `task` to be one of \('.*got 'ranking'"
        ):
            call(task="ranking")
        for wrong in (None, 3, ["binary"]):
            with pytest.raises(ValueError, match="Expected argument `task`"):
                call(task=wrong)
        with pytest.raises(
            ValueError, match=r"\w+: `num_classes` is expected to be `int` but `<class 'NoneType'>` was"
        ):
            call(task="multiclass")
        with pytest.raises((TypeError, ValueError), match=rf"(?i){name[:2]}.*surprise"):
            call(task="multiclass", num_classes=2, surprise=1)
    with pytest.raises(ValueError, match=f"{name}: .*`ignore_index`.*0.5"):
        family(task="multiclass", num_classes=2, ignore_index=0.5, **needed)


def test_errors_of_options_name_the_function():
    with pytest.raises(ValueError, match=r"binary_accuracy: Expected argument `threshold`.*got 2.0"):
        functional.accuracy(PRED, TARGET, "binary", threshold=2.0)
    with pytest.raises(ValueError, match="top_k_accuracy: Expected argument `k`"):
        functional.top_k_accuracy(torch.rand(2, 3), TARGET, 3, k=[1, 9])


def test_tasks_are_known_in_any_case():
    for task in ("Binary", "BINARY", "binary"):
        assert type(fastmetrics.Accuracy(task=task)) is fastmetrics.classification.BinaryAccuracy
        assert functional.accuracy(PRED, TARGET, task) == 1


def test_a_metric_is_kept_for_options_of_the_same_type():
    scores = torch.tensor([[0.6, 0.4], [0.4, 0.6]])
    assert functional.top_k_accuracy(scores, TARGET, 2, k=1).shape == ()
    assert functional.top_k_accuracy(scores, TARGET, 2, k=[1]).shape == (1,)
    assert functional.top_k_accuracy(scores, TARGET, 2, k=(1,)).shape == (1,)
    with pytest.raises(ValueError, match="threshold"):
        functional.classification.binary_accuracy(PRED, TARGET, 1)
    functional.classification.binary_accuracy(PRED, TARGET, 1.0)
    with pytest.raises(ValueError, match="threshold"):
        functional.classification.binary_accuracy(PRED, TARGET, True)


@pytest.mark.parametrize(
    ("cls", "function"),
    [
        ("BinaryFBetaScore", "binary_fbeta_score"),
        ("BinaryGroupStatRates", "binary_groups_stat_rates"),
        ("KLDivergence", "kl_divergence"),
        ("MeanIoU", "mean_iou"),
        ("PearsonCorrCoef", "pearson_corrcoef"),
        ("R2Score", "r2_score"),
        ("TopKAccuracy", "top_k_accuracy"),
        ("VMeasureScore", "v_measure_score"),
    ],
)
def test_names(cls, function):
    assert snake_case(cls) == function


def test_functions_by_group_are_the_metrics_by_group():
    generator = torch.Generator().manual_seed(0)
    preds, target = torch.rand(40, generator=generator), torch.randint(0, 2, (40,), generator=generator)
    groups = torch.randint(0, 3, (40,), generator=generator)
    weights = torch.rand(40, generator=generator)
    for name, function, metric in (
        ("accuracy", functional.classification.binary_accuracy, classification.BinaryAccuracy),
        ("error", functional.regression.mean_squared_error, regression.MeanSquaredError),
        ("correlation", functional.regression.pearson_corrcoef, regression.PearsonCorrCoef),
    ):
        other = target if name == "accuracy" else target.float()
        of_metric = metric(num_groups=4)
        of_metric.update(preds, other, groups=groups, weights=weights)
        found = function(preds, other, groups=groups, num_groups=4, weights=weights)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, of_metric.by_group(), equal_nan=True)
        several = function(preds, other, groups={"a": groups}, num_groups={"a": 4}, weights=weights)
        torch.testing.assert_close(several["a"], found, equal_nan=True)
        with pytest.raises(ValueError, match="`groups` need `num_groups`"):
            function(preds, other, groups=groups)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_values_of_float32_are_no_wider_and_rounded_once(case):
    torch.manual_seed(0)
    function, make, options = CASES[case]
    inputs = one(make())
    found = pytree.tree_leaves(function(*inputs, **options))
    sums = case.endswith(("stat_scores, samples", "confusion_matrix, samples"))  # sums of weights, and no ratio of them
    assert sums or torch.float64 not in {value.dtype for value in found}
    wide = function(*(value.double() if value.is_floating_point() else value for value in inputs), **options)
    for value, exact in zip(found, pytree.tree_leaves(wide), strict=True):
        torch.testing.assert_close(value.double(), exact.double(), rtol=1e-6, atol=1e-7, equal_nan=True)

# SPDX-License-Identifier: Apache-2.0
"""Every function is traced as a whole by ``torch.compile``, called for the first time in a process."""

import os
import subprocess
import sys
import warnings
from functools import partial

import pytest
import torch

from fastmetrics import functional
from fastmetrics.functional.classification import accuracy, binary_accuracy, multiclass_accuracy, top_k_accuracy

# Results whose keys or sizes depend on the values of the input are no graph.
NO_GRAPH = (
    *("binary_fairness", "demographic_parity", "equal_opportunity"),
    *(
        f"{task}{name}"
        for task in ("", "binary_", "multiclass_", "multilabel_")
        for name in ("roc", "precision_recall_curve")
    ),
)

CALLS = """
import importlib, inspect, os, sys, traceback, warnings
import torch
warnings.simplefilter("ignore")
N, C = 12, 3

def arguments(namespace, name, function):
    "A batch, and what the function cannot do without."
    torch.manual_seed(0)
    taken = inspect.signature(function).parameters
    needed = {"task": "multiclass", "beta": 2.0, "num_groups": 2, "threshold": 0.5}
    if name == "minkowski_distance":  # of two distributions, p is the first
        needed["p"] = 2
    needed |= {key: 0.5 for key in taken if key.startswith("min_")}
    options = {key: value for key, value in needed.items() if key in taken and taken[key].default is inspect._empty}
    if name.endswith(("best_threshold", "gains", "lift", "eer", "logauc", "recall", "precision", "sensitivity",
                      "specificity", "smirnov")) and "thresholds" in taken:
        options["thresholds"] = 5  # the points at all scores are as many as there are distinct ones
    if "num_classes" in taken:
        options["num_classes"] = C
    if name.startswith("multilabel"):
        options["num_labels"] = C
    labels = lambda *shape: torch.randint(0, C, shape)
    if namespace == "classification":
        if name.startswith("multilabel"):
            return (torch.rand(N, C), torch.randint(0, 2, (N, C))), options
        if name == "binary_groups_stat_rates":
            return (torch.rand(N), torch.randint(0, 2, (N,)), torch.randint(0, 2, (N,))), options
        if name.startswith("binary"):
            return (torch.rand(N), torch.randint(0, 2, (N,))), options
        if "exact_match" in name:
            return (labels(N, 2), labels(N, 2)), options
        return (torch.rand(N, C).softmax(1), labels(N)), options
    if namespace == "nominal" and (name == "fleiss_kappa" or name.endswith("matrix")):
        return (labels(N, 4),), options
    if "data" in taken:
        return (torch.rand(N, 2), torch.arange(N) % C), options
    if namespace in ("clustering", "nominal"):
        return (labels(N), labels(N)), options
    if namespace == "segmentation":
        return (labels(2, 4, 4), labels(2, 4, 4)), {**options, "input_format": "index"}
    if name in ("cosine_similarity", "kl_divergence", "jensen_shannon_divergence"):
        return (torch.rand(N, C), torch.rand(N, C)), options
    if name == "continuous_ranked_probability_score":
        return (torch.rand(N, C), torch.rand(N)), options
    return (torch.rand(N), torch.rand(N)), options

def call(name):
    function = getattr(module, name)
    batch, options = arguments(namespace, name, function)
    traced = torch.compile(lambda *batch: function(*batch, **options), fullgraph=True, backend="eager")
    value = traced(*batch)
    expected = function(*batch, **options)
    torch.testing.assert_close(value, expected, rtol=0, atol=0, equal_nan=True)
    other = [values.flip(0) for values in batch]
    torch.testing.assert_close(traced(*other), function(*other, **options), rtol=0, atol=0, equal_nan=True)

def first(name):
    "Call a function in a process that has called no other; whether it went well."
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1] == 0
    try:
        call(name)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

namespace, *names = sys.argv[1:]
module = importlib.import_module(f"fastmetrics.functional.{namespace}")
torch.set_num_threads(1)
torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2))  # the compiler itself is imported once
sys.exit(", ".join(name for name in names if not first(name)) or 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that begin where this one is")
@pytest.mark.parametrize("namespace", ["classification", "clustering", "nominal", "regression", "segmentation"])
def test_the_first_call_is_traced(namespace):
    names = [name for name in vars(getattr(functional, namespace))["__all__"] if name not in NO_GRAPH]
    command = [sys.executable, "-c", CALLS, namespace, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_has_no_graph_is_traced_in_parts():
    preds, target = torch.rand(12), torch.randint(0, 2, (12,))
    groups = torch.arange(12) % 2
    traced = torch.compile(functional.classification.binary_fairness, backend="eager")
    assert traced(preds, target, groups) == functional.classification.binary_fairness(preds, target, groups)


def test_options_that_are_arguments_of_a_traced_function():
    @torch.compile(fullgraph=True, backend="eager")
    def traced(scores, target, num_classes, threshold, ks):
        return (
            accuracy(scores, target, "multiclass", num_classes=num_classes),
            binary_accuracy(scores[:, 0], target > 0, threshold=threshold),
            top_k_accuracy(scores, target, num_classes, k=ks),
        )

    for c in (3, 4, 5):
        scores, target = torch.rand(9, c), torch.randint(0, c, (9,))
        value = traced(scores, target, c, c / 10, (1, c - 1))
        expected = (
            accuracy(scores, target, "multiclass", num_classes=c),
            binary_accuracy(scores[:, 0], target > 0, threshold=c / 10),
            top_k_accuracy(scores, target, c, k=(1, c - 1)),
        )
        torch.testing.assert_close(value, expected, rtol=0, atol=0)


def test_metrics_of_other_calls_cause_no_recompilation():
    scores, target = torch.rand(9, 4), torch.randint(0, 4, (9,))

    @torch.compile(fullgraph=True, backend="eager")
    def traced(scores, target):
        return multiclass_accuracy(scores, target, 4), multiclass_accuracy(scores, target, 4, average=None)

    value = traced(scores, target)
    for ignored in range(10, 30):
        multiclass_accuracy(scores, target, 4, ignore_index=ignored)
        torch.compile(multiclass_accuracy, fullgraph=True, backend="eager")(scores, target, 4, ignore_index=10)
    with torch.compiler.set_stance("fail_on_recompile"):
        torch.testing.assert_close(traced(scores, target), value, rtol=0, atol=0)


def test_importing_does_not_import_the_compiler():
    code = "import sys, fastmetrics; print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("normalize", ["true", "pred", "all", None])
def test_values_that_warn_are_traced(normalize):
    preds, target = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])  # class 2 is absent
    matrix = partial(functional.confusion_matrix, task="multiclass", num_classes=3, normalize=normalize)
    traced = torch.compile(matrix, fullgraph=True, backend="eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.testing.assert_close(traced(preds, target), matrix(preds, target), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore")  # of no positive samples
@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_recall_that_is_undefined_is_so_in_a_trace(num_classes):
    scores = torch.rand(8) if num_classes is None else torch.rand(8, num_classes).softmax(1)
    target = torch.zeros(8, dtype=torch.int64)

    def curve(scores, target):
        if num_classes is None:
            return functional.classification.binary_precision_recall_curve(scores, target, thresholds=5)
        return functional.classification.multiclass_precision_recall_curve(scores, target, num_classes, thresholds=5)

    expected = curve(scores, target)
    assert expected[1].isnan().any()
    traced = torch.compile(curve, fullgraph=True, backend="eager")(scores, target)
    for got, value in zip(traced, expected, strict=True):
        torch.testing.assert_close(got, value, equal_nan=True)

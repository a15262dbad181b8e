# SPDX-License-Identifier: Apache-2.0
"""A case of every function: inputs of several samples, and options."""

import inspect
from functools import partial

import torch

from fastmetrics.functional import classification, clustering, forms, nominal, regression, segmentation

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
WHOLE_CURVES = ("precision_recall_curve", "roc", "cumulative_gains", "lift")


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
            # a curve has a point for each score that counts, and samples of vmap would have as many as each other
            at_thresholds = {"thresholds": 5} if figure in WHOLE_CURVES else {}
            yield f"{name}, samples", *with_samples(function, make, **options, **at_thresholds)
            if not ("thresholds" in taken or figure.startswith(OF_SCORES)):
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


def one(inputs, sample=0):
    return [value[sample] for value in inputs]

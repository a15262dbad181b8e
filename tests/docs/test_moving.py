# SPDX-License-Identifier: Apache-2.0
"""Every line of the tables for those who come from other libraries is computed with both."""

import inspect
import re

import numpy as np
import pytest
import torch

import fastmetrics
from fastmetrics import classification
from fastmetrics.functional import classification as classification_functions
from fastmetrics.functional import clustering as clustering_functions
from fastmetrics.functional import regression as regression_functions
from tests.support import ROOT

C, L, N = 4, 3, 200
CODE = re.compile(r"`([^`]+)`")


def rows(page, columns=2):
    """The lines of the tables below third-level headings: heading, and the code of each cell."""
    found, heading = [], None
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if line.startswith("#"):
            heading = line[4:] if line.startswith("### ") else None
        elif heading and line.startswith("| `"):
            cells = [CODE.search(cell).group(1) for cell in line.strip("| ").split(" | ")]
            assert len(cells) == columns
            found.append((heading, *cells))
    return found


class Offered:
    """The names of modules, those that a module imports when it is asked for them included."""

    def __init__(self, *modules):
        self.modules = modules

    def __getitem__(self, name):
        for module in self.modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise KeyError(name)


def random(seed=3):
    return torch.Generator().manual_seed(seed)


def batch(heading):
    """Predictions, scores and targets as a section describes them."""
    g = random()
    if heading == "Classification":
        scores = torch.rand(N, C, generator=g, dtype=torch.float64)
        return scores.argmax(1), scores, torch.randint(C, (N,), generator=g)
    if heading == "Binary":
        preds, target = torch.randint(2, (N,), generator=g), torch.randint(2, (N,), generator=g)
        return preds, torch.rand(N, generator=g, dtype=torch.float64), target
    if heading == "Multilabel":
        scores = torch.rand(N, L, generator=g, dtype=torch.float64)
        return (scores > 0.5).long(), scores, torch.randint(2, (N, L), generator=g)
    if heading == "Regression":
        target = torch.rand(N, generator=g, dtype=torch.float64) + 0.1
        return target + torch.rand(N, generator=g, dtype=torch.float64), None, target
    return torch.randint(5, (N,), generator=g), None, torch.randint(4, (N,), generator=g)


FUNCTIONS = {
    "Classification": classification_functions,
    "Binary": classification_functions,
    "Multilabel": classification_functions,
    "Regression": regression_functions,
    "Clustering": clustering_functions,
}


@pytest.mark.parametrize(("heading", "there", "here"), rows("from_scikit_learn.md"))
def test_scikit_learn(heading, there, here):
    sklearn = pytest.importorskip("sklearn.metrics")
    p, s, y = batch(heading)
    points = torch.randn(len(p), 2, generator=torch.Generator().manual_seed(0)).double()
    tensors = {"p": p, "s": s, "y": y, "C": C, "L": L, "X": points}
    arrays = {name: value.numpy() if isinstance(value, torch.Tensor) else value for name, value in tensors.items()}

    def same(weights):
        left, right = there, here
        names, others = {**vars(sklearn), **arrays}, dict(tensors)
        if weights is not None:
            name = "sample_weights" if "sample_weights" in inspect.signature(function).parameters else "weights"
            left, right = left[:-1] + ", sample_weight=w)", right[:-1] + f", {name}=w)"
            names["w"], others["w"] = weights.numpy(), weights
        ours = eval(right, others, Offered(FUNCTIONS[heading]))
        assert np.allclose(eval(left, names), ours.numpy(), rtol=1e-6, atol=1e-7)

    same(None)
    function = getattr(FUNCTIONS[heading], here.partition("(")[0])
    theirs = getattr(sklearn, there.partition("(")[0])
    taken = set(inspect.signature(function).parameters)
    takes = {"weights", "sample_weights"} & taken
    # a label of a row counts with its row there
    if takes and heading != "Clustering" and "sample_weight" in inspect.signature(theirs).parameters:
        same(torch.rand(N, generator=random(5), dtype=torch.float64) + 0.5)


@pytest.mark.parametrize(("heading", "there", "here"), rows("from_torcheval.md"))
def test_torcheval(heading, there, here):
    torcheval = pytest.importorskip("torcheval.metrics")
    g = random()
    if heading == "Aggregation":
        batches = [(torch.rand(N, generator=g),) for _ in range(2)]
    else:
        make = {
            "Binary": lambda: (torch.rand(N, generator=g), torch.randint(2, (N,), generator=g)),
            "Multiclass": lambda: (torch.rand(N, C, generator=g), torch.randint(C, (N,), generator=g)),
            "Multilabel": lambda: (torch.rand(N, L, generator=g), torch.randint(2, (N, L), generator=g)),
            "Regression": lambda: (torch.rand(N, generator=g), torch.rand(N, generator=g)),
        }[heading]
        batches = [make() for _ in range(2)]
    left = eval(there, {**vars(torcheval), "C": C, "L": L})
    right = eval(here, {"C": C, "L": L}, Offered(classification, fastmetrics))
    for each in batches:
        left.update(*each)
        right.update(*each)
    theirs, ours = left.compute(), right.compute()
    if theirs.shape != ours.shape and theirs.ndim == 1:  # there, of each sample
        theirs = theirs.mean()
    assert torch.allclose(theirs.double(), ours.double().reshape(theirs.shape), rtol=1e-5, atol=1e-7)


def test_tables_are_read():
    assert len(rows("from_scikit_learn.md")) > 45
    assert len(rows("from_torcheval.md")) > 20


@pytest.mark.parametrize(
    "here", re.findall(r"^\| `.*` \| `(.*)` \|$", (ROOT / "docs/from_torchmetrics.md").read_text(), re.M)
)
def test_torchmetrics(here):
    exec(here, {})
    exec(here.replace("fastmetrics", "torchmetrics"), {})


def test_scores_of_samples():
    sklearn = pytest.importorskip("sklearn.metrics")
    there, here = next(
        CODE.findall(line)
        for line in (ROOT / "docs" / "from_scikit_learn.md").read_text().splitlines()
        if 'average="samples"' in line
    )
    p, _, y = batch("Multilabel")
    theirs = eval(there, {**vars(sklearn), "p": p.numpy(), "y": y.numpy()})
    assert np.isclose(theirs, eval(here, {**vars(classification_functions), "p": p, "y": y}))

# SPDX-License-Identifier: Apache-2.0
"""``import fastmetrics as torchmetrics``: every name and path is there, ours or else torchmetrics' own."""

import contextlib
import doctest
import importlib
import importlib.util
import inspect
import io
import pickle
import pkgutil
import random
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torchmetrics

import fastmetrics
from bench.specs import NotThereError, find

ROOT = Path(__file__).parent.parent
PATHS = ["torchmetrics", *(m.name for m in pkgutil.walk_packages(torchmetrics.__path__, "torchmetrics."))]
# Those in which metrics of ours take part.
AREAS = ("aggregation", "classification", "clustering", "collections", "metric", "nominal", "regression", "wrappers")
AREAS += (
    "utilities",
    "functional.classification",
    "functional.regression",
    "functional.nominal",
    "functional.clustering",
)


def here(path):
    return path.replace("torchmetrics", "fastmetrics", 1)


def is_file(path):
    """Whether a module of fastmetrics is one of its files."""
    stem = ROOT / path.replace(".", "/")
    return stem.with_suffix(".py").exists() or (stem / "__init__.py").exists()


def public(module):
    """The names that it exports; without ``__all__``, those that have no underscore."""
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]


@pytest.fixture(scope="module")
def ours():
    """For each class and function of torchmetrics that we have in the same place: which, by its id."""
    found = {}
    for path in filter(lambda path: is_file(here(path)), PATHS):
        attributes = vars(importlib.import_module(here(path)))
        for name, value in vars(importlib.import_module(path)).items():
            mine = attributes.get(name)
            modules = [v.__module__ for v in (mine, value) if inspect.isclass(v) or inspect.isfunction(v)]
            if getattr(value, "__name__", name) != name:
                continue  # one that is deprecated, under the name of another
            if [module.partition(".")[0] for module in modules] == ["fastmetrics", "torchmetrics"]:
                found[id(value)] = mine
    return found


def test_the_walk_finds_all_of_torchmetrics():
    assert len(PATHS) > 300
    files = [p for p in Path(torchmetrics.__file__).parent.rglob("*.py") if p.name != "__init__.py"]
    assert len(files) == sum(not hasattr(importlib.import_module(path), "__path__") for path in PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_path(path, ours):
    theirs, module = importlib.import_module(path), importlib.import_module(here(path))
    assert module.__name__ == here(path)
    assert importlib.import_module(here(path)) is module is sys.modules[here(path)]
    assert hasattr(module, "__path__") >= hasattr(theirs, "__path__")
    own = vars(module) if is_file(here(path)) else {}
    names = {*public(theirs), *(name for name in vars(theirs) if not name.startswith("__"))}
    assert names
    for name in names:
        value, expected = getattr(module, name), getattr(theirs, name)
        if isinstance(expected, ModuleType) and expected.__name__.startswith("torchmetrics") and name not in own:
            assert value is importlib.import_module(here(expected.__name__)), name
        else:
            assert value is own.get(name, ours.get(id(expected), expected)), name
    assert {*public(theirs), *(name for name in own if not name.startswith("_"))} - set(dir(module)) <= {
        name for name in public(theirs) if name.startswith("__")
    }


@pytest.mark.parametrize("path", PATHS)
def test_star(path):
    theirs, scope = {}, {}
    exec(f"from {path} import *", theirs)
    exec(f"from {here(path)} import *", scope)
    assert set(theirs) <= set(scope)
    own = vars(sys.modules[here(path)])
    if is_file(here(path)):
        assert set(own.get("__all__", ())) <= set(scope)
        assert all(scope[name] is own[name] for name in own.get("__all__", ()))


def test_ours_and_theirs_by_hand():
    """Some of each kind, written down."""
    from fastmetrics.collections import MetricCollection
    from fastmetrics.functional.classification.stat_scores import _binary_stat_scores_format, binary_stat_scores
    from fastmetrics.functional.regression.mse import mean_squared_error
    from fastmetrics.text.bleu import BLEUScore, Metric
    from fastmetrics.wrappers.abstract import WrapperMetric

    from fastmetrics.classification.accuracy import BinaryStatScores
    from fastmetrics.metric import CompositionalMetric
    from fastmetrics.shape import procrustes

    assert BinaryStatScores is fastmetrics.classification.BinaryStatScores
    assert MetricCollection is fastmetrics.MetricCollection
    assert binary_stat_scores is fastmetrics.functional.classification.binary_stat_scores
    assert mean_squared_error is fastmetrics.functional.mean_squared_error
    assert Metric is fastmetrics.Metric
    assert Metric is not torchmetrics.Metric
    assert procrustes is sys.modules["fastmetrics.shape.procrustes"]
    assert procrustes.ProcrustesDisparity is fastmetrics.shape.ProcrustesDisparity
    assert fastmetrics.RetrievalRecall is fastmetrics.retrieval.RetrievalRecall  # torchmetrics has a deprecated one
    theirs = torchmetrics.functional.classification.stat_scores.__globals__
    assert _binary_stat_scores_format is theirs["_binary_stat_scores_format"]
    assert CompositionalMetric is torchmetrics.metric.CompositionalMetric
    assert BLEUScore is torchmetrics.text.BLEUScore
    assert fastmetrics.BLEUScore is torchmetrics.BLEUScore
    assert WrapperMetric is torchmetrics.wrappers.abstract.WrapperMetric
    assert fastmetrics.utilities.data.dim_zero_cat is torchmetrics.utilities.data.dim_zero_cat


def run(code, *options):
    """Run code in a fresh interpreter; what it printed."""
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_submodule_does_not_hide_the_function_of_its_name():
    check = """
import importlib, sys
import fastmetrics.functional.classification.accuracy
import fastmetrics.functional.text.squad
import fastmetrics.functional.classification.hamming
from fastmetrics.functional.classification.accuracy import binary_accuracy
import fastmetrics.functional.clustering.rand_score as rand_score
import torchmetrics.functional.clustering
functional = fastmetrics.functional
assert functional.classification.accuracy is functional.accuracy, functional.classification.accuracy
assert functional.classification.accuracy is sys.modules["fastmetrics.functional.classification.accuracy"].accuracy
assert functional.text.squad is torchmetrics.functional.text.squad
assert functional.clustering.rand_score is rand_score and callable(rand_score)
assert rand_score is not torchmetrics.functional.clustering.rand_score
assert functional.classification.hamming is sys.modules["fastmetrics.functional.classification.hamming"]
"""
    reload = """
for module in (fastmetrics.functional, fastmetrics, sys.modules["fastmetrics.functional.text.squad"]):
    importlib.reload(module)
assert sum(type(finder).__name__ == "StandIns" for finder in sys.meta_path) == 1
"""
    run(check + reload + check)


def test_torchmetrics_modules_are_imported_when_asked_for():
    run("""
import sys, torchmetrics
before = set(sys.modules)
import fastmetrics
new = {name for name in set(sys.modules) - before if name.partition(".")[0] != "fastmetrics"}
assert not new, new
assert all(hasattr(module, "__file__") for name, module in sys.modules.items() if name.startswith("fastmetrics"))

late = ("multimodal", "shape", "video", "segmentation", "clustering", "functional.video")
assert not any(f"torchmetrics.{name}" in sys.modules for name in late)
assert {"multimodal", "shape", "video", "text"} <= set(dir(fastmetrics))
assert fastmetrics.multimodal.LipVertexError.__module__.startswith("torchmetrics.multimodal.")
assert "torchmetrics.video" not in sys.modules
assert fastmetrics.clustering.MutualInfoScore.__module__.startswith("fastmetrics.")
assert fastmetrics.clustering.DunnIndex.__module__.startswith("fastmetrics.")
assert fastmetrics.shape.ProcrustesDisparity.__module__.startswith("fastmetrics.")
assert not {"torchmetrics.clustering", "torchmetrics.shape"} & set(sys.modules)
""")


def test_find_spec_imports_nothing():
    before = set(sys.modules)
    assert importlib.util.find_spec("fastmetrics.video").origin == torchmetrics.__path__[0] + "/video/__init__.py"
    assert importlib.util.find_spec("fastmetrics.nothing") is None
    assert set(sys.modules) == before


def test_a_module_that_torchmetrics_cannot_import_raises_its_error():
    run("""
import importlib, sys
sys.modules["torchmetrics.text.bert"] = sys.modules["torchmetrics.video"] = None  # cannot be imported
errors = []
for package in ("torchmetrics", "fastmetrics"):
    for path in ("text.bert", "video", "video.vmaf"):
        try:
            importlib.import_module(f"{package}.{path}")
        except ImportError as error:
            errors.append((type(error), str(error)))
assert len(errors) == 6 and errors[:2] == errors[3:5], errors
import fastmetrics
assert not hasattr(fastmetrics, "video")
try:
    fastmetrics.video
except AttributeError as error:
    assert str(error) == "module 'fastmetrics' has no attribute 'video'" and str(error.__cause__) == errors[1][1]
try:
    from fastmetrics.text import bert
except ImportError as error:
    assert str(error) == errors[0][1]
""")


@pytest.mark.parametrize("name", ["fastmetrics", "fastmetrics.text", "fastmetrics.functional.classification"])
def test_names_that_neither_has(name):
    module = importlib.import_module(name)
    for missing in ("Nothing", "_nothing", "__nothing__", "__wrapped__"):
        with pytest.raises(AttributeError, match=rf"^module '{name}' has no attribute '{missing}'$") as caught:
            getattr(module, missing)
        assert (caught.value.name, caught.value.obj) == (missing, module)
        assert not hasattr(module, missing)
    with pytest.raises(ImportError, match=f"cannot import name 'Nothing' from '{name}'") as caught:
        exec(f"from {name} import Nothing")
    assert caught.value.name == name
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{name}.nothing'") as caught:
        importlib.import_module(f"{name}.nothing")
    assert caught.value.name == f"{name}.nothing"


def test_a_name_of_ours_replaces_none_that_torchmetrics_does_not_offer_in_that_place(monkeypatch):
    theirs = torchmetrics.utilities.compute.auc
    assert not hasattr(torchmetrics, "auc")
    monkeypatch.setattr(fastmetrics, "auc", lambda: None, raising=False)
    assert fastmetrics.utilities.compute.auc is theirs


def test_modules_that_only_fastmetrics_has_pass_on_nothing():
    for name in ("statistics", "formulas", "native"):
        module = getattr(fastmetrics, name)
        assert "__getattr__" not in vars(module)
        with pytest.raises(AttributeError):
            _ = module.Metric


def test_attributes_can_be_set(monkeypatch):
    for module in (fastmetrics.text, fastmetrics.classification):
        for name in ("BLEUScore", "BinaryAccuracy", "ROC"):
            before = getattr(module, name, None)
            with monkeypatch.context() as patch:
                patch.setattr(module, name, 1, raising=False)
                assert getattr(module, name) == 1
            assert getattr(module, name, None) is before


def test_pickles():
    from fastmetrics.regression.mse import MeanSquaredError
    from fastmetrics.text.bleu import BLEUScore

    for cls in (MeanSquaredError, BLEUScore, fastmetrics.wrappers.MinMaxMetric, fastmetrics.metric.CompositionalMetric):
        assert pickle.loads(pickle.dumps(cls)) is cls
    assert MeanSquaredError.__module__.startswith("fastmetrics.")
    metric = MeanSquaredError()
    metric.update(torch.zeros(2), torch.ones(2))
    assert pickle.loads(pickle.dumps(metric)).compute() == 1
    wrapped = fastmetrics.wrappers.MinMaxMetric(metric)
    assert pickle.loads(pickle.dumps(wrapped)).compute()["raw"] == 1
    assert pickle.loads(pickle.dumps(fastmetrics.functional.text.bleu_score)) is torchmetrics.functional.text.bleu_score


def test_wrappers_take_our_metrics():
    import fastmetrics as torchmetrics

    preds, target = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 1, 2])
    accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=3, average=None)
    assert torchmetrics.wrappers.ClasswiseWrapper(accuracy, ["a", "b", "c"])(preds, target) == {
        "multiclassaccuracy_a": 1.0,
        "multiclassaccuracy_b": 0.5,
        "multiclassaccuracy_c": 1.0,
    }
    collection = torchmetrics.MetricCollection(
        [torchmetrics.Accuracy(task="multiclass", num_classes=3), torchmetrics.AUROC(task="multiclass", num_classes=3)]
    )
    scores = torch.nn.functional.one_hot(preds, 3).float()
    assert collection(scores, target).keys() == {"MulticlassAccuracy", "MulticlassAUROC"}
    tracker = torchmetrics.MetricTracker(
        torchmetrics.MetricCollection([torchmetrics.Accuracy("multiclass", num_classes=3)])
    )
    for shown in (preds, target):
        tracker.increment()
        tracker.update(shown, target)
    assert tracker.best_metric(return_step=True) == ({"MulticlassAccuracy": 1.0}, {"MulticlassAccuracy": 1})
    minmax = torchmetrics.MinMaxMetric(torchmetrics.Accuracy("multiclass", num_classes=3))
    assert minmax(preds, target) == {"raw": 0.75, "min": 0.75, "max": 0.75}
    outputs = torchmetrics.MultioutputWrapper(torchmetrics.MeanSquaredError(), 2)
    assert outputs(torch.zeros(3, 2), torch.tensor([[1.0, 2.0]] * 3)).tolist() == [1.0, 4.0]
    boot = torchmetrics.wrappers.BootStrapper(torchmetrics.MeanMetric(), num_bootstraps=4, quantile=0.5)
    assert boot(torch.full((8,), 3.0)) == {"mean": 3.0, "std": 0.0, "quantile": 3.0}
    assert torchmetrics.utilities.data.dim_zero_cat([torch.ones(2), torch.zeros(1)]).tolist() == [1.0, 1.0, 0.0]
    half = torchmetrics.MeanMetric() / 2
    assert isinstance(half, torchmetrics.metric.CompositionalMetric)
    half.update(torch.tensor([1.0, 3.0]))
    assert half.compute() == 1


NUMBER = re.compile(r"-?\d+\.\d*(?:e[-+]\d+)?")
# the thresholds of a class whose scores are all equal are (1,) here, () there
ONE_THRESHOLD = re.compile(r"(?<=, )tensor\((0\.0500)\)(?=\])")
OTHER_STATES = "torchmetrics.utilities.checks.check_forward_full_state_property"  # its example uses the state `confmat`


def printed(test, module, swapped):
    """What the examples of a docstring print, when the names of a module are at hand."""
    torch.manual_seed(42)
    random.seed(42)
    np.random.seed(42)
    names = [name for name in vars(importlib.import_module(test.globs["__name__"])) if not name.startswith("__")]
    scope, out = {name: getattr(module, name) for name in names}, io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        for example in (example for example in test.examples if example.exc_msg is None):
            source = here(example.source) if swapped else example.source
            exec(compile(source, test.name, "single"), scope)
    return out.getvalue().replace("fastmetrics", "torchmetrics")


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.filterwarnings("ignore")
def test_examples_of_torchmetrics_run_with_the_import_swapped(area):
    ran = found = 0
    for path in PATHS:
        if f"{path}.".startswith(f"torchmetrics.{area}."):
            theirs, module = importlib.import_module(path), importlib.import_module(here(path))
            for test in doctest.DocTestFinder(exclude_empty=True).find(theirs):
                if not test.examples or "plot" in test.name or test.name == OTHER_STATES:
                    continue
                found += 1
                try:
                    expected = ONE_THRESHOLD.sub(r"tensor([\1])", printed(test, theirs, False))
                except (ImportError, RuntimeError):  # torchmetrics needs a package that is not here
                    continue
                got = printed(test, module, True)
                assert NUMBER.sub("#", got) == NUMBER.sub("#", expected), test.name
                numbers = [[float(number) for number in NUMBER.findall(text)] for text in (got, expected)]
                assert numbers[0] == pytest.approx(numbers[1], rel=1e-4, abs=1e-6), test.name
                ran += 1
    assert ran > 0.8 * found


def test_the_benchmark_times_nothing_of_torchmetrics_as_ours():
    for name in ("BLEUScore", "CHRFScore", "WordErrorRate"):
        with pytest.raises(NotThereError, match=f"fastmetrics has no {name}"):
            find("fastmetrics", name)
    assert find("fastmetrics", "MulticlassAccuracy") is fastmetrics.classification.MulticlassAccuracy
    assert find("torchmetrics", "MulticlassEER") is torchmetrics.classification.MulticlassEER


def test_metrics_of_torchmetrics_are_metrics():
    theirs, ours = torchmetrics.SumMetric(), fastmetrics.SumMetric()
    assert isinstance(theirs, fastmetrics.Metric)
    assert isinstance(ours, fastmetrics.Metric)
    assert not isinstance(theirs, fastmetrics.metric.StatisticMetric)
    assert not isinstance(theirs, fastmetrics.SumMetric)
    assert not isinstance(torch.nn.Linear(1, 1), fastmetrics.Metric)

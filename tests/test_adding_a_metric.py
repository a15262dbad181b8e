# SPDX-License-Identifier: Apache-2.0
"""The example of docs/adding_a_metric.md, applied to a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DIFF = re.search(r"```diff\n(.*?)```", (ROOT / "docs" / "adding_a_metric.md").read_text(), re.S)[1]

PROGRAM = """
import pickle
import torch
import fastmetrics
from fastmetrics.classification import BinaryFalseDiscoveryRate, MulticlassFalseDiscoveryRate
from fastmetrics.classification import MultilabelFalseDiscoveryRate
from fastmetrics.functional import classification as functions
from fastmetrics.functional import false_discovery_rate

torch.manual_seed(0)
for task, cls, options, shape, high in (
    ("binary", BinaryFalseDiscoveryRate, {}, (50,), 2),
    ("multiclass", MulticlassFalseDiscoveryRate, {"num_classes": 3, "average": "macro"}, (50,), 3),
    ("multilabel", MultilabelFalseDiscoveryRate, {"num_labels": 3, "average": None}, (50, 3), 2),
):
    preds, target = torch.randint(0, high, shape), torch.randint(0, high, shape)
    precision = getattr(functions, f"{task}_precision")(preds, target, **options)
    function = getattr(functions, f"{task}_false_discovery_rate")
    metric = cls(**options)
    metric.update(preds[:20], target[:20])
    metric.update(preds[20:], target[20:])
    for value in (
        metric.compute(),
        function(preds, target, **options),
        fastmetrics.FalseDiscoveryRate(task=task, **options)(preds, target),
        false_discovery_rate(preds, target, task, **options),
    ):
        torch.testing.assert_close(value, 1 - precision)
    assert not cls.higher_is_better
    assert pickle.loads(pickle.dumps((cls, function))) == (cls, function)
    for documented in (cls, function):
        assert "ignore_index: " in documented.__doc__ and ">>> " in documented.__doc__
print(fastmetrics.__file__)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The package with the change of the page, its sources and the tool that writes stubs."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("fastmetrics", "csrc", "tools"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    subprocess.run(["git", "apply", "-"], input=DIFF, text=True, check=True, cwd=copy)
    return copy


def run(checkout, *command):
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_short():
    added = [line for line in DIFF.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert len(added) <= 35
    assert DIFF.count("+++ ") == 2
    assert not [line for line in DIFF.splitlines() if line.startswith("-") and not line.startswith("---")]


def test_classes_and_functions(checkout):
    assert str(checkout) in run(checkout, "-c", PROGRAM)


def test_examples(checkout):
    command = ("-m", "pytest", "-p", "no:cacheprovider", "-k", "alseDiscovery or false_discovery", "fastmetrics")
    assert run(checkout, *command, "--collect-only").count("iscovery") >= 8
    run(checkout, *command)


def test_stubs(checkout):
    run(checkout, "-m", "tools.stubs")
    written = (checkout / "fastmetrics" / "functional" / "__init__.pyi").read_text()
    assert '    "false_discovery_rate",' in written
    assert (
        "class FalseDiscoveryRate(Family):"
        in (checkout / "fastmetrics" / "classification" / "__init__.pyi").read_text()
    )
    assert "FalseDiscoveryRate," in (checkout / "fastmetrics" / "__init__.pyi").read_text()

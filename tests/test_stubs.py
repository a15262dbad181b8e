# SPDX-License-Identifier: Apache-2.0
"""The stubs are what the tool writes, type checkers infer from them what a user expects, and they are installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.stubs import MODULES, stubs

ROOT = Path(__file__).parent.parent

PROGRAM = """
import torch

import fastmetrics
from fastmetrics import Accuracy, MeanSquaredError, MetricCollection
from fastmetrics.classification import BinaryFBetaScore, CohenKappa, MulticlassAccuracy
from fastmetrics.functional import accuracy, cramers_v_matrix, spearman_corrcoef
from fastmetrics.functional.classification import binary_fairness, multiclass_f1_score

preds, target = torch.tensor([0.2, 0.8]), torch.tensor([0, 1])
reveal_type(Accuracy("binary"))  # fastmetrics.classification.accuracy.BinaryAccuracy
reveal_type(Accuracy(task="multiclass", num_classes=3))  # fastmetrics.classification.accuracy.MulticlassAccuracy
reveal_type(fastmetrics.F1Score("multilabel", num_labels=3))  # fastmetrics.classification.f_beta.MultilabelF1Score
reveal_type(CohenKappa("binary", weights="linear"))  # fastmetrics.classification.cohen_kappa.BinaryCohenKappa
reveal_type(BinaryFBetaScore(beta=2.0).beta)  # float
reveal_type(MulticlassAccuracy(num_classes=3).num_classes)  # int | None
reveal_type(MeanSquaredError(squared=False).squared)  # bool
reveal_type(accuracy(preds, target, "binary"))  # torch._tensor.Tensor
reveal_type(multiclass_f1_score(preds, target, 2, average=None))  # torch._tensor.Tensor
reveal_type(binary_fairness(preds, target, target))  # dict[str, torch._tensor.Tensor]
reveal_type(spearman_corrcoef(preds, preds))  # torch._tensor.Tensor
reveal_type(cramers_v_matrix(torch.zeros(3, 2)))  # torch._tensor.Tensor
metrics = MetricCollection({"accuracy": Accuracy("binary"), "error": MeanSquaredError()})
"""

WRONG = """
import torch
from fastmetrics import Accuracy, CohenKappa
from fastmetrics.functional import accuracy
from fastmetrics.functional.classification import multiclass_accuracy

preds, target = torch.tensor([0.2, 0.8]), torch.tensor([0, 1])
Accuracy()
Accuracy("ranking")
Accuracy("binary", threshold="high")
CohenKappa("multilabel")
accuracy(preds, target)
accuracy(preds, target, "ranking")
multiclass_accuracy(preds, target, 2, classes=2)
multiclass_accuracy(preds, target, average=1)
"""


@pytest.mark.parametrize("path", stubs(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_stub_is_what_the_tool_writes(path):
    assert path.read_text() == stubs()[path], "run `make stubs`"


def test_there_are_no_others():
    assert set((ROOT / "fastmetrics").rglob("*.pyi")) == set(stubs())
    assert len(MODULES) == len(stubs())


def mypy(folder, program):
    """What mypy, which does not see an editable installation, says of a program; it keeps torch between the calls."""
    (folder / "program.py").write_text(program)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        f"--cache-dir={folder.parent / 'cache'}",
    ]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "program.py"], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )
    return done.stdout


@pytest.mark.slow
def test_types_of_a_program(tmp_path):
    said = mypy(tmp_path, PROGRAM)
    expected = [line.partition("# ")[2] for line in PROGRAM.splitlines() if line.startswith("reveal_type")]
    revealed = [line.split('"')[1] for line in said.splitlines() if "Revealed type is" in line]
    assert revealed == expected, said
    assert "Success" in said, said


@pytest.mark.slow
def test_wrong_calls_are_errors(tmp_path):
    said = mypy(tmp_path, WRONG)
    lines = WRONG.splitlines()
    wrong = {i for i, line in enumerate(lines, 1) if line.endswith(")") and "=" not in line.partition("(")[0]}
    assert {int(line.split(":")[1]) for line in said.splitlines() if " error: " in line} == wrong, said


def test_stubs_and_the_mark_of_types_are_installed(tmp_path):
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path), "build_py"]
    subprocess.run([*command, "--build-lib", str(tmp_path / "lib")], check=True, capture_output=True, cwd=ROOT)
    built = {path.relative_to(tmp_path / "lib") for path in (tmp_path / "lib").rglob("*")}
    assert Path("fastmetrics/py.typed") in built
    assert {path.relative_to(ROOT) for path in stubs()} <= built

# SPDX-License-Identifier: Apache-2.0
"""The example of many scores runs, and its values are those of scikit-learn."""

import importlib.util
import subprocess
import sys

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.support import ROOT

FILE = ROOT / "examples" / "large_auroc.py"


@pytest.mark.slow
def test_it_runs():
    command = [sys.executable, str(FILE), "--samples", "30000", "--batch-size", "7000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kept: 120,000 bytes of scores, 16,032 bytes of the histogram" in done.stdout


def test_values():
    spec = importlib.util.spec_from_file_location("large_auroc_example", FILE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    found, parts = example.metrics(), list(example.batches(9000, 2000))
    for scores, labels in parts:
        found.update(scores, labels)
    scores, labels = (torch.cat(values) for values in zip(*parts, strict=True))
    values = {name: float(value) for name, value in found.compute().items()}
    area, precision = roc_auc_score(labels, scores), average_precision_score(labels, scores)
    assert values["exact area"] == pytest.approx(area, rel=1e-6)
    assert values["exact precision"] == pytest.approx(precision, rel=1e-6)
    assert values["area at 1001 thresholds"] == pytest.approx(area, abs=1e-4)
    assert values["precision at 1001 thresholds"] == pytest.approx(precision, abs=2e-3)

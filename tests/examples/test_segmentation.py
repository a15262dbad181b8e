# SPDX-License-Identifier: Apache-2.0
"""The example of segmentation runs, and its values are those of torchmetrics where it has such metrics."""

import importlib.util
import subprocess
import sys

import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix

from tests.support import ROOT

FILE = ROOT / "examples" / "segmentation.py"


@pytest.mark.slow
def test_it_runs():
    done = subprocess.run([sys.executable, str(FILE), "--steps", "2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "mean IoU: 0." in done.stdout


def test_values():
    spec = importlib.util.spec_from_file_location("segmentation_example", FILE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    images, labels = example.pictures(4, seed=0)
    logits = torch.cat([-images, images, images**2], 1)
    found = example.metrics()
    found.update(logits, labels)
    values = found.compute()
    options = {"num_classes": example.C, "ignore_index": example.VOID}
    accuracy, confusion = (
        MulticlassAccuracy(average="micro", **options),
        MulticlassConfusionMatrix(normalize="true", **options),
    )
    torch.testing.assert_close(values["pixel accuracy"], accuracy(logits, labels))
    torch.testing.assert_close(values["confusion"], confusion(logits, labels))

    known = labels != example.VOID
    assert 0 < (~known).sum() < labels.numel() / 2
    scores = torch.full((4, example.C), torch.nan)
    for image in range(4):
        for label in range(example.C):
            here = (logits.argmax(1)[image] == label) & known[image], labels[image] == label
            if (here[0] | here[1]).any():
                scores[image, label] = (here[0] & here[1]).sum() / (here[0] | here[1]).sum()
    torch.testing.assert_close(values["mean IoU"], scores.nanmean(1).mean())

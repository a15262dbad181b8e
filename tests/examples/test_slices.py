# SPDX-License-Identifier: Apache-2.0
"""The example of slices runs, and its values are those of the samples of each group."""

import importlib.util
import subprocess
import sys

import pytest
import torch

from tests.support import ROOT

FILE = ROOT / "examples" / "slices.py"


@pytest.mark.slow
def test_it_runs():
    command = [sys.executable, str(FILE), "--samples", "40000", "--batch-size", "7000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy, worst of country: 7 (" in done.stdout
    assert "accuracy, worst of device: 3 (" in done.stdout


def test_values():
    spec = importlib.util.spec_from_file_location("slices_example", FILE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    found, parts = example.metrics(), list(example.batches(9000, 2000))
    for preds, target, groups in parts:
        found.update(preds, target, groups=groups)
    right = torch.cat([preds == target for preds, target, _ in parts]).double()
    torch.testing.assert_close(found.compute()["accuracy"], right.mean().float())
    for name, number in example.SLICINGS.items():
        every = torch.cat([groups[name] for *_, groups in parts])
        expected = torch.stack([right[every == group].mean() for group in range(number)])
        torch.testing.assert_close(found.by_group()["accuracy"][name], expected.float(), equal_nan=True)
        assert torch.equal(found.group_counts()["f1"][name], every.bincount(minlength=number))

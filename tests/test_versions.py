# SPDX-License-Identifier: Apache-2.0
"""Which releases of torch and torchmetrics may be installed, and what is said of those that were not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchmetrics

from fastmetrics import versions

ROOT = Path(__file__).parent.parent
TORCH, TORCHMETRICS = (f"{name} {major}.{minor}" for name, (_, (major, minor)) in versions.TESTED.items())


@pytest.mark.parametrize(
    ("torch_version", "torchmetrics_version", "said"),
    [
        ("2.13.0", "1.9.0", []),
        ("2.13.1+cu130", "1.9.7", []),
        ("2.11.0", "1.9.0", []),
        ("2.14.0a0+git1", "1.9.0", [f"tested up to {TORCH}, and this is torch 2.14.0a0+git1."]),
        ("3.0", "1.9.0", [f"tested up to {TORCH}, and this is torch 3.0."]),
        ("2.13.0", "1.10.0dev", [f"tested up to {TORCHMETRICS}, and this is torchmetrics 1.10.0dev."]),
        ("2.20", "2.0", ["up to torch", f"; up to {TORCHMETRICS}, and this is torchmetrics 2.0."]),
        ("unknown", "1.9.0", []),
    ],
)
def test_importing_beyond_what_was_tested_warns_once(torch_version, torchmetrics_version, said):
    code = f"""
import torch, torchmetrics
torch.__version__, torchmetrics.__version__ = {torch_version!r}, {torchmetrics_version!r}
import fastmetrics
import fastmetrics.classification
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.count("UserWarning: fastmetrics was tested up to") == bool(said), done.stderr
    for part in said:
        assert part in done.stderr
    if said:
        assert "<string>:4: UserWarning" in done.stderr  # where it was imported
    else:
        assert done.stderr == ""


def test_the_tests_run_with_what_is_said_to_be_tested():
    for name, module in (("torch", torch), ("torchmetrics", torchmetrics)):
        present, tested = versions.TESTED[name]
        assert present == module.__version__
        assert tuple(map(int, re.match(r"(\d+)\.(\d+)", present).groups())) <= tested


def test_nothing_that_is_required_has_an_upper_bound():
    text = (ROOT / "pyproject.toml").read_text()
    required = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)[1]
    assert required.count(">=") == 4
    assert not re.search(r"[<~=]=?[^>]*\d", required.replace(">=", "at least "))
    assert re.search(r"^lightning = (.*)$", text, re.MULTILINE)[1] == '["pytorch-lightning>=2.6"]'

# SPDX-License-Identifier: Apache-2.0
"""Which releases of torch and torchmetrics may be installed, and what is said of those that were not tested."""

import re
import subprocess
import sys
import warnings
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
        ("2.13.0", "1.9.0", None),
        ("2.13.1+cu130", "1.9.7", None),
        ("2.11.0", "1.9.0", None),
        ("2.14.0a0+git1", "1.9.0", f"{TORCH}, and this is torch 2.14.0a0+git1."),
        ("3.0", "1.9.0", f"{TORCH}, and this is torch 3.0."),
        ("2.13.0", "1.10.0dev", f"{TORCHMETRICS}, and this is torchmetrics 1.10.0dev."),
        ("2.20", "2.0", f"{TORCH}, and this is torch 2.20; up to {TORCHMETRICS}, and this is torchmetrics 2.0."),
        ("unknown", "1.9.0", None),
    ],
)
def test_what_is_said_of_versions(monkeypatch, torch_version, torchmetrics_version, said):
    tested = {name: last for name, (_, last) in versions.TESTED.items()}
    present = {"torch": torch_version, "torchmetrics": torchmetrics_version}
    monkeypatch.setattr(versions, "TESTED", {name: (present[name], last) for name, last in tested.items()})
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        versions.warn_of_untested()
    assert [str(warning.message) for warning in found] == (
        [] if said is None else [f"fastmetrics was tested up to {said}"]
    )


@pytest.mark.parametrize("torch_version", ["2.13.0", "3.0"])
def test_importing_warns_once_and_says_where(torch_version):
    code = f"""
import torch, torchmetrics
torch.__version__, torchmetrics.__version__ = {torch_version!r}, "1.9.0"
import fastmetrics
import fastmetrics.classification
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    if torch_version == "2.13.0":
        assert done.stderr == ""
    else:
        assert done.stderr.count("fastmetrics was tested up to") == 1
        assert "<string>:4: UserWarning: fastmetrics was tested up to" in done.stderr  # where it was imported


def test_the_tests_run_with_what_is_said_to_be_tested():
    for name, module in (("torch", torch), ("torchmetrics", torchmetrics)):
        present, tested = versions.TESTED[name]
        assert present == module.__version__
        assert tuple(map(int, re.match(r"(\d+)\.(\d+)", present).groups())) <= tested


def test_nothing_that_is_required_has_an_upper_bound():
    text = (ROOT / "pyproject.toml").read_text()
    required = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)[1]
    assert required.count(">=") == 5
    assert not re.search(r"[<~=]=?[^>]*\d", required.replace(">=", "at least "))
    assert re.search(r"^lightning = (.*)$", text, re.MULTILINE)[1] == '["pytorch-lightning>=2.6"]'

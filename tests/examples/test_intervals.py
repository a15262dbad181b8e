# SPDX-License-Identifier: Apache-2.0
"""The example of intervals runs, and says which model is better."""

import re
import subprocess
import sys

import pytest

from tests.support import ROOT


@pytest.mark.slow
def test_it_runs():
    command = [sys.executable, str(ROOT / "examples" / "intervals.py"), "--samples", "40000", "--batch-size", "15000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\w+) +(\w+) +([\d.]+)  \[([\d.]+), ([\d.]+)\]$", done.stdout, re.MULTILINE)
    assert [row[:2] for row in rows] == [
        *((model, metric) for model in ("first", "second") for metric in ("accuracy", "F1")),
        ("difference", "F1"),
    ]
    assert all(0 < float(low) < float(value) < float(high) for *_, value, low, high in rows)
    assert float(re.search(r"p = (.+)", done.stdout)[1]) < 0.01

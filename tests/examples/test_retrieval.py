# SPDX-License-Identifier: Apache-2.0
"""The example of search results runs, and both of its ways give the same values."""

import subprocess
import sys

import pytest

from tests.support import ROOT


@pytest.mark.slow
def test_it_runs():
    command = [sys.executable, str(ROOT / "examples" / "retrieval.py"), "--queries", "500", "--documents", "30"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert lines[:4] == lines[4:8]
    assert lines[0].startswith("nDCG at 1, 10 and 100: 0.")
    assert lines[8].endswith("of 500")

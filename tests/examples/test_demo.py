# SPDX-License-Identifier: Apache-2.0
"""The demo runs, finds all values equal and writes its picture."""

import subprocess
import sys

import pytest

from tests.support import ROOT


@pytest.mark.slow
def test_demo(tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    demo = ROOT / "examples" / "demo.py"
    done = subprocess.run(
        [sys.executable, str(demo), "--epochs", "1", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All values are equal" in done.stdout
    assert done.stdout.count(" yes ") == 8
    assert " NO " not in done.stdout
    assert (tmp_path / "digits_confusion.png").read_bytes().startswith(b"\x89PNG")

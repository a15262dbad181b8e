# SPDX-License-Identifier: Apache-2.0
"""The benchmark finds wrong contestants, and its reports say what was measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench import report
from bench.measure import MismatchError, measure
from bench.workloads import WORKLOADS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.name)
def test_contestants_agree(workload):
    row = measure(workload, "cpu", 1e-3, 0.0, compile_too=False)
    assert row["bytes"] > 0
    assert all(t["low"] <= t["median"] <= t["high"] for t in row["times"].values())


def test_a_wrong_contestant_is_found(monkeypatch):
    workload = WORKLOADS[0]
    monkeypatch.setattr(workload, "eager", lambda preds, target: torch.zeros(10, 10))
    with pytest.raises(MismatchError, match="PyTorch"):
        measure(workload, "cpu", 1e-3, 0.0, compile_too=False)


def test_report(tmp_path):
    file = tmp_path / "cpu.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--scale", "0.001", "--only", "C = 10,", "--output", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(file.read_text())
    assert len(result["rows"]) == 3
    readme, page = tmp_path / "README.md", tmp_path / "benchmarks.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write([file], readme, page)
    for text in (readme.read_text(), page.read_text()):
        assert result["rows"][0]["name"] in text
        assert result["machine"]["name"] in text
    assert readme.read_text().startswith("before\n")
    assert "old" not in readme.read_text()


def test_gpu_check_says_that_there_is_no_gpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        ["bash", str(ROOT / "bench" / "gpu_check.sh"), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
    )
    assert done.returncode == 1
    assert "no GPU" in done.stderr

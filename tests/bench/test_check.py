# SPDX-License-Identifier: Apache-2.0
"""The check of a machine with a GPU, as far as it goes without one."""

import os
import subprocess
import sys
import tarfile

import pytest
import torch

from bench import cases
from bench.check import Check
from tests.support import ROOT


@pytest.fixture
def check(tmp_path):
    return Check(tmp_path, "cpu", 60)


def test_it_says_that_there_is_no_gpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        ["bash", str(ROOT / "bench" / "gpu_check.sh"), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
    )
    assert done.returncode == 1
    assert "no GPU" in done.stderr


def test_what_fails_is_named_and_what_comes_after_it_runs(check, capsys):
    assert check.step("good", 20, [sys.executable, "-c", "print('well')"])
    assert not check.step("bad", 20, [sys.executable, "-c", "print('here'); import os; os.abort()"])
    assert check.step("next", 20, [sys.executable, "-c", "import os; print(os.environ['SAID'])"], SAID="after it")
    assert check.end_with() == 1
    summary = (check.out / "summary.txt").read_text()
    assert summary == capsys.readouterr().out
    good, bad, after, failed = summary.splitlines()
    assert good.startswith("good: ok, ")
    assert good.endswith(" s: well")
    assert bad.startswith("bad: FAILED, exit -6")
    assert after.endswith(": after it")
    assert failed == "failed: bad"
    assert "here" in (check.out / "check.log").read_text()
    with tarfile.open(check.out / "rest.tar.gz") as archive:
        assert {"rest/good.log", "rest/bad.log", "rest/next.log"} <= set(archive.getnames())
    assert sorted(path.name for path in check.out.iterdir()) == ["check.log", "rest.tar.gz", "summary.txt"]


def test_a_step_is_stopped_with_all_that_it_started_and_leaves_what_it_wrote(check):
    code = "import subprocess; print('begun', flush=True); subprocess.run(['sleep', '60'])"
    assert not check.step("slow", 5, [sys.executable, "-c", code])
    assert "begun" in (check.out / "check.log").read_text()
    assert "slow: STOPPED after 5 s: begun" in (check.out / "summary.txt").read_text().replace(", 5 s:", ":")


def test_what_no_time_was_left_for_is_a_plan(tmp_path, capsys):
    check = Check(tmp_path, "cpu", 0)
    assert not check.step("step", 20, ["true", "a b"], SETTING="1")
    check.suite("tests", 20, "by_hand", 0)
    assert check.end_with() == 0
    out = capsys.readouterr().out
    assert "step: not run, no time was left" in out
    assert "no time was left for:\n  SETTING=1 true 'a b'\n" in out
    assert "-k by_hand tests" in out


def test_a_file_of_tests_is_a_process(check, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "tests" / "some"
    folder.mkdir(parents=True)
    (folder / "test_good.py").write_text("def test_chosen(): pass\ndef test_other(): assert False\n")
    (folder / "test_bad.py").write_text("import os\ndef test_chosen(): os.abort()\n")
    (folder / "test_none.py").write_text("def test_other(): assert False\n")
    monkeypatch.setattr("bench.check.ROOT", tmp_path)
    check.suite("tests", 40, "chosen", 0, "some")
    assert "tests: FAILED in 1 files, 1 passed" in capsys.readouterr().out
    assert check.failed == ["tests-some-test_bad"]


def test_cases_of_the_kernels_are_compared(monkeypatch, capsys):
    of_values = list(cases.CASES["values"]())[1:6:2]  # of numbers alone: NaN + 1 is NaN
    monkeypatch.setattr(cases, "CASES", {"values": lambda: of_values})
    assert cases.compare("cpu", few=True) == 0
    assert "3 of 3 cases as the body" in capsys.readouterr().out
    monkeypatch.setattr(cases, "expected", lambda operator, args: [a + 1 if torch.is_tensor(a) else a for a in args])
    assert cases.compare("cpu", few=True) == 3
    assert "values_ case 1: argument 0: " in capsys.readouterr().out

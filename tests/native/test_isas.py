# SPDX-License-Identifier: Apache-2.0
"""The CPU kernels as they are compiled for other instruction sets than this machine's own."""

import os
import subprocess
import sys

import pytest

from fastmetrics.native import parameters
from tests.support import ROOT

OTHERS = [isa for isa in parameters.ahead_of_time_isas()[1:] if parameters.runs_here(isa, parameters.cpu_flags())]
# Every shape of loop, in the dtypes and sizes that take another path.
CLASSES = " or ".join(f"{classes}-torch" for classes in (3, 10, 40, 100))
CHOICE = f"(scores and ({CLASSES})) or one_label or many_classes or full_steps or by_hand or elementary or logarithms"
CHOICE += " or ((hinge or calibration or proper_scores) and float32) or (test_binary and int64)"
CHOICE += " or (test_curve_points.py and (streamed or 1025))"
CHOICE += " or test_token_rows.py or (test_scores.py and not 5000) or (test_number_rows.py and not memory)"
FILES = ("passes", "pairs", "row_pairs", "row_passes", "token_rows", "scores", "curve_points", "number_rows")
# Kernels that were registered beforehand are used whatever FASTMETRICS_NATIVE says.
RUN = """
import sys
from pathlib import Path
import pytest, torch
import fastmetrics
from fastmetrics.native import builder, parameters
isa, folder, *choice = sys.argv[1:]
builder.compile_library(parameters.library("cpu", parameters.WHOLE, isa), Path(folder), Path(folder, "log"))
for name in ("multiclass_", "pairs_", "calibration_", "token_rows"):
    assert torch._C._dispatch_has_kernel_for_dispatch_key(f"fastmetrics::{name}", "CPU")
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", *choice]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("isa", OTHERS)
def test_kernels_agree_with_their_bodies(isa, tmp_path):
    command = [sys.executable, "-c", RUN, isa, str(tmp_path), CHOICE]
    command += [f"tests/passes/test_{name}.py" for name in FILES]
    environment = {**os.environ, "FASTMETRICS_NATIVE": "off"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr

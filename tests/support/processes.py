# SPDX-License-Identifier: Apache-2.0
"""Python in processes of their own, with a cache of their own for what is built."""

import os
import signal
import subprocess
import sys

from tests.support import ROOT

HANGS = 900  # seconds; a build takes 35 alone, but minutes on a busy machine
UPDATE = """
import torch, fastmetrics
from fastmetrics import native
metric = fastmetrics.classification.MulticlassConfusionMatrix(2)
metric.update(torch.tensor([0, 1, 1]), torch.tensor([0, 1, 0]))
assert metric.compute().tolist() == [[1, 1], [0, 1]]
print("origin:", native.status().origin)
"""


def start(code, cache, **variables):
    """Start Python code with a cache of its own; variables that are None are not set."""
    environment = {**os.environ, "FASTMETRICS_NATIVE": "auto", "FASTMETRICS_CACHE": str(cache), **variables}
    return subprocess.Popen(
        [sys.executable, *(["-c", code] if isinstance(code, str) else code)],
        env={name: value for name, value in environment.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def run(code, cache, expect=0, **variables):
    """Run Python code, or Python with these arguments; returns what it wrote."""
    done = start(code, cache, **variables)
    try:
        out, err = done.communicate(timeout=HANGS)
    except subprocess.TimeoutExpired:
        os.killpg(done.pid, signal.SIGKILL)
        raise
    assert done.returncode == expect, out + err
    return out, err


def script(path, text):
    """A program of the shell."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)

# SPDX-License-Identifier: Apache-2.0
"""``python -m fastmetrics``; tests/test_native.py has what ``doctor`` says."""

import re
import subprocess
import sys

import pytest

import fastmetrics
from fastmetrics import __main__ as command
from fastmetrics import inventory


def test_commands(capsys):
    assert command.main(["surface"]) == 0
    assert capsys.readouterr().out == inventory.page()
    for arguments, code in ((["--help"], 0), (["--version"], 0), ([], 2), (["nothing"], 2), (["surface", "more"], 2)):
        with pytest.raises(SystemExit) as exit:
            command.main(arguments)
        assert exit.value.code == code, arguments
        out, err = capsys.readouterr()
        if code:
            assert not out
            assert "usage: python -m fastmetrics" in err
        elif arguments == ["--version"]:
            assert out == f"fastmetrics {fastmetrics.__version__}\n"
        else:
            assert all(re.search(rf"^ +{name} +\w", out, re.M) for name in ("doctor", "surface"))
    done = subprocess.run([sys.executable, "-m", "fastmetrics", "nothing"], capture_output=True, check=False)
    assert done.returncode == 2

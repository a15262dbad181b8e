# SPDX-License-Identifier: Apache-2.0
"""The source distribution has all that building and testing need, and its metadata say what it is."""

import re
import shutil
import subprocess
import sys
import tarfile
from email.parser import Parser
from pathlib import Path

import pytest

import fastmetrics
from tests.support import ROOT

pytestmark = pytest.mark.slow

NOT_OURS = (".git", ".ci", ".gitignore", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "*.so", "*.o")
BUILT = ("build", "dist", "api", "_build", "*_output", "*_logs", "checkpoints")


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """What is in the checkout, and the folder of the unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    checkout = Path(shutil.copytree(ROOT, folder / "checkout", ignore=shutil.ignore_patterns(*NOT_OURS, *BUILT)))
    there = files(checkout)
    code = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return there, folder / archive.name.removesuffix(".tar.gz")


def test_it_has_every_file(unpacked):
    there, folder = unpacked
    assert len(there) > 300
    assert there - files(folder) == set()


def test_metadata(unpacked):
    _, folder = unpacked
    found = Parser().parsestr((folder / "PKG-INFO").read_text())
    assert folder.name == f"torch_fastmetrics-{fastmetrics.__version__}"
    assert found["Name"] == "torch-fastmetrics"
    assert found["Version"] == fastmetrics.__version__
    assert found["Author"] == "the fastmetrics authors"
    assert found["License-Expression"] == "Apache-2.0"
    assert found["License-File"] == "LICENSE"
    urls = dict(each.split(", ") for each in found.get_all("Project-URL"))
    assert found["Name"] in urls["Homepage"]
    assert len(found["Keywords"].split(",")) > 5
    assert len(found.get_all("Classifier")) > 5


def test_the_version_is_stated_once():
    stated = re.compile(rf"version[_ ]*[=:] *[\"']?{re.escape(fastmetrics.__version__)}\b", re.I)
    sources = [*ROOT.glob("*.toml"), *ROOT.glob("*.py"), *ROOT.glob("*.cff"), ROOT / "docs" / "conf.py"]
    sources += (ROOT / "fastmetrics").rglob("*.py")
    assert [path.name for path in sources if stated.search(path.read_text())] == ["__init__.py"]

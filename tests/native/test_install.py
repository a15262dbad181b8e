# SPDX-License-Identifier: Apache-2.0
"""Installing from a copy of the sources with pip, with and without libraries; and CMake."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fastmetrics.native import parameters, prebuilt, toolchain
from tests.support import ROOT
from tests.support.processes import UPDATE, run, script

pytestmark = pytest.mark.slow

QUICK = 'exec c++ "$@" -O0'  # what is installed here is not timed


@pytest.fixture
def checkout(tmp_path):
    """The files of this project, without what was built, so that nothing is written into the project."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "*.so", "build", "dist", "*_output", "*_logs")
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=ignored))


def pip_install(checkout, folder, **variables):
    """``pip install`` into a folder; returns the finished process."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    return subprocess.run(
        [*command, "--target", str(folder), str(checkout)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def run_installed(folder, cache, **variables):
    """As ``run``, but with the installed package: away from the checkout, whose package would come first."""
    leave = f"import os, sys; os.chdir('/'); sys.path.insert(0, {str(folder)!r})\n"
    out, err = run(leave + UPDATE + "print(native.__file__, native.status().path)", cache, **variables)
    assert str(folder) in out
    return out, err


def files(folder):
    """Every file below a folder."""
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_installed_from_source_it_compiles_on_first_use(checkout, tmp_path):
    left_over = checkout / "build" / "lib" / "fastmetrics" / "native" / "csrc" / "passes" / "gone_cpu.cpp"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("of an earlier version")
    done = pip_install(checkout, tmp_path / "site packages")
    assert done.returncode == 0, done.stdout + done.stderr
    before = files(tmp_path / "site packages")
    out, err = run_installed(tmp_path / "site packages", tmp_path / "a cache", CXX=script(tmp_path / "cxx", QUICK))
    assert "origin: built now" in out, err
    assert files(tmp_path / "site packages") == before  # the package is never written


def test_installed_with_libraries_it_compiles_nothing(checkout, tmp_path):
    site = tmp_path / "site"
    done = pip_install(checkout, site, FASTMETRICS_BUILD="1", CXX=f"env '{script(tmp_path / 'a compiler', QUICK)}'")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tag: py3-none-linux" in next(site.glob("*.dist-info/WHEEL")).read_text()
    names = [parameters.library("cpu", parameters.WHOLE, isa).name for isa in parameters.ahead_of_time_isas()]
    libraries = [site / "fastmetrics" / "native" / "lib" / f"{name}.so" for name in names]
    assert {path.name for path in site.rglob("*cpu*.so")} == {path.name for path in libraries}

    isas = zip(libraries, parameters.ahead_of_time_isas(), strict=True)
    usable = [path for path, isa in isas if parameters.runs_here(isa, parameters.cpu_flags())]
    for path in usable[:2]:  # the best that this CPU has; and the next, when that is one for another torch
        out, err = run_installed(site, tmp_path / "cache", CXX="no-such-compiler")
        assert "origin: prebuilt" in out
        assert f" {path}\n" in out
        assert err == ""
        for_another_torch(path)
    for path in usable[2:]:
        for_another_torch(path)
    out, err = run_installed(site, tmp_path / "cache", CXX="no-such-compiler")
    assert "origin: PyTorch body" in out
    assert err.count("was built for torch >= 9.9, this is torch") == len(usable)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_library_of_all_parts_has_the_sources_of_each(device):
    def split(sources):
        """The sources of operators, and the others."""
        operators = {source for source in sources if source.endswith(f"operators_{device}.cpp")}
        return operators, {*sources} - operators

    (joined,), others = split(parameters.library(device, parameters.WHOLE).sources)
    of_parts = [source for part in parameters.PARTS for source in parameters.library(device, part).sources]
    operators, others_of_parts = split(of_parts)
    assert others == others_of_parts
    included = re.findall('#include "(.*)"', Path(joined).read_text())
    assert sorted(included) == sorted(Path(source).name for source in operators)


def test_an_editable_installation_compiles_on_first_use(checkout, tmp_path):
    before = files(checkout)
    code = f"from setuptools.build_meta import build_editable; build_editable({str(tmp_path)!r})"
    environment = {**os.environ, "FASTMETRICS_BUILD": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=checkout, env=environment)
    assert len(list(tmp_path.glob("*.whl"))) == 1
    assert not [path for path in files(checkout) if path.endswith((".so", ".o"))]
    assert before == [path for path in files(checkout) if "egg-info" not in path]


def for_another_torch(library):
    """Change what a library says that it was built for."""
    stamp = json.loads(library.with_suffix(".json").read_text())
    assert stamp["torch"] == torch.__version__
    library.with_suffix(".json").write_text(json.dumps({**stamp, "torch_target": "9.9"}))


def test_reasons_against_a_library(tmp_path):
    isa = parameters.ahead_of_time_isas()[-1]
    library = tmp_path / f"{parameters.library('cpu', parameters.WHOLE, isa).name}.so"
    library.touch()
    assert "does not say" in prebuilt.candidates("cpu", folder=tmp_path)[0].reason
    stamp = parameters.stamp_of(parameters.library("cpu", parameters.WHOLE, isa))
    for change, reason in (
        ({}, None),
        ({"torch_target": "9.9"}, f"built for torch >= 9.9, this is torch {torch.__version__}"),
        ({"torch_target": "2.0"}, "built for torch >= 2.0, this is torch"),
        ({"torch_target": "new"}, "does not say for which torch"),
        ({"cuda": "1.0"}, "built for CUDA 1.0, torch has CUDA"),
    ):
        library.with_suffix(".json").write_text(json.dumps({**stamp, **change}))
        (found,) = prebuilt.candidates("cpu", folder=tmp_path)
        assert found.reason is None if reason is None else reason in found.reason


@pytest.mark.parametrize(
    ("archs", "capability", "runs"),
    [
        ("8.0", (8, 0), True),
        ("8.0", (8, 6), True),
        ("8.6", (8, 0), False),
        ("8.0", (9, 0), False),
        ("8.0+PTX", (9, 0), True),
        ("9.0a", (9, 0), True),
        ("9.0a", (9, 1), False),
        ("7.5 8.0;12.0+PTX", (12, 1), True),
        ("10.0;12.0", (9, 0), False),
        ("Hopper", (9, 0), True),
    ],
)
def test_a_library_for_other_gpus(monkeypatch, tmp_path, archs, capability, runs):
    library = tmp_path / f"{parameters.library('cuda').name}.so"
    library.touch()
    stamp = {**parameters.stamp_of(parameters.library("cuda")), "cuda": torch.version.cuda, "archs": archs}
    library.with_suffix(".json").write_text(json.dumps(stamp))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda gpu: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda gpu: "a GPU")
    reason = prebuilt.candidate(library).reason
    assert reason is None if runs else f"was built for the architectures {archs}, not for a GPU" in reason


@pytest.mark.parametrize(
    ("wanted", "toolkit", "cause"),
    [
        ("cuda", True, "FASTMETRICS_BUILD=cuda: torch was built without CUDA; install a CUDA build of torch"),
        ("cuda", False, "FASTMETRICS_BUILD=cuda: no nvcc: install the CUDA toolkit, or set CUDA_HOME to it"),
        ("yes", False, "FASTMETRICS_BUILD must be 0, 1 or cuda, but is 'yes'"),
    ],
)
def test_what_cannot_be_built_is_an_error_with_its_cause(checkout, tmp_path, wanted, toolkit, cause):
    if toolkit and torch.version.cuda is not None:
        pytest.skip("this torch was built with CUDA")
    if toolkit:  # what looks like one
        for path in ("bin/nvcc", "include/cuda_runtime.h"):
            (tmp_path / path).parent.mkdir()
            script(tmp_path / path, "exit 1")
    usual = checkout / "fastmetrics" / "native" / "parameters.py"  # nor the toolkit of this machine
    usual.write_text(usual.read_text().replace("/usr/local/cuda", "/no-such-folder"))
    environment = {"CUDA_HOME": str(tmp_path), "CUDA_PATH": "", "PATH": "/no-such-folder"}
    done = pip_install(checkout, tmp_path / "site", FASTMETRICS_BUILD=wanted, **environment)
    assert done.returncode != 0
    assert cause in done.stdout + done.stderr
    assert not (tmp_path / "site").exists()


def test_cmake_has_the_same_sources_and_flags(tmp_path):
    cmake = shutil.which("cmake", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if cmake is None:
        pytest.skip("no cmake")
    tools = [
        f"-DCMAKE_MAKE_PROGRAM={toolchain.ninja()}",
        f"-DPython_EXECUTABLE={os.path.relpath(sys.executable, ROOT)}",
    ]
    command = [cmake, "-G", "Ninja", *tools, "-B", str(tmp_path), "-S", str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    devices = ("cpu", "cuda") if parameters.cuda_home() else ("cpu",)
    commands = json.loads((tmp_path / "compile_commands.json").read_text())
    assert sorted(command["file"] for command in commands) == sorted(
        source for device in devices for part in parameters.PARTS for source in parameters.library(device, part).sources
    )
    for command in commands:
        words, source = shlex.split(command["command"]), command["file"]
        made = parameters.library("cpu" if source.endswith("_cpu.cpp") else "cuda")
        flags = made.nvcc_flags if source.endswith(".cu") else made.cflags
        assert any(words[i : i + len(flags)] == flags for i in range(len(words)))
        assert f"-I{made.include_dirs[0]}" in words
    made = parameters.library("cpu")
    link = next(line for line in (tmp_path / "build.ninja").read_text().splitlines() if "LINK_FLAGS = " in line)
    assert set(made.ldflags) <= set(link.split())

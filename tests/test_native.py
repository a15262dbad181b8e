# SPDX-License-Identifier: Apache-2.0
"""Finding, building and loading the libraries, in processes of their own with a cache of their own."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fastmetrics import native
from fastmetrics.native import builder, parameters, prebuilt

ROOT = Path(__file__).parent.parent
UPDATE = """
import torch, fastmetrics
from fastmetrics import native
metric = fastmetrics.classification.MulticlassConfusionMatrix(2)
metric.update(torch.tensor([0, 1, 1]), torch.tensor([0, 1, 0]))
assert metric.compute().tolist() == [[1, 1], [0, 1]]
print("origin:", native.status().origin)
"""


def run(code, cache, expect=0, **variables):
    """Run Python code; returns the finished process."""
    done = start(code, cache, **variables)
    out, err = done.communicate(timeout=120)
    assert done.returncode == expect, out + err
    return out, err


def start(code, cache, **variables):
    environment = {**os.environ, "FASTMETRICS_NATIVE": "auto", "FASTMETRICS_CACHE": str(cache), **variables}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={name: value for name, value in environment.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that a first process filled."""
    cache = tmp_path_factory.mktemp("cache")
    out, err = run(UPDATE, cache)
    assert "origin: built now" in out
    assert err.count("building the cpu kernels") == 1
    assert err.count("built ") == 1
    return cache


def test_the_second_process_finds_it_in_the_cache(filled):
    out, err = run(UPDATE, filled, FASTMETRICS_NATIVE="require")
    assert "origin: cache" in out
    assert err == ""


def test_no_compiler(tmp_path):
    out, err = run(UPDATE, tmp_path, CXX="no-such-compiler")
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels for cpu") == 1
    assert "no-such-compiler was not found. Install" in err
    _, err = run(UPDATE, tmp_path, expect=1, CXX="no-such-compiler", FASTMETRICS_NATIVE="require")
    assert "NativeError" in err
    assert "Install" in err


def test_off_tries_nothing(tmp_path):
    out, err = run(UPDATE, tmp_path / "cache", FASTMETRICS_NATIVE="off")
    assert "origin: PyTorch body" in out
    assert err == ""
    assert not (tmp_path / "cache").exists()


def test_unknown_mode(tmp_path):
    _, err = run(UPDATE, tmp_path, expect=1, FASTMETRICS_NATIVE="sometimes")
    assert "must be one of auto, require, off" in err


def test_no_ninja(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "c++").symlink_to(shutil.which("c++"))
    hide = "import sys; sys.modules['ninja'] = None\n"
    out, err = run(hide + UPDATE, tmp_path / "cache", PATH=str(tmp_path / "bin"))
    assert "origin: PyTorch body" in out
    assert "pip install ninja" in err


def test_a_compiler_error_is_shown(tmp_path):
    cxx = script(tmp_path / "cxx", 'case "$*" in *-c*) echo "error: no such thing" >&2; exit 1;; esac; exec c++ "$@"')
    out, err = run(UPDATE, tmp_path / "cache", CXX=cxx)
    assert "origin: PyTorch body" in out
    assert "error: no such thing" in err
    assert err.count("no native kernels") == 1


def test_a_killed_build_stops_nobody(tmp_path):
    began = tmp_path / "began"
    cxx = script(tmp_path / "cxx", f'case "$*" in *-c*) touch {began}; sleep 60;; esac; exec c++ "$@"')
    killed = start(UPDATE, tmp_path / "cache", CXX=cxx)
    while not began.exists():
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    script(tmp_path / "cxx", 'exec c++ "$@"')
    out, _ = run(UPDATE, tmp_path / "cache", CXX=cxx)
    assert "origin: built now" in out
    assert not list((tmp_path / "cache").glob("*.build-*"))  # what was left over is gone


def test_four_processes_build_once(tmp_path):
    log = tmp_path / "log"
    cxx = script(tmp_path / "cxx", f'case "$*" in *-shared*) echo link >> {log};; esac; exec c++ "$@"')
    processes = [start(UPDATE, tmp_path / "cache", CXX=cxx) for _ in range(4)]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert log.read_text().count("link") == 1
    assert sum("origin: built now" in out for out in said) == 1
    assert sum("origin: cache" in out for out in said) == 3


def test_an_unusable_cache_folder(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    out, err = run(UPDATE + "print(native.status().reasons)", tmp_path / "cache", TMPDIR=str(tmp_path))
    assert "origin: built now" in out
    assert "cannot be written" in out
    assert err.count("building") == 1
    assert list(tmp_path.glob("fastmetrics-*"))


def test_a_damaged_library_is_built_again(filled, tmp_path):
    cache = tmp_path / "cache"
    shutil.copytree(filled, cache)
    for library in cache.rglob("*.so"):
        library.write_bytes(b"no library")
    assert "origin: built now" in run(UPDATE, cache)[0]


def test_the_package_is_never_written(filled):
    before = {path for path in (ROOT / "fastmetrics").rglob("*") if "__pycache__" not in path.parts}
    run(UPDATE, filled)
    after = {path for path in (ROOT / "fastmetrics").rglob("*") if "__pycache__" not in path.parts}
    assert before == after
    assert ROOT not in filled.parents


def test_a_library_for_another_torch(filled, tmp_path):
    isa = parameters.ahead_of_time_isas()[-1]
    name = parameters.library("cpu", isa).name
    shutil.copy(next(filled.rglob("*.so")), tmp_path / f"{name}.so")
    stamp = builder.stamp_of(parameters.library("cpu", isa))
    for change, reason in (
        ({}, None),
        ({"torch_target": "9.9"}, "built for torch >= 9.9"),
        ({"torch_target": "2.0"}, "this is torch"),
        ({"cuda": "1.0"}, "built for CUDA 1.0"),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps({**stamp, **change}))
        (found,) = prebuilt.candidates("cpu", tmp_path)
        assert found.reason is None if reason is None else reason in found.reason
    (tmp_path / f"{name}.json").unlink()
    assert "does not say" in prebuilt.candidates("cpu", tmp_path)[0].reason


def test_the_key_depends_on_torch_flags_and_sources(monkeypatch, tmp_path):
    made = parameters.library("cpu")
    keys = {builder.key(made), builder.key(parameters.library("cpu", "x86-64"))}
    shutil.copytree(parameters.source_root(), tmp_path / "csrc")
    copied = parameters.library("cpu", root=tmp_path / "csrc")
    header = next(path for path in copied.headers if path.endswith("order.h"))
    Path(header).write_text(Path(header).read_text() + "\n// changed\n")
    keys.add(builder.key(copied))
    monkeypatch.setattr(torch, "__version__", "0.0")
    keys.add(builder.key(made))
    assert len(keys) == 4


def test_import_is_quick_and_builds_nothing(tmp_path):
    code = (
        "import time, torch, torchmetrics; start = time.perf_counter(); import fastmetrics;"
        "print(time.perf_counter() - start); from fastmetrics import native; print(native.status().origin)"
    )
    times = []
    for _ in range(3):
        out, _ = run(code, tmp_path / "cache")
        took, origin = out.splitlines()
        assert origin == "not tried"
        times.append(float(took))
    assert min(times) <= 0.3
    assert not (tmp_path / "cache").exists()


def test_build_warms_up_and_refuses_unknown_devices(filled):
    out, _ = run("import fastmetrics; print(fastmetrics.build(['cpu'])[0].origin)", filled)
    assert out.strip() == "cache"
    with pytest.raises(ValueError, match="tpu"):
        native.build(["tpu"])


def test_doctor(filled, tmp_path):
    environment = {**os.environ, "FASTMETRICS_CACHE": str(filled)}
    command = [sys.executable, "-m", "fastmetrics", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 6 <= len(done.stdout.splitlines()) <= 12
    for word in ("torch", "compiler", "ninja", "nvcc", "cache", "FASTMETRICS_NATIVE", "native kernels"):
        assert word in done.stdout
    environment |= {"CXX": "no-such-compiler", "FASTMETRICS_CACHE": str(tmp_path), "FASTMETRICS_NATIVE": "auto"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "install g++" in done.stdout


def checkout(folder):
    """The files of this project, without what was built."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "demo_output")
    return Path(shutil.copytree(ROOT, folder / "checkout", ignore=ignored))


def pip_install(folder, **variables):
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    return subprocess.run(
        [*command, "--target", str(folder / "site"), str(checkout(folder))],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def run_installed(folder, **variables):
    """As ``run``, but with the installed package: away from the checkout, whose package would come first."""
    leave = f"import os; os.chdir({str(folder)!r})\n"
    return run(leave + UPDATE, folder / "cache", PYTHONPATH=str(folder / "site"), **variables)


def test_installed_from_source_it_compiles_on_first_use(tmp_path):
    done = pip_install(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "origin: built now" in run_installed(tmp_path)[0]
    assert (tmp_path / "site" / "fastmetrics" / "native" / "csrc" / "passes" / "multiclass_cpu.cpp").is_file()


def test_installed_with_libraries_it_compiles_nothing(tmp_path):
    done = pip_install(tmp_path, FASTMETRICS_BUILD="1")
    assert done.returncode == 0, done.stdout + done.stderr
    libraries = sorted(path.name for path in (tmp_path / "site").rglob("*.so"))
    assert len(libraries) >= len(parameters.ahead_of_time_isas())
    out, err = run_installed(tmp_path, CXX="no-such-compiler")
    assert "origin: prebuilt" in out
    assert err == ""


@pytest.mark.skipif(torch.version.cuda is not None and parameters.cuda_home() is not None, reason="CUDA can be built")
def test_cuda_that_cannot_be_built_is_an_error_when_it_must(tmp_path):
    done = pip_install(tmp_path, FASTMETRICS_BUILD="cuda")
    assert done.returncode != 0
    assert "FASTMETRICS_BUILD=cuda: " in done.stdout + done.stderr


def test_cmake_has_the_same_parameters():
    text = (ROOT / "CMakeLists.txt").read_text()
    assert "fastmetrics/native/parameters.py" in text.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
    said = subprocess.run(
        [sys.executable, str(ROOT / "fastmetrics" / "native" / "parameters.py"), "cpu"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    made = parameters.library("cpu")
    lines = dict(line.split("=", 1) for line in said.splitlines())
    assert lines["SOURCES"].split(";") == made.sources
    assert lines["CFLAGS"].split(";") == made.cflags

# SPDX-License-Identifier: Apache-2.0
"""Finding, building and loading the libraries, in processes of their own with a cache of their own."""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from fastmetrics import __main__, native
from fastmetrics.native import cache, parameters, toolchain
from tests.support import ROOT
from tests.support.processes import HANGS, UPDATE, run, script, start

pytestmark = pytest.mark.slow

# Compiles nothing: copies a library that is there already, and writes down what it was asked for.
COPYING_COMPILER = """
for last; do :; done
case "$*" in
*-shared*) echo link >> '{log}'; cp '{library}' "$last";;
*" -c "*) echo compile >> '{log}'; : > "$last";;
esac
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Variables for the usual compiler without optimisation, for what is built here is not timed."""
    folder = tmp_path_factory.mktemp("bin")
    script(folder / "c++", f'exec {shutil.which("c++")} "$@" -O0')
    return {"CXX": None, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory, quick):
    """A cache that a first process filled, which said so before and after."""
    cache = tmp_path_factory.mktemp("cache")
    out, err = run(UPDATE, cache, **quick)
    assert "origin: built now" in out
    files = len(parameters.library("cpu").sources)
    before, *between, after = err.splitlines()
    assert before == f"fastmetrics: building the cpu kernels, once: 0 of {files} files"
    assert all(re.fullmatch(before.replace(" 0 ", r" \d+ "), line) for line in between)
    done = [int(line.split()[-4]) for line in between]
    assert done == sorted(done)
    assert after.startswith(f"fastmetrics: built {next(cache.rglob('*.so'))} in ")
    return cache


@pytest.fixture
def copying(filled, tmp_path):
    """The command of a compiler that takes no time, behind a launcher and with spaces in its path."""
    text = COPYING_COMPILER.format(log=tmp_path / "log", library=next(filled.rglob("*.so")))
    return f"env '{script(tmp_path / 'a compiler', text)}'"


def test_what_was_built_comes_from_the_cache_and_what_is_not_used_is_not_built(filled):
    code = "print(*(native.status('cpu', part).origin for part in native.PARTS), sep=', ')"
    out, err = run(UPDATE + code, filled, CXX=None, FASTMETRICS_NATIVE="require")
    assert out.splitlines() == ["origin: cache", ", ".join(["cache"] + ["not tried"] * (len(native.PARTS) - 1))]
    assert err == ""
    with pytest.raises(ValueError, match="tpu"):
        native.build(["tpu"])


@pytest.mark.parametrize("hidden", [{"CXX": "no-such-compiler"}, {"CXX": "", "PATH": "/no-such-folder"}])
def test_no_compiler(tmp_path, hidden):
    out, err = run(UPDATE + "metric.update(torch.tensor([1]), torch.tensor([1]))", tmp_path, **hidden)
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels for cpu") == err.count("fastmetrics: ") == 1
    assert f"{hidden['CXX'] or 'c++'} was not found. Install g++ or clang++, or set CXX." in err


def test_required_but_not_to_be_had(tmp_path):
    code = """
import fastmetrics
for _ in range(2):
    try: fastmetrics.build()
    except fastmetrics.native.NativeError as error: print(error)
"""
    out, err = run(code + UPDATE, tmp_path, expect=1, CXX="no-such-compiler", FASTMETRICS_NATIVE="require")
    for text, times in ((out, 2), (err, 1)):
        assert text.count("FASTMETRICS_NATIVE=require, but there is no native library for cpu") == times
        assert text.count("- build: no C++ compiler: no-such-compiler was not found. Install") == times
    assert "NativeError" in err
    assert "PyTorch operations serve" not in err


def test_off_tries_nothing(tmp_path):
    cxx = script(tmp_path / "cxx", f"touch {tmp_path}/tried; exit 1")
    out, err = run(UPDATE, tmp_path / "cache", FASTMETRICS_NATIVE="off", CXX=cxx)
    assert "origin: PyTorch body" in out
    assert err == ""
    assert os.listdir(tmp_path) == ["cxx"]


def test_unknown_mode(monkeypatch):
    monkeypatch.setenv("FASTMETRICS_NATIVE", "sometimes")
    with pytest.raises(ValueError, match="must be one of auto, require, off, but is 'sometimes'"):
        native.mode()


def test_no_ninja(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "c++").symlink_to(shutil.which("c++"))
    hide = "import sys; sys.modules['ninja'] = None\n"
    out, err = run(hide + UPDATE, tmp_path / "cache", PATH=str(tmp_path / "bin"), CXX=None)
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels") == 1
    assert "pip install ninja" in err


def test_the_errors_of_a_compiler_are_shown_first(tmp_path):
    lines = 'i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo "line $i."; done'
    fail = f'{lines}; printf "error: \\351 is wrong\\n"; {lines}; exit 1'
    cxx = script(tmp_path / "cxx", f'case "$*" in *" -c "*) {fail};; esac')
    out, err = run(UPDATE, tmp_path / "cache", CXX=cxx)
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels") == 1
    said = err.partition("the compiler failed:\n")[2].splitlines()
    assert said[:4] == ["line 98.", "line 99.", "error: \N{REPLACEMENT CHARACTER} is wrong", "line 1."]  # no UTF-8
    assert cxx not in err  # no command
    assert len(err) < 1500
    (log,) = (tmp_path / "cache").glob("*.log")
    assert f"All that it wrote is in {log}" in err
    assert f"{cxx} " in log.read_text()
    assert log.read_text().count("line 99.") >= 2
    assert not list((tmp_path / "cache").glob("*.build-*"))


def test_what_is_built_but_does_not_load(tmp_path):
    cxx = script(tmp_path / "cxx", 'for last; do :; done; case "$*" in *" -o "*) echo no library > "$last";; esac')
    out, err = run(UPDATE, tmp_path / "cache", CXX=cxx)
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels") == 1
    assert "build: what was built does not load: " in err
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_a_killed_build_stops_nobody(tmp_path, copying):
    compiler = tmp_path / "a compiler"
    text = compiler.read_text()
    script(compiler, f'case "$*" in *" -c "*) touch {tmp_path}/began; sleep 60;; esac')
    killed = start(UPDATE, tmp_path / "cache", CXX=copying)
    try:
        while not (tmp_path / "began").exists():
            assert killed.poll() is None
            time.sleep(0.05)
        os.kill(killed.pid, signal.SIGKILL)  # its compilers live on
        killed.wait()
        assert list((tmp_path / "cache").glob("*.build-*"))
        compiler.write_text(text)
        assert "origin: built now" in run(UPDATE, tmp_path / "cache", CXX=copying)[0]
        assert not list((tmp_path / "cache").glob("*.build-*"))  # what was left over is gone
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(killed.pid, signal.SIGKILL)


def test_four_processes_build_once(tmp_path, copying):
    compiler = tmp_path / "a compiler"
    compiler.write_text(compiler.read_text().replace("cp ", "sleep 6; cp "))  # time to meet
    processes = [start(UPDATE, tmp_path / "a cache", CXX=copying) for _ in range(4)]
    said = [process.communicate(timeout=HANGS) for process in processes]
    (first,) = (process.pid for process, (out, _) in zip(processes, said, strict=True) if "built now" in out)
    waited = f"fastmetrics: waiting for process {first} on {platform.node()}, which builds the cpu kernels: "
    assert any(waited in err for _, err in said)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert (tmp_path / "log").read_text().split() == ["compile"] * len(parameters.library("cpu").sources) + ["link"]
    assert sorted(out.strip() for out, _ in said) == ["origin: built now"] + ["origin: cache"] * 3
    assert sum("fastmetrics: building" in err for _, err in said) == 1


@pytest.mark.parametrize("unusable", ["a file", "not ours"])
def test_an_unusable_cache_folder(tmp_path, copying, unusable):
    if unusable == "a file":
        (tmp_path / "cache").write_text("where the folder should be")
    elif os.getuid() == 0:
        pytest.skip("root writes everywhere")
    else:
        (tmp_path / "cache").mkdir(mode=0)
    out, err = run(UPDATE, tmp_path / "cache", TMPDIR=str(tmp_path), CXX=copying)
    assert "origin: built now" in out
    assert f"{tmp_path / 'cache'} cannot be written (" in err
    assert f"using {tmp_path}/fastmetrics-{os.getuid()}; or set FASTMETRICS_CACHE" in err
    out, err = run(UPDATE, tmp_path / "cache", TMPDIR=str(tmp_path), CXX=copying)
    assert "origin: cache" in out
    assert err == ""


def test_no_folder_can_be_written(tmp_path, copying):
    (tmp_path / "cache").write_text("a file")
    (tmp_path / f"fastmetrics-{os.getuid()}").write_text("another file")
    out, err = run(UPDATE, tmp_path / "cache", TMPDIR=str(tmp_path), CXX=copying)
    assert "origin: PyTorch body" in out
    assert err.count("no native kernels") == err.count("fastmetrics: ") == 1
    assert not (tmp_path / "log").exists()


def test_a_user_without_a_home(monkeypatch):
    def no_entry(uid):
        raise KeyError(uid)

    for name in ("HOME", "FASTMETRICS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_entry)
    assert cache.folder().name == f"fastmetrics-{os.getuid()}"


def test_a_damaged_library_is_built_again(filled, tmp_path):
    copied = tmp_path / "cache"
    shutil.copytree(filled, copied)
    (library,) = copied.rglob("*.so")
    good = tmp_path / "good.so"
    library.replace(good)
    library.write_bytes(b"no library")
    path = os.environ["PATH"]  # the same compiler by name and version, and so the same key
    version = subprocess.run(["c++", "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=True)
    copying = COPYING_COMPILER.format(log=tmp_path / "log", library=good)
    script(tmp_path / "c++", f'case "$*" in *-dumpversion*) echo {version.stdout.strip()};; esac\n{copying}')
    out, _ = run(UPDATE, copied, CXX=None, PATH=f"{tmp_path}:{path}")
    assert "origin: built now" in out
    assert (tmp_path / "log").read_text().count("link") == 1
    assert library.read_bytes() == good.read_bytes()


def test_a_machine_without_a_compiler_loads_what_another_built(filled, tmp_path):
    """As a slim image does that has the cache of the image it was built in."""
    hidden = {"CXX": "no-such-compiler", "PATH": "/no-such-folder"}
    out, err = run(UPDATE, filled, FASTMETRICS_NATIVE="require", **hidden)
    assert "origin: cache" in out
    assert err == ""
    copied = tmp_path / "cache"
    shutil.copytree(filled, copied)
    (stamp,) = copied.rglob("*.json")
    said = json.loads(stamp.read_text())
    assert said["cpu_flags"]
    stamp.write_text(json.dumps({**said, "cpu_flags": f"{said['cpu_flags']} of_another_cpu"}))
    out, err = run(UPDATE, copied, **hidden)
    assert "origin: PyTorch body" in out
    assert "fastmetrics_cpu.so was built for a CPU with of_another_cpu" in err


def test_only_one_copy_is_loaded(filled, copying, tmp_path):
    code = (
        UPDATE
        + """
found = {tuple(line.split()[3:]) for line in open("/proc/self/maps") if "fastmetrics_cpu" in line}
print("mapped:", [" ".join(parts[2:]) for parts in found])
"""
    )
    out, err = run(code, tmp_path / "cache", CXX=copying)
    (library,) = (tmp_path / "cache").rglob("*.so")
    assert "origin: built now" in out
    assert f"mapped: {[str(library)]}" in out
    assert "registered" not in err


def test_torch_in_a_folder_with_spaces(copying, tmp_path):
    folder = tmp_path / "site packages"
    folder.mkdir()
    for package in Path(torch.__file__).parent.parent.iterdir():
        (folder / package.name).symlink_to(package)
    compiler = tmp_path / "a compiler"
    compiler.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/arguments\n{compiler.read_text()}')
    out, _ = run(UPDATE, tmp_path / "cache", CXX=copying, PYTHONPATH=f"{folder}:{ROOT}")
    assert "origin: built now" in out
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert f"-L{folder}/torch/lib" in arguments
    assert f"{folder}/torch/include" in arguments


def test_the_key_depends_on_what_decides(monkeypatch, tmp_path):
    made = parameters.library("cpu")
    keys = [cache.key(made), cache.key(parameters.library("cpu", isa="x86-64"))]
    shutil.copytree(parameters.source_root(), tmp_path / "csrc")
    copied = parameters.library("cpu", root=tmp_path / "csrc")
    assert cache.key(copied) == keys[0]  # not on where the sources are
    header = Path(next(path for path in copied.headers if path.endswith("order.h")))
    header.write_text(header.read_text() + "\n// changed\n")
    keys.append(cache.key(copied))
    for target in ("torch.__version__", "fastmetrics.native.cache.cpu_flags"):
        with monkeypatch.context() as patch:
            patch.setattr(target, "0.0" if target.startswith("torch") else lambda: frozenset({"other"}))
            keys.append(cache.key(made))
    monkeypatch.setattr(cache, "python_headers", lambda: [] if parameters.python_headers() else ["somewhere"])
    keys.append(cache.key(made))
    monkeypatch.setenv("CXX", "another-compiler")
    keys.append(cache.key(made))
    assert len(set(keys)) == len(keys) == 7


def test_without_the_headers_of_python(tmp_path):
    code = f"""
import dataclasses
from pathlib import Path
import torch, fastmetrics
from fastmetrics.native import builder, direct, parameters
whole = parameters.library("cpu", "numbers")
made = dataclasses.replace(whole, cflags=[*whole.cflags, "-DFM_NO_PYTHON", "-O0"])
built = builder.compile_library(made, Path({str(tmp_path)!r}), Path({str(tmp_path / "log")!r}))
assert torch._C._dispatch_has_kernel_for_dispatch_key("fastmetrics::values_", "CPU")
assert direct.load(str(built)) is None
metric = fastmetrics.SumMetric()
metric.update(torch.tensor([1.0, 2.0]))
print("sum:", metric.compute().item())
"""
    out, _ = run(code, tmp_path, FASTMETRICS_NATIVE="off")
    assert "sum: 3.0" in out


def test_import_is_quick_and_builds_and_loads_nothing(tmp_path):
    code = """
import gc, sys, time
gc.disable()  # whether a collection of all that torch has made falls into the time is chance
times = [time.process_time()]
import torch, torchmetrics
times.append(time.process_time())
import fastmetrics
times.append(time.process_time())
print((times[2] - times[1]) / (times[1] - times[0]))
assert fastmetrics.native.status().origin == "not tried"
assert "fastmetrics.native.builder" not in sys.modules
assert "fastmetrics_" not in open("/proc/self/maps").read()
"""
    # Of what torch and torchmetrics take, which is 2 s and more, on a busy machine as well. The first of the runs may
    # have to compile the modules, the others find them compiled.
    variables = {"FASTMETRICS_NATIVE": "require", "PYTHONDONTWRITEBYTECODE": None}
    assert any(float(run(code, tmp_path / "cache", **variables)[0]) <= 0.14 for _ in range(4))
    assert not (tmp_path / "cache").exists()


def test_doctor(filled, quick, tmp_path, monkeypatch, capsys):
    doctor = ["-m", "fastmetrics", "doctor"]
    out, _ = run(doctor, filled, **quick)
    assert 8 <= len(out.splitlines()) <= 8 + len(native.PARTS)
    assert f"torch {torch.__version__}" in out
    for line in (
        f"compiler: {shutil.which('c++', path=quick['PATH'])}",
        f"ninja: {toolchain.ninja()}",
        "nvcc: ",
        f"cache: {filled}\n",
    ):
        assert line in out
    assert f"cpu, counts: native kernels, cache, {next(filled.rglob('fastmetrics_cpu.so'))}" in out
    assert f"cpu, scores: native kernels, built now, {next(filled.rglob('fastmetrics_scores_cpu.so'))}" in out

    (tmp_path / "cache").write_text("a file")
    out, _ = run(doctor, tmp_path / "cache", expect=1, CXX="no-such-compiler", TMPDIR=str(tmp_path))
    assert "compiler: none - install g++" in out
    assert "cannot be written" in out
    for part in native.PARTS:
        assert f"cpu, {part}: PyTorch operations, because" in out
    monkeypatch.setattr(native, "_status", {})
    monkeypatch.setenv("FASTMETRICS_NATIVE", "sometimes")
    assert __main__.doctor() == 1
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == "cpu: FASTMETRICS_NATIVE must be one of auto, require, off, but is 'sometimes'"
    )

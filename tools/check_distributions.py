# SPDX-License-Identifier: Apache-2.0
"""Checks the distributions that ``make dist`` wrote; ``make check-dist`` runs it.

- The wheel is installed into a fresh environment, where no compiler is found: its libraries must serve, and the console
  script must run.
- The platform tag of the wheel must be what the symbols of its libraries allow.
- The sdist is unpacked, and its own tests run there: a selection of them, or with ``--all`` every one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

SELECTION = ("tests/test_aggregation.py", "tests/test_commands.py", "tests/test_surface.py", "tests/segmentation")
BROUGHT_BY_TORCH = {"libc10.so", "libc10_cuda.so", "libcudart.so.12", "libcudart.so.13", "libgomp.so.1"}
BROUGHT_BY_TORCH |= {"libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"}
PROGRAM = """
import torch
from fastmetrics import MetricCollection, native
from fastmetrics.classification import MulticlassAccuracy, MulticlassF1Score
metrics = MetricCollection([MulticlassAccuracy(3), MulticlassF1Score(3)])
metrics(torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]), torch.tensor([0, 2, 2]))
print(metrics.compute(), native.status("cpu").origin)
"""


def run(command: list[str], **options: object) -> str:
    """What a command prints; ends the program if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return str(done.stdout)


def require(holds: bool, message: str) -> None:
    """End the program unless something holds."""
    if not holds:
        sys.exit(message)


def check_tag(wheel: Path) -> None:
    """The tag in the name of the wheel is that of the newest symbols that its libraries need."""
    found = json.loads(run([sys.executable, "-m", "auditwheel", "show", "--json", str(wheel)]))
    tag = wheel.stem.rsplit("-", 1)[1]
    symbols, foreign = found["sym_tag"], set(found["external_libs"]) - BROUGHT_BY_TORCH
    require(tag.startswith("manylinux_"), f"{wheel.name} has no manylinux tag")
    require(symbols == tag, f"the symbols in {wheel.name} need {symbols}")
    require(not foreign, f"{wheel.name} needs libraries that neither the system nor torch has: {sorted(foreign)}")
    print(f"tag: {tag}, as its symbols say")


def check_wheel(wheel: Path, torch: str, folder: Path) -> None:
    """The wheel works where there is no compiler."""
    venv.create(folder / "environment", with_pip=True)
    bin_folder = folder / "environment" / "bin"
    clean = {name: value for name, value in os.environ.items() if name not in ("CXX", "CUDA_HOME", "PYTHONPATH")}
    run([str(bin_folder / "python"), "-m", "pip", "install", "-q", torch, str(wheel)], env=clean, cwd=folder)
    clean.update(PATH=str(folder / "nothing"), FASTMETRICS_NATIVE="require", FASTMETRICS_CACHE=str(folder / "cache"))
    version = run([str(bin_folder / "fastmetrics"), "--version"], env=clean, cwd=folder).strip()
    require(version == f"fastmetrics {wheel.name.split('-')[1]}", f"{wheel.name} says that it is {version}")
    said = run([str(bin_folder / "fastmetrics"), "doctor"], env=clean, cwd=folder)
    require("compiler: none" in said, f"there is a compiler:\n{said}")
    kernels = [line for line in said.splitlines() if line.startswith("cpu, ")]  # of each part
    serve = kernels and all("native kernels, prebuilt" in line for line in kernels)
    require(bool(serve), f"the libraries of the wheel do not serve:\n{said}")
    values = run([str(bin_folder / "python"), "-c", PROGRAM], env=clean, cwd=folder).strip()
    expected = "{'MulticlassAccuracy': tensor(0.5000), 'MulticlassF1Score': tensor(0.5556)} prebuilt"
    require(values == expected, f"expected {expected}, got {values}")
    built = list((folder / "cache").rglob("*.so"))
    require(not built, f"built, though the wheel has libraries: {built}")
    print(f"wheel: {version}, {values}")


def check_sdist(archive: Path, tests: list[str], folder: Path) -> None:
    """The tests of the sdist pass where it is unpacked."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    unpacked = folder / archive.name.removesuffix(".tar.gz")
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "FASTMETRICS_NATIVE": "require"}
    where = run(
        [sys.executable, "-c", "import fastmetrics; print(fastmetrics.__file__)"], env=environment, cwd=unpacked
    )
    require(where.startswith(str(unpacked)), f"the package under test is {where}")
    said = run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests], env=environment, cwd=unpacked)
    print(f"sdist: {said.strip().splitlines()[-1].strip()}")


def main() -> None:
    """Check all that is in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch", default="torch", help="what pip installs as torch into the fresh environment")
    parser.add_argument("--all", action="store_true", help="run every test of the sdist")
    arguments = parser.parse_args()
    wheels, archives = list(arguments.folder.glob("*.whl")), list(arguments.folder.glob("*.tar.gz"))
    require(len(wheels) == len(archives) == 1, f"expected a wheel and an sdist in {arguments.folder}: make dist")
    with tempfile.TemporaryDirectory() as folder:
        check_tag(wheels[0])
        check_wheel(wheels[0].resolve(), arguments.torch, Path(folder))
        check_sdist(archives[0], [] if arguments.all else list(SELECTION), Path(folder))


if __name__ == "__main__":
    main()

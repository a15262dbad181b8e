# SPDX-License-Identifier: Apache-2.0
"""``python -m fastmetrics``: what is installed and used, and which names are whose."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence

import torch
import torchmetrics

from fastmetrics import __version__, inventory, native
from fastmetrics.native import cache as library_cache
from fastmetrics.native import toolchain
from fastmetrics.native.parameters import ahead_of_time_isas, cpu_flags, cuda_home, runs_here

VARIABLES = {
    "FASTMETRICS_NATIVE": "auto",
    "FASTMETRICS_CACHE": "",
    "FASTMETRICS_BUILD": "0",
}


def doctor() -> int:
    """Print about ten lines; 0 if native kernels serve the CPU."""
    isas = [isa for isa in ahead_of_time_isas() if runs_here(isa, cpu_flags())]
    compiler, ninja, toolkit = toolchain.compiler(), toolchain.ninja(), cuda_home()
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    print(f"python {platform.python_version()}, torch {torch.__version__}, torchmetrics {torchmetrics.__version__}")
    print(f"cpu: {platform.machine()}, {isas[0]}; {torch.get_num_threads()} threads")
    print(f"compiler: {compiler or 'none - install g++ or clang++, or set CXX'}")
    print(f"ninja: {ninja or 'none - pip install ninja'}")
    print(f"nvcc: {toolkit or 'none - install the CUDA toolkit, or set CUDA_HOME'}; gpu: {gpu}")
    print(f"cache: {cache()}")
    print("environment: " + ", ".join(f"{name}={os.environ.get(name, usual)}" for name, usual in VARIABLES.items()))
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        try:
            served = native.build([device])
        except (native.NativeError, ValueError) as error:
            print(f"{device}: {error}")
            return 1
        print(*map(describe, served), sep="\n")
    if torch.version.cuda is None:
        print("cuda: this torch was built without CUDA")
    return 0 if native.status("cpu").native else 1


def cache() -> str:
    """Where libraries are kept, or why not there."""
    try:
        folder, problem = library_cache.writable_folder()
    except (toolchain.BuildError, OSError) as error:
        return f"none - {error}"
    return problem or str(folder)


def describe(status: native.Status) -> str:
    """One line: what serves the operators of a part on a device, from where and for what."""
    served = f"{status.device}, {status.part}"
    if not status.native:
        return f"{served}: PyTorch operations, because {'; '.join(status.reasons)}"
    stamp = status.stamp
    built_for = [f"isa {stamp.get('isa')}"] if status.device == "cpu" else [f"archs {stamp.get('archs')}"]
    built_for.append(f"torch >= {stamp.get('torch_target')}")
    if status.device == "cpu":
        built_for.append("direct calls" if status.bind else "all calls go through PyTorch's dispatcher")
    return f"{served}: native kernels, {status.origin}, {status.path} ({', '.join(built_for)})"


def surface() -> int:
    """Print docs/surface.md."""
    print(inventory.page(), end="")
    return 0


COMMANDS = {
    "doctor": (doctor, "say what is installed, which kernels are used, and what to do about what is missing"),
    "surface": (surface, "list the public names: those implemented here, and those that are torchmetrics' own"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m fastmetrics")
    parser.add_argument("--version", action="version", version=f"fastmetrics {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    for name, (run, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose, description=purpose).set_defaults(run=run)
    return int(parser.parse_args(arguments).run())


if __name__ == "__main__":
    sys.exit(main())

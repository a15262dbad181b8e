# SPDX-License-Identifier: Apache-2.0
"""What to build and how: the one source of build parameters, for setup.py, the build on first use and CMake.

This file imports nothing of the package, so that setup.py can load it alone. ``python parameters.py cpu counts`` prints
the parameters of a library as CMake reads them.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

# The oldest torch whose stable ABI the libraries use; a library serves this and every later one.
TORCH_TARGET = (2, 11)
DEFAULT_ARCHS = ("7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0+PTX")

# A device has six libraries, each built when one of its kernels is first called: of what counts (labels, decisions), of
# rows as a whole (hinge losses, rankings of labels, exact matches), of numbers (pairs and values, their ranks), of what
# scores decide (curves), of probabilities (calibration, proper scores), and of documents (rankings of them, the tokens
# in them). A part has the sources whose names begin so; the first has all that no other has.
_SOURCES = {
    "counts": ("argmax", "convert"),
    "rows": ("argmax", "convert", "exact_match", "hinge", "ranking", "row_operators", "rows"),
    "numbers": ("convert", "number", "pairs", "ranks", "row_pairs", "values"),
    "scores": ("argmax", "convert", "curve", "score"),
    "probabilities": ("argmax", "calibration", "convert", "probability", "proper_scores"),
    "documents": ("convert", "document", "queries", "token_rows"),
}
PARTS = tuple(_SOURCES)
# All of them as one library, which is how they are built ahead of time: what several parts have is compiled once.
WHOLE = "whole"

_HERE = Path(__file__).resolve().parent
_MARCH = {"native": "native", "x86-64": "x86-64", "x86-64-v3": "x86-64-v3", "x86-64-v4": "x86-64-v4"}


@dataclass(frozen=True)
class Library:
    """The parameters of one shared library.

    Attributes:
        name: of the library, without directory and suffix.
        device: ``cpu`` or ``cuda``.
        part: one of ``PARTS``, or ``WHOLE``.
        isa: instruction set of the CPU code: a key of ``_MARCH``, or ``generic``.
        sources: C++ and CUDA sources.
        headers: what the sources may include from the project.
        include_dirs: of the project; those of torch and CUDA are added by who builds.
        cflags: for the C++ compiler.
        nvcc_flags: for nvcc; architectures are added by who builds.
        ldflags: for the linker.
        libraries: beside those of torch.
    """

    name: str
    device: str
    part: str
    isa: str
    sources: list[str]
    headers: list[str]
    include_dirs: list[str]
    cflags: list[str]
    nvcc_flags: list[str] = field(default_factory=list)
    ldflags: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)

    @property
    def kernels(self) -> str:
        """What it has, in words."""
        return f"{self.device} kernels" + ("" if self.part in (PARTS[0], WHOLE) else f" of {self.part}")


def source_root() -> Path:
    """Where ``csrc`` is: inside an installed package, or at the top of a checkout."""
    inside = _HERE / "csrc"
    return inside if inside.is_dir() else _HERE.parent.parent / "csrc"


def library(device: str, part: str = PARTS[0], isa: str = "native", root: Path | None = None) -> Library:
    """The parameters of a library for a device.

    Args:
        device: ``cpu`` or ``cuda``.
        part: one of ``PARTS``, or ``WHOLE``.
        isa: ``native`` for this machine, ``x86-64``, ``x86-64-v3``, ``x86-64-v4``, or ``generic`` for the compiler's
            default.
        root: folder of the sources; default :func:`source_root`.
    """
    root = source_root() if root is None else root
    endings = {"cpu": ("_cpu.cpp",), "cuda": ("_cuda.cpp", "_cuda.cu")}[device]
    found = (path for path in root.rglob("*") if path.name.endswith(endings) and _is_of(path.name, part))
    # the longest first, so that no compiler is left alone with it at the end
    sources = sorted(map(str, found), key=lambda path: (-os.path.getsize(path), path))
    headers = sorted(str(path) for path in root.rglob("*") if path.suffix in (".h", ".cuh"))
    common = [
        "-O3",
        "-fno-trapping-math",  # comparisons of loops that skip NaN may be vectorised
        "-fno-math-errno",
        f"-DTORCH_TARGET_VERSION=0x{TORCH_TARGET[0]:02x}{TORCH_TARGET[1]:02x}000000000000ULL",
    ]
    cflags = [*common, "-std=c++17", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wno-unknown-pragmas"]
    # GCC warns about the placeholders of its own intrinsics
    cflags += ["-Wno-uninitialized", "-Wno-maybe-uninitialized"] if device == "cpu" else ["-DUSE_CUDA"]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        cflags += ["-DFM_NO_PYTHON"]  # whose headers lack the stable ABI, so there are no direct calls
    # cpp_extension links whatever an extension may need
    ldflags = ["-Wl,--as-needed"] if sys.platform == "linux" else []
    if device == "cpu":
        if sys.platform == "linux":
            cflags += ["-fopenmp"]
            ldflags += ["-fopenmp"]
        if sys.platform == "darwin":
            ldflags += ["-undefined", "dynamic_lookup"]  # what Python has
        if isa in _MARCH:
            cflags += [f"-march={_MARCH[isa]}"]
    words = ["fastmetrics", *([] if part == PARTS[0] else [part]), device, *([] if isa == "native" else [isa])]
    name = "_".join(words).replace("-", "_")
    nvcc_flags, libraries = [], []
    if device == "cuda":
        nvcc_flags = ["-O3", "-std=c++17", "--expt-relaxed-constexpr", "-Xcompiler=-fPIC,-fvisibility=hidden"]
        libraries = ["cudart_static", "dl", "rt", "pthread"]  # the toolkit may be another than torch's
    return Library(name, device, part, isa, sources, headers, [str(root)], cflags, nvcc_flags, ldflags, libraries)


def _is_of(name: str, part: str) -> bool:
    """Whether a source belongs to a part. That of all operators includes the sources of those of each part."""
    of_whole = name.startswith(WHOLE)
    if part == WHOLE:
        return of_whole or not name.endswith(("operators_cpu.cpp", "operators_cuda.cpp"))
    of_none = not of_whole and not any(map(name.startswith, _SOURCES.values()))
    return name.startswith(_SOURCES[part]) or (part == PARTS[0] and of_none)


def parts(device: str) -> list[str]:
    """The parts that have kernels for a device."""
    return [part for part in PARTS if library(device, part).sources]


def ahead_of_time_isas() -> list[str]:
    """Instruction sets to build ahead of time on this kind of machine, most capable first."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return ["x86-64-v4", "x86-64-v3", "x86-64"]
    return ["generic"]


def cpu_flags() -> frozenset[str]:
    """Instruction-set flags of this CPU as Linux names them; empty where it does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def runs_here(isa: str, flags: frozenset[str]) -> bool:
    """Whether a CPU with these flags runs code for ``isa``."""
    v3 = {"abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
    v4 = v3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
    needs = {"x86-64-v3": v3, "x86-64-v4": v4}.get(isa, set())
    return needs <= flags


def python_headers() -> list[str]:
    """The folder of Python's headers, if they are installed. Without them the CPU library has no direct calls."""
    folder = sysconfig.get_path("include")
    return [folder] if (Path(folder) / "Python.h").is_file() else []


def cuda_home() -> str | None:
    """The CUDA toolkit: ``CUDA_HOME``, else that of nvcc on the path, which may be a wrapper script, else the usual."""
    candidates = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    nvcc = shutil.which("nvcc")
    if nvcc is not None:
        candidates.append(str(Path(nvcc).resolve().parent.parent))
        try:
            said = subprocess.run(
                [nvcc, "--dryrun", "-x", "cu", os.devnull], capture_output=True, text=True, check=False, timeout=60
            ).stderr
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        for line in said.splitlines():
            if line.startswith("#$ _HERE_="):
                candidates.append(str(Path(line.partition("=")[2].strip()).parent))
    candidates.append("/usr/local/cuda")
    for candidate in candidates:
        root = Path(candidate) if candidate else None
        if root and (root / "bin" / "nvcc").is_file() and (root / "include" / "cuda_runtime.h").is_file():
            return candidate
    return None


def archs() -> str:
    """CUDA architectures to build for: ``TORCH_CUDA_ARCH_LIST``, else those of the GPUs here, else all supported."""
    import torch

    wanted = os.environ.get("TORCH_CUDA_ARCH_LIST")
    if wanted:
        return wanted
    if torch.cuda.is_available():
        found = {torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())}
        return ";".join(f"{major}.{minor}" for major, minor in sorted(found))
    return ";".join(DEFAULT_ARCHS)


def stamp_of(made: Library) -> dict[str, object]:
    """What a library was built for."""
    import torch

    facts: dict[str, object] = {
        "device": made.device,
        "isa": made.isa,
        "torch": torch.__version__,
        "torch_target": ".".join(str(part) for part in TORCH_TARGET),
    }
    if made.device == "cpu" and made.isa == "native":
        facts["cpu_flags"] = " ".join(sorted(cpu_flags()))
    if made.device == "cuda":
        facts |= {"cuda": torch.version.cuda, "archs": archs()}
    return facts


def _print_for_cmake(device: str, part: str) -> None:
    import torch
    from torch.utils.cpp_extension import include_paths, library_paths

    made = library(device, part)
    print("PARTS=" + ";".join(PARTS))
    print("NAME=" + made.name)
    print("SOURCES=" + ";".join(made.sources))
    print("INCLUDES=" + ";".join(made.include_dirs))
    print("SYSTEM_INCLUDES=" + ";".join([*include_paths(), *python_headers()]))
    print("CFLAGS=" + ";".join(made.cflags))
    print("NVCC_FLAGS=" + ";".join(made.nvcc_flags))
    print("LDFLAGS=" + ";".join(made.ldflags))
    print("LIBRARY_DIRS=" + ";".join(library_paths()))
    print("CUDA_HOME=" + (cuda_home() or ""))
    print("TORCH_CUDA=" + (torch.version.cuda or ""))
    # "9.0" is sm_90 alone, "12.0+PTX" is sm_120 and PTX for later cards
    names = [arch.replace(".", "") for arch in DEFAULT_ARCHS]
    print("ARCHITECTURES=" + ";".join(n.replace("+PTX", "") if n.endswith("+PTX") else f"{n}-real" for n in names))


if __name__ == "__main__":
    _print_for_cmake(sys.argv[1] if len(sys.argv) > 1 else "cpu", sys.argv[2] if len(sys.argv) > 2 else PARTS[0])

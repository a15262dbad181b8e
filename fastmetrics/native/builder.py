# SPDX-License-Identifier: Apache-2.0
"""Building a library on first use, in a cache that processes and machines share.

A library is found by the hash of everything that made it: sources, flags, torch, CUDA, compiler, and the instruction
set where the code is for this CPU only. It is built in a folder of its own and moved into place in one step, so that a
build that was killed leaves nothing that a later process would wait for or load.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from filelock import FileLock

from fastmetrics.native.parameters import DEFAULT_ARCHS, TORCH_TARGET, Library, cpu_flags, cuda_home, python_headers

log = logging.getLogger("fastmetrics")


class BuildError(RuntimeError):
    """Why a library could not be built, and what to do about it."""


def cache_folder() -> Path:
    """Where libraries are kept: ``FASTMETRICS_CACHE``, else ``fastmetrics`` in the user's cache folder."""
    own = os.environ.get("FASTMETRICS_CACHE")
    if own:
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastmetrics"
    except RuntimeError:  # a user without a home, as in some containers
        return _spare_folder()


def _spare_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"fastmetrics-{os.getuid()}"


def compiler_command() -> list[str]:
    """The C++ compiler's command: ``CXX``, which may start with a launcher as in ``ccache g++``, else ``c++``."""
    return shlex.split(os.environ.get("CXX", "")) or ["c++"]


def compiler() -> str | None:
    """The program that :func:`compiler_command` starts, if it is there."""
    return shutil.which(compiler_command()[0])


def ninja() -> str | None:
    """The build tool: the ``ninja`` package's, else the one on the path."""
    try:
        import ninja as package
    except ImportError:
        return shutil.which("ninja")
    return shutil.which("ninja", path=package.BIN_DIR) or shutil.which("ninja")


def archs() -> str:
    """CUDA architectures to build for: ``TORCH_CUDA_ARCH_LIST``, else those of the GPUs here, else all supported."""
    wanted = os.environ.get("TORCH_CUDA_ARCH_LIST")
    if wanted:
        return wanted
    if torch.cuda.is_available():
        found = {torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())}
        return ";".join(f"{major}.{minor}" for major, minor in sorted(found))
    return ";".join(DEFAULT_ARCHS)


def key(made: Library) -> str:
    """The hash of everything that decides what the library is."""
    digest = hashlib.sha256()
    for path in [*made.sources, *made.headers]:
        digest.update(Path(path).name.encode() + b"\0" + Path(path).read_bytes() + b"\0")
    machine = sorted(cpu_flags()) if made.isa == "native" else []
    facts: list[object] = [made.cflags, made.nvcc_flags, made.ldflags, torch.__version__, platform.machine(), machine]
    facts += [compiler_command(), _compiler_version(), bool(python_headers())]
    if made.device == "cuda":
        facts += [torch.version.cuda, archs()]
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()[:20]


def _compiler_version() -> str:
    found = compiler()
    if found is None:
        return "none"
    return _run([found, *compiler_command()[1:], "-dumpfullversion", "-dumpversion"]).stdout.strip()


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def cached(made: Library, folder: Path) -> Path | None:
    """The library in the cache, if it is there."""
    path = folder / key(made) / f"{made.name}.so"
    return path if os.path.isfile(path) else None  # False, too, where the folder may not be read


def writable_folder() -> tuple[Path, str | None]:
    """The cache folder, or one of this user among the temporary files, with the reason, if the first cannot be used."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder, None
    except OSError as error:
        spare = _spare_folder()
        spare.mkdir(mode=0o700, exist_ok=True)
        if spare.stat().st_uid != os.getuid():
            raise BuildError(f"{folder} cannot be written ({error}) and {spare} belongs to another user") from error
        return spare, f"{folder} cannot be written ({error.strerror}), using {spare}; or set FASTMETRICS_CACHE"


def build(made: Library, folder: Path, again: bool = False) -> tuple[Path, bool]:
    """Build the library into the cache unless another process has by then.

    Args:
        made: what to build.
        folder: a writable cache folder.
        again: build even if it is there, because what is there does not load.

    Returns:
        Its path, and whether this call built it.

    Raises:
        BuildError: with cause and cure.
    """
    check_tools(made)
    place = folder / key(made)
    with FileLock(str(folder / f"{place.name}.lock")):  # released by the system if its holder dies
        found = cached(made, folder)
        if found is not None and not again:
            return found, False
        for left_over in folder.glob(f"{place.name}.build-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        log.info("building the %s kernels, once, about %s s", made.device, {"cpu": 35, "cuda": 60}[made.device])
        work = Path(tempfile.mkdtemp(prefix=f"{place.name}.build-", dir=folder))
        try:
            started = time.perf_counter()
            compile_library(made, work)
            seconds = round(time.perf_counter() - started, 1)
            (work / "stamp.json").write_text(json.dumps({**stamp_of(made), "seconds": seconds}, indent=1))
            shutil.rmtree(place, ignore_errors=True)
            os.replace(work, place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    path = place / f"{made.name}.so"
    log.info("built %s in %s s", path, seconds)
    return path, True


def read_stamp(path: Path) -> dict[str, object]:
    """What a library in the cache was built for."""
    try:
        stamp = json.loads((path.parent / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def stamp_of(made: Library) -> dict[str, object]:
    """What a library was built for."""
    target = ".".join(str(part) for part in TORCH_TARGET)
    facts: dict[str, object] = {
        "device": made.device,
        "isa": made.isa,
        "torch": torch.__version__,
        "torch_target": target,
    }
    if made.device == "cuda":
        facts |= {"cuda": torch.version.cuda, "archs": archs()}
    return facts


def check_tools(made: Library) -> str:
    """The path of ninja. Reports what is missing as :class:`BuildError`."""
    if not made.sources:
        raise BuildError(f"the package has no {made.device} sources; reinstall it")
    if compiler() is None:
        raise BuildError(f"no C++ compiler: {compiler_command()[0]} was not found. Install g++ or clang++, or set CXX.")
    found = ninja()
    if found is None:
        raise BuildError("no ninja: install it with `pip install ninja`")
    if made.device == "cuda" and cuda_home() is None:
        raise BuildError("no nvcc: install the CUDA toolkit, or set CUDA_HOME to it")
    if made.device == "cuda" and torch.version.cuda is None:
        raise BuildError("torch was built without CUDA; install a CUDA build of torch")
    return found


def compile_library(made: Library, work: Path) -> None:
    """Compile into ``work``. Reports a missing tool or a compiler error as :class:`BuildError`."""
    found = check_tools(made)
    script = ninja_file(made, work)
    (work / "build.ninja").write_text(script)
    done = _run([found, "-C", str(work)])
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise BuildError(f"the compiler failed:\n{tail}")


def ninja_file(made: Library, work: Path) -> str:
    """The build script: objects in ``work``, then the library."""
    from torch.utils.cpp_extension import include_paths, library_paths

    includes = [f"-I{path}" for path in made.include_dirs]
    system = [flag for path in [*include_paths(), *python_headers()] for flag in ("-isystem", path)]
    libraries = [f"-L{path}" for path in library_paths()]
    links = ["-ltorch", "-ltorch_cpu", "-lc10"]
    nvcc = ""
    if made.device == "cuda":
        home = cuda_home()
        nvcc = f"{home}/bin/nvcc"
        system += ["-isystem", f"{home}/include"]
        libraries += [f"-L{home}/lib64", f"-L{home}/targets/{platform.machine()}-linux/lib"]
        links += ["-ltorch_cuda", "-lc10_cuda", "-lcudart_static", "-ldl", "-lrt", "-lpthread"]
    lines = [
        "ninja_required_version = 1.5",
        f"cxx = {_words(compiler_command())}",
        f"nvcc = {_words([nvcc])}",
        f"cflags = {_words([*made.cflags, *includes, *system])}",
        f"nvccflags = {_words([*made.nvcc_flags, *gencode(), *includes])}",
        "rule cxx",
        "  command = $cxx -MMD -MF $out.d $cflags -c $in -o $out",
        "rule nvcc",
        "  command = $nvcc $nvccflags -c $in -o $out",
        "rule link",
        f"  command = $cxx -shared $in {_words([*made.ldflags, *libraries, *links])} -o $out",
    ]
    objects = []
    for source in made.sources:
        objects.append(f"{Path(source).name}.o")
        rule = "nvcc" if source.endswith(".cu") else "cxx"
        lines.append(f"build {objects[-1]}: {rule} {_escape(source)}")
    lines.append(f"build {made.name}.so: link {' '.join(objects)}")
    return "\n".join(lines) + "\n"


def gencode() -> list[str]:
    """Nvcc's flags for :func:`archs`."""
    flags = []
    for arch in archs().replace(" ", ";").split(";"):
        number = arch.removesuffix("+PTX").replace(".", "")
        flags.append(f"-gencode=arch=compute_{number},code=sm_{number}")
        if arch.endswith("+PTX"):
            flags.append(f"-gencode=arch=compute_{number},code=compute_{number}")
    return flags


def _words(command: list[str]) -> str:
    return shlex.join(command).replace("$", "$$")


def _escape(path: str) -> str:
    return path.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")

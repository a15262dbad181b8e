# SPDX-License-Identifier: Apache-2.0
"""What a machine with a GPU can tell in ten minutes, most important first; ``bench/gpu_check.sh`` calls it.

Each step has a limit and writes as it goes, so that a later one loses nothing of an earlier one, and an illegal access
takes nothing with it but its own process. What no time was left for is printed as commands. The results are
``summary.txt``, ``check.log`` of all that failed, ``bench.json`` of the benchmark and ``rest.tar.gz`` of everything.
"""

import argparse
import datetime
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
PART_OF_MAY = 15 << 20  # bytes of a file of the results
LAST = 20  # seconds that are kept for putting the results together
CASES = [sys.executable, "-m", "bench.cases"]
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfE"]
# What builds again or for other cards, and what runs the kernels without one.
LEFT_OUT = (
    "kernels",
    "native/test_builder.py",
    "native/test_install.py",
    "native/test_isas.py",
    "docs",
    "bench",
    "examples",
)
VERSIONS = """
import importlib.metadata as installed, sys, torch
print("python", sys.version.split()[0] + ", torch", torch.__version__ + ", cuda", torch.version.cuda)
for name in "torchmetrics pytorch-lightning ninja pytest hypothesis torcheval scikit-learn".split():
    try:
        print(name, installed.version(name))
    except installed.PackageNotFoundError:
        print(name, "is not here")
"""


class Check:
    """The steps, their limits and what they said."""

    def __init__(self, out, device, seconds):
        self.out, self.device, self.end = out, device, time.monotonic() + seconds
        self.rest = out / "rest"
        self.failed, self.plan = [], []
        self.rest.mkdir(parents=True, exist_ok=True)
        for name in ("summary.txt", "check.log"):
            (out / name).write_text("")
        # found again by a second call on the same machine
        cache = ROOT / "build" / "gpu-check"
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {**os.environ, "PYTHONPATH": path, "FASTMETRICS_CACHE": str(cache), "PYTHONUNBUFFERED": "1"}
        self.environment["FASTMETRICS_NATIVE"] = "require"

    @property
    def left(self):
        """Seconds until the results are put together."""
        return self.end - time.monotonic() - LAST

    def say(self, text):
        """To the terminal and the summary."""
        print(text, flush=True)
        with (self.out / "summary.txt").open("a") as summary:
            print(text, file=summary)

    def start(self, name, command, limit, **variables):
        """Run a command, whose output goes to a file as it comes; returns its exit status, None if it was stopped."""
        with (self.rest / f"{name}.log").open("w") as log:
            print("$", shlex.join(command), file=log, flush=True)
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env={**self.environment, **variables},
                start_new_session=True,
            )  # fmt: skip
            try:
                return process.wait(max(1.0, limit))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                return None

    def step(self, name, limit, command, keep=0.0, **variables):
        """Run a step for ``limit`` seconds at most, and so that ``keep`` are left; whether it passed."""
        limit = min(limit, self.left - keep)
        if limit < 5:
            self.later(name, command, variables)
            return False
        began = time.monotonic()
        status = self.start(name, command, limit, **variables)
        log = (self.rest / f"{name}.log").read_text(errors="replace")
        how = "ok" if status == 0 else f"STOPPED after {limit:.0f} s" if status is None else f"FAILED, exit {status}"
        lines = [line for line in log.splitlines() if line.strip()]
        self.say(f"{name}: {how}, {time.monotonic() - began:.0f} s: {lines[-1][:300] if lines else ''}")
        if status != 0:
            self.fail(name, log)
        return status == 0

    def later(self, name, command, variables):
        """Plan a step for which no time was left."""
        settings = [f"{key}={shlex.quote(value)}" for key, value in variables.items()]
        self.plan.append(" ".join([*settings, shlex.join(command)]))
        self.say(f"{name}: not run, no time was left")

    def fail(self, name, log):
        """Remember that a step failed, with the end of what it wrote."""
        self.failed.append(name)
        with (self.out / "check.log").open("a") as said:
            print(f"=== {name}\n{log[-200_000:]}", file=said)

    def suite(self, name, limit, choice, keep, folder="."):
        """The tests that a choice names, a process for a file, and again what failed, with launches that wait."""
        left_out = tuple(str(ROOT / "tests" / one) for one in LEFT_OUT)
        files = [str(path) for path in sorted((ROOT / "tests" / folder).rglob("test_*.py"))]
        files = [file for file in files if not file.startswith(left_out)]
        deadline = time.monotonic() + min(limit, self.left - keep)
        if deadline < time.monotonic() + 5:
            self.later(name, [*PYTEST, "-k", choice, "tests"], {})
            return

        def run(file):
            label = f"{name}-{Path(file).relative_to(ROOT / 'tests').with_suffix('')}".replace("/", "-")
            if time.monotonic() > deadline:
                return file, label, None, ""
            status = self.start(label, [*PYTEST, "-k", choice, file], deadline - time.monotonic())
            return file, label, status, (self.rest / f"{label}.log").read_text(errors="replace")

        began = time.monotonic()
        with ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2)) as pool:
            found = list(pool.map(run, files))
        passed = sum(int(n) for *_, log in found for n in re.findall(r"(\d+) passed", log))
        stopped = [file for file, _, status, _ in found if status is None]
        bad = [(label, log) for _, label, status, log in found if status not in (0, 5, None)]  # 5: none was chosen
        how = f"FAILED in {len(bad)} files" if bad else "ok"
        how += f", {len(stopped)} of {len(found)} files were not finished" if stopped else ""
        self.say(f"{name}: {how}, {passed} passed, {time.monotonic() - began:.0f} s")
        if stopped:
            self.plan.append(shlex.join([*PYTEST, "-k", choice, *(os.path.relpath(file, ROOT) for file in stopped)]))
        for label, log in bad:
            self.fail(label, log)
            again = re.findall(r"^(?:FAILED|ERROR) (\S+::\S+)", log, re.MULTILINE)[:20]
            if again and self.device == "cuda":
                self.step(f"{label}-again", 60, [*PYTEST, *again], keep, CUDA_LAUNCH_BLOCKING="1")

    def end_with(self):
        """Put everything that is not a result of its own in one file, and print what is left to do."""
        with tarfile.open(self.out / "rest.tar.gz", "w:gz") as archive:
            archive.add(self.rest, "rest")
        if (self.out / "rest.tar.gz").stat().st_size > PART_OF_MAY:
            self.say("rest.tar.gz is left out: it would be larger than 15 MiB")
            (self.out / "rest.tar.gz").unlink()
        shutil.rmtree(self.rest)
        log = self.out / "check.log"
        log.write_bytes(log.read_bytes()[-PART_OF_MAY:])
        if self.plan:
            self.say("no time was left for:\n  " + "\n  ".join(self.plan))
        self.say(f"failed: {', '.join(self.failed) or 'nothing'}")
        return 1 if self.failed else 0


def sanitizers(check):
    """Every small case under the tools of compute-sanitizer, whose memory is not one great block of torch's."""
    tool = shutil.which("compute-sanitizer")
    if check.device == "cpu" or tool is None:
        check.say("compute-sanitizer: " + ("needs a GPU" if check.device == "cpu" else "is not here"))
        return
    help_text = subprocess.run([tool, "--help"], capture_output=True, text=True, check=False).stdout
    ours = ["--kernel-regex", "kns=fastmetrics"] if "--kernel-regex" in help_text else []
    for name in ("memcheck", "racecheck", "initcheck"):
        command = [tool, "--tool", name, "--error-exitcode", "9", *ours, *CASES, "--device", "cuda", "--few"]
        check.step(name, 45, command, 200, PYTORCH_NO_CUDA_MEMORY_CACHING="1")


def profile(check):
    """Nsight Compute on six kernels, where the system lets it read counters."""
    tool = shutil.which("ncu")
    messages = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout
    if check.device == "cpu" or tool is None or "gVisor" in messages:
        why = (
            "needs a GPU" if check.device == "cpu" else "is not here" if tool is None else "does not work under gVisor"
        )
        check.say(f"Nsight Compute: {why}")
        return
    command = [tool, "--set", "detailed", "--kernel-name-base", "mangled", "--kernel-name", "regex:fastmetrics"]
    command += [*CASES, "--device", "cuda", "--profile"]
    check.step("ncu", 60, command, 150)


def run(check):
    """All steps, in the order of what they are worth."""
    check.step("environment", 30, ["bash", "-c", f"nvidia-smi; nvcc --version; {sys.executable} -c '{VERSIONS}'"])
    build = f"import fastmetrics; print([(s.part, s.origin) for s in fastmetrics.build(['{check.device}'])])"
    if not check.step("build", 240, [sys.executable, "-c", build]):
        check.say("the libraries do not build; nothing else was tried")
        return
    check.step("cases", 60, [*CASES, "--device", check.device], 60)
    sanitizers(check)
    check.step("graphs", 60, [*PYTEST, "tests/metric/test_cuda_graphs.py"], 150)
    if check.device == "cuda":
        check.suite("tests", 120, "cuda and not graphs", 130)
    else:
        check.suite("tests", 60, "by_hand", 60, "passes")
    profile(check)
    bench = [sys.executable, "-m", "bench", "--device", check.device, "--output", str(check.out / "bench.json")]
    if check.device == "cpu":
        check.step("bench", 60, [*bench, "--quick", "--scale", "0.01", "--budget", "0.1", "--only", "confusion"])
        return
    within = ["--budget", "0.3", "--within", f"{max(10, check.left - 20):.0f}"]
    check.step("bench", check.left, [*bench, "--against", "torchmetrics,eager", *within])
    compiled = [*bench[:-1], str(check.rest / "bench_compile.json"), "--against", "compile", "--budget", "0.3"]
    check.step("bench-compile", check.left, [*compiled, "--within", f"{max(10, check.left - 20):.0f}"])
    check.suite("tests-rest", check.left, "not cpu and not cuda", 0)
    check.later("tune", [sys.executable, "-m", "bench", "tune", "--device", "cuda", "--within", "500"], {})


def main():
    parser = argparse.ArgumentParser(prog="bench/gpu_check.sh", description=__doc__)
    parser.add_argument("--out", type=Path, help="where the results go; default a folder in bench/results")
    parser.add_argument("--seconds", type=float, default=570, help="that it may take")
    parser.add_argument("--cpu", action="store_true", help="walk through it on a machine without a GPU")
    options = parser.parse_args()
    there = torch.cuda.is_available()
    if not there and not options.cpu:
        print("torch sees no GPU here; --cpu tries the script without one", file=sys.stderr)
        return 1
    device = "cpu" if options.cpu else "cuda"
    card = torch.cuda.get_device_name(0).replace(" ", "-") if device == "cuda" else "cpu"
    out = options.out or ROOT / "bench" / "results" / f"check-{card}-{datetime.date.today()}"
    check = Check(out.resolve(), device, options.seconds)
    check.say(f"{card}, {datetime.date.today()}")
    try:
        run(check)
    finally:
        status = check.end_with()
    return status


if __name__ == "__main__":
    sys.exit(main())

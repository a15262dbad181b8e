# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels on the CPU under the compiler's sanitizers: a second opinion on what the emulator checks itself."""

import pytest

from tests.support.emulator import build
from tests.support.emulator.build import Change
from tests.support.kernel_cases import CASES, encoded, few, of_pass

pytestmark = [pytest.mark.slow, pytest.mark.skipif(build.GCC is None, reason="no g++")]
VARIANTS = ("asan", "tsan")

BINARY, TOTALS = "passes/binary_kernels.cuh", "passes/binary_totals.cuh"
PAIRS = "passes/pairs_kernels.cuh"
# (change, what the sanitizer says)
PLANTED = (
    (Change("asan_columns", BINARY, "if (label < b.labels) {", "if (true) {", ("binary",), variant="asan"),
     "AddressSanitizer: heap-buffer-overflow"),
    (Change("asan_wide", PAIRS, "if (wide) return load_pack", "return load_pack", ("pairs",), variant="asan"),
     "misaligned address"),
    (Change("tsan_plain", TOTALS, "atomicAdd(of_block + k, sum);", "of_block[k] += sum;", ("binary",), variant="tsan"),
     "ThreadSanitizer: data race"),
    (Change("tsan_tree", PAIRS, "+ width, of_block + threadIdx.x);\n    __syncthreads();",
            "+ width, of_block + threadIdx.x);", ("pairs",), variant="tsan"), "ThreadSanitizer: data race"),
)  # fmt: skip


@pytest.fixture(scope="session")
def built():
    for variant in VARIANTS:
        if not build.can_sanitize(variant):
            pytest.skip(f"g++ without {variant}")
    return build.build(VARIANTS, tuple(change for change, _ in PLANTED))


@pytest.fixture(scope="session")
def cases(tmp_path_factory, emulated):
    """Files of cases of each pass: all, and few for ThreadSanitizer, which is slow."""
    folder = tmp_path_factory.mktemp("cases")
    emulated.schedule("forward")
    emulated.card(4, 101376, 102400)
    for name in CASES:
        (folder / f"{name}.asan").write_bytes(encoded(of_pass(name)))
        (folder / f"{name}.tsan").write_bytes(encoded(few(name, emulated)))
    return folder


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", CASES)
def test_sanitizers_find_nothing(built, cases, name, variant):
    done = build.work(built[variant], cases / f"{name}.{variant}", variant, ("forward",))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("change", "says"), PLANTED, ids=lambda x: getattr(x, "name", ""))
def test_sanitizers_find_a_planted_bug(built, cases, change, says):
    done = build.work(
        built[change.name], cases / f"{change.launchers[0]}.{change.variant}", change.variant, ("forward",)
    )
    assert done.returncode != 0
    assert says in done.stderr, done.stdout + done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Direct calls of the CUDA kernels, and what a call asks of the driver, by the emulator."""

import re
import subprocess
import sys

import pytest
import torch

from tests.kernels.test_results import compare
from tests.support import ROOT
from tests.support.emulator import build, lent, worker
from tests.support.kernel_cases import CASES, clones, of_pass

pytestmark = [pytest.mark.slow, pytest.mark.skipif(build.GCC is None, reason="no g++")]

# operator -> the pass whose first such case is looked at
OPERATORS = {
    "multiclass_": "multiclass",
    "binary_": "binary",
    "pairs_": "pairs",
    "simple_pairs_": "pairs",
    "values_": "values",
    "hinge_": "hinge",
    "ranking_": "ranking",
    "exact_match_": "exact_match",
    "score_histogram_": "scores",
    "count_scores_": "score_keys",
    "keep_scores_": "scores_kept",
    "calibration_": "calibration",
    "calibration_rows_": "calibration_rows",
    "proper_scores_": "proper_scores",
    "proper_scores_rows_": "proper_scores_rows",
    "count_groups_": "groups",
    "place_groups_": "groups",
}
RETURN_TENSORS = ("row_pairs", "token_rows")  # so they go through the dispatcher


@pytest.fixture(scope="module")
def gpu(emulated):
    emulated.schedule("forward", seed=1)
    emulated.card(4, 101376, 102400)
    return lent.direct_calls(emulated)


@pytest.fixture
def call(emulated, gpu):
    """A direct call; those that went to the operator are listed."""
    dispatched = []

    def call(operator, args):
        bound = gpu.bind(operator, lambda *args: dispatched.append(operator))
        emulated.lend(*[a for a in args if torch.is_tensor(a)])
        try:
            return bound(*args)
        finally:
            emulated.take_back()

    call.dispatched = dispatched
    yield call
    emulated.forget_devices()


@pytest.mark.parametrize("name", [name for name in CASES if name not in RETURN_TENSORS])
def test_they_give_what_the_body_gives(call, name):
    for number, (operator, args, expected) in enumerate(of_pass(name)):
        given = clones(args)
        assert call(operator, given) is None
        most = worker.relative(operator, str(args[0].dtype))
        for ours, theirs in zip(given, expected, strict=True):
            if isinstance(theirs, torch.Tensor):
                compare(ours, theirs, f"{operator} case {number}: ", most)
    assert not call.dispatched


def simple(operator):
    """The first case of an operator."""
    return next((args, expected) for found, args, expected in of_pass(OPERATORS[operator]) if found == operator)


@pytest.mark.parametrize("operator", OPERATORS)
def test_tensors_of_several_devices_go_to_the_operator(emulated, call, operator):
    args, _ = simple(operator)
    places = [i for i, a in enumerate(args) if torch.is_tensor(a)]
    for place in places:
        for elsewhere in (1, -1):  # another GPU, the CPU
            given = clones(args)
            emulated.say_device(given[place], elsewhere)
            call(operator, given)
            emulated.forget_devices()
            torch.testing.assert_close(
                [a for a in given if torch.is_tensor(a)], [a for a in args if torch.is_tensor(a)], equal_nan=True
            )
    assert call.dispatched == [operator] * (2 * len(places))


def test_tensors_of_another_gpu_are_as_good(emulated, call):
    args, expected = simple("multiclass_")
    given = clones(args)
    for tensor in filter(torch.is_tensor, given):
        emulated.say_device(tensor, 3)
    call("multiclass_", given)
    assert not call.dispatched
    compare(given[3], expected[3], "on the fourth GPU")


def test_nothing_is_read_on_the_host(gpu):
    assert gpu.is_zero(torch.zeros(3, dtype=torch.int64)) is False


# Launches of the second call, if not two; and whether it needs a workspace, which is memory of PyTorch's cache, and
# whether that has to be zero.
OF_PROBABILITIES = ("calibration_", "calibration_rows_", "proper_scores_", "proper_scores_rows_")
LAUNCHES = dict.fromkeys(("multiclass_", "count_groups_", "place_groups_"), 1) | dict.fromkeys(
    ("score_histogram_", "count_scores_", "keep_scores_", *OF_PROBABILITIES), 3
)
WITHOUT_WORKSPACE = ("multiclass_", "count_groups_", "place_groups_")
ANY_VALUES = ("pairs_", "simple_pairs_", "values_")


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_a_call_asks_of_the_driver(emulated, call, operator):
    args, _ = simple(operator)
    call(operator, clones(args))
    emulated.take_calls()
    call(operator, clones(args))
    expected = {"cudaLaunchKernelEx": LAUNCHES.get(operator, 2)}
    if operator not in WITHOUT_WORKSPACE:
        expected["allocation"] = 1
        if operator not in ANY_VALUES:
            expected["cudaMemsetAsync"] = 1
    assert emulated.take_calls() == expected


def test_the_cost_of_calls_is_printed():
    command = [sys.executable, "-m", "bench.calls"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert re.findall(r"^(\w+): \d+\.\d us; {.*'cudaLaunchKernelEx': (\d)", said, re.M) == [
        ("multiclass_", "1"),
        ("binary_", "2"),
        ("simple_pairs_", "2"),
        ("values_", "2"),
    ]

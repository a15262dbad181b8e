# SPDX-License-Identifier: Apache-2.0
"""Direct calls of the CUDA kernels, and what a call asks of the driver, by the emulator."""

import re
import subprocess
import sys

import pytest
import torch

from fastmetrics.native import direct, operators
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
    "pairs_rows_": "pairs_rows",
    "simple_pairs_": "pairs",
    "values_": "values",
    "values_rows_": "values_rows",
    "hinge_": "hinge",
    "ranking_": "ranking",
    "exact_match_": "exact_match",
    "score_histogram_": "scores",
    "score_histogram_rows_": "scores_rows",
    "count_scores_": "score_keys",
    "count_scores_rows_": "score_keys_rows",
    "keep_scores_": "scores_kept",
    "calibration_": "calibration",
    "calibration_rows_": "calibration_rows",
    "proper_scores_": "proper_scores",
    "proper_scores_rows_": "proper_scores_rows",
    "count_groups_": "groups",
    "place_groups_": "groups",
    "add_amounts_": "amounts",
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
            result = bound(*args)
            emulated.check_kept()
            return result
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


def test_a_call_for_another_device_goes_there_at_once(emulated, gpu):
    asked, dispatched = [], []

    def watch(watchers):
        gpu.set_up(torch.Tensor, torch.Tensor.is_neg, emulated.table(torch.Tensor.__dlpack_c_exchange_api__), watchers)

    def watcher():
        asked.append(True)
        return 0

    args, expected = simple("values_")
    given = clones(args)
    tensors = [a for a in given if torch.is_tensor(a)]
    # as where there are two libraries
    call = gpu.bind("values_", gpu.bind("values_", lambda *args: dispatched.append(args)))
    watch((watcher,))
    try:
        for tensor in tensors:
            emulated.say_device(tensor, -1)
        call(*given)
        [taken] = dispatched
        assert all(a is b for a, b in zip(taken, given, strict=True))
        assert not asked, "nobody watches what neither takes"
        emulated.forget_devices()
        emulated.lend(*tensors)
        call(*given)
        assert (len(dispatched), len(asked)) == (1, 1)
        compare(given[3], expected[3], "values_: ")
    finally:
        emulated.take_back()
        emulated.forget_devices()
        watch(())


def test_what_is_known_of_tensors_on_a_gpu(emulated, gpu, monkeypatch):
    monkeypatch.setattr(direct, "metadata", lambda *tensors: None)
    monkeypatch.setattr(direct, "metadata_on_gpu", gpu.metadata)
    x, y, longer = torch.zeros(3), torch.ones(3), torch.zeros(4)
    known = operators.metadata(x)
    assert isinstance(known, bytes)
    assert known == gpu.metadata(y) != gpu.metadata(longer)
    emulated.say_device(x, 1)
    assert gpu.metadata(x) not in (None, known)
    emulated.say_device(x, -1)
    assert gpu.metadata(x) is None
    emulated.forget_devices()


def test_nothing_is_read_on_the_host(gpu):
    assert gpu.is_zero(torch.zeros(3, dtype=torch.int64)) is False


# Operators that need a workspace for each call, which is memory of PyTorch's cache, and for which it has to be zero.
OF_PYTORCH = {"allocation": 1, "cudaMemsetAsync": 1}
# What a call asks for in each case of an operator that has its states and its scratch by then: the most of everything.
# Asking whether the stream is captured goes with scratch, which small batches do without.
ONE_LAUNCH = {"cudaLaunchKernelEx": 1, "cudaStreamIsCapturing": 1}
MOST_ASKED = {
    "multiclass_": {"cudaLaunchKernelEx": 1},
    "binary_": ONE_LAUNCH,
    "pairs_": ONE_LAUNCH | {"cudaLaunchKernelEx": 2, "allocation": 1},  # many outputs, of whose sums there are many
    "pairs_rows_": ONE_LAUNCH,
    "simple_pairs_": {"cudaLaunchKernelEx": 1},
    "hinge_": ONE_LAUNCH,
    "ranking_": ONE_LAUNCH,
    "exact_match_": ONE_LAUNCH,
    "values_": ONE_LAUNCH,
    "values_rows_": {"cudaLaunchKernelEx": 1},
    "score_histogram_": ONE_LAUNCH,
    "score_histogram_rows_": ONE_LAUNCH,
    "count_scores_": ONE_LAUNCH,
    "count_scores_rows_": ONE_LAUNCH,
    "keep_scores_": ONE_LAUNCH,
    "calibration_": ONE_LAUNCH | OF_PYTORCH,  # more bins than a stream keeps cells for
    "calibration_rows_": ONE_LAUNCH | OF_PYTORCH,
    "proper_scores_": ONE_LAUNCH,
    "proper_scores_rows_": ONE_LAUNCH | OF_PYTORCH,  # more rows of labels, likewise
    "count_groups_": {"cudaLaunchKernelEx": 1},
    "place_groups_": {"cudaLaunchKernelEx": 1},
    "add_amounts_": {"cudaLaunchKernelEx": 1},
}
# Of operators that launch the kernels of several passes, what else is looked at.
OF_PASS = {
    "binary_lines": ("binary_", ONE_LAUNCH),
    "binary_cells": ("binary_", ONE_LAUNCH),
    "multiclass_weighted": ("multiclass_", {"cudaLaunchKernelEx": 1}),
    "multiclass_rows": ("multiclass_", ONE_LAUNCH),
}
SMALL_WITHOUT_SCRATCH = (
    "multiclass_",
    "simple_pairs_",
    "pairs_",
    "values_",
    "values_rows_",
    "count_groups_",
    "place_groups_",
    "add_amounts_",
)


def asked(emulated, call, operator, args):
    """What the second of two calls asks of the driver."""
    call(operator, clones(args))
    emulated.take_calls()
    call(operator, clones(args))
    return emulated.take_calls()


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_a_call_asks_of_the_driver(emulated, call, operator):
    args, _ = simple(operator)
    expected = {"cudaLaunchKernelEx": 1} if operator in SMALL_WITHOUT_SCRATCH else ONE_LAUNCH
    assert asked(emulated, call, operator, args) == expected


def most_asked(emulated, call, operator, name):
    """The most of everything that the cases of a pass ask of the driver."""
    most = {}
    for found, args, _ in of_pass(name):
        if found == operator:
            for what, times in asked(emulated, call, operator, args).items():
                most[what] = max(times, most.get(what, 0))
    most.pop("cudaFuncSetAttribute", None)  # for much shared memory
    return most


@pytest.mark.parametrize("operator", MOST_ASKED)
def test_what_any_batch_asks_of_the_driver(emulated, call, operator):
    assert most_asked(emulated, call, operator, OPERATORS[operator]) == MOST_ASKED[operator]


@pytest.mark.parametrize("name", OF_PASS)
def test_what_the_batches_of_a_pass_ask_of_the_driver(emulated, call, name):
    operator, most = OF_PASS[name]
    assert most_asked(emulated, call, operator, name) == most


def long_values():
    """The arguments of values_ for a batch of several blocks, and what they become."""
    return next((args, expected) for _, args, expected in of_pass("values") if args[0].numel() > 20_000)


@pytest.fixture
def settings(emulated):
    """The emulator, whose stream and card are afterwards those of the other tests."""
    yield emulated
    emulated.stream(0)
    emulated.capturing(False)
    emulated.full(False)
    emulated.card(4, 101376, 102400)


FIRST = {"cudaMalloc": 2, "cudaMemsetAsync": 1}


def sum_values(emulated, call):
    """Adds a batch of several blocks, as it should be; what that asked of the driver besides a launch of a stream."""
    args, expected = long_values()
    given = clones(args)
    emulated.take_calls()
    call("values_", given)
    for ours, theirs in zip(given, expected, strict=True):
        if isinstance(theirs, torch.Tensor):
            compare(ours, theirs, "values_: ")
    found = emulated.take_calls()
    assert found.pop("cudaLaunchKernelEx") == 1
    found.pop("cudaStreamIsCapturing", None)
    return found


def test_a_stream_keeps_its_scratch(settings, call):
    for stream in (11, 12):
        settings.stream(stream)
        assert sum_values(settings, call) == FIRST
    for stream in (11, 12, 11):
        settings.stream(stream)
        assert sum_values(settings, call) == {}
    settings.card(4, 101376, 102401)  # another device
    assert sum_values(settings, call) == FIRST


def test_what_is_captured_has_memory_of_the_graph(settings, call):
    settings.stream(13)
    settings.capturing(True)
    for _ in range(2):
        assert sum_values(settings, call) == OF_PYTORCH
    settings.capturing(False)
    assert sum_values(settings, call) == FIRST
    settings.capturing(True)
    assert sum_values(settings, call) == OF_PYTORCH


def test_the_stream_of_a_thread_keeps_nothing(settings, call):
    settings.stream(2)
    for _ in range(2):
        assert sum_values(settings, call) == OF_PYTORCH


def test_a_full_card_has_the_memory_of_pytorch(settings, call):
    settings.stream(14)
    settings.full(True)
    for _ in range(2):
        assert sum_values(settings, call) == {"cudaMalloc": 1, **OF_PYTORCH}
    settings.full(False)
    assert sum_values(settings, call) == FIRST


def test_scratch_is_zero_again_after_a_launch_that_failed(settings, call):
    settings.stream(15)
    settings.card(4, 1000, 102400)  # too little shared memory
    for asked_for in (FIRST, {"cudaMemsetAsync": 1}):
        settings.take_calls()
        with pytest.raises(RuntimeError, match="launch with 10240 bytes"):
            call("values_", clones(long_values()[0]))
        found = settings.take_calls()
        assert {name: found[name] for name in ("cudaMalloc", "cudaMemsetAsync") if name in found} == asked_for


MANY_STREAMS = """
import torch
from tests.support.emulator import build, lent
emulated = build.load(build.OUT / "checked" / "emulated.so")
emulated.path = build.OUT / "checked" / "emulated.so"
emulated.idle(True)
call = lent.direct_calls(emulated).bind("values_", None)
values, total = torch.rand(20_000), torch.zeros(1, dtype=torch.float64)
for stream in range(100, 166):
    emulated.stream(stream)
    call(values, None, None, total, None, None, None, None, 0, 0.0)
found = emulated.take_calls()
print(found["cudaMalloc"], found["allocation"])
"""


def test_there_are_only_so_many_streams_that_keep_scratch(emulated):
    said = subprocess.run([sys.executable, "-c", MANY_STREAMS], capture_output=True, text=True, check=False, cwd=ROOT)
    assert said.stdout.split() == ["128", "2"], said.stderr


def test_the_cost_of_calls_is_printed():
    command = [sys.executable, "-m", "bench.calls"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert re.findall(r"^(\w+): \d+\.\d us; {.*'cudaLaunchKernelEx': (\d)", said, re.M) == [
        ("multiclass_", "1"),
        ("binary_", "1"),
        ("simple_pairs_", "1"),
        ("values_", "1"),
    ]

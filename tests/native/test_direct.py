# SPDX-License-Identifier: Apache-2.0
"""Calls of CPU kernels without the dispatcher: what takes them, what goes to the operator, and what both do."""

import contextlib
import threading
import warnings

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import native
from fastmetrics.classification import MulticlassAccuracy
from fastmetrics.formulas import ratios
from fastmetrics.native import direct, operators
from fastmetrics.passes import values_
from fastmetrics.passes.values import KEEP
from fastmetrics.regression import MeanSquaredError, R2Score

OPERATOR = torch.ops.fastmetrics.values_.default

BOTH = ("counts", "numbers")  # whose calls are looked at
if native.mode() == "off" or not all(native.load("cpu", part) and native.status("cpu", part).bind for part in BOTH):
    pytest.skip("no direct calls: no native library, Python headers or exchange of tensors", allow_module_level=True)


class Calls(list):
    """A call that takes the sum of values; which of its calls went to the operator is listed."""

    def __init__(self):
        def operator(*args):
            self.append(args)
            return OPERATOR(*args)

        self.call = native.status("cpu", "numbers").bind("values_", operator)

    def sum(self, values):
        total = torch.zeros((), dtype=torch.float64)
        assert self.call(values, None, None, total, None, None, None, None, KEEP, 0.0) is None
        return total.item()


DTYPES = [
    torch.bool,
    *(torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
]
PLAIN = {
    **{str(dtype): torch.tensor([[1, 0, 1], [1, 1, 0]]).to(dtype) for dtype in DTYPES},
    "no dimension": torch.tensor(3.0),
    "empty": torch.zeros(2, 0, 3),
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "every other, from the second on": torch.arange(9.0)[1::2],
    "expanded": torch.tensor([2.0]).expand(4, 3),
    "with gradient": torch.arange(3.0).requires_grad_(),
    "of a graph": torch.arange(3.0).requires_grad_() * 2,
}


@pytest.mark.parametrize("values", PLAIN.values(), ids=PLAIN)
def test_plain_tensors_do_not_reach_the_operator(values):
    calls = Calls()
    assert calls.sum(values) == values.double().sum().item()
    assert not calls


class Wrapped(torch.Tensor):
    """A subclass."""


NEGATED = torch.complex(torch.zeros(4), torch.arange(4.0)).conj().imag  # memory holds the values with the other sign
NOT_PLAIN = {
    "parameter": torch.nn.Parameter(torch.arange(3.0)),
    "subclass": torch.arange(3.0).as_subclass(Wrapped),
    "negated": NEGATED,
    "negated, one": NEGATED[1],
    "negated, a row of one": NEGATED[1].unsqueeze(0),
    "negated, a column": NEGATED.unsqueeze(1),
    "negated, windows": NEGATED.unfold(0, 2, 1),
    "negated, expanded": NEGATED[2:3].expand(5),
    "negated, expanded rows": NEGATED.expand(3, 4),
}


@pytest.mark.parametrize("values", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_other_tensors_have_the_same_sum(values):
    assert Calls().sum(values) == values.detach().clone().double().sum().item()


@pytest.mark.parametrize(
    "values",
    [torch.zeros(2, device="meta"), torch.eye(2).to_sparse(), torch.zeros(2).to_mkldnn(), [1.0], None, 1.0, "values"],
    ids=["meta", "sparse", "mkldnn", "list", "None", "number", "text"],
)
def test_what_has_no_values_goes_to_the_operator(values):
    calls = Calls()
    # what the operator says to each is PyTorch's affair; that it was asked is ours
    with contextlib.suppress(TypeError, RuntimeError, NotImplementedError):
        calls.sum(values)
    assert len(calls) == 1


def test_complex_values_are_an_error():
    calls = Calls()
    with pytest.raises(RuntimeError, match="values must be real"):
        calls.sum(torch.zeros(2, dtype=torch.complex64))


class Names(TorchDispatchMode):
    """The operators that were called."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.append(func)
        return func(*args, **(kwargs or {}))


def test_modes_profilers_and_tracers_see_the_operator():
    values, total = torch.arange(4.0), torch.zeros((), dtype=torch.float64)
    rest = (None, None, total, None, None, None, None, KEEP, 0.0)
    with Names() as names:
        values_(values, *rest)
    assert OPERATOR in names.seen

    class Functions(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            names.seen.append(func)
            return func(*args, **(kwargs or {}))

    names.seen.clear()
    with Functions():
        values_(values, *rest)
    assert OPERATOR in names.seen

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        values_(values, *rest)
    assert "fastmetrics::values_" in {event.name for event in profile.events()}

    def step(values, total):
        values_(values, None, None, total, None, None, None, None, KEEP, 0.0)
        return total

    with torch._subclasses.FakeTensorMode():
        step(torch.zeros(3), torch.zeros((), dtype=torch.float64))
    traced = torch.fx.experimental.proxy_tensor.make_fx(step)(values, torch.zeros((), dtype=torch.float64))
    assert any(node.target is OPERATOR for node in traced.graph.nodes)
    assert total.item() == 18.0


def test_transforms_see_the_operator():
    calls = Calls()

    def summed(values):
        return calls.sum(values) * values

    with pytest.raises(RuntimeError):
        torch.func.vmap(summed)(torch.arange(4.0))
    assert len(calls) == 1
    calls.clear()
    torch.func.grad(lambda values: summed(values).sum())(torch.arange(4.0))
    assert len(calls) == 1


def test_arguments_are_those_of_the_operator():
    call = native.status("cpu").bind("multiclass_", torch.ops.fastmetrics.multiclass_.default)
    labels, confusion = torch.tensor([0, 1, 1]), torch.zeros(2, 2, dtype=torch.int64)
    call(labels, labels, None, confusion, None, None, None, 2, 0, False)  # the last one has a default
    call(labels, labels, None, confusion, None, None, None, 2, 0, False, None)
    assert confusion.tolist() == [[2, 0], [0, 4]]
    for wrong in (
        (labels, labels, None, confusion, None, None, None, 2, 0),
        (labels, labels, None, confusion, None, None, None, 2, 0, False, *(None,) * 7),
        (labels, labels, None, confusion, None, None, None, 2.5, 0, False),
        (labels, labels, None, confusion, None, None, None, 2**70, 0, False),
        (labels, labels, None, None, confusion.tolist(), None, None, 2, 0, False),
        (labels, labels, None, confusion, None, None, None, 2, 0, False, *(None,) * 4, [labels], [2.5]),
        (labels, labels, None, confusion, None, None, None, 2, 0, False, *(None,) * 4, [2], [2]),
    ):
        with pytest.raises((RuntimeError, TypeError)):
            call(*wrong)
    for states in ((torch.zeros(2, 2), None), (torch.zeros(3, 2, dtype=torch.int64), None), (confusion.T, None)):
        with pytest.raises(RuntimeError, match="state has the wrong dtype, shape or strides: confusion"):
            call(labels, labels, None, *states, None, None, 2, 0, False)
    assert confusion.tolist() == [[2, 0], [0, 4]]
    assert native.status("cpu").bind("there_is_none", OPERATOR) is None


def test_no_references_are_kept():
    import sys

    values, total = torch.arange(4.0), torch.zeros((), dtype=torch.float64)
    before = sys.getrefcount(values), sys.getrefcount(total), sys.getrefcount(None)
    for _ in range(100):
        values_(values, None, None, total, None, None, None, None, KEEP, 0.0)
        direct.metadata(values, total)
        direct.is_zero(total)
    after = sys.getrefcount(values), sys.getrefcount(total)
    assert after == before[:2]
    assert abs(sys.getrefcount(None) - before[2]) < 50  # it may be immortal


def test_large_batches_let_other_threads_run():
    """Many threads, each with a metric of its own and batches on both sides of the size from which they may."""
    found = {}

    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        metric, expected = MeanSquaredError(), MeanSquaredError()
        batches = [torch.randn(2, n, generator=generator) for n in (10, 20_000, 100, 60_000)] * 5
        for batch in batches:
            metric.update(*batch)
        expected.update(*torch.cat(batches, 1))
        found[seed] = (metric.compute(), expected.compute())

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for value, expected in found.values():
        torch.testing.assert_close(value, expected)


def test_a_call_that_one_device_does_not_take_goes_to_the_next(monkeypatch):
    def bind(device):
        return lambda name, operator: lambda *args: (device, operator(*args))

    loaded = {(device, "counts"): native.Status(device, path="there", bind=bind(device)) for device in native.DEVICES}
    monkeypatch.setattr(native, "_status", loaded)
    assert native.direct_call("counts", "multiclass_", lambda: "dispatched")() == ("cpu", ("cuda", "dispatched"))
    del loaded["cpu", "counts"]
    assert native.direct_call("counts", "multiclass_", lambda: "dispatched")() == ("cuda", "dispatched")
    loaded["cuda", "counts"].bind = None
    assert native.direct_call("counts", "multiclass_", lambda: "dispatched")() == "dispatched"
    loaded.clear()
    assert native.direct_call("counts", "multiclass_", lambda: "dispatched") is None


def test_a_library_that_is_loaded_later_is_found(monkeypatch):
    total = torch.zeros((), dtype=torch.float64)
    given = torch.ones(3), None, None, total, None, None, None, None, KEEP, 0.0
    values_(*given)  # and its direct call is known from now on
    called = []

    def bind(name, operator):
        return lambda *args: called.append(name)

    there = native.Status("cuda", "numbers", path="there", bind=bind)
    loaded = {("cpu", "numbers"): native.status("cpu", "numbers"), ("cpu", "counts"): native.status("cpu", "counts")}
    monkeypatch.setattr(native, "_status", loaded)
    monkeypatch.setattr(native, "_find", lambda device, part: there)
    assert native.load("cuda", "numbers")
    try:
        values_(*given)  # on the CPU, whose own call still comes first
        assert (total.item(), called) == (6, [])
        values_(torch.ones(3, device="meta"), *given[1:])
        assert called == ["values_"]
    finally:
        monkeypatch.undo()
        for forget in native.on_load:
            forget()


@pytest.mark.parametrize("metadata", [direct.metadata, operators._metadata])
def test_metadata_distinguishes_kinds_of_batches(metadata):
    kinds = [
        (torch.zeros(2, 3), torch.zeros(2)),
        (torch.zeros(3, 2), torch.zeros(2)),
        (torch.zeros(6), torch.zeros(2)),
        (torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2)),
        (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int32)),
        (torch.zeros(2, 3), torch.zeros(2, 1)),
        (torch.zeros(2, 3),),
        (torch.zeros(()), torch.zeros(())),
    ]
    marks = [metadata(*kind) for kind in kinds]
    assert None not in marks
    assert len(set(marks)) == len(kinds)
    assert metadata(torch.ones(3, 2).T, torch.ones(4)[::2]) == marks[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    for other in (torch.nn.Parameter(torch.zeros(2)), torch.zeros(2).to_sparse(), nested):
        assert metadata(torch.zeros(2), other) is None


def test_metadata_that_only_one_of_them_knows():
    for other in (torch.zeros(2, device="meta"), torch.zeros([1] * 64), None):
        assert direct.metadata(torch.zeros(2), other) is None
    on_meta = torch.zeros(2, device="meta")
    assert operators.metadata(on_meta) == operators.metadata(torch.ones(2, device="meta")) is not None
    assert operators.metadata(on_meta) != operators._metadata(torch.zeros(2))
    with FakeTensorMode():
        assert operators.metadata(on_meta) is None
    assert torch.func.vmap(lambda x: x * (operators.metadata(x) is None))(torch.ones(2, 2)).all()
    # of dtypes that the kernels do not have, none is taken for another
    assert direct.metadata(torch.zeros(2, dtype=torch.complex64)) is None
    assert direct.metadata(torch.zeros(2, dtype=torch.float8_e5m2)) is None


def test_a_batch_of_another_kind_is_checked_again():
    scores, target = torch.rand(4, 3), torch.tensor([0, 1, 2, 0])
    metric = MulticlassAccuracy(3)
    for _ in range(3):
        metric.update(scores, target)
    for wrong in ((scores[:, :2], target), (scores[:3], target), (scores, target + 0j), (target, scores)):
        with pytest.raises((ValueError, RuntimeError)):
            metric.update(*wrong)
    with pytest.raises(RuntimeError, match="on meta"):
        metric.update(scores.to("meta"), target.to("meta"))
    metric.update(scores, target)
    assert metric.counts.sum(0).tolist()[1:] == [16, 16]
    moved = MulticlassAccuracy(3)
    moved.update(scores, target)
    moved.to("meta")
    with pytest.raises(RuntimeError, match="is on meta, but its input is on cpu"):
        moved.update(scores, target)


def test_what_follows_from_a_batch_is_forgotten_by_reset():
    wide = torch.rand(5, 2, dtype=torch.float64)
    metric = R2Score(multioutput="raw_values")
    for _ in range(2):
        metric.update(wide, wide)
        metric.update(wide, wide)
        assert metric.compute().dtype == torch.float64
        assert metric.compute().shape == (2,)
        metric.reset()
    metric.update(wide.float(), wide.float())
    assert metric.compute().dtype == torch.float32
    with pytest.raises(RuntimeError, match="Call `reset` before"):
        metric.update(torch.rand(5, 3), torch.rand(5, 3))
    metric.reset()
    metric.update(torch.rand(5, 3), torch.rand(5, 3))
    assert metric.compute().shape == (3,)


def test_without_a_module_or_an_exchange_of_tensors(monkeypatch):
    assert direct.load(torch._C.__file__) is None
    monkeypatch.delattr(torch.Tensor, "__dlpack_c_exchange_api__")
    assert direct.load(native.status("cpu").path) is None


def test_results_are_filled_in_place_of_the_operator():
    made = []

    def operator(*args):
        made.append(torch.ops.fastmetrics.average_ratio.default(*args))
        return made[-1]

    call = native.status("cpu").bind("average_ratio", operator)
    torch.manual_seed(0)
    ratio = ratios._coefficients(ratios.PRECISION)
    for table in (torch.randint(0, 9, (5, 3)), torch.randint(0, 9, (2, 4, 4)).double(), torch.randint(0, 9, (3, 5)).T):
        for average in range(4):
            args = (table, ratio, average, 0.0, 1, -1, 0.5)
            expected = torch.ops.fastmetrics.average_ratio.default(*args)
            assert torch.equal(ratios._average_ratio(*args), expected)
            filled = torch.full_like(expected, -1.0)
            found = call(*args, filled)
            if table.is_contiguous():
                assert found is None
                assert torch.equal(filled, expected)
            else:  # the operator takes a copy
                assert torch.equal(found, expected)
                assert (filled == -1.0).all()
    assert len(made) == 4
    for wrong in (torch.zeros(2), torch.zeros((), dtype=torch.float64)):
        assert torch.equal(call(torch.ones(5, 3).long(), ratio, 2, 0.0, 0, -1, 0.0, wrong), torch.tensor(1.0))
        assert not wrong.any()
    table = torch.ones(5, 3).long()
    with Names() as names:
        ratios._average_ratio(table, ratio, 2, 0.0, 0, -1, 0.0)
    assert names.seen == [torch.ops.fastmetrics.average_ratio.default]
    assert not direct.interception_active()


@pytest.fixture(params=["kernels", "python"])
def in_threads(request, monkeypatch):
    """The function, with the threads of the kernels and without them."""
    if request.param == "python":
        monkeypatch.setattr(direct, "in_threads", direct._in_new_threads)
    return operators.in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_function_in_threads_is_called_by_this_one_and_by_no_more(in_threads, threads):
    seen = []
    in_threads(lambda: seen.append(threading.get_ident()), threads)
    assert 1 <= len(seen) <= threads
    assert threading.get_ident() in seen


def test_threads_run_side_by_side(in_threads):
    barrier = threading.Barrier(2, timeout=60)
    in_threads(barrier.wait, 2)  # would not return
    assert barrier.n_waiting == 0


def test_what_a_thread_raises_is_raised_once_all_are_done(in_threads):
    calls = []

    def fail():
        calls.append(1)
        raise MemoryError("no memory")

    with pytest.raises(MemoryError, match="no memory"):
        in_threads(fail, 2)
    assert 1 <= len(calls) <= 2
    in_threads(calls.clear, 1)
    assert not calls


def test_threads_of_the_kernels_are_no_threads_of_python_that_last(in_threads):
    before = threading.active_count()
    for _ in range(20):
        in_threads(lambda: None, 2)
    assert threading.active_count() == before

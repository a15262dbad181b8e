# SPDX-License-Identifier: Apache-2.0
"""The two ways of a body: with looks at its data, on the CPU, and without, as tracers and other devices need it.

Both are the same to the bit where they count; sums of float64 differ by the order of the additions.
"""

import math
import sys

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics.native.operators import eager_on_cpu
from fastmetrics.passes import blocks
from fastmetrics.passes.binary import binary_body, cutoffs
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.multiclass import multiclass_body
from fastmetrics.passes.pairs import SIMPLE_STATES, STATES, pairs_body, simple_pairs_body
from fastmetrics.passes.row_pairs import COSINE, JS, JS_LOG, KL, KL_LOG, row_pairs_body
from fastmetrics.passes.values import DROP, KEEP, REPLACE, values_body

N = 300
INTEGERS = (torch.bool, torch.uint8, torch.int16, torch.int64, torch.uint16, torch.uint64)
SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


MODULES = [
    sys.modules[body.__module__] for body in (multiclass_body, binary_body, pairs_body, row_pairs_body, values_body)
]


@pytest.fixture
def looks(monkeypatch):
    """Run a body with looks at its data, in blocks of 64 elements, and again without; what each did to its states."""

    def run(body, inputs, states, rest):
        copies = [None if state is None else state.clone() for state in states]
        returned = body(*inputs, *copies, *rest)
        return copies if returned is None else [*copies, returned]

    def both(body, inputs, states, *rest):
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "PER_THREAD", 64 // torch.get_num_threads())
            quick = run(body, inputs, states, rest)
            for module in MODULES:
                patch.setattr(module, "eager_on_cpu", lambda *tensors: False)
            return quick, run(body, inputs, states, rest)

    return both


def equal(found):
    quick, general = found
    assert [s if s is None else s.tolist() for s in quick] == [s if s is None else s.tolist() for s in general]


def close(found):
    quick, general = found
    torch.testing.assert_close(quick, general, rtol=1e-12, atol=1e-14, equal_nan=True)


def special(scores):
    """A few of the scores are NaN, infinite or zero."""
    chance = torch.rand(scores.shape)
    for low, value in ((0.0, math.nan), (0.02, math.inf), (0.04, -math.inf), (0.06, -0.0)):
        scores[(chance > low) & (chance < low + 0.02)] = value
    return scores


def masks(shape):
    return None, torch.rand(shape) < 0.7, torch.zeros(shape, dtype=torch.bool)


def targets(shape, c):
    """Labels that are all in range, of which some are not, and of which the first is not."""
    good = torch.randint(0, c, shape)
    yield good
    yield torch.randint(-2, c + 2, shape)
    yield good.index_fill(0, torch.tensor([0]), -1)
    yield good.index_fill(0, torch.tensor([len(good) - 1]), 2**40)


@pytest.mark.parametrize("c", [1, 2, 10, 300])
@pytest.mark.parametrize("dtype", SCORES, ids=str)
def test_scores_of_classes(looks, c, dtype):
    torch.manual_seed(c)
    for shape in ((N,), (7, 5, 3), (1,), (0,)):
        scores = special(torch.randn(shape[0], c, *shape[1:])).to(dtype)
        for target in targets(shape, c) if shape[0] else [torch.zeros(0, dtype=torch.int64)]:
            for valid in masks(shape):
                for ignore in ((0, False), (0, True), (-1, True)):
                    states = [
                        torch.randint(0, 9, (c, c)),
                        torch.randint(0, 9, (c, 3)),
                        None,
                        torch.zeros(FAULTS).long(),
                    ]
                    for asked in ((0, 1, 3), (0,), (1, 3)):
                        given = [state if i in asked else None for i, state in enumerate(states)]
                        equal(looks(multiclass_body, (scores, target, valid), given, c, *ignore))


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_labels_of_classes(looks, dtype):
    torch.manual_seed(0)
    for c in (2, 10, 300):
        for high in (c, c + 3):
            top = min(high, 2 if dtype == torch.bool else 120)
            preds, target = (torch.randint(0, top, (N,)).to(dtype) for _ in range(2))
            for valid in masks((N,)):
                for ignore in ((0, False), (1, True)):
                    states = [torch.zeros(c, c).long(), torch.zeros(c, 3).long(), None, torch.zeros(FAULTS).long()]
                    equal(looks(multiclass_body, (preds, target, valid), states, c, *ignore))
                    equal(looks(multiclass_body, (preds, target, valid), [None, *states[1:]], c, *ignore))


@pytest.mark.parametrize("dtype", [*SCORES, *INTEGERS], ids=str)
def test_binary_decisions(looks, dtype):
    torch.manual_seed(1)
    probabilities, limits = torch.rand(N), cutoffs(0.5, dtype if dtype.is_floating_point else torch.float32)
    kinds = [probabilities, torch.randn(N), special(probabilities.clone()), torch.full((N,), 0.5)]
    for drawn in kinds if dtype.is_floating_point else [torch.randint(0, 2, (N,)), torch.randint(0, 3, (N,))]:
        preds = drawn.to(dtype)
        for target in (*targets((N,), 2), torch.randint(0, 2, (N,)).bool(), torch.randint(0, 2, (N,)).to(torch.uint16)):
            for valid in masks((N,)):
                for ignore in ((0, False), (1, True), (-1, True)):
                    for ignored_decide in (True, False):
                        states = [torch.randint(0, 9, (1, 4)), torch.zeros(FAULTS).long()]
                        options = (*limits, *ignore, ignored_decide)
                        equal(looks(binary_body, (preds, target, valid), states, *options))


@pytest.mark.parametrize("nans", [KEEP, DROP, REPLACE])
@pytest.mark.parametrize("dtype", [*SCORES, *INTEGERS], ids=str)
def test_values(looks, dtype, nans):
    torch.manual_seed(2)
    plain = (torch.rand(N) * 9).to(dtype)
    drawn = [plain, plain[:0], plain[:1], plain[:64], plain.reshape(20, 15).T]
    if dtype.is_floating_point:
        drawn += [special((torch.randn(N)).to(dtype)), torch.full((3,), math.nan, dtype=dtype)]
        drawn += [torch.tensor([math.inf, -math.inf], dtype=dtype)]
    states = [torch.tensor(v, dtype=torch.float64) for v in (1.5, 2.0, 0.25, 0.5)]
    states.append(torch.zeros(FAULTS, dtype=torch.int64))
    for batch in drawn:
        for asked in ((0, 1, 2, 3, 4), (0,), (1, 4), (2,), (3, 4), (0, 1)):
            given = [state if i in asked else None for i, state in enumerate(states)]
            close(looks(values_body, (batch, None, None), given, nans, 2.5))


def moments_of(x, y):
    """What has been counted before."""
    dx, dy = x - x.mean(), y - y.mean()
    return torch.stack([torch.tensor(float(len(x))), x.mean(), y.mean(), dx @ dx, dy @ dy, dx @ dy]).reshape(1, 6)


@pytest.mark.parametrize("dtype", [*SCORES, torch.int16, torch.bool], ids=str)
def test_pairs_of_one_output(looks, dtype):
    torch.manual_seed(3)
    for shape in ((N,), (10, 6, 4), (1,), (0,), (64,), (65,)):
        x, y = (torch.randn(shape).mul(3).add(4).abs().to(dtype) for _ in range(2))
        before = moments_of(*torch.randn(2, 5, dtype=torch.float64))
        for moments in (before, torch.zeros(1, 6, dtype=torch.float64)):
            full = {name: torch.rand(1, *s, dtype=torch.float64) for name, s in STATES.items()} | {"moments": moments}
            for asked in (("count", "squared_error"), ("absolute_error",), ("count", "moments"), SIMPLE_STATES):
                given = [full[name] if name in asked else None for name in SIMPLE_STATES]
                close(looks(simple_pairs_body, (x, y, None, None), [*given, None], 1))
            for asked in (("count", name) for name in STATES):
                given = [full[name] if name in asked else None for name in STATES]
                faults = torch.zeros(FAULTS, dtype=torch.int64)
                close(looks(pairs_body, (x, y, None, None), [*given, faults], 1, 1.5, 0.0, 0.5, 0.5))


def test_pairs_that_are_no_numbers(looks):
    for bad in (math.nan, math.inf):
        x, y = torch.ones(200, dtype=torch.float64), torch.zeros(200)
        x[150] = bad
        states = [torch.zeros(1, *STATES[name], dtype=torch.float64) for name in SIMPLE_STATES]
        close(looks(simple_pairs_body, (x, y, None, None), [*states, None], 1))
        assert x[0] == 1  # float64 inputs are read, not overwritten


@pytest.mark.parametrize("figure", [COSINE, KL, KL_LOG, JS, JS_LOG])
@pytest.mark.parametrize("dtype", SCORES, ids=str)
def test_rows(looks, figure, dtype):
    torch.manual_seed(4)
    for shape in ((50, 7), (3, 200), (1, 1), (0, 5), (5, 0)):
        for zeros in (0.0, 0.2):
            x, y = (torch.rand(shape).add(0.05).masked_fill(torch.rand(shape) < zeros, 0).to(dtype) for _ in range(2))
            kept = x.clone()
            close(looks(row_pairs_body, (x, y), [], figure))
            assert torch.equal(x, kept)
    scaled = torch.rand(20, 9, dtype=torch.float64)
    close(looks(row_pairs_body, (scaled, scaled * 1e6), [], figure))


class Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def test_where_a_body_may_look():
    plain = torch.ones(3)
    assert eager_on_cpu(plain, plain)
    assert not eager_on_cpu(plain, torch.empty(3, device="meta"))
    assert not eager_on_cpu(torch.nn.Parameter(plain))
    with Mode():
        assert not eager_on_cpu(plain)
    with torch.device("cpu"):
        assert not eager_on_cpu(plain)
    assert not torch.func.vmap(lambda x: x * int(eager_on_cpu(x)))(torch.ones(2, 3)).any()
    assert not torch.jit.trace(lambda x: x * int(eager_on_cpu(x)), plain, check_trace=False)(plain).any()
    assert not torch.compile(lambda x: x * int(eager_on_cpu(x)), fullgraph=True, backend="eager")(plain).any()
    assert not make_fx(lambda x: x * int(eager_on_cpu(x)))(plain)(plain).any()


def bodies():
    """Body and arguments of each that looks at its data."""
    target = torch.randint(0, 5, (N,))
    counts, faults = torch.zeros(5, 3).long(), torch.zeros(FAULTS).long()
    sums = [torch.zeros(1, *STATES[name], dtype=torch.float64) for name in SIMPLE_STATES]
    yield multiclass_body, (torch.randn(N, 5), target, None, None, counts, None, faults, 5, 0, False)
    decided = (target > 2).long()
    yield binary_body, (torch.rand(N), decided, None, torch.zeros(1, 4).long(), faults, 0.5, 0.0, 0, False, True)
    yield simple_pairs_body, (torch.randn(N), torch.randn(N), None, None, *sums, None, 1)
    total = torch.zeros((), dtype=torch.float64)
    yield values_body, (torch.randn(N), None, None, total, None, total.clone(), None, None, DROP, 0.0)


@pytest.mark.parametrize("number", range(4))
def test_bodies_can_be_traced(number):
    torch.manual_seed(5)
    body, arguments = list(bodies())[number]

    def copies():
        return [v.clone() if isinstance(v, torch.Tensor) else v for v in arguments]

    def states_after(call):
        given = copies()
        call(*given)
        return [v for v in given if isinstance(v, torch.Tensor)]

    expected = states_after(body)
    torch.compiler.reset()
    compiled = torch.compile(body, fullgraph=True, backend="eager")
    torch.testing.assert_close(states_after(compiled), expected, rtol=1e-12, atol=1e-12)
    at = [i for i, v in enumerate(arguments) if isinstance(v, torch.Tensor)]

    def of_tensors(*tensors):
        given = list(arguments)
        for i, tensor in zip(at, tensors, strict=True):
            given[i] = tensor
        body(*given)
        return [given[i] + 0 for i in at]

    graph = make_fx(of_tensors)(*(v.clone() for v in arguments if isinstance(v, torch.Tensor)))
    traced = graph(*(v.clone() for v in arguments if isinstance(v, torch.Tensor)))
    torch.testing.assert_close(traced, expected, rtol=1e-12, atol=1e-12)

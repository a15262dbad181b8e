# SPDX-License-Identifier: Apache-2.0
"""The rows pass against its pure-torch body and exact logarithms."""

import math

import mpmath
import pytest
import torch

import fastmetrics.regression as ours
from fastmetrics.passes import row_pairs
from fastmetrics.passes.row_pairs import COSINE, JS, JS_LOG, KL, KL_LOG, row_pairs_body
from tests.support.inputs import pair

FIGURES = (COSINE, KL, KL_LOG, JS, JS_LOG)
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8)


def close(ours, expected):
    torch.testing.assert_close(ours, expected, rtol=1e-13, atol=1e-15, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("figure", FIGURES)
def test_rows(device, figure, dtype):
    logarithms = figure in (KL_LOG, JS_LOG)
    # less than the lanes, a whole number of them, more than a block
    for n, d in ((0, 4), (1, 1), (5, 3), (4, 16), (50, 100), (3, 1500)):
        x, y = (v.to(dtype).to(device) for v in pair(n, d, logarithms))
        if d > 4 and dtype.is_floating_point:  # what is impossible
            x[:, 0] = y[:, 2] = x[:, 2] = -math.inf if logarithms else 0.0
        torch.testing.assert_close(
            row_pairs(x, y, figure), row_pairs_body(x, y, figure), rtol=1e-13, atol=1e-15, equal_nan=True
        )
    for a, b in ((x.flip(1), y[:, :1].expand_as(y)), (x.T.contiguous().T[::2, ::3], y[::2, ::3].double())):
        torch.testing.assert_close(
            row_pairs(a, b, figure), row_pairs_body(a, b, figure), rtol=1e-13, atol=1e-15, equal_nan=True
        )


def test_logarithms_and_exponentials_are_exact():
    torch.manual_seed(0)
    # a single event of weight 1 in x: the divergence is -log of its share in y; small and near 1
    share = torch.cat([torch.rand(200, dtype=torch.float64), 1 - torch.rand(200, dtype=torch.float64) * 1e-9])
    share = torch.cat([share, 10.0 ** -torch.arange(0.0, 300, 1.7, dtype=torch.float64)])
    x = torch.stack([torch.ones_like(share), torch.zeros_like(share)], 1)
    y = torch.stack([share, 1 - share], 1)
    found = row_pairs(x, y, KL)
    for value, row in zip(found.tolist(), y.tolist(), strict=True):
        expected = -mpmath.log(mpmath.mpf(row[0]) / (mpmath.mpf(row[0]) + mpmath.mpf(row[1])))
        assert mpmath.almosteq(value, expected, rel_eps=1e-14, abs_eps=3e-16)
    low = torch.cat([-torch.rand(400, dtype=torch.float64) * 40, -torch.arange(0.0, 720, 7.3, dtype=torch.float64)])
    zero = torch.zeros_like(low)
    for value, power in zip(row_pairs(low[:, None], zero[:, None] - 1, KL_LOG).tolist(), low.tolist(), strict=True):
        expected = mpmath.exp(power) * (mpmath.mpf(power) + 1)
        assert mpmath.almosteq(value, expected, rel_eps=1e-14, abs_eps=1e-300)


def test_opcheck_and_fullgraph(device):
    pytest.importorskip("expecttest")  # opcheck needs it
    for figure in (COSINE, JS_LOG):
        torch.library.opcheck(torch.ops.fastmetrics.row_pairs.default, (*(v.to(device) for v in pair(5, 4)), figure))
    torch.compiler.reset()
    metric, plain = (ours.KLDivergence().to(device) for _ in range(2))
    step = torch.compile(metric.update, fullgraph=True, dynamic=True, backend="aot_eager")
    for n in (5, 3, 9):
        x, y = (v.to(device) for v in pair(n, 4))
        step(x, y)
        plain.update(x, y)
    assert torch.equal(metric.compute(), plain.compute())
    with pytest.raises(RuntimeError):
        row_pairs(x, y[:1], KL)
    with pytest.raises(RuntimeError):
        row_pairs(x, y, 5)

# SPDX-License-Identifier: Apache-2.0
"""The operators of small formulas: kernels against their pure-torch bodies, which the tests of metrics verify."""

import math

import pytest
import torch

from fastmetrics import native
from fastmetrics.formulas import confusion
from fastmetrics.formulas.counts import AVERAGE_CODES, _stat_scores, stat_scores_body
from fastmetrics.passes.pairs import merge_moments, merge_moments_, merge_moments_body

SAMPLES = {
    "stat_scores": lambda d: (torch.randint(0, 9, (2, 4, 3), device=d), AVERAGE_CODES["weighted"], 1),
    "cohen_kappa": lambda d: (torch.randint(0, 9, (4, 3), device=d),),
    "matthews_corrcoef": lambda d: (torch.randint(0, 9, (3, 4), device=d),),
    "weighted_cohen_kappa": lambda d: (torch.randint(0, 9, (4, 4), device=d), True),
    "merge_moments_": lambda d: (moments(3).to(d), moments(3).to(d)),
}


def moments(outputs, n=5.0):
    found = torch.rand(outputs, 6, dtype=torch.float64) + 1
    found[:, 0] = n
    return found


def counts_of(matrix):
    """The table [C, 3] of a confusion matrix."""
    return torch.stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)], -1)


@pytest.mark.parametrize("name", SAMPLES)
def test_opcheck(device, name):
    pytest.importorskip("expecttest")  # opcheck needs it
    torch.library.opcheck(getattr(torch.ops.fastmetrics, name).default, SAMPLES[name](device))


@pytest.mark.parametrize("name", SAMPLES)
def test_there_is_a_kernel(name):
    if native.mode() == "off":
        pytest.skip("FASTMETRICS_NATIVE=off")
    assert torch._C._dispatch_has_kernel_for_dispatch_key(f"fastmetrics::{name}", "CPU")


@pytest.mark.parametrize("average", set(AVERAGE_CODES.values()))
@pytest.mark.parametrize("weighted", [False, True])
def test_stat_scores(device, average, weighted):
    torch.manual_seed(0)
    # one table, leading dimensions, one class, no table, no class, strided
    tables = [torch.randint(0, 5, shape, device=device) for shape in ((5, 3), (2, 3, 6, 4), (1, 4), (0, 5, 3), (0, 3))]
    tables += [torch.randint(0, 5, (3, 7, 2), device=device).transpose(1, 2)[..., :, :3], zeros := tables[0] * 0]
    tables += [zeros + 2**60]
    if weighted:
        tables = [table * torch.rand(table.shape, dtype=torch.float64, device=device) for table in tables]
    for table in tables:
        for excluded in (-1, 0, 99):
            ours, expected = (f(table, average, excluded) for f in (_stat_scores, stat_scores_body))
            torch.testing.assert_close(ours, expected, equal_nan=True)
            if not ours.is_floating_point():
                assert torch.equal(ours, expected)


def test_what_rounding_leaves_is_nothing(device):
    table = torch.tensor([[0.3, 0.1 + 0.2, 0.3], [0.7, 0.7, 0.7]], dtype=torch.float64, device=device)
    assert table[0, 1] != table[0, 0]
    for average in ("none", "micro"):
        ours = _stat_scores(table, AVERAGE_CODES[average], -1)
        assert (ours[..., [1, 3]] == 0).all()
        assert torch.equal(ours, stat_scores_body(table, AVERAGE_CODES[average], -1))


def agreement_tables(device):
    torch.manual_seed(0)
    for classes in (1, 2, 3, 40):
        yield counts_of(torch.randint(0, 9, (classes, classes), device=device))
        yield counts_of(torch.rand(classes, classes, dtype=torch.float64, device=device))
        yield counts_of(torch.diag(torch.arange(1, classes + 1, device=device)))  # all right
    for cells in ([[0, 3], [4, 0]], [[0, 0], [0, 0]], [[3, 0], [0, 0]], [[3, 2], [0, 0]], [[3, 0], [2, 0]]):
        two = torch.tensor(cells, device=device)
        yield counts_of(two)
        yield counts_of(two.double() * 0.1)
        yield torch.stack([two[1, 1], two[0, 1], two[0, 0], two[1, 0]])[None]
    yield counts_of(torch.tensor([[2**60, 2**58], [2**57, 2**59]], device=device))
    yield torch.tensor([[2**60, 2**58, 2**57, 2**59]], device=device)
    yield torch.randint(0, 9, (5, 4), device=device)
    yield torch.rand(5, 4, dtype=torch.float64, device=device)
    yield torch.zeros(0, 3, dtype=torch.int64, device=device)
    yield torch.zeros(0, 4, dtype=torch.int64, device=device)
    yield torch.randint(0, 9, (3, 6), device=device).t()[:, :3]  # strided


def test_agreement(device):
    for table in agreement_tables(device):
        for name in ("cohen_kappa", "matthews_corrcoef"):
            ours, expected = (getattr(confusion, f)(table) for f in (name, f"{name}_body"))
            torch.testing.assert_close(ours, expected, equal_nan=True, msg=lambda m, t=table, n=name: f"{n} {t}: {m}")


def test_weighted_cohen_kappa(device):
    torch.manual_seed(0)
    matrices = [torch.randint(0, 9, (c, c), device=device) for c in (0, 1, 2, 30)]
    matrices += [matrices[-1] * 0, matrices[-1].t(), matrices[-1] * 2**50, torch.eye(4, dtype=torch.int64).to(device)]
    for matrix in matrices:
        for of in (matrix, matrix.double() * 0.1):
            for weights in ("linear", "quadratic"):
                ours = confusion.weighted_cohen_kappa(of, weights)
                expected = confusion.weighted_cohen_kappa_body(of, weights == "quadratic")
                torch.testing.assert_close(ours, expected, equal_nan=True)


def test_merged_moments_have_the_same_bits(device):
    torch.manual_seed(0)
    full = torch.cat([moments(50, 3.0), torch.zeros(2, 6, dtype=torch.float64), moments(2), moments(1)]).to(device)
    batch = torch.cat([moments(50, 7.0), moments(2), torch.zeros(2, 6, dtype=torch.float64), moments(1)]).to(device)
    full[-1, 3], batch[0, 1] = math.inf, math.nan
    expected = merge_moments(torch.stack([full, batch]))
    by_body = full.clone()
    merge_moments_body(by_body, batch)
    merge_moments_(full, batch.t().contiguous().t())
    for found in (full, by_body):
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


def test_wrong_arguments_are_refused(device):
    table = torch.zeros(4, 3, dtype=torch.int64, device=device)
    if device != "cpu" or native.mode() == "off":
        pytest.skip("the kernels check")
    for wrong in (table.int(), table[0], table[:, :2]):
        for call in (lambda t: _stat_scores(t, 0, -1), confusion.cohen_kappa, confusion.matthews_corrcoef):
            with pytest.raises(RuntimeError, match="table must be"):
                call(wrong)
    with pytest.raises(RuntimeError, match=r"\[C, 3\] or \[L, 4\]"):
        confusion.cohen_kappa(table[None])
    with pytest.raises(RuntimeError, match=r"\[C, C\]"):
        confusion.weighted_cohen_kappa(table, "linear")
    with pytest.raises(RuntimeError, match="moments"):
        merge_moments_(moments(2).float(), moments(2))
    with pytest.raises(RuntimeError, match="batch"):
        merge_moments_(moments(2), moments(3))

# SPDX-License-Identifier: Apache-2.0
"""Samples that are drawn anew: the kernel against the body, and the body against what is drawn by the binomial law."""

import pytest
import torch
from scipy import stats

from fastmetrics.passes.resample import resample_, resample_body


def drawn(run, sizes, places, seed, sums):
    found = torch.ones(len(sizes), sums, dtype=torch.float64)
    run(sizes, places, seed, found)
    return found - 1


@pytest.mark.parametrize(("n", "places", "sums"), [(1, 1, 1), (7, 2, 5), (1000, 3, 30), (70_000, 3, 3000)])
def test_the_kernel_is_the_body(n, places, sums):
    generator = torch.Generator().manual_seed(n)
    place = torch.randint(-1, sums + 1, (places, n), generator=generator, dtype=torch.int32)
    for sizes in (torch.tensor([n, 0, 3, 513]), torch.randint(0, 700, (40,), generator=generator), torch.tensor([n])):
        for seed in (0, -5, 2**63 - 1, -(2**63)):
            one, other = (drawn(run, sizes, place, seed, sums) for run in (resample_, resample_body))
            assert torch.equal(one, other)
    assert torch.equal(
        drawn(resample_, torch.tensor([400] * 9), place * 0, 1, 2)[:, 0], torch.full((9,), 400.0 * places)
    )


def test_the_same_for_any_number_of_threads():
    sizes, place = torch.full((300,), 5000), torch.arange(5000, dtype=torch.int32).reshape(1, -1) % 10
    threads, found = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(drawn(resample_, sizes, place, 3, 10))
    torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_draws_follow_the_multinomial_law_and_are_independent():
    shares = torch.tensor([1, 2, 3, 14, 30])
    place = torch.arange(5).repeat_interleave(shares).int().unsqueeze(0)
    found = drawn(resample_, torch.full((20_000,), 50), place, 11, 5)
    for cell, share in enumerate(shares.tolist()):
        seen = found[:, cell].long().bincount(minlength=51).double()
        expected = torch.from_numpy(stats.binom.pmf(range(51), 50, share / 50)) * len(found)
        some = expected > 5
        test = stats.chisquare(*(torch.cat([v[some], v[~some].sum().reshape(1)]) for v in (seen, expected)))
        assert test.pvalue > 1e-3
    covariance = torch.cov(found.T)
    p = shares.double() / 50
    torch.testing.assert_close(covariance, 50 * (p.diag() - p.outer(p)), rtol=0.05, atol=0.15)
    for lag in (1, 2, 7):
        assert abs(torch.corrcoef(torch.stack([found[lag:, 3], found[:-lag, 3]]))[0, 1]) < 0.03
    other = drawn(resample_, torch.full((20_000,), 50), place, 12, 5)
    assert abs(torch.corrcoef(torch.stack([found[:, 3], other[:, 3]]))[0, 1]) < 0.03


def test_the_operator_keeps_its_contract():
    place, sizes, sums = (
        torch.zeros(2, 3, dtype=torch.int32),
        torch.tensor([2, 5]),
        torch.zeros(2, 4, dtype=torch.float64),
    )
    torch.library.opcheck(torch.ops.fastmetrics.resample_.default, (sizes, place, 7, sums))
    for wrong in (
        (sizes[:1], place, sums),
        (sizes.int(), place, sums),
        (sizes, place.long(), sums),
        (sizes, place[0], sums),
        (sizes, place, sums.float()),
        (sizes, place.t(), sums),
    ):
        with pytest.raises(RuntimeError, match=r"resample_|sums, float64"):
            resample_(*wrong[:2], 7, wrong[2])
    resample_(sizes, place[:, :0], 7, sums)
    resample_(sizes[:0], place, 7, sums[:0])
    assert not sums.any()

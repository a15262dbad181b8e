# SPDX-License-Identifier: Apache-2.0
"""Tables that are drawn anew: the kernel against the body, and the body against what is drawn by the binomial law."""

import pytest
import torch
from scipy import stats

from fastmetrics.passes import resample
from fastmetrics.passes.resample import resample_, resample_body


def drawn(run, counts, places, seeds, sizes=None, first=0, draws=None, sums=None):
    draws = len(sizes[0]) if draws is None else draws
    found = torch.ones(len(counts), draws, sums or counts.shape[1], dtype=torch.float64)
    run(counts, places, torch.as_tensor(seeds), sizes, first, found)
    return found - 1


def cells(k):
    return torch.arange(k, dtype=torch.int32).unsqueeze(0)


def tables(k, generator, most):
    """Tables of empty, small and large cells; the first is empty, and the next two have cells of one kind."""
    counts = torch.randint(0, most, (7, k), generator=generator)
    counts[torch.rand(counts.shape, generator=generator) < 0.3] = 0
    counts[0] = 0
    counts[1].clamp_(max=15)
    counts[2] = torch.where(counts[2] < 16, 0, counts[2])
    counts[3, 0] = 10**9
    return counts


@pytest.mark.parametrize(
    ("k", "places", "sums", "most"), [(1, 1, 1, 40), (7, 2, 5, 60), (100, 3, 30, 25), (600, 4, 70, 400)]
)
def test_the_kernel_is_the_body(k, places, sums, most, monkeypatch):
    generator = torch.Generator().manual_seed(k)
    place = torch.randint(-1, sums + 1, (places, k), generator=generator, dtype=torch.int32)
    counts = tables(k, generator, most)
    monkeypatch.setattr(resample, "AT_ONCE", 3000)  # in parts
    for seeds in ([0, -5, 2**63 - 1, -(2**63), 7, 7, 1 << 40], torch.arange(7)):
        for sizes in (None, torch.randint(0, 700, (7, 37), generator=generator)):
            one, other = (
                drawn(run, counts, place, seeds, sizes, first=5, draws=37, sums=sums)
                for run in (resample_, resample_body)
            )
            assert torch.equal(one, other)
    assert one.any()
    assert other[0].eq(0).all()


def test_every_sample_of_a_draw_is_counted_once():
    generator = torch.Generator().manual_seed(3)
    counts = tables(90, generator, 40)
    found = drawn(resample_, counts, cells(90), torch.arange(7), draws=50)
    assert torch.equal(found.sum(2), counts.sum(1, keepdim=True).expand(7, 50).double())
    assert not found[(counts == 0).unsqueeze(1).expand_as(found)].any()
    sizes = torch.randint(0, 10**6, (7, 50), generator=generator)
    sums = drawn(resample_, counts, cells(90), torch.arange(7), sizes).sum(2)
    assert torch.equal(sums[1:], sizes[1:].double())


def test_a_draw_depends_on_its_table_seed_and_number_alone():
    generator = torch.Generator().manual_seed(1)
    counts, place = tables(60, generator, 40), torch.randint(0, 20, (2, 60), generator=generator, dtype=torch.int32)
    seeds, threads = torch.tensor([3, 3, 4, 3, 9, 3, 3]), torch.get_num_threads()
    expected = drawn(resample_, counts, place, seeds, draws=200, sums=20)
    assert not torch.equal(expected[4], drawn(resample_, counts[4:5], place, [3], draws=200, sums=20)[0])
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        assert torch.equal(drawn(resample_, counts, place, seeds, draws=200, sums=20), expected)
    torch.set_num_threads(threads)
    for run in (resample_, resample_body):
        for rows, first, number in ((slice(2, 5), 13, 40), (slice(6, 7), 199, 1), (slice(0, 7), 0, 33)):
            some = drawn(run, counts[rows], place, seeds[rows], first=first, draws=number, sums=20)
            assert torch.equal(some, expected[rows, first : first + number])
    empty = torch.cat([counts, torch.zeros(7, 9, dtype=torch.int64)], 1)  # cells that are empty
    assert torch.equal(
        drawn(resample_, empty, torch.nn.functional.pad(place, (0, 9)), seeds, draws=200, sums=20), expected
    )


@pytest.mark.parametrize("scale", [1, 40, 10**7])
def test_draws_follow_the_multinomial_law_and_are_independent(scale):
    shares = torch.tensor([1, 2, 3, 14, 30, 0])
    counts = (shares * scale).unsqueeze(0)
    n = int(counts.sum())
    found = drawn(resample_, counts, cells(6), [11], draws=20_000)[0]
    for cell, share in enumerate(shares[:5].tolist()):
        law = stats.binom(n, share / 50)
        edges = torch.from_numpy(law.ppf(torch.linspace(0, 1, 41)[1:-1].numpy())).unique()
        seen = torch.bucketize(found[:, cell].contiguous(), edges).bincount(minlength=len(edges) + 1)
        below = torch.cat([torch.zeros(1), torch.from_numpy(law.cdf(edges.numpy())), torch.ones(1)])
        expected = below.diff() * len(found)
        some = expected > 5
        assert seen[~some].sum() < 25
        assert stats.chisquare(seen[some], expected[some] * (seen[some].sum() / expected[some].sum())).pvalue > 1e-3
    p = shares.double() / 50
    torch.testing.assert_close(torch.cov(found.T) / n, p.diag() - p.outer(p), rtol=0.05, atol=0.003)
    for lag in (1, 2, 7):
        assert abs(torch.corrcoef(torch.stack([found[lag:, 3], found[:-lag, 3]]))[0, 1]) < 0.03
    other = drawn(resample_, counts, cells(6), [12], draws=20_000)[0]
    assert abs(torch.corrcoef(torch.stack([found[:, 3], other[:, 3]]))[0, 1]) < 0.03


def test_the_operator_keeps_its_contract():
    counts, place = torch.tensor([[2, 0, 40], [1, 30, 20]]), torch.zeros(2, 3, dtype=torch.int32)
    seeds, sizes, sums = torch.tensor([1, 2]), torch.tensor([[2, 5], [0, 9]]), torch.zeros(2, 2, 4, dtype=torch.float64)
    torch.library.opcheck(torch.ops.fastmetrics.resample_.default, (counts, place, seeds, sizes, 7, sums))
    for wrong in (
        (counts[:1], place, seeds, sizes, sums),
        (counts.int(), place, seeds, sizes, sums),
        (counts, place.long(), seeds, sizes, sums),
        (counts, place[0], seeds, sizes, sums),
        (counts, place[:, :2], seeds, sizes, sums),
        (counts, place, seeds[:1], sizes, sums),
        (counts, place, seeds.int(), sizes, sums),
        (counts, place, seeds, sizes[:, :1], sums),
        (counts, place, seeds, sizes.int(), sums),
        (counts, place, seeds, sizes, sums.float()),
        (counts, place, seeds, sizes, sums[0]),
        (counts.t(), place[:, :2], seeds, sizes, sums),
    ):
        with pytest.raises(RuntimeError, match=r"resample_|sums, float64"):
            resample_(*wrong[:4], 7, wrong[4])
    sums.zero_()
    resample_(counts[:, :0], place[:, :0], seeds, sizes, 7, sums)
    resample_(counts[:0], place, seeds[:0], sizes[:0], 7, sums[:0])
    resample_(counts, place, seeds, sizes[:, :0], 7, sums[:, :0])
    assert not sums.any()

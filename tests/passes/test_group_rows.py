# SPDX-License-Identifier: Apache-2.0
"""The passes that add samples to the rows of their groups: the kernels against the bodies."""

from functools import partial

import pytest
import torch

from bench.counts import memory
from fastmetrics.classification import BinaryBrierScore, BinaryCalibrationError
from fastmetrics.passes import binary_, calibration_rows_, multiclass_, proper_scores_rows_
from fastmetrics.passes.binary import binary_body, cutoffs
from fastmetrics.passes.calibration import calibration_rows_body
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.groups import count_groups_, count_groups_body, place_groups_, place_groups_body
from fastmetrics.passes.multiclass import multiclass_body
from fastmetrics.passes.proper_scores import proper_scores_rows_body
from fastmetrics.statistics.calibration import fine_edges

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def states(s, c, k, scores, dtype):
    made = [torch.zeros(s, c, c, dtype=dtype), torch.zeros(s, c, 3, dtype=dtype)]
    ranks = torch.zeros(s, c, k, 2, dtype=dtype) if scores else None
    return made, ranks, torch.zeros(FAULTS, dtype=torch.int64), torch.zeros(s, c, dtype=dtype) if scores else None


def compare(preds, target, rows, s, c, valid=None, weights=None, ignore=None, which="cmrh"):
    """The kernel and the body on the same batch, with the states that are asked for."""
    found = []
    for run in (multiclass_, multiclass_body):
        scores = preds.is_floating_point()
        (confusion, counts), ranks, faults, histogram = states(
            s, c, 2, scores, torch.int64 if weights is None else torch.float64
        )
        asked = [
            state if letter in which else None for letter, state in zip("cmr", (confusion, counts, ranks), strict=False)
        ]
        histogram = histogram if "h" in which else None
        samples = torch.zeros(s, dtype=torch.int64) if weights is None and which != "c" else None
        options = c, ignore or 0, ignore is not None, histogram, weights, rows, samples
        run(preds, target, valid, *asked, faults, *options)
        found.append([state for state in (*asked, faults, histogram, samples) if state is not None])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    return found[0]


@pytest.mark.parametrize("n", [1, 255, 256, 1000, 70_000])
@pytest.mark.parametrize("s", [1, 3, 200, 5000])
@pytest.mark.parametrize("scores", [True, False])
def test_multiclass_rows(n, s, scores):
    generator = torch.Generator().manual_seed(n + s)
    c = 5
    target = torch.randint(-2, c + 1, (n,), generator=generator)
    preds = torch.randn(n, c, generator=generator) if scores else torch.randint(-1, c + 1, (n,), generator=generator)
    rows = torch.randint(-1, s + 1, (2, n), generator=generator)
    valid = torch.rand(n, generator=generator) > 0.3
    weights = torch.rand(n, generator=generator, dtype=torch.float64) - 0.01
    compare(preds, target, rows[:1], s, c)
    compare(preds, target, rows.int(), s, c, ignore=2, which="cm")
    compare(preds, target, rows, s, c, valid, ignore=-1)
    compare(preds, target, rows, s, c, valid, weights)
    compare(preds, target, rows[:1], s, c, None, weights, ignore=2)
    for which in ("c", "m") + (("r", "h", "mr") if scores else ()):
        compare(preds, target, rows[1:], s, c, which=which)


def test_multiclass_rows_of_strided_samples_and_of_many_classes():
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(7, 9, 11, generator=generator).permute(0, 2, 1)  # [7, 11, 9]
    target = torch.randint(0, 11, (9, 7), generator=generator).t()
    per_sample = torch.randint(0, 4, (7,), generator=generator)
    rows = per_sample.reshape(1, 7, 1).expand(1, 7, 9)
    counted = compare(scores, target, rows, 4, 11)
    assert counted[1][..., 2].sum() == 63
    compare(scores, target, rows, 4, 11, target > 3, target.double())
    many = torch.randint(0, 3000, (2, 500), generator=generator)
    compare(many[0], many[1], torch.randint(0, 9, (1, 500), generator=generator), 9, 3000)
    for dtype in INTEGERS:
        compare(scores, target, rows.to(dtype), 4, 11)
    compare(scores[:0], target[:0], rows[:, :0], 4, 11)


@pytest.mark.parametrize("groups", [1, 40])
def test_multiclass_cells_that_take_most_samples(groups):
    generator = torch.Generator().manual_seed(groups)
    n = 600_000  # a cell of a thread is 16 bits wide
    target = torch.where(torch.rand(n, generator=generator) < 0.1, torch.randint(-1, 3, (n,), generator=generator), 2)
    preds = torch.where(torch.rand(n, generator=generator) < 0.4, 0, 1)
    rows = torch.where(torch.rand(n, generator=generator) < 0.2, -1, groups - 1)[None]
    confusion, counts, *_, samples = compare(preds, target, rows, groups, 3)
    assert confusion.max() > 1 << 17
    assert samples[groups - 1] == (rows >= 0).sum()
    assert counts[..., 2].sum() == ((rows >= 0) & (target >= 0)).sum()
    compare(preds.int(), target, rows, groups, 3, which="m")


@pytest.mark.parametrize(
    ("n", "each", "c"),
    [(70_000, 2, 5), (3000, 100, 10), (900, 101, 10), (20, 5000, 10), (3, 30_000, 150), (9, 3, 700), (1, 50_000, 30)],
)
@pytest.mark.parametrize("kind", ["labels", "scores", "ranks"])
def test_each_index_of_dimension_0_is_a_row_of_its_own(n, each, c, kind):
    """Whichever loop counts them, of few pairs and many, with some threads and one."""
    if kind != "labels" and n * each * c > 4_000_000:
        n = max(1, 4_000_000 // (each * c))
    generator = torch.Generator().manual_seed(n + c)
    target = torch.randint(-1, c + 1, (n, each), generator=generator)
    others = torch.randint(-1, c + 1, (n, each), generator=generator)
    preds = torch.where(torch.rand(n, each, generator=generator) < 0.7, target, others)
    target[0, 0] = c
    if kind != "labels":
        preds = torch.randn(n, c, each, generator=generator)
    place = torch.arange(n).unsqueeze(1).expand(1, n, each)
    threads = torch.get_num_threads()
    some = torch.rand(n, each, generator=generator) < 0.9
    some[0, 0] = True
    for valid in (None, some):
        found = []
        for count, rows, run in ((1, None, multiclass_), (3, None, multiclass_), (1, place, multiclass_body)):
            torch.set_num_threads(count)
            counts, faults = torch.ones(n, c, 3, dtype=torch.int64), torch.zeros(FAULTS, dtype=torch.int64)
            ranks = torch.ones(n, c, 2, 2, dtype=torch.int64) if kind == "ranks" else None
            run(preds, target, valid, None, counts, ranks, faults, c, 1, True, None, None, rows, None)
            found.append([counts, faults, *([] if ranks is None else [ranks])])
        torch.set_num_threads(threads)
        for other in found[:2]:
            for one, expected in zip(other, found[2], strict=True):
                assert torch.equal(one, expected)
        assert found[2][1][0] > 0


def compare_slicings(preds, target, groups, sizes, c, valid=None, ignore=None, which="cmrh", states_of=states):
    """The kernel, with the groups of each slicing as they are, and the body with their rows."""
    found, s = [], sum(sizes)
    rows, bad_groups = placed(place_groups_body, groups, sizes, valid)
    for run in (multiclass_, multiclass_body):
        made, ranks, faults, histogram = states_of(s, c, 2, preds.is_floating_point(), torch.int64)
        asked = [state if letter in which else None for letter, state in zip("cmr", (*made, ranks), strict=True)]
        histogram = histogram if "h" in which else None
        samples = torch.zeros(s, dtype=torch.int64)
        options = c, ignore or 0, ignore is not None, histogram, None
        if run is multiclass_:
            run(preds, target, valid, *asked, faults, *options, groups[0][None], samples, groups[1:], list(sizes))
        else:
            run(preds, target, valid, *asked, faults, *options, rows, samples)
            faults[6:8] = bad_groups[6:8]
        found.append([state for state in (*asked, faults, histogram, samples) if state is not None])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    return found[0]


def groups_of(sizes, shape, generator, outside=True):
    return [torch.randint(-outside, size + outside, shape, generator=generator) for size in sizes]


@pytest.mark.parametrize("n", [1, 255, 1000, 70_000])
@pytest.mark.parametrize("sizes", [(4,), (3, 2), (200, 4, 7), (3000, 9), (2,) * 16, (2,) * 18])
@pytest.mark.parametrize("scores", [True, False])
def test_multiclass_slicings(n, sizes, scores):
    generator = torch.Generator().manual_seed(n + len(sizes))
    c = 5
    target = torch.randint(-2, c + 1, (n,), generator=generator)
    preds = torch.randn(n, c, generator=generator) if scores else torch.randint(-1, c + 1, (n,), generator=generator)
    valid = torch.rand(n, generator=generator) > 0.3
    for outside in (True, False):
        groups = groups_of(sizes, (n,), generator, outside)
        counted = compare_slicings(preds, target, groups, sizes, c, which="cm")
        inside = torch.stack([(one >= 0) & (one < size) for one, size in zip(groups, sizes, strict=True)]).all(0)
        for state in (counted[0].sum((1, 2)), counted[1][..., 2].sum(1), counted[-1]):  # as many in each slicing
            totals = [of_one.sum() for of_one in state.split(list(sizes))]
            assert len(set(map(int, totals))) == 1
        assert totals[0] == inside.sum()
        compare_slicings(preds, target, groups, sizes, c, valid, ignore=-1)
        compare_slicings(preds, target, [one.int() for one in groups], sizes, c, ignore=2, which="cm")
        mixed = [one.to(dtype) for one, dtype in zip(groups, (torch.int16, torch.int64) * 9, strict=False)]
        compare_slicings(preds, target, mixed, sizes, c, which="c")
        for which in ("c", "m", *(("r", "h") if scores else ())):
            compare_slicings(preds, target, groups, sizes, c, which=which)


def test_multiclass_slicings_of_strided_samples_of_sums_and_of_wide_cells():
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(7, 9, 11, generator=generator).permute(0, 2, 1)  # [7, 11, 9]
    target = torch.randint(0, 11, (9, 7), generator=generator).t()
    groups = [torch.randint(-1, 4, (7, 1), generator=generator).expand(7, 9), torch.randint(0, 6, (9, 7)).t()]
    compare_slicings(scores, target, groups, (4, 5), 11, target > 3)
    compare_slicings(scores[:0], target[:0], [one[:0] for one in groups], (4, 5), 11)
    for dtype in INTEGERS:
        compare_slicings(scores, target, [one.to(dtype) for one in groups], (4, 5), 11)

    def sums(s, c, k, scores, dtype):
        return [None, torch.zeros(s, 1, 3, dtype=dtype)], None, torch.zeros(FAULTS, dtype=torch.int64), None

    n = 600_000  # a cell of a thread is 16 bits wide
    target = torch.where(torch.rand(n, generator=generator) < 0.1, torch.randint(-1, 3, (n,), generator=generator), 2)
    preds = torch.where(torch.rand(n, generator=generator) < 0.4, 0, 1)
    groups = [torch.where(torch.rand(n, generator=generator) < 0.2, -1, 2), torch.zeros(n, dtype=torch.int64)]
    confusion = compare_slicings(preds, target, groups, (3, 1), 3, which="cm")[0]
    assert confusion.max() > 1 << 17
    compare_slicings(preds, target, groups, (3, 1), 3, which="m", states_of=sums)


def compare_binary(preds, target, rows, s, labels=1, valid=None, weights=None, ignore=None, decide=True):
    """The kernel and the body on the same batch."""
    found = []
    cut = cutoffs(0.3, preds.dtype) if preds.is_floating_point() else (0.0, 0.0)
    for run in (binary_, binary_body):
        counts = torch.ones(s, labels, 4, dtype=torch.int64 if weights is None else torch.float64)
        samples = torch.ones(s, dtype=torch.int64) if weights is None else None
        faults = torch.zeros(FAULTS, dtype=torch.int64)
        options = *cut, ignore or 0, ignore is not None, decide, weights, rows, samples
        run(preds, target, valid, counts, faults, *options)
        found.append([value for value in (counts, faults, samples) if value is not None])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    return found[0]


@pytest.mark.parametrize("n", [1, 1000, 70_000])
@pytest.mark.parametrize("s", [1, 3, 5000])
@pytest.mark.parametrize("kind", ["probabilities", "logits", "labels"])
def test_binary_rows(n, s, kind):
    generator = torch.Generator().manual_seed(n + s)
    target = torch.randint(-1, 3, (n,), generator=generator)
    preds = torch.rand(n, generator=generator) if kind == "probabilities" else torch.randn(n, generator=generator)
    preds = torch.randint(-1, 3, (n,), generator=generator) if kind == "labels" else preds
    rows = torch.randint(-1, s + 1, (3, n), generator=generator)
    valid = torch.rand(n, generator=generator) > 0.3
    weights = torch.rand(n, generator=generator, dtype=torch.float64) - 0.01
    counts, faults, samples = compare_binary(preds, target, rows[:1], s)
    inside = rows[0][(rows[0] >= 0) & (rows[0] < s)]
    assert torch.equal(samples - 1, inside.bincount(minlength=s))
    assert counts.sum() - counts.numel() <= len(inside)
    assert faults[6] == n - len(inside)
    compare_binary(preds, target, rows, s, 1, valid, ignore=-1)
    compare_binary(preds, target, rows, s, 1, None, weights, ignore=2)
    compare_binary(preds, target, rows[:2], s, 1, valid, weights, ignore=0, decide=False)


def test_binary_rows_of_labels():
    generator = torch.Generator().manual_seed(0)
    for shape, labels in (((900, 3), 3), ((70, 5, 11), 5), ((40, 1, 6), 1)):
        preds = torch.randn(shape, generator=generator)
        target = torch.randint(0, 2, shape, generator=generator)
        of_samples = torch.randint(-1, 6, (2, shape[0]), generator=generator)
        rows = of_samples.reshape(2, -1, *(1 for _ in shape[1:])).expand(2, *shape)
        valid = torch.rand(shape, generator=generator) > 0.2
        for of in (rows[:1], rows, torch.randint(0, 5, (2, *shape), generator=generator)):
            compare_binary(preds, target, of, 5, labels)
            compare_binary(preds, target, of, 5, labels, valid, torch.rand(shape, generator=generator).double())
            compare_binary(preds[::2], target[::2], of[:, ::2], 5, labels, valid[::2], ignore=1, decide=False)
        flipped = preds.transpose(0, 1).contiguous().transpose(0, 1)
        counts, _, _ = compare_binary(flipped, target, rows[:1], 5, labels)
        inside = (of_samples[0] >= 0) & (of_samples[0] < 5)
        each = int(inside.sum()) * target[0, 0].numel()
        assert (counts - 1).sum((0, 2)).tolist() == [each] * labels
    compare_binary(preds[:0], target[:0], rows[:, :0], 5, labels)


@pytest.mark.parametrize("shape", [(9, 70), (4, 3, 50), (2000, 2), (1, 8), (0, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_of_places_are_given_rows(shape, weighted):
    generator = torch.Generator().manual_seed(0)
    dtype, c = torch.float64 if weighted else torch.int64, 5
    valid, weights = torch.rand(shape, generator=generator) > 0.2, torch.rand(shape, generator=generator).double()
    rows = torch.arange(shape[0]).reshape(1, -1, *(1 for _ in shape[1:])).expand(1, *shape)
    weights = weights if weighted else None
    for labels in {1, shape[1]}:
        preds, target = torch.randn(shape, generator=generator), torch.randint(-1, 3, shape, generator=generator)
        for scores in (preds, preds.sigmoid().transpose(0, -1).contiguous().transpose(0, -1), (preds > 0).long()):
            cut = cutoffs(0.3, torch.float32) if scores.is_floating_point() else (0.0, 0.0)
            found = [
                (torch.zeros(shape[0], labels, 4, dtype=dtype), torch.zeros(FAULTS, dtype=torch.int64))
                for _ in range(3)
            ]
            binary_(scores, target, valid, *found[0], *cut, -1, True, True, weights)
            binary_body(scores, target, valid, *found[1], *cut, -1, True, True, weights, rows)
            if shape[0] > 0:
                binary_(scores, target, valid, *found[2], *cut, -1, True, True, weights, rows)
            torch.testing.assert_close(found[0], found[1], rtol=1e-13, atol=0)
            torch.testing.assert_close(found[0], found[2] if shape[0] > 0 else found[0], rtol=1e-13, atol=0)
    scores = torch.randn(shape[0], c, *shape[1:], generator=generator)
    target = torch.randint(-1, c + 1, shape, generator=generator)
    for preds in (scores, scores.argmax(1) - 1):
        found = []
        for run, given in ((multiclass_, None), (multiclass_body, rows), (multiclass_, rows)):
            (_, counts), ranks, faults, _ = states(shape[0], c, 2, preds.dim() > target.dim(), dtype)
            if shape[0] > 0:
                run(preds, target, valid, None, counts, ranks, faults, c, 0, True, None, weights, given)
            found.append([counts, faults] + ([] if ranks is None else [ranks]))
        torch.testing.assert_close(found[0], found[1], rtol=1e-13, atol=0)
        torch.testing.assert_close(found[0], found[2], rtol=1e-13, atol=0)


@pytest.mark.parametrize("n", [1, 1000, 200_000])
def test_count_groups(n):
    generator = torch.Generator().manual_seed(n)
    rows = torch.randint(-2, 40, (2, n), generator=generator)
    for dtype in INTEGERS:
        for valid in (None, torch.rand(n, generator=generator) > 0.5):
            for of, kept in ((rows[:1], valid), (rows, valid), (rows[:, ::2], None if valid is None else valid[::2])):
                found = []
                for run in (count_groups_, count_groups_body):
                    counts = torch.ones(37, dtype=torch.float64 if dtype == torch.int8 else torch.int64)
                    faults = torch.zeros(FAULTS, dtype=torch.int64)
                    run(of.to(dtype), kept, counts, faults)
                    run(of.to(dtype), kept, counts, None)
                    found.append((counts, faults))
                for one, other in zip(*found, strict=True):
                    assert torch.equal(one, other)


def placed(run, slicings, sizes, valid):
    rows = torch.full((len(slicings), *slicings[0].shape), 7, dtype=torch.int32)
    faults, start = torch.zeros(FAULTS, dtype=torch.int64), 0
    for k, (groups, size) in enumerate(zip(slicings, sizes, strict=True)):
        run(groups, valid, rows, faults, k, start, size)
        start += size
    return rows, faults


@pytest.mark.parametrize("n", [1, 1000, 200_000])
def test_place_groups(n):
    generator = torch.Generator().manual_seed(n)
    sizes = (40, 1, 7)
    groups = [torch.randint(-1, size + (size > 1), (n,), generator=generator) for size in sizes]
    groups[1] = torch.where(groups[1] < 0, 0, groups[1])
    for dtype in INTEGERS:
        for valid in (None, torch.rand(n, generator=generator) > 0.5):
            given = [one.to(dtype) for one in groups]
            rows, faults = placed(place_groups_, given, sizes, valid)
            for one, other in zip((rows, faults), placed(place_groups_body, given, sizes, valid), strict=True):
                assert torch.equal(one, other)
    inside = torch.stack([(one >= 0) & (one < size) for one, size in zip(groups, sizes, strict=True)]).all(0)
    rows, _ = placed(place_groups_, groups, sizes, None)
    assert torch.equal(rows, torch.where(inside, torch.stack([groups[0], groups[1] + 40, groups[2] + 41]), -1).int())


def test_place_groups_of_strided_samples():
    generator = torch.Generator().manual_seed(0)
    groups = [torch.randint(-1, 5, (9, 7), generator=generator).t(), torch.randint(0, 3, (7, 1)).expand(7, 9)]
    valid = torch.rand(9, 7, generator=generator).t() > 0.3
    found = [placed(run, groups, (4, 3), valid) for run in (place_groups_, place_groups_body)]
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    empty, _ = placed(place_groups_, [one[:0] for one in groups], (4, 3), None)
    assert empty.shape == (2, 0, 9)


def test_the_operators_keep_their_contract():
    generator = torch.Generator().manual_seed(0)
    preds, target = torch.randn(6, 4, generator=generator), torch.randint(0, 4, (6,), generator=generator)
    rows = torch.randint(0, 3, (1, 6), generator=generator)
    (confusion, counts), ranks, faults, histogram = states(3, 4, 2, True, torch.int64)
    arguments = (
        preds,
        target,
        None,
        confusion,
        counts,
        ranks,
        faults,
        4,
        0,
        False,
        histogram,
        None,
        rows,
        counts.new_zeros(3),
    )
    torch.library.opcheck(torch.ops.fastmetrics.multiclass_.default, arguments)
    torch.library.opcheck(torch.ops.fastmetrics.count_groups_.default, (rows, target > 0, counts.new_zeros(3), faults))
    for wrong in (rows[:, :5], rows.float(), rows[0]):
        with pytest.raises(RuntimeError, match="rows must"):
            multiclass_(*arguments[:12], wrong, arguments[13])
    with pytest.raises(RuntimeError, match="counts, "):
        multiclass_(*arguments[:4], counts[:2], *arguments[5:])
    with pytest.raises(RuntimeError, match="counts must be"):
        count_groups_(rows, None, counts, faults)
    counts, scores = torch.zeros(3, 4, 4, dtype=torch.int64), (preds.sigmoid(), (preds > 0).long())
    rest = faults, *cutoffs(0.5, torch.float32), 0, False, True
    of_labels = *scores, None, counts, *rest, None, rows.reshape(1, 6, 1).expand(1, 6, 4), None
    torch.library.opcheck(torch.ops.fastmetrics.binary_.default, of_labels)
    for place, wrong, message in (
        (11, of_labels[11][:, :5], "rows must"),
        (11, of_labels[11].float(), "rows must"),
        (3, counts[0], "counts must"),
        (3, counts[:, :2].contiguous(), "target must be"),
        (3, counts.int(), "counts, "),
        (12, torch.zeros(2, dtype=torch.int64), "samples, int64"),
    ):
        with pytest.raises(RuntimeError, match=message):
            binary_(*of_labels[:place], wrong, *of_labels[place + 1 :])
    groups, placed_rows = rows[0], torch.zeros(2, 6, dtype=torch.int32)
    torch.library.opcheck(
        torch.ops.fastmetrics.place_groups_.default, (groups, target > 0, placed_rows, faults, 1, 3, 3)
    )
    for wrong in (
        (groups.float(), None, placed_rows),
        (groups, None, placed_rows.long()),
        (groups[:5], None, placed_rows),
    ):
        with pytest.raises(RuntimeError, match=r"place_groups_|rows"):
            place_groups_(*wrong, faults, 1, 3, 3)
    with pytest.raises(RuntimeError, match="no such slicing"):
        place_groups_(groups, None, placed_rows, faults, 2, 3, 3)


def sums_of(run, given, shapes, weighted, options):
    """The states and faults of a pass of probabilities; the first of ``shapes`` counts, the others are sums."""
    states = [
        torch.ones(shape, dtype=torch.int64 if counts and not weighted else torch.float64) for shape, counts in shapes
    ]
    faults = torch.zeros(FAULTS, dtype=torch.int64)
    run(*given, *states, faults, *options)
    return [*states, faults]


def compare_probabilities(preds, target, rows, s, *, apart=False, fine=False, valid=None, weights=None, ignore=None):
    """Calibration and proper scores of the same batch, by the kernels and by the bodies, read in every way."""
    multiclass, epsilon = preds.dim() > target.dim(), torch.finfo(preds.dtype).eps
    found = []
    for logits in (-1, 0, 1):
        options = logits, ignore or 0, ignore is not None
        edges = torch.tensor(fine_edges(), dtype=torch.float64) if fine else torch.linspace(0, 1, 8).double()
        shape = (s, *((preds.shape[1],) if apart else ()), len(edges))
        given = preds, target, rows, valid, weights, edges
        bins = [(shape, True), (shape, False), (shape, True)]
        labels = preds.shape[1] if apart and not multiclass else 1
        sums = [((s, labels), False), ((s, labels), False), ((s, labels), True)]
        for runs, inputs, states, rest in (
            ((calibration_rows_, calibration_rows_body), given, bins, options),
            (
                (proper_scores_rows_, proper_scores_rows_body),
                given[:-1],
                sums,
                (logits, epsilon, labels > 1, *options[1:]),
            ),
        ):
            native, body = (sums_of(run, inputs, states, weights is not None, rest) for run in runs)
            for one, other in zip(native, body, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9, equal_nan=True)
            found.append(native)
    return found


@pytest.mark.parametrize("n", [1, 300, 20_000])
@pytest.mark.parametrize("s", [2, 300])
def test_probabilities_by_rows(n, s):
    """With 300 rows a small batch adds less than there are sums, and keeps a list."""
    generator = torch.Generator().manual_seed(n + s)
    rows = torch.randint(-1, s + 1, (2, n), generator=generator)
    target = torch.randint(-1, 4, (n,), generator=generator)
    valid = torch.rand(n, generator=generator) > 0.3
    weights = torch.rand(n, generator=generator, dtype=torch.float64) - 0.01
    logits = torch.randn(n, 3, generator=generator)
    for scores in (logits, logits.softmax(1)):
        compare_probabilities(scores, target, rows[:1], s)
        compare_probabilities(scores, target, rows, s, apart=True, valid=valid, ignore=-1)
        binary = scores[:, 0]
        compare_probabilities(binary, target, rows, s, valid=valid, weights=weights, ignore=2)
        compare_probabilities(binary, target, rows[1:], s, fine=n < 1000)


def test_probabilities_of_labels_by_rows():
    generator = torch.Generator().manual_seed(0)
    for shape in ((900, 3), (70, 5, 11)):
        target = torch.randint(0, 2, shape, generator=generator)
        of_samples = torch.randint(-1, 6, (2, shape[0]), generator=generator)
        rows = of_samples.reshape(2, -1, *(1 for _ in shape[1:])).expand(2, *shape)
        scores = torch.rand(shape, generator=generator)
        scores[3] = torch.nan
        weights = torch.rand(shape, generator=generator).double()
        compare_probabilities(scores, target, rows, 5, apart=True)
        compare_probabilities(scores, target, rows, 5000, apart=True, weights=weights)
        flipped = scores.double().transpose(0, 1).contiguous().transpose(0, 1)
        compare_probabilities(flipped[::2], target[::2], rows[:, ::2], 5, apart=True, ignore=1)
    compare_probabilities(scores[:0], target[:0], rows[:, :0], 5, apart=True)


def test_probabilities_by_rows_do_not_depend_on_threads():
    generator = torch.Generator().manual_seed(0)
    scores, target = torch.rand(60_000, generator=generator), torch.randint(0, 2, (60_000,), generator=generator)
    rows, threads = torch.randint(0, 50, (1, 60_000), generator=generator), torch.get_num_threads()
    found = []
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            found.append(compare_probabilities(scores, target, rows, 50))
        finally:
            torch.set_num_threads(threads)
    for one, other in zip(*found, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_probabilities_by_rows_are_operators():
    scores, target, rows = torch.rand(6), torch.randint(0, 2, (6,)), torch.randint(0, 3, (1, 6))
    edges, faults = torch.linspace(0, 1, 5).double(), torch.zeros(FAULTS, dtype=torch.int64)
    counts, sums = torch.zeros(3, 5, dtype=torch.int64), torch.zeros(3, 5, dtype=torch.float64)
    bins = scores, target, rows, None, None, edges, counts, sums, counts.clone(), faults, -1, 0, False
    one = torch.zeros(3, 1, dtype=torch.float64)
    proper = scores, target, rows, None, None, one, None, one.long(), faults, -1, 1e-7, False, 0, False
    operators = torch.ops.fastmetrics
    for run, operator, given in (
        (calibration_rows_, operators.calibration_rows_.default, bins),
        (proper_scores_rows_, operators.proper_scores_rows_.default, proper),
    ):
        torch.library.opcheck(operator, given)
        for wrong in (rows[:, :5], rows.float(), rows[0]):
            with pytest.raises(RuntimeError, match="rows must"):
                run(scores, target, wrong, *given[3:])
    with pytest.raises(RuntimeError, match="counts, "):
        calibration_rows_(*bins[:6], counts[:, :4].contiguous(), *bins[7:])
    with pytest.raises(RuntimeError, match="count must be"):
        proper_scores_rows_(*proper[:7], torch.zeros(3, dtype=torch.int64), *proper[8:])


def test_probabilities_by_rows_take_no_memory_for_a_sample():
    n = 400_000
    scores, target, rows = torch.rand(n), torch.randint(0, 2, (n,)), torch.randint(0, 9, (n,))
    for metric in (BinaryCalibrationError(num_groups=9), BinaryBrierScore(num_groups=9)):
        metric.update(scores, target, groups=rows)
        assert memory(partial(metric.update, scores, target, groups=rows), "cpu") < 10**4

# SPDX-License-Identifier: Apache-2.0
"""Metrics of nominal variables, against torchmetrics and scipy, and by hand."""

import math

import pytest
import torch
import torchmetrics.functional.nominal as their_functions
import torchmetrics.nominal as theirs
from scipy.stats.contingency import association
from sklearn.metrics import mutual_info_score

import fastmetrics.functional.nominal as functions
from fastmetrics import nominal as ours

pytestmark = pytest.mark.filterwarnings("ignore")

C = 4
NAMES = {
    "CramersV": "cramers_v",
    "TschuprowsT": "tschuprows_t",
    "PearsonsContingencyCoefficient": "pearsons_contingency_coefficient",
    "TheilsU": "theils_u",
}
CORRECTED = ("CramersV", "TschuprowsT")
KINDS = [(name, {}) for name in NAMES] + [(name, {"bias_correction": False}) for name in CORRECTED]
every_metric = pytest.mark.parametrize(("name", "options"), KINDS)


def variables(n=100):
    preds = torch.randint(0, C, (n,))
    return preds, (preds + torch.randint(0, 2, (n,))) % C


def with_nan():
    preds, target = (values.float() for values in variables())
    preds[::7], target[::5] = math.nan, math.nan
    return preds, target


NAN = [{"nan_replace_value": 2.0}, {"nan_strategy": "drop", "nan_replace_value": None}]


@every_metric
def test_against_torchmetrics(device, name, options):
    torch.manual_seed(0)
    preds, target = variables()
    cases = [
        ((preds, target), {}),
        ((torch.randn(100, C), target), {}),
        ((torch.randn(100, 3), torch.randn(100, C)), {}),
    ]
    cases += [(with_nan(), missing) for missing in NAN]
    same = torch.zeros(100, dtype=torch.int64)
    cases += [((same, target), {}), ((preds, same), {}), ((same, same), {}), ((preds[:0], target[:0]), {})]
    cases += [((torch.arange(C), torch.arange(C)), {}), ((preds // 2, target // 2), {})]
    for batch, missing in cases:
        metric = getattr(ours, name)(C, **options, **missing).to(device)
        other = getattr(theirs, name)(C, **options, **missing)
        for part in (slice(0, 60), slice(60, None)):
            metric.update(*(values[part].to(device) for values in batch))
            other.update(*(values[part] for values in batch))
        value, expected = metric.compute().cpu(), other.compute().float()  # an integer 0 in one case
        torch.testing.assert_close(value, expected, rtol=2e-5, atol=1e-6, equal_nan=True)
        if batch[0].dim() == 1 and not options.get("bias_correction", name in CORRECTED):  # theirs fails on 2 x 2
            function = getattr(their_functions, NAMES[name])
            expected = function(*batch, **options, **missing).float()
            value = getattr(functions, NAMES[name])(*batch, **options, **missing)
            torch.testing.assert_close(value, expected, rtol=2e-5, atol=1e-6, equal_nan=True)


@every_metric
def test_matrices_against_torchmetrics(name, options):
    torch.manual_seed(1)
    matrix = torch.randint(0, C, (50, 4)).float()
    matrix[3, 1] = math.nan
    function = f"{NAMES[name]}_matrix"
    for missing in ({}, NAN[1]):
        value, expected = (getattr(m, function)(matrix, **options, **missing) for m in (functions, their_functions))
        torch.testing.assert_close(value, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("table", [[[5, 2, 1], [0, 3, 4], [6, 0, 2]], [[12, 3], [4, 9]], [[10, 9], [9, 10], [1, 3]]])
def test_against_scipy(table):
    pairs = torch.tensor([(p, t) for t, row in enumerate(table) for p, n in enumerate(row) for _ in range(n)]).T
    for name, method in (("CramersV", "cramer"), ("TschuprowsT", "tschuprow")):
        expected = association(torch.tensor(table).numpy(), method=method, correction=False)
        assert getattr(ours, name)(3, bias_correction=False)(*pairs).item() == pytest.approx(expected, rel=1e-6)
    expected = association(torch.tensor(table).numpy(), method="pearson")
    assert ours.PearsonsContingencyCoefficient(3)(*pairs).item() == pytest.approx(expected, rel=1e-6)


def test_corrections_by_hand():
    # 2 x 2, expected counts 5: Yates takes 1/2 from the differences of 2, or all of those of 0.4
    for table, chi in (([[7, 3], [3, 7]], 4 * 1.5**2 / 5), ([[54, 50], [50, 46]], 0.0)):
        n = sum(map(sum, table))
        pairs = torch.tensor([(p, t) for t in (0, 1) for p in (0, 1) for _ in range(table[t][p])]).T
        expected = math.sqrt(max(0, chi / n - 1 / (n - 1)) / (1 - 1 / (n - 1)))
        assert ours.CramersV(2)(*pairs).item() == pytest.approx(expected, rel=1e-6)
    # 3 x 2: Bergsma's alone
    table = torch.tensor([[8, 1], [2, 6], [1, 4]]).double()
    n, outer = 22, torch.outer(table.sum(1), table.sum(0)) / 22
    phi = ((table - outer).square() / outer).sum().item() / n - 2 / 21
    pairs = torch.tensor([(p, t) for t in range(3) for p in (0, 1) for _ in range(int(table[t, p]))]).T
    rows, columns = 3 - 4 / 21, 2 - 1 / 21
    assert ours.CramersV(3)(*pairs).item() == pytest.approx(math.sqrt(phi / (columns - 1)), rel=1e-6)
    expected = math.sqrt(phi / math.sqrt((rows - 1) * (columns - 1)))
    assert ours.TschuprowsT(3)(*pairs).item() == pytest.approx(expected, rel=1e-6)


def test_theils_u_has_a_direction():
    # the target tells the prediction, and not the other way round
    preds, target = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 2, 3])
    assert ours.TheilsU(4)(preds, target) == 1
    assert ours.TheilsU(4)(target, preds).item() == pytest.approx(0.5)
    torch.manual_seed(2)
    preds, target = variables()
    share = preds.bincount() / 100
    expected = mutual_info_score(preds, target) / -(share * share.log()).sum().item()
    assert functions.theils_u(preds, target).item() == pytest.approx(expected, rel=1e-6)


@every_metric
def test_weights_and_valid(device, name, options):
    torch.manual_seed(3)
    (preds, target), times, valid = variables(), torch.randint(0, 3, (100,)), torch.rand(100) < 0.5
    preds, target, times, valid = (x.to(device) for x in (preds, target, times, valid))
    metric = getattr(ours, name)(C, **options).to(device)
    repeated = metric(preds.repeat_interleave(times), target.repeat_interleave(times))
    torch.testing.assert_close(metric(preds, target, weights=times), repeated)
    function = getattr(functions, NAMES[name])
    torch.testing.assert_close(function(preds, target, **options, weights=times), repeated)
    expected = metric(preds[valid], target[valid])
    torch.testing.assert_close(metric(preds, torch.where(valid, target, 99), valid=valid), expected)
    # what is dropped because it is missing, and because it is not valid
    gaps = torch.where(torch.arange(100, device=device) % 3 == 0, math.nan, target.float())
    dropping = getattr(ours, name)(C, **options, **NAN[1]).to(device)
    kept = valid & ~gaps.isnan()
    assert torch.equal(dropping(preds, gaps, valid=valid), metric(preds[kept], target[kept]))
    assert torch.equal(dropping.compute(), metric(preds[kept], target[kept]))


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_a_single_sample(dtype):
    single, batch = (ours.CramersV(3, bias_correction=False) for _ in range(2))
    for x, y in ((0, 1), (1, 2), (1, 1)):
        single.update(torch.tensor(x, dtype=dtype), torch.tensor(y, dtype=dtype))
        batch.update(torch.tensor([x], dtype=dtype), torch.tensor([y], dtype=dtype))
    assert torch.equal(single.confusion, batch.confusion)
    assert single.confusion.sum() == 3
    assert torch.equal(single.compute(), batch.compute())


def test_categories_of_any_value():
    torch.manual_seed(4)
    preds, target = variables()
    for function in NAMES.values():
        expected = getattr(functions, function)(preds, target)
        for other in (preds * 7 - 9, preds + 2**40, preds.float() / 2):
            codes = target if other.is_floating_point() else target * 7 - 9
            assert getattr(functions, function)(other, codes) == expected


def test_values_out_of_range_are_raised_and_not_counted(device):
    metric = ours.CramersV(3, bias_correction=False).to(device)
    preds, target = torch.tensor([0, 1, 2, 3, 1], device=device), torch.tensor([0, 1, 2, 0, 1], device=device)
    with pytest.raises(RuntimeError, match=r"CramersV: expected `preds` values in \[0, 2\], but 1 lay outside"):
        metric(preds, target)
    assert metric.compute() == 1
    with pytest.raises(RuntimeError, match="no integer"):
        metric(torch.tensor([0.5], device=device), torch.tensor([1.0], device=device))


def test_counts_beyond_float32():
    metric = ours.CramersV(2, bias_correction=False)
    ones = torch.ones(1, dtype=torch.uint8).expand(2**24 + 1)
    metric.update(ones, ones)
    metric.update(ones[:1], ones[:1])
    metric.update(ones[:1] - 1, ones[:1] - 1)
    assert metric.confusion.tolist() == [[1, 0], [0, 2**24 + 2]]
    assert metric.compute() == 1


def test_errors():
    with pytest.raises(ValueError, match="nan_strategy"):
        ours.CramersV(3, nan_strategy="ignore")
    for function in (functions.theils_u, functions.cramers_v):
        with pytest.raises(ValueError, match="nan_replace"):
            function(torch.zeros(3), torch.zeros(3), nan_replace_value=None)
        with pytest.raises(ValueError, match="same shape"):
            function(torch.zeros(3), torch.zeros(4))
    with pytest.raises(ValueError, match="num_classes"):
        ours.TheilsU(0)
    with pytest.raises(ValueError, match="same shape"):
        ours.TheilsU(3).update(torch.zeros(3), torch.zeros(4))
    with pytest.warns(UserWarning, match="Unable to compute Cramer's V using bias correction"):
        ours.CramersV(3)(torch.zeros(3), torch.zeros(3))


def test_compiled_update_with_missing_values():
    torch.compiler.reset()
    metric, plain = (ours.TheilsU(C, **NAN[1]) for _ in range(2))
    batch = with_nan()
    torch.compile(metric.update, fullgraph=True, backend="eager")(*batch)
    plain.update(*batch)
    assert torch.equal(metric.confusion, plain.confusion)


# Fleiss' kappa

WIKIPEDIA = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_fleiss_kappa_by_hand(device):
    ratings = torch.tensor(WIKIPEDIA, device=device)
    metric = ours.FleissKappa().to(device)
    assert metric(ratings[:4]).dtype == torch.float32
    metric.update(ratings[4:])
    assert metric.compute().item() == pytest.approx(0.2099, abs=1e-4)  # the published value has no 1e-5
    assert functions.fleiss_kappa(ratings) == metric.compute()


@pytest.mark.parametrize("mode", ["counts", "probs"])
def test_fleiss_kappa_against_torchmetrics(device, mode):
    torch.manual_seed(5)
    ratings = torch.randint(0, 6, (20, 5)) if mode == "counts" else torch.randn(20, 3, 7)
    metric, other = ours.FleissKappa(mode).to(device), theirs.FleissKappa(mode)
    for part in (slice(0, 8), slice(8, None)):
        torch.testing.assert_close(metric(ratings[part].to(device)).cpu(), other(ratings[part]))
    torch.testing.assert_close(metric.compute().cpu(), other.compute())
    expected = their_functions.fleiss_kappa(ratings, mode)
    torch.testing.assert_close(functions.fleiss_kappa(ratings.to(device), mode).cpu(), expected)


def test_fleiss_kappa_of_more_categories_than_raters(device):
    # torchmetrics takes the number of raters for the number of categories
    torch.manual_seed(6)
    scores = torch.randn(10, 6, 3, device=device).half()
    counts = torch.stack([row.bincount(minlength=6) for row in scores.argmax(1).cpu()]).to(device)
    assert functions.fleiss_kappa(scores, "probs") == functions.fleiss_kappa(counts)


def test_fleiss_kappa_merges(device):
    # raters differ between the parts: their number is the greatest, as of all data at once
    few, many = torch.tensor(WIKIPEDIA, device=device)[:5] // 2, torch.tensor(WIKIPEDIA, device=device)
    full, merged, other = (ours.FleissKappa(num_categories=5).to(device) for _ in range(3))
    full.update(torch.cat([few, many]))
    merged.update(few)
    other.update(many)
    merged.merge_state(other)
    assert merged.raters == 14
    assert merged.compute() == full.compute()
    assert merged(many) == other.compute()


def test_fleiss_kappa_of_weighted_and_valid_subjects(device):
    ratings = torch.tensor(WIKIPEDIA, device=device)
    times, valid = torch.arange(10, device=device) % 3, torch.arange(10, device=device) % 2 == 0
    metric = ours.FleissKappa().to(device)
    expected = functions.fleiss_kappa(ratings.repeat_interleave(times, 0))
    torch.testing.assert_close(metric(ratings, weights=times), expected)
    assert metric(ratings, valid=valid) == functions.fleiss_kappa(ratings[valid])
    with pytest.raises(ValueError, match="Expected `valid`"):
        metric.update(ratings, valid=valid[:3])


def test_fleiss_kappa_of_wrong_ratings(device):
    with pytest.raises(ValueError, match="mode"):
        ours.FleissKappa("scores")
    ratings = torch.tensor(WIKIPEDIA, device=device)
    for mode, wrong in (("counts", ratings.float()), ("counts", ratings[0]), ("probs", ratings), ("probs", ratings[0])):
        with pytest.raises(ValueError, match="ratings must have"):
            ours.FleissKappa(mode).to(device).update(wrong)
    metric = ours.FleissKappa().to(device)
    expected = metric(ratings[1:])
    metric.reset()
    ratings[0, 0] = -3
    with pytest.raises(RuntimeError, match="`ratings` of at least 0, but 1 were not, the first is -3"):
        metric(ratings)
    assert metric.compute() == expected
    with pytest.raises(ValueError, match="number of categories, 5"):
        metric.update(ratings[:, :4])
    empty = ours.FleissKappa(num_categories=5).to(device)
    assert empty(ratings[:0]).isnan()

# SPDX-License-Identifier: Apache-2.0
"""Values that float32 sums and cancellation get wrong, each against exact sums of Python floats.

What torchmetrics 1.9 gives for the same data stands beside each case.
"""

import math

import pytest
import torch

from fastmetrics import functional, regression
from fastmetrics.passes import pairs_
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.pairs import STATES


def exact(x, y):
    """Correlation, concordance, R2 and explained variance of two lists."""
    n = len(x)
    mean_x, mean_y = math.fsum(x) / n, math.fsum(y) / n
    dx, dy = [v - mean_x for v in x], [v - mean_y for v in y]
    # the means are rounded; what that leaves is taken out again
    rest_x, rest_y = math.fsum(dx) / n, math.fsum(dy) / n
    xx = math.fsum(v * v for v in dx) - n * rest_x**2
    yy = math.fsum(v * v for v in dy) - n * rest_y**2
    xy = math.fsum(a * b for a, b in zip(dx, dy, strict=True)) - n * rest_x * rest_y
    shift = math.fsum(a - b for a, b in zip(x, y, strict=True)) / n
    squares = math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))
    return {
        "PearsonCorrCoef": xy / math.sqrt(xx * yy),
        "ConcordanceCorrCoef": 2 * xy / (xx + yy + (n - 1) * shift**2),
        "R2Score": 1 - squares / yy,
        "ExplainedVariance": 1 - (squares - n * shift**2) / yy,
        "RelativeSquaredError": squares / yy,
        "NormalizedRootMeanSquaredError": math.sqrt(squares / yy),
    }


def offset_pairs(offset, dtype):
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(50_000, generator=generator, dtype=torch.float64)
    x = 0.7 * y + 0.6 * torch.randn(50_000, generator=generator, dtype=torch.float64) + 0.3
    return (x + offset).to(dtype), (y + offset).to(dtype)


@pytest.mark.parametrize(
    ("offset", "dtype"), [(0.0, torch.float32), (1e4, torch.float32), (1e4, torch.float64), (1e8, torch.float64)]
)
def test_data_with_an_offset(device, offset, dtype):
    # The truth, in the order of `exact`, is 0.7589, 0.7207, 0.4565, 0.5487, 0.5435, 0.7372. torchmetrics gives
    # 0,   float32: the same
    # 1e4, float32: 0.7589, 0.7211, 1.0521, 1.0567, 2.29e11, 0.7687
    # 1e4, float64: 0.7589, 0.7211, 0.4565, 0.5487, 2.29e11, 0.7687
    # 1e8, float64: 0.7590, 0.7566, 1.4171, 0.0000, 0.0000, nan
    x, y = offset_pairs(offset, dtype)
    for name, expected in exact(x.tolist(), y.tolist()).items():
        options = {"normalization": "std"} if name.startswith("Normal") else {}
        metric = getattr(regression, name)(**options).to(device).set_dtype(torch.float64)
        for a, b in zip(x.split(777), y.split(777), strict=True):
            metric.update(a.to(device), b.to(device))
        assert metric.compute().item() == pytest.approx(expected, rel=1e-6), name
        wide = getattr(regression, name)(**options).to(device).set_dtype(torch.float64)
        assert wide(x.to(device), y.to(device)).item() == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_means_of_half_precision(device, dtype):
    # torchmetrics: inf for float16, whose sum of squares overflows, and 3.9936 for bfloat16; the truth is 4
    x, y = torch.full((40_000,), 3.0, dtype=dtype, device=device), torch.ones(40_000, dtype=dtype, device=device)
    assert regression.MeanSquaredError().to(device)(x, y).item() == 4.0
    assert functional.mean_squared_error(x, y).item() == 4.0
    assert functional.mean_absolute_error(x, y).item() == 2.0
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(20_000, generator=generator).to(dtype) for _ in range(2))
    expected = exact(x.double().tolist(), y.double().tolist())
    for name in ("PearsonCorrCoef", "R2Score", "ExplainedVariance"):
        metric = getattr(regression, name)().to(device)
        metric.update(x.to(device), y.to(device))
        assert metric.compute().item() == pytest.approx(expected[name], rel=1e-6)


def test_percentages_of_targets_near_zero(device):
    # torchmetrics gives the same here; both divide by at least 1.17e-06, which float32 rounds
    x = torch.tensor([1.0, 1e-6, -2.0, 0.0], device=device)
    y = torch.tensor([0.0, 1e-9, 1e-6, 0.0], device=device)
    terms = [
        (abs(a - b), max(abs(b), 1.17e-6), max(abs(a) + abs(b), 1.17e-6))
        for a, b in zip(x.double().tolist(), y.double().tolist(), strict=True)
    ]
    for name, expected in (
        ("mean_absolute_percentage_error", math.fsum(e / s for e, s, _ in terms) / 4),
        ("symmetric_mean_absolute_percentage_error", math.fsum(2 * e / s for e, _, s in terms) / 4),
        ("weighted_mean_absolute_percentage_error", math.fsum(e for e, _, _ in terms) / 1.17e-6),
    ):
        assert getattr(functional, name)(x.double(), y.double()).item() == pytest.approx(expected, rel=1e-12), name
        assert getattr(functional, name)(x, y).item() == pytest.approx(expected, rel=1e-6), name


def test_many_tiny_batches(device):
    # 20,000 updates of one pair stand for a million, through the operator so that they take a second. torchmetrics
    # also has the correlation of these right to four places, 0.7607
    x, y = offset_pairs(1e4, torch.float64)
    x, y = x[:20_000].to(device), y[:20_000].to(device)
    one, many = (
        [torch.zeros(1, *s, dtype=torch.float64, device=device) for s in STATES.values()]
        + [torch.zeros(FAULTS, dtype=torch.int64, device=device)]
        for _ in range(2)
    )
    parameters = (None, None), (1, 2.5, 1.5, 0.0, 0.0)
    pairs_(x, y, *parameters[0], *one, *parameters[1])
    for a, b in zip(x.split(1), y.split(1), strict=True):
        pairs_(a, b, *parameters[0], *many, *parameters[1])
    assert many[0].item() == 20_000
    for name, a, b in zip(STATES, one, many, strict=False):
        rtol = 1e-9 if name == "deviance" else 1e-10  # a deviance is a small difference
        torch.testing.assert_close(a, b, rtol=rtol, atol=0, msg=lambda m, n=name: f"{n}: {m}")


def test_merging_in_any_order(device):
    x, y = offset_pairs(1e4, torch.float32)
    expected = exact(x.tolist(), y.tolist())
    for name in ("PearsonCorrCoef", "R2Score", "ExplainedVariance", "ConcordanceCorrCoef"):
        parts = []
        for begin in range(0, 50_000, 12_500):
            metric = getattr(regression, name)().to(device).set_dtype(torch.float64)
            metric.update(x[begin : begin + 12_500].to(device), y[begin : begin + 12_500].to(device))
            parts.append(metric)
        for order in ((0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)):
            merged = getattr(regression, name)().to(device).set_dtype(torch.float64)
            for part in order:
                merged.merge_state(parts[part] if part % 2 else dict(parts[part].metric_state))
            assert merged.compute().item() == pytest.approx(expected[name], rel=1e-9)


def test_one_element_and_none(device):
    one = torch.tensor([2.0], device=device)
    with pytest.raises(ValueError, match="Needs at least two samples"):
        functional.r2_score(one, one)
    metric = regression.R2Score().to(device)
    with pytest.raises(ValueError, match="Needs at least two samples"):
        metric(one, one + 1)
    metric.update(one + 1, one + 1)
    assert metric.compute() == 0  # both were counted: 2 and 3 predicted for 3 and 3
    for name in ("pearson_corrcoef", "concordance_corrcoef"):
        assert getattr(functional, name)(one, one).isnan().all()
    assert functional.explained_variance(one, one) == 1
    assert functional.explained_variance(one, one + 1) == 1
    assert functional.log_cosh_error(one, one + 1).item() == pytest.approx(math.log(math.cosh(1)))
    none = torch.zeros(0, device=device)
    for name in ("pearson_corrcoef", "explained_variance", "relative_squared_error", "log_cosh_error"):
        assert getattr(functional, name)(none, none).isnan().all(), name
    for normalization in ("mean", "std", "l2"):
        assert functional.normalized_root_mean_squared_error(none, none, normalization).isnan()
    assert functional.minkowski_distance(none, none, 2) == 0
    assert functional.weighted_mean_absolute_percentage_error(none, none) == 0
    assert functional.critical_success_index(none, none, 0.5) == 0


def test_constant_inputs(device):
    # torchmetrics has -2e-7 as the correlation with the constant and -9e7 as the explained variance, since the mean
    # of 0.1 is rounded; and an R2 of 1 for the small values below, whose squares add up to less than 1e-4
    constant, other = torch.full((100,), 0.1, device=device), torch.linspace(0, 1, 100, device=device)
    for x, y in ((constant, other), (other, constant), (constant, constant)):
        for name in ("pearson_corrcoef", "concordance_corrcoef"):
            assert getattr(functional, name)(x, y).isnan().all()
    assert functional.r2_score(other, constant) == 0
    assert functional.r2_score(constant, constant) == 1
    assert functional.explained_variance(other, constant) == 0
    assert functional.explained_variance(constant + 1, constant) == 1
    small = other.double() * 1e-5
    assert functional.r2_score(small * 0.5, small).item() == pytest.approx(
        functional.r2_score(other * 0.5, other).item()
    )
    assert functional.relative_squared_error(constant, constant) == 0
    if device == "cpu":
        with pytest.warns(UserWarning, match="constant"):
            regression.PearsonCorrCoef()(constant, other)


def test_nan_and_infinities(device):
    y = torch.tensor([1.0, 2.0, 4.0], device=device)
    for bad in (math.nan, math.inf):
        x = torch.tensor([1.0, bad, 3.0], device=device)
        for name in ("pearson_corrcoef", "concordance_corrcoef", "explained_variance"):
            assert getattr(functional, name)(x, y).isnan().all(), (name, bad)
        for name, options in (
            ("mean_squared_log_error", ()),
            ("mean_absolute_percentage_error", ()),
            ("log_cosh_error", ()),
            ("minkowski_distance", (2.5,)),
            ("normalized_root_mean_squared_error", ("range",)),
            ("relative_squared_error", ()),
        ):
            value = getattr(functional, name)(x, y, *options).item()
            assert math.isnan(value) if math.isnan(bad) else value == math.inf, (name, bad)
    assert functional.mean_squared_log_error(torch.tensor([-2.0]), torch.tensor([1.0])).isnan()
    # torchmetrics: inf, since exp(200) overflows
    far = functional.log_cosh_error(torch.tensor([200.0], device=device), torch.tensor([0.0], device=device))
    assert far.item() == pytest.approx(200 - math.log(2))


def seen(metric, *batch, **weights):
    """Count a batch, and look at the value: where the error comes depends on the device."""
    metric.update(*batch, **weights)
    return metric.compute()


def test_tweedie_domain(device):
    for power, preds, target in (
        (1, 0.0, 1.0),
        (1, 1.0, -1.0),
        (2, 1.0, 0.0),
        (1.5, -1.0, 1.0),
        (-1, 0.0, 1.0),
        (3, 1, 0),
    ):
        metric = regression.TweedieDevianceScore(power).to(device)
        x = torch.tensor([2.0, preds, 3.0], device=device)
        y = torch.tensor([1.0, target, 2.0], device=device)
        with pytest.raises(ValueError, match="for power="):
            seen(metric, x, y)
        good = torch.tensor([0, 2], device=device)
        alone = functional.tweedie_deviance_score(x[good], y[good], power)
        torch.testing.assert_close(metric.compute(), alone)
        for call in (
            functional.tweedie_deviance_score,
            lambda a, b, p: regression.TweedieDevianceScore(p).to(device)(a, b),
        ):
            for a in (x, x.clone().requires_grad_()):
                with pytest.raises(ValueError, match="for power="):
                    call(a, y, power)
        with pytest.raises(RuntimeError, match="weights"):
            seen(metric, x[:1], y[:1], weights=torch.tensor([-1.0], device=device))
    assert regression.TweedieDevianceScore().to(device)(x, -x).item() == pytest.approx((4 * x.square()).mean().item())

# SPDX-License-Identifier: Apache-2.0
"""The bootstrap of clusters from their states is that of their samples."""

import warnings

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import f1_score

from fastmetrics import MaxMetric, MetricCollection, MinMetric
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryROC,
    MulticlassAccuracy,
    MulticlassF1Score,
)
from fastmetrics.nominal import FleissKappa
from fastmetrics.regression import MeanSquaredError, PearsonCorrCoef, R2Score
from tests.intervals.test_groups import grouped
from tests.support.cases import C

U, DRAWS = 4, 15  # the last cluster has no samples


def clusters_of(n):
    return torch.arange(n) % (U - 1)


def ends_of(values, level):
    values = np.asarray([value.numpy() for value in values], dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of draws that are all undefined
        low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return torch.tensor(low), torch.tensor(high)


def close(got, expected):
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-6, equal_nan=True)


def direct(kind, options, inputs, clusters, keywords, level, seed, method):
    """The ends from the values of the metric alone on all samples of the clusters that are drawn, or not left out."""
    number = len(clusters.unique())

    def value(chosen):
        samples = torch.cat([(clusters == cluster).nonzero()[:, 0] for cluster in chosen])
        alone = kind(**options)
        alone.update(*(of[samples] for of in inputs), **{name: of[samples] for name, of in keywords.items()})
        return alone.compute()

    if method == "bootstrap":
        drawn = torch.randint(number, (DRAWS, number), generator=torch.Generator().manual_seed(seed))
        return ends_of([value(one) for one in drawn], level)
    without = torch.stack([value([c for c in range(number) if c != one]) for one in range(number)]).double().numpy()
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(np.var(without, axis=0) * (number - 1))
    whole = value(range(number)).double()
    return whole - torch.tensor(half), whole + torch.tensor(half)


@grouped
def test_every_metric_is_resampled_as_its_samples_are(kind, options, batch):
    inputs = batch(0)
    clusters = clusters_of(len(inputs[0]))
    metric = kind(**options, num_groups={"half": 2, "user": U})
    metric.update(*inputs, groups={"half": clusters % 2, "user": clusters})
    if kind in (MinMetric, MaxMetric, FleissKappa) or options.get("normalization") == "range":
        with pytest.raises(ValueError, match="does not add up over samples"):
            metric.interval(0.8, clusters="user")
        return
    for method in ("bootstrap", "jackknife"):
        ends = metric.interval(0.8, method, clusters="user", draws=DRAWS, seed=5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            close(ends, direct(kind, options, inputs, clusters, {}, 0.8, 5, method))
        assert ends[0].shape == metric.compute().shape
        assert ends[0].dtype == metric.dtype


def of_users(n, users, seed=0):
    """Labels that are right more often for some users than for others."""
    generator = torch.Generator().manual_seed(seed)
    user = torch.randint(0, users, (n,), generator=generator)
    right = torch.rand(users, generator=generator)[user]
    target = torch.randint(0, C, (n,), generator=generator)
    wrong = (target + torch.randint(1, C, (n,), generator=generator)) % C
    return torch.where(torch.rand(n, generator=generator) < right, target, wrong), target, user


def test_it_is_the_bootstrap_of_clusters_by_numpy():
    """With draws of another generator, from the samples: the ends are near, and those of samples are not."""
    preds, target, user = of_users(3000, 60)
    metric = MulticlassF1Score(C, num_groups={"user": 80}, intervals=True)
    metric.update(preds, target, groups={"user": user})
    generator = np.random.default_rng(1)
    members = [(user == one).nonzero()[:, 0].numpy() for one in range(60)]
    values = []
    for _ in range(800):
        samples = np.concatenate([members[one] for one in generator.integers(0, 60, 60)])
        values.append(f1_score(target.numpy()[samples], preds.numpy()[samples], average="macro"))
    expected = np.quantile(values, [0.025, 0.975])
    ends = np.array([end.item() for end in metric.interval(clusters="user")])
    width = expected[1] - expected[0]
    assert np.abs(ends - expected).max() < 0.1 * width
    low, high = metric.interval()
    assert high - low < 0.5 * width


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (MulticlassAccuracy, {"num_classes": C}),
        (MulticlassF1Score, {"num_classes": C, "average": None}),
        (MeanSquaredError, {}),
        (PearsonCorrCoef, {}),
        (R2Score, {}),
    ],
)
def test_weighted_samples_are_resampled_too(kind, options):
    preds, target, user = of_users(40, U - 1)
    if kind.__module__.startswith("fastmetrics.regression"):
        preds, target = preds + 100.0, target + 100 + user / 10
    weights = torch.rand(40, generator=torch.Generator().manual_seed(2))
    metric = kind(**options, num_groups=U)
    metric.update(preds, target, groups=user, weights=weights)
    for method in ("bootstrap", "jackknife"):
        ends = metric.interval(0.8, method, clusters="groups", draws=DRAWS, seed=1)
        close(ends, direct(kind, options, (preds, target), user, {"weights": weights}, 0.8, 1, method))


def test_what_is_given_with_the_clusters():
    preds, target, user = of_users(200, 20)
    metric = MulticlassF1Score(C, num_groups=20)
    metric.update(preds, target, groups=user)
    one, other = (metric.interval(clusters="groups", draws=50, seed=seed) for seed in (0, 1))
    assert one == metric.interval(0.95, "bootstrap", clusters="groups", draws=50)
    assert one != other
    collection = MetricCollection(
        {"f1": MulticlassF1Score(C, num_groups=20), "acc": MulticlassAccuracy(C, num_groups=20)}
    )
    collection.update(preds, target, groups=user)
    assert collection.interval(clusters="groups", draws=50)["f1"] == one
    single = MulticlassF1Score(C, num_groups=20)
    single.update(preds, target, groups=torch.zeros_like(user))
    for method in ("bootstrap", "jackknife"):  # one cluster says nothing of others
        assert torch.stack(single.interval(0.95, method, clusters="groups")).isnan().all()
    with pytest.warns(UserWarning, match="before the ``update``"):
        assert torch.stack(MulticlassF1Score(C, num_groups=20).interval(clusters="groups")).isnan().all()
    for wrong, match in (
        ({"clusters": "user"}, r"expected `clusters` to be one of \['groups'\], but got 'user'"),
        ({"clusters": "groups", "method": "wilson"}, r"expected `method` to be one of \['bootstrap', 'jackknife'\]"),
        ({"clusters": 3}, "but got 3"),
    ):
        with pytest.raises(ValueError, match=match):
            metric.interval(**wrong)
    with pytest.raises(ValueError, match=r"num_groups=\{'user': \.\.\.\}"):
        MulticlassF1Score(C).interval(clusters="user")
    curve = BinaryROC(thresholds=5, num_groups=20)
    curve.update(torch.rand(200), target % 2, groups=user)
    with pytest.raises(ValueError, match="has several values"):
        curve.interval(clusters="groups")


@pytest.mark.parametrize(
    ("kind", "options"),
    [(MulticlassF1Score, {"num_classes": C}), (BinaryAUROC, {"thresholds": 9}), (PearsonCorrCoef, {}), (R2Score, {})],
)
@pytest.mark.parametrize("method", ["bootstrap", "jackknife"])
def test_clusters_within_groups_are_those_of_their_samples(kind, options, method):
    generator = torch.Generator().manual_seed(5)
    preds, target = (torch.randint(0, C, (400,), generator=generator) for _ in range(2))
    if kind is BinaryAUROC:
        preds, target = torch.rand(400, generator=generator), target % 2
    elif kind is not MulticlassF1Score:
        preds, target = (v.double() + torch.rand(400, generator=generator) for v in (preds, preds + target))
    country, user = torch.arange(400) % 3, torch.randint(0, 9, (400,), generator=generator)
    user = torch.where(country == 2, 4, user)  # a country with one user; and one without any
    weights = 0.5 + torch.rand(400, generator=generator)
    metric = kind(**options, num_groups={"country": 4, "device": 2, "user": 4 * 9})
    for part in (slice(0, 150), slice(150, None)):
        of = {"country": country[part], "device": user[part] % 2, "user": (country * 9 + user)[part]}
        metric.update(preds[part], target[part], weights=weights[part], groups=of)
    asked = {"method": method, "draws": DRAWS, "seed": 2}
    found = metric.interval_by_group(clusters={"country": "user"}, **asked)
    assert found.keys() == {"country"}
    ends = torch.stack(found["country"])
    assert ends.shape == (2, 4)
    assert ends[:, 2:].isnan().all()
    for group in range(2):
        mine = country == group
        alone = kind(**options, num_groups={"user": 9})
        alone.update(preds[mine], target[mine], weights=weights[mine], groups={"user": user[mine]})
        close(ends[:, group], torch.stack(alone.interval(clusters="user", **asked)).double())
    with pytest.raises(ValueError, match="'user' are no clusters within the groups of 'device'"):
        metric.interval_by_group(clusters={"device": "user"})
    with pytest.raises(ValueError, match=r"'device' are no clusters within the groups of 'country'.*G \* U"):
        metric.interval_by_group(clusters={"country": "device"})
    with pytest.raises(ValueError, match="but got 'town'"):
        metric.interval_by_group(clusters={"country": "town"})
    collection = MetricCollection([metric])
    (of_member,) = collection.interval_by_group(clusters={"country": "user"}, **asked).values()
    torch.testing.assert_close(of_member["country"], found["country"], equal_nan=True)


def correlated_labels(n, generator):
    """Users of which each is right with a probability of its own, 0.75 in the mean, and have up to 19 samples."""
    sizes = torch.randint(1, 20, (n,), generator=generator)
    right = torch.rand(n, generator=generator).sqrt() * 0.5 + 0.75 - 1 / 3
    user = torch.arange(n).repeat_interleave(sizes)
    target = torch.zeros(len(user), dtype=torch.int64)
    return (torch.rand(len(user), generator=generator) >= right[user]).long(), target, user


def correlated_errors(n, generator):
    """Users with an error of variance 1 and samples of variance 1 around it."""
    user = torch.arange(n).repeat_interleave(torch.randint(5, 15, (n,), generator=generator))
    error = torch.randn(n, generator=generator)[user] + torch.randn(len(user), generator=generator)
    target = torch.randn(len(user), generator=generator)
    return target + error, target, user


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "batch", "true"), [(BinaryAccuracy, correlated_labels, 0.75), (MeanSquaredError, correlated_errors, 2.0)]
)
def test_nominal_95_per_cent_of_correlated_data_hold_93_and_a_half_to_96_and_a_half(kind, batch, true):
    generator = torch.Generator().manual_seed(2024)
    repeats, users, of_samples = 800, 200, 0
    held = dict.fromkeys(("bootstrap", "jackknife"), 0)
    metric = kind(num_groups={"user": users}, intervals=True)
    for seed in range(repeats):
        metric.reset()
        preds, target, user = batch(users, generator)
        metric.update(preds, target, groups={"user": user})
        for method in held:
            low, high = metric.interval(0.95, method, clusters="user", draws=300, seed=seed)
            held[method] += bool(low <= true <= high)
        low, high = metric.interval()
        of_samples += bool(low <= true <= high)
    for times in held.values():
        assert 0.935 <= times / repeats <= 0.965
    assert of_samples / repeats < 0.9

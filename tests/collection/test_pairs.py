# SPDX-License-Identifier: Apache-2.0
"""Collections of regression metrics, which read pairs of numbers."""

import copy
import pickle

import pytest
import torch

from fastmetrics import MetricCollection
from fastmetrics.regression import (
    ExplainedVariance,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MinkowskiDistance,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    RelativeSquaredError,
    TweedieDevianceScore,
)
from tests.support.collections import Operators, same

pytestmark = pytest.mark.filterwarnings("ignore")


def pairs_members(outputs):
    more = {} if outputs == 1 else {"num_outputs": outputs}
    return {
        "mse": MeanSquaredError(**more),
        "mae": MeanAbsoluteError(**more),
        "r2": R2Score(multioutput="raw_values"),
        "pearson": PearsonCorrCoef(**more),
    }


def more_pairs_members():
    return {
        "explained": ExplainedVariance(multioutput="raw_values"),
        "log cosh": LogCoshError(),
        "percentage": MeanAbsolutePercentageError(),
        "normalized": NormalizedRootMeanSquaredError("range"),
        "relative": RelativeSquaredError(),
    }


def pairs_batch(shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(shape, generator=generator).to(dtype) for _ in range(2))


@pytest.mark.parametrize(
    ("outputs", "more", "shape"),
    [(1, {}, (9,)), (1, more_pairs_members(), (9,)), (1, {}, (9, 1)), (3, {}, (9, 3))],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metrics_of_pairs_are_one_call(outputs, more, shape, dtype):
    collection = MetricCollection({**pairs_members(outputs), **copy.deepcopy(more)})
    separate = {**pairs_members(outputs), **copy.deepcopy(more)}
    options = {"weights": torch.rand(9), "valid": torch.rand(shape) < 0.7}
    for seed, (call, given) in enumerate([("update", {}), ("forward", {}), ("forward", options), ("update", options)]):
        batch = pairs_batch(shape, seed, dtype)
        with Operators() as calls:
            values = getattr(collection, call)(*batch, **given)
        assert len(calls.seen) == 1
        expected = {name: getattr(metric, call)(*batch, **given) for name, metric in sorted(separate.items())}
        if call == "forward":
            same({name: values[name] for name in expected}, expected)
    assert len(collection.compute_groups) == 1
    expected = {name: metric.compute() for name, metric in sorted(separate.items())}
    for one in (collection, pickle.loads(pickle.dumps(collection)), collection.clone()):
        same({name: one.compute()[name] for name in expected}, expected)  # dtypes too: some follow float64 inputs
    collection.reset()
    collection.update(*pairs_batch(shape))
    assert {value.dtype for value in collection.compute().values()} == {torch.float32}


def test_numbers_of_outputs_that_the_data_has_part_a_group():
    collection = MetricCollection({"mse": MeanSquaredError(), "r2": R2Score(multioutput="raw_values")})
    explained = ExplainedVariance(multioutput="raw_values")
    three = MetricCollection({"mae": MeanAbsoluteError(), "explained": explained.clone()})
    assert len(collection.compute_groups) == len(three.compute_groups) == 1
    separate = {"mse": MeanSquaredError(), "r2": R2Score(multioutput="raw_values")}
    for epoch in range(2):
        for seed, call in enumerate(("update", "forward")):
            batch = pairs_batch((9, 3), seed)
            with Operators() as calls:
                values = getattr(collection, call)(*batch)
            assert len(calls.seen) == 2
            expected = {name: getattr(metric, call)(*batch) for name, metric in separate.items()}
            if call == "forward":
                same(values, expected)
        same(collection.compute(), {name: metric.compute() for name, metric in separate.items()})
        assert len(collection.compute_groups) == 2
        addresses = [collection[name].count.data_ptr() for name in separate]
        if epoch == 0:
            for one in (collection, *separate.values()):
                one.reset()
            assert addresses == [collection[name].count.data_ptr() for name in separate]
    cube, weights, valid = pairs_batch((9, 2, 3)), torch.rand(9, 2), torch.rand(9) < 0.5
    three.update(*cube, weights=weights, valid=valid)
    explained.update(*cube, weights=weights, valid=valid)
    assert torch.equal(three.compute()["explained"], explained.compute())
    assert three.compute()["explained"].shape == (2, 3)
    # without data, they are one again once a batch fits both
    collection.reset()
    collection.update(*pairs_batch(9))
    with Operators() as calls:
        collection.update(*pairs_batch(9))
    assert len(calls.seen) == len(collection.compute_groups) == 1


def test_a_batch_that_one_member_does_not_take():
    collection = MetricCollection(pairs_members(1))
    collection.update(*pairs_batch(9))
    before = {name: {k: v.clone() for k, v in m.metric_state.items()} for name, m in collection.items()}
    for batch, options, error in (
        (pairs_batch((9, 2, 2)), {}, ValueError),  # R2 is 2-D at most
        (pairs_batch((9, 2)), {}, ValueError),  # Pearson has one output
        (pairs_batch(9), {"weights": torch.ones(8)}, ValueError),
        ((torch.ones(9), torch.ones(8)), {}, RuntimeError),
    ):
        for call in (collection.update, collection.forward):
            with pytest.raises(error):
                call(*batch, **options)
    inferred = MetricCollection([MeanSquaredError(), R2Score()])
    inferred.update(*pairs_batch(9))
    with pytest.raises(RuntimeError, match="Call `reset`"):
        inferred.update(*pairs_batch((9, 2)))
    assert [metric.count.tolist() for metric in inferred.values()] == [[9.0], [9.0]]
    with pytest.raises(RuntimeError, match="weights"):  # the values of the others are counted
        collection.update(*pairs_batch(1), weights=torch.tensor([-1.0]))
    for name, metric in collection.items():
        for key, state in metric.metric_state.items():
            assert torch.equal(state, before[name][key]), (name, key)
    assert len(collection.compute_groups) == 1


def test_metrics_of_other_inputs_and_of_a_deviance_among_those_of_pairs():
    collection = MetricCollection({**pairs_members(1), "poisson": TweedieDevianceScore(1), "p": MinkowskiDistance(3)})
    batch = pairs_batch(9)
    with Operators() as calls:
        collection.update(*batch)
    assert len(calls.seen) == 2
    for name in ("poisson", "p"):
        alone = TweedieDevianceScore(1) if name == "poisson" else MinkowskiDistance(3)
        assert torch.equal(collection.compute()[name], alone(*batch))
    with pytest.raises(RuntimeError, match="greater than 0"):
        collection.update(-batch[0], batch[1])

# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to a collection and its members, they are what the same metrics by themselves would be."""

import copy
import pickle
import warnings

import pytest
import torch
import torchmetrics
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from torchmetrics.wrappers import ClasswiseWrapper

from fastmetrics import CatMetric, MaxMetric, MeanMetric, MetricCollection, MinMetric, SumMetric, regression
from fastmetrics import classification as ours
from fastmetrics.nominal import FleissKappa
from fastmetrics.segmentation import DiceScore, MeanIoU
from tests.support.metrics import Least

pytestmark = pytest.mark.filterwarnings("ignore")

C = 4


def classes():
    return {
        "acc": ours.MulticlassAccuracy(C),
        "f1": ours.MulticlassF1Score(C, average=None),
        "confusion": ours.MulticlassConfusionMatrix(C),
        "top2": ours.MulticlassAccuracy(C, top_k=2),
        "top3": ours.MulticlassRecall(C, top_k=3),
        "ignore": ours.MulticlassAccuracy(C, ignore_index=1),
        "samples": ours.MulticlassF1Score(C, multidim_average="samplewise"),
        "samples2": ours.MulticlassStatScores(C, multidim_average="samplewise"),
        "silent": ours.MulticlassPrecision(C, validate_args=False),
        "named": ClasswiseWrapper(ours.MulticlassRecall(C, average=None)),
    }


def classes_batch(shape, generator):
    n = 1 + shape
    return torch.randn(n, C, 3, generator=generator), torch.randint(0, C, (n, 3), generator=generator)


def outputs_of_the_data():
    return {
        "r2": regression.ExplainedVariance(multioutput="raw_values"),
        "explained": regression.ExplainedVariance(multioutput="raw_values"),
        "mean": regression.ExplainedVariance(),
        "mse": regression.MeanSquaredError(),
        "mae": regression.MeanAbsoluteError(),
        "least": Least(),
    }


def three_outputs():
    return {
        "r2": regression.R2Score(multioutput="raw_values"),
        "mse": regression.MeanSquaredError(num_outputs=3),
        "one": regression.MeanSquaredError(),
        "pearson": regression.PearsonCorrCoef(3),
        "relative": regression.RelativeSquaredError(3),
    }


def pairs_batch(shape, generator):
    shape = [(3,), (4, 3), (2, 3), (5, 1), (3, 2, 2), (2, 4)][shape]
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))


def wide_batch(shape, generator):
    return tuple(torch.randn(2 + shape, 2 if shape == 5 else 3, generator=generator) for _ in range(2))


def values():
    return {"sum": SumMetric(), "mean": MeanMetric(), "least": MinMetric(), "most": MaxMetric(), "all": CatMetric()}


def values_batch(shape, generator):
    return (torch.randn(1 + shape, generator=generator),)


def ratings():
    return {"any": FleissKappa(), "other": FleissKappa(), "fixed": FleissKappa(num_categories=3)}


def ratings_batch(shape, generator):
    return (torch.randint(0, 5, (4, 4 if shape == 5 else 3), generator=generator),)


def images():
    return {
        "any": MeanIoU(),
        "foreground": MeanIoU(include_background=False),
        "classes": MeanIoU(per_class=True),
        "dice": DiceScore(3),
        "sums": DiceScore(3, aggregation_level="global"),
    }


def images_batch(shape, generator):
    size = (1 + shape, 2 if shape == 5 else 3, 2, 2)
    return tuple(torch.randint(0, 2, size, generator=generator) for _ in range(2))


KINDS = {
    "classes": (classes, classes_batch, True),
    "outputs": (outputs_of_the_data, pairs_batch, False),
    "three outputs": (three_outputs, wide_batch, True),
    "values": (values, values_batch, False),
    "ratings": (ratings, ratings_batch, True),
    "images": (images, images_batch, True),
}
SEEDS = st.integers(0, 3)
SHAPES = st.integers(0, 5)


def outcome(call):
    """The value of a call, or the type of its error."""
    try:
        return call()
    except Exception as error:
        return type(error)


def same(a, b):
    """Whether two values or errors are equal, to the bit."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, torch.Tensor):
        if not isinstance(b, torch.Tensor):
            return False
        if a.isnan().all() and b.isnan().all():  # of no data, whose size another member may have fixed
            return True
        if a.dim() != b.dim() and 1 in (a.dim(), b.dim()):  # a checkpoint has no shape of outputs, a group may know it
            a, b = a.reshape(-1), b.reshape(-1)
        if a.shape != b.shape:
            return False
        # once a member had weights, counts of its group may come in float64
        same_dtype = a.dtype == b.dtype or {a.dtype, b.dtype} == {torch.int64, torch.float64}
        return same_dtype and torch.equal(a.nan_to_num(12345).double(), b.nan_to_num(12345).double())
    return a is b


def inner(metric):
    return metric.metric if isinstance(metric, ClasswiseWrapper) else metric


def states(metric):
    """The states of a metric that are not empty, of which others may decide the size."""
    found = {}
    for name, state in inner(metric).metric_state.items():
        one = torch.cat(state) if isinstance(state, list) and state else state
        if isinstance(one, torch.Tensor) and one.any():
            found[name] = one
    return found


class Histories(RuleBasedStateMachine):
    """A collection, and the same metrics by themselves."""

    @initialize(kind=st.sampled_from([*KINDS]), groups=st.sampled_from([True, True, True, False]))
    def start(self, kind, groups):
        self.make, self.draw, self.weighs = KINDS[kind]
        self.model = self.make()
        self.collection = MetricCollection(self.make(), compute_groups=groups)

    def batch(self, shape, seed, weighted=False, bad=False):
        generator = torch.Generator().manual_seed(seed)
        arguments = self.draw(shape, generator)
        if weighted and self.weighs:
            return arguments, {"weights": torch.rand(len(arguments[0]), generator=generator, dtype=torch.float64)}
        return arguments, {}

    def refuses(self, arguments, keywords):
        """Whether any of the metrics refuses a batch."""
        copies = copy.deepcopy(self.model)
        return any(isinstance(outcome(lambda m=m: m.update(*arguments, **keywords)), type) for m in copies.values())

    @rule(call=st.sampled_from(["update", "forward"]), shape=SHAPES, seed=SEEDS, weighted=st.booleans())
    def of_all(self, call, shape, seed, weighted):
        arguments, keywords = self.batch(shape, seed, weighted)
        if self.refuses(arguments, keywords):
            with pytest.raises((ValueError, RuntimeError, TypeError)):
                getattr(self.collection, call)(*arguments, **keywords)
            return
        got = outcome(lambda: getattr(self.collection, call)(*arguments, **keywords))
        wanted = {}
        for name in self.collection.keys(keep_base=True):
            wanted[name] = outcome(lambda name=name: getattr(self.model[name], call)(*arguments, **keywords))
        errors = [value for value in wanted.values() if isinstance(value, type)]
        if errors:
            assert got in errors
        elif call == "forward":
            assert same(got, self.collection._named({}, {id(self.collection[n]): v for n, v in wanted.items()}))

    @rule()
    def reset(self):
        self.collection.reset()
        for metric in self.model.values():
            metric.reset()

    @rule()
    def compute(self):
        got = outcome(self.collection.compute)
        wanted = {name: outcome(self.model[name].compute) for name in self.collection.keys(keep_base=True)}
        errors = [value for value in wanted.values() if isinstance(value, type)]
        if errors:
            assert got in errors
        else:
            assert same(got, self.collection._named({}, {id(self.collection[n]): v for n, v in wanted.items()}))

    @rule(call=st.sampled_from(["update", "forward"]), shape=SHAPES, seed=SEEDS, weighted=st.booleans(), data=st.data())
    def of_one(self, call, shape, seed, weighted, data):
        name = data.draw(st.sampled_from([*self.model]))
        arguments, keywords = self.batch(shape, seed, weighted)
        got, wanted = (
            outcome(lambda m=m: getattr(m[name], call)(*arguments, **keywords)) for m in (self.collection, self.model)
        )
        assert same(got, wanted)

    @rule(data=st.data())
    def reset_some(self, data):
        for name in data.draw(st.lists(st.sampled_from([*self.model]), min_size=1)):
            self.collection[name].reset()
            self.model[name].reset()

    @rule()
    def reset_each(self):
        for name in self.model:
            self.collection[name].reset()
            self.model[name].reset()

    @rule(data=st.data())
    def compute_one(self, data):
        name = data.draw(st.sampled_from([*self.model]))
        assert same(outcome(self.collection[name].compute), outcome(self.model[name].compute))

    @rule(shape=SHAPES, seed=SEEDS, weighted=st.booleans(), updates=st.integers(0, 2), data=st.data())
    def merge(self, shape, seed, weighted, updates, data):
        name = data.draw(st.sampled_from([*self.model]))
        other = inner(self.make()[name])
        arguments, keywords = self.batch(shape, seed, weighted)
        for _ in range(updates):
            outcome(lambda: other.update(*arguments, **keywords))
        got, wanted = (outcome(lambda m=m: inner(m[name]).merge_state(other)) for m in (self.collection, self.model))
        assert same(got, wanted)

    @rule(shape=SHAPES, seed=SEEDS, weighted=st.booleans(), data=st.data())
    def load_one(self, shape, seed, weighted, data):
        name = data.draw(st.sampled_from([*self.model]))
        other = inner(self.make()[name])
        arguments, keywords = self.batch(shape, seed, weighted)
        outcome(lambda: other.update(*arguments, **keywords))
        other.persistent(True)
        saved = other.state_dict()
        for metrics in (self.collection, self.model):
            inner(metrics[name]).load_state_dict(saved, strict=False)

    @rule(shape=SHAPES, seed=SEEDS, weighted=st.booleans())
    def load_all(self, shape, seed, weighted):
        other = MetricCollection(self.make())
        arguments, keywords = self.batch(shape, seed, weighted)
        outcome(lambda: other.update(*arguments, **keywords))
        other.persistent(True)
        saved = other.state_dict()
        self.collection.load_state_dict(saved, strict=False)
        for name, metric in self.model.items():
            prefix = f"{name}."
            metric.load_state_dict(
                {key.removeprefix(prefix): value for key, value in saved.items() if key.startswith(prefix)},
                strict=False,
            )

    @rule()
    def save_and_load(self):
        self.collection.persistent(True)
        saved = self.collection.state_dict()
        self.collection.persistent(False)
        self.collection.load_state_dict(saved, strict=False)
        for metric in self.model.values():
            metric.persistent(True)
            saved = metric.state_dict()
            metric.persistent(False)
            metric.load_state_dict(saved, strict=False)

    @rule(
        how=st.sampled_from([copy.deepcopy, lambda c: c.clone(), lambda c: pickle.loads(pickle.dumps(c))]),
        kept=st.booleans(),
    )
    def copied(self, how, kept):
        other = how(self.collection)
        kept, other = (self.collection, other) if kept else (other, self.collection)
        other.reset()
        arguments, keywords = self.batch(1, 9)
        outcome(lambda: other.update(*arguments, **keywords))
        self.collection = kept

    @rule(data=st.data())
    def copy_of_one(self, data):
        """What happens to the copy of a member is of no interest to it."""
        other = copy.deepcopy(self.collection[data.draw(st.sampled_from([*self.model]))])
        arguments, keywords = self.batch(1, 9)
        outcome(lambda: other.update(*arguments, **keywords))

    @rule(
        how=st.sampled_from([lambda m: m.to("cpu"), lambda m: m.half(), lambda m: m.double(), lambda m: m.float()]),
        data=st.data(),
    )
    def moved(self, how, data):
        names = data.draw(st.sampled_from([None, *self.model]))
        how(self.collection if names is None else self.collection[names])
        for metric in self.model.values() if names is None else [self.model[names]]:
            how(metric)

    @rule(data=st.data())
    def state_replaced(self, data):
        name = data.draw(st.sampled_from([*self.model]))
        metrics = [inner(self.collection[name]), inner(self.model[name])]
        if not metrics[1].update_called:  # the size of a state that nothing has sized
            return
        state = data.draw(st.sampled_from(sorted(metrics[1]._statistics.shapes)))
        for metric in metrics:
            old = getattr(metric, state)
            setattr(metric, state, [value.clone() for value in old] if isinstance(old, list) else old + 1)

    @rule(shape=SHAPES, seed=SEEDS, groups=st.booleans())
    def in_a_collection_of_torchmetrics(self, shape, seed, groups):
        arguments, keywords = self.batch(shape, seed)
        # theirs counts the updates of a wrapper, not those of what it wraps
        names = [name for name, metric in self.model.items() if metric is inner(metric)]
        # and gives all metrics of a group the count of the first
        if self.refuses(arguments, keywords) or len({self.model[name].update_count for name in names}) > 1:
            return
        outer = torchmetrics.MetricCollection({n: self.collection[n] for n in names}, compute_groups=groups)
        for call in ("update", "forward", "update"):
            got = outcome(lambda call=call: getattr(outer, call)(*arguments, **keywords))
            wanted = [outcome(lambda n=n, call=call: getattr(self.model[n], call)(*arguments)) for n in names]
            assert isinstance(got, type) == any(isinstance(value, type) for value in wanted)
            if isinstance(got, type):
                break
        list(outer.values())  # takes apart the states that it has given to several

    @precondition(lambda self: len(self.model) > 2)
    @rule(data=st.data())
    def removed(self, data):
        name = data.draw(st.sampled_from([*self.model]))
        metric = self.collection.pop(name)
        arguments, keywords = self.batch(1, 9)
        outcome(lambda: metric.update(*arguments, **keywords))
        del self.model[name]

    @rule(data=st.data())
    def replaced(self, data):
        name = data.draw(st.sampled_from([*self.make()]))
        self.collection[name], self.model[name] = self.make()[name], self.make()[name]

    @rule()
    def in_two_collections(self):
        """The second takes the metrics away from the first, which takes them back."""
        other = MetricCollection(dict(self.collection.items(keep_base=True)))
        arguments, keywords = self.batch(1, 5)
        if not self.refuses(arguments, keywords):
            outcome(lambda: other.update(*arguments, **keywords))
            for name in other.keys(keep_base=True):
                outcome(lambda name=name: self.model[name].update(*arguments, **keywords))

    @rule(data=st.data())
    def synced_and_given_back(self, data):
        """Over two processes that have the same."""
        name = data.draw(st.sampled_from([*self.model]))
        member = inner(self.collection[name])
        options = {"dist_sync_fn": lambda tensor, group=None: [tensor, tensor]}
        with member.sync_context(**options, distributed_available=lambda: True):
            for other in self.collection.keys(keep_base=True):
                if other != name:
                    got = outcome(lambda other=other: self.collection[other].compute(sync=False))
                    assert same(got, outcome(lambda other=other: self.model[other].compute(sync=False)))

    @invariant()
    def they_are_the_same(self):
        for name, metric in self.model.items():
            one, other = inner(self.collection[name]), inner(metric)
            assert (one.update_count, one.update_called) == (other.update_count, other.update_called), name
            got, wanted = states(one), states(other)
            assert same(got, wanted), (name, got, wanted)
            value, expected = (outcome(lambda m=m: m.compute(sync=False)) for m in (one, other))
            assert same(value, expected), (name, value, expected)


def run(examples, steps):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Histories.TestCase.settings = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        Histories.TestCase("runTest").runTest()


@pytest.mark.slow
def test_histories():
    run(60, 20)

# SPDX-License-Identifier: Apache-2.0
"""Curves at all scores in little memory: joined batches, counted 16-bit scores, and bins with bounds."""

import copy
import gc
import itertools
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from fastmetrics.classification import curves
from fastmetrics.formulas.curve_table import Sorted
from fastmetrics.native import memory as curve_memory
from fastmetrics.statistics import scores as statistics
from fastmetrics.statistics.buffers import AT_ONCE
from fastmetrics.statistics.room import MOST

pytestmark = pytest.mark.filterwarnings("ignore")

HALVES = (torch.float16, torch.bfloat16)
C = 3


@pytest.fixture
def counts_soon(monkeypatch):
    """Count 16-bit scores from a number of them on that tests reach."""
    monkeypatch.setattr(statistics, "MANY", 40)


def batch(task, n, dtype=torch.float32, seed=0, spread=2.0):
    generator = torch.Generator().manual_seed(seed)
    shape = (n,) if task == "Binary" else (n, C)
    scores = torch.randn(shape, generator=generator, dtype=torch.float64).mul(spread)
    scores = scores.softmax(1) if task == "Multiclass" else scores.sigmoid()
    target = torch.randint(0, C if task == "Multiclass" else 2, (n,) if task == "Multiclass" else shape)
    return scores.to(dtype), target


def metrics(task, **options):
    options |= {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": C}}[task]
    return [getattr(ours, f"{task}{name}")(**options) for name in ("AUROC", "AveragePrecision", "ROC")]


def same(one, other):
    if isinstance(one, torch.Tensor):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    else:
        for a, b in zip(one, other, strict=True):
            same(a, b)


def test_small_batches_are_joined_and_take_little_room_beside_the_scores():
    metric, whole = ours.BinaryAUROC(), ours.BinaryAUROC()
    scores, target = batch("Binary", 30_000)
    for some in torch.arange(30_000).split(7):
        metric.update(scores[some], target[some])
    whole.update(scores, target)
    assert len(metric.scores) < 4 * AT_ONCE
    assert sum(part.untyped_storage().nbytes() for part in metric.scores) <= 4 * (len(scores) + MOST)
    assert torch.equal(torch.cat(metric.scores), whole.scores[0])  # in their order
    same(metric.compute(), whole.compute())


@pytest.mark.parametrize("size", [512, 4096, 100_000])
def test_a_sample_takes_at_most_five_bytes(size):
    n = 300_000
    scores, target = batch("Binary", n)
    for logits, most in ((None, 4), (True, 4), (False, 5)):
        metric = ours.BinaryAUROC(logits=logits)
        for some in torch.arange(n).split(size):
            metric.update(scores[some], target[some])
        kept = [*metric.scores, *(metric.labels if logits is False else [])]
        assert sum(len(part) for part in metric.scores) == n
        storages = {part.untyped_storage().data_ptr(): part.untyped_storage().nbytes() for part in kept}
        assert most * n <= sum(storages.values()) <= most * (n + MOST)  # and the room of small batches


def test_memory_of_a_sort_serves_the_next_one(monkeypatch):
    gc.collect()  # what other tests have left gives nothing back meanwhile
    monkeypatch.setattr(curve_memory, "BYTES", range(400, 50_001))
    monkeypatch.setattr(curve_memory, "_spare", {})
    one, other, large = (batch("Binary", n, seed=n)[0].neg()[:, None] for n in (5000, 4800, 12_501))

    def memory(made):
        return made.points().scores[0].untyped_storage().data_ptr()

    first, second = Sorted(one), Sorted(other)  # in use at the same time
    place, areas = memory(first), first.areas()
    assert memory(second) != place
    del first
    again = Sorted(other)
    assert memory(again) == place
    assert torch.equal(again.areas(), second.areas())
    del again
    with torch.inference_mode():
        assert memory(Sorted(one)) == place
    assert torch.equal(Sorted(one).areas(), areas)
    del second
    kept = list(curve_memory._spare)
    assert place in [block.data_ptr() for block in curve_memory._spare.values()]
    memory(Sorted(large))
    assert list(curve_memory._spare) == kept  # no more than a bound


def test_values_stay_when_the_memory_of_their_sort_is_used_again():
    scores, target = batch("Binary", 400_000)  # enough for its memory to be kept
    half = slice(None, 300_000)
    metrics = MetricCollection([ours.BinaryROC(), ours.BinaryPrecisionRecallCurve(), ours.BinaryAUROC()])
    metrics.update(scores[half], target[half])
    early = metrics.compute()
    copies = copy.deepcopy(early)
    metrics.update(1 - scores[300_000:], target[300_000:])
    metrics.compute()
    for name, value in early.items():
        same(value, copies[name])


def test_tensors_that_someone_has_do_not_grow():
    metric = ours.BinaryAUROC(logits=False)
    scores, target = batch("Binary", 90)
    seen = []
    for i, some in enumerate(torch.arange(90).split(9)):
        metric.update(scores[some], target[some])
        if i == 2:
            seen = [*metric.scores, *metric.labels]
        elif i == 4:
            copies = [metric.clone(), copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))]
        elif i == 6:
            value, sizes = metric.compute(), [len(part) for part in metric.scores]
    assert [len(part) for part in seen] == [27, 27]
    assert sizes == [27, 18, 18]
    assert [len(part) for part in metric.scores] == [27, 18, 18, 27]
    again = ours.BinaryAUROC(logits=False)
    for other, n in [*((one, 45) for one in copies), (metric, 90)]:
        again.reset()
        again.update(scores[:n], target[:n])
        same(other.compute(), again.compute())
        other.update(scores[:9], target[:9])  # goes to it alone
        assert sum(map(len, other.scores)) == n + 9
    again.reset()
    again.update(scores[:63], target[:63])
    same(value, again.compute())
    metric.reset()
    metric.update(scores[:9], target[:9])
    assert [len(part) for part in metric.scores] == [9]


def test_a_small_batch_that_is_refused_is_not_kept():
    metric = ours.BinaryAUROC()
    metric.update(torch.tensor([0.2, 0.8]), torch.tensor([0, 1]))
    with pytest.raises(RuntimeError, match="7"):
        metric.update(torch.tensor([0.3, 0.9]), torch.tensor([7, 1]))
    metric.update(torch.tensor([0.1], requires_grad=True), torch.tensor([0.0]))
    with torch.inference_mode():
        metric.update(torch.tensor([0.4]), torch.tensor([1]))
    metric.update(torch.tensor(0.6), torch.tensor(1))
    found = torch.cat(metric.scores)[:, 0]
    torch.testing.assert_close(found.nan_to_num(9), torch.tensor([-0.2, 0.8, 9, 0.9, -0.1, 0.4, 0.6]))
    assert metric.compute() == 1


@pytest.mark.parametrize(("logits", "most"), [(None, 4), (False, 5)])
def test_a_sample_of_float32_takes_at_most_5_bytes(logits, most):
    metric = ours.BinaryAUROC(logits=logits)
    for some in torch.arange(40_000).split(2000):
        metric.update(torch.rand(len(some)), some % 2)
    kept = [*metric.scores, *getattr(metric, "labels", [])]
    assert sum(part.untyped_storage().nbytes() for part in kept) == most * 40_000


def test_a_metric_that_computes_keeps_no_sort():
    metric = ours.BinaryAUROC()
    metric.update(*batch("Binary", 500))
    value = metric.compute()
    assert not curves._last
    metric.scores[0].fill_(torch.nan)  # it was not copied for that, nor is it remembered
    metric._computed = None
    assert metric.compute() != value


@given(st.lists(st.integers(0, 200), max_size=120))
@settings(max_examples=20, deadline=None)
def test_batches_of_any_sizes_are_joined_in_their_order(sizes):
    metric = ours.BinaryAUROC(logits=False)
    scores, target = batch("Binary", sum(sizes))
    for some in torch.arange(len(scores)).split(sizes):
        metric.update(scores[some], target[some])
    assert torch.equal(torch.cat([*metric.scores, scores[:0, None]])[:, 0], scores)
    assert torch.equal(torch.cat([*metric.labels, target[:0, None]])[:, 0].long(), target)
    kept = copy.deepcopy(metric)
    metric.update(*batch("Binary", 20))
    assert sum(map(len, kept.scores)) == len(scores)


@pytest.mark.parametrize("logits", [None, False])
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("task", ["Binary", "Multiclass", "Multilabel"])
def test_counted_scores_give_the_curves_of_kept_ones(task, dtype, logits, monkeypatch):
    scores, target = batch(task, 500, dtype)
    if logits is False:
        scores = scores * 3 - 1
    target[::7] = -1
    found = []
    for many in (10**9, 40, 300, 1):
        monkeypatch.setattr(statistics, "MANY", many)
        counted = metrics(task, logits=logits, ignore_index=-1)
        for metric in counted:
            for some in torch.arange(500).split([200, 10, 10, 1, 179, 30, 70]):
                metric.update(scores[some], target[some])
            assert bool(metric.counts) == (many < 1000)
        found.append([metric.compute() for metric in counted])
    for values in found[1:]:
        same(values, found[0])


@pytest.mark.parametrize("logits", [None, False])
def test_types_of_scores_in_any_order(logits, counts_soon):
    parts = [batch("Multilabel", 90, dtype, seed) for seed, dtype in enumerate((*HALVES, torch.float32))]
    exact = metrics("Multilabel", logits=logits)
    for metric in exact:
        for scores, target in parts:
            metric.update(scores.float(), target)
    for order in itertools.permutations(parts):
        for metric, expected in zip(metrics("Multilabel", logits=logits), exact, strict=True):
            for scores, target in order:
                metric.update(scores[:50], target[:50])
                metric.update(scores[50:], target[50:])
            same(metric.compute(), expected.compute())


@pytest.mark.parametrize("options", [{}, {"bins": 2**8}])
def test_counts_are_merged_copied_and_kept_in_collections(options, counts_soon):
    scores, target = batch("Binary", 300, torch.bfloat16)
    whole = ours.BinaryAUROC(**options)
    whole.update(scores, target)
    parts = []
    for some in torch.arange(300).split(100):
        part = ours.BinaryAUROC(**options)
        same(part(scores[some], target[some]), ours.BinaryAUROC(**options)(scores[some], target[some]))
        parts.append(pickle.loads(pickle.dumps(part)))
    frozen = copy.deepcopy(parts[1])
    before = frozen.compute()
    parts[1].merge_state(parts[0])
    parts[1].merge_state(parts[2])
    same(parts[1].compute(), whole.compute())
    frozen._computed = None
    same(frozen.compute(), before)
    whole.persistent(True)
    loaded = ours.BinaryAUROC(**options)
    loaded.persistent(True)
    loaded.load_state_dict(whole.state_dict())
    same(loaded.compute(), whole.compute())
    whole.reset()
    whole.update(scores[:60], target[:60])
    same(whole.compute(), ours.BinaryAUROC(**options)(scores[:60], target[:60]))
    both = MetricCollection([ours.BinaryAUROC(**options), ours.BinaryAveragePrecision(**options)])
    both.update(scores, target)
    same(both.compute()["BinaryAUROC"], loaded.compute())


def test_bad_scores_of_16_bits_are_named_and_not_counted(counts_soon):
    scores, target = batch("Multilabel", 60, torch.float16)
    scores[7, 1] = torch.nan
    metric = ours.MultilabelAUROC(C)
    with pytest.raises(RuntimeError, match=f"1 NaN, the first at place {7 * C + 1} "):
        metric.update(scores.double().half().logit().nan_to_num(nan=torch.nan), target)
    metric = ours.MultilabelAUROC(C, validate_args=False)
    metric.update(scores, target)
    assert metric.counts[0].sum() in (0, 60 * C - 1)


def exact_and_bounds(scores, target, bins):
    for name, exact in (("AUROC", sklearn.roc_auc_score), ("AveragePrecision", sklearn.average_precision_score)):
        metric = getattr(ours, f"Binary{name}")(bins=bins)
        metric.update(scores, target)
        low, high = metric.bounds()
        yield exact(target, scores), low.item(), high.item(), metric.compute().item()


@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(0, 1, width=32), st.floats(0.96875, 1, width=32), st.floats(0, 2**-20, width=32)),
            st.booleans(),
        ),
        min_size=2,
        max_size=60,
    ),
    st.sampled_from([6, 8, 12, 16]),
)
@settings(max_examples=25, deadline=None)
def test_bounds_contain_the_exact_value(samples, bits):
    scores, target = torch.tensor([s for s, _ in samples]), torch.tensor([int(t) for _, t in samples])
    target[0], target[1] = 0, 1
    for exact, low, high, value in exact_and_bounds(scores, target, 1 << bits):
        assert low <= exact <= high
        assert low <= value <= high


@pytest.mark.parametrize("kind", ["uniform", "beta", "saturated", "zeros and ones"])
def test_bounds_of_the_proposed_bins_are_narrow(kind):
    torch.manual_seed(3)
    n = 200_000
    scores = {
        "uniform": torch.rand(n),
        "beta": torch.distributions.Beta(0.3, 2.0).sample((n,)),
        "saturated": torch.randn(n).mul(20).sigmoid(),
        "zeros and ones": torch.randint(0, 2, (n,)).float(),
    }[kind]
    target = (torch.rand(n) < 0.2 + 0.5 * scores).long()
    for exact, low, high, _ in exact_and_bounds(scores, target, 2**20):
        assert low <= exact <= high
        assert high - low < 1e-4


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_bounds_of_several_columns(average):
    scores, target = batch("Multilabel", 3000)
    for name in ("AUROC", "AveragePrecision"):
        metric = getattr(ours, f"Multilabel{name}")(C, average=average, bins=2**12)
        exact = getattr(ours, f"Multilabel{name}")(C, average=average)
        metric.update(scores, target)
        exact.update(scores, target)
        low, high = metric.bounds()
        assert (low <= exact.compute()).all()
        assert (exact.compute() <= high).all()
        assert (high - low > 1e-5).all()
        assert (high - low < 0.01).all()
        same(exact.bounds(), (exact.compute(), exact.compute()))


def test_curves_of_bins():
    scores, target = batch("Binary", 500)
    metric, exact = ours.BinaryROC(bins=2**24), ours.BinaryROC()
    metric.update(scores, target)
    exact.update(scores, target)
    assert len(metric.compute()[0]) == len(exact.compute()[0])  # each score has an interval of its own
    same(metric.compute()[:2], exact.compute()[:2])


def test_arguments_of_bins():
    for wrong in (100, 2, 2**25, 0.5):
        with pytest.raises(ValueError, match=r"`bins` to be a power of two"):
            ours.BinaryAUROC(bins=wrong)
    with pytest.raises(ValueError, match="either `bins` or `thresholds`"):
        ours.BinaryAUROC(thresholds=5, bins=64)
    with pytest.raises(ValueError, match="at most 32 bits"):
        ours.BinaryAUROC(bins=64).update(torch.rand(3).double(), torch.tensor([0, 1, 1]))
    with pytest.raises(ValueError, match="bounds"):
        ours.BinaryAUROC(thresholds=5).bounds()
    with pytest.raises(ValueError, match="bounds"):
        ours.BinaryAUROC(max_fpr=0.5, bins=64).bounds()


@pytest.mark.filterwarnings("default")
def test_much_memory_is_warned_of_once(monkeypatch):
    monkeypatch.setattr(statistics, "MANY", 100)
    monkeypatch.setattr(statistics, "WARN_FROM", 1000)
    metric = ours.BinaryAUROC()
    with pytest.warns(UserWarning, match=r"1,200 bytes.*`bins=2\*\*20`"):
        metric.update(*batch("Binary", 300))
    metric.update(*batch("Binary", 300))


def test_memory_that_cannot_be_had_is_an_error_that_says_how_much():
    metric = ours.BinaryAUROC()
    scores, target = batch("Binary", 50)
    metric.update(scores, target)
    value = metric.compute()
    with pytest.raises(RuntimeError, match=r"no memory.*bytes.*`thresholds`"):
        metric.update(torch.zeros(1).expand(1 << 46), torch.zeros(1, dtype=torch.int64).expand(1 << 46))
    metric._computed = None
    same(metric.compute(), value)


@pytest.mark.parametrize("options", [{"thresholds": 50}, {"bins": 2**12}])
def test_updates_of_counts_are_compiled(options):
    torch._dynamo.reset()  # there is a limit to the graphs of one function, of which other tests have some
    metric, eager = ours.BinaryAUROC(**options), ours.BinaryAUROC(**options)
    scores, target = batch("Binary", 100)
    torch.compile(metric.update, fullgraph=True, backend="eager")(scores, target)
    eager.update(scores, target)
    same(metric.compute(), eager.compute())


def test_a_million_classes_are_served():
    n = 2
    scores, target = torch.rand(n, 10**6), torch.tensor([3, 999_999])
    metric = ours.MulticlassAUROC(10**6, average=None)
    metric.update(scores, target)
    value = metric.compute()
    assert value.shape == (10**6,)
    assert value[3] == float(scores[0, 3] > scores[1, 3])
    assert value[7] == 0  # it has no positives


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["thresholds", "bins", "bfloat16"])
def test_a_hundred_million_samples_in_constant_memory(kind):
    dtype = torch.bfloat16 if kind == "bfloat16" else torch.float32
    metric = ours.BinaryAUROC(**{"thresholds": {"thresholds": 100}, "bins": {"bins": 2**16}}.get(kind, {}))
    torch.manual_seed(0)
    n, size, sizes = 10**7, 0, set()
    scores = torch.rand(n).to(dtype)
    for _ in range(10):
        metric.update(scores, torch.rand(n) < scores)
        states = [metric.histogram] if kind == "thresholds" else metric.scores
        states = [*states, *metric.counts] if kind == "bfloat16" else states
        states = [states] if isinstance(states, torch.Tensor) else states
        sizes.add(sum(state.untyped_storage().nbytes() for state in states))
        size += n
    assert size == 10**8
    assert len(sizes) == 1
    assert abs(metric.compute().item() - 5 / 6) < 1e-3  # of a positive with density 2x and a negative with 2 - 2x

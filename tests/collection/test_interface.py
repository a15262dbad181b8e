# SPDX-License-Identifier: Apache-2.0
"""Collections offer what those of torchmetrics do, to any metric."""

import copy

import pytest
import torch
import torchmetrics
import torchmetrics.classification as theirs

import fastmetrics
from fastmetrics import Metric, MetricCollection
from fastmetrics import classification as ours
from tests.support.collections import C, batch, members

pytestmark = pytest.mark.filterwarnings("ignore")


class Longest(Metric):
    """A user's metric of other arguments."""

    def __init__(self):
        super().__init__()
        self.add_state("longest", torch.tensor(0), dist_reduce_fx="max")

    def update(self, preds, target, note=""):
        self.longest = torch.maximum(self.longest, torch.tensor(len(preds) + len(note)))

    def compute(self):
        return {"longest": self.longest, "twice": 2 * self.longest}


class Counting(ours.MulticlassAccuracy):
    """Ours, with another update."""

    calls = 0

    def update(self, *args, **kwargs):
        self.calls += 1
        super().update(*args, **kwargs)


def test_mixed_with_the_metrics_of_others():
    made = {
        "ours": ours.MulticlassAccuracy(C),
        "ours too": ours.MulticlassRecall(C),
        "theirs": theirs.MulticlassAccuracy(C),
        "user": Longest(),
        "counting": Counting(C),
        "wrapped": torchmetrics.wrappers.ClasswiseWrapper(ours.MulticlassF1Score(C, average=None), labels=list("abcd")),
        "extremes": torchmetrics.wrappers.MinMaxMetric(ours.MulticlassAccuracy(C)),
    }
    collection = MetricCollection(made, prefix="p_", postfix="_q")
    assert {"ours", "ours too", "wrapped"} in [set(names) for names in collection.compute_groups.values()]
    for seed in range(2):
        preds, target = batch(seed)
        values = collection(preds=preds, target=target)
        torch.testing.assert_close(values["p_ours_q"], values["p_theirs_q"])
        assert torch.equal(values["p_ours_q"], values["p_counting_q"])
    collection.update(*batch(2))
    values = collection.compute()
    torch.testing.assert_close(values["p_ours_q"], values["p_theirs_q"])
    assert values["p_longest_q"] == 8
    assert values["p_twice_q"] == 16
    assert "p_multiclassf1score_a_q" in values
    assert {"p_min_q", "p_max_q", "p_raw_q"} <= set(values)
    assert collection["counting"].calls == 3
    here = collection.compute(sync=False)
    assert torch.equal(here["p_theirs_q"], values["p_theirs_q"])
    assert "read by themselves" in collection.explain()
    reference = torchmetrics.MetricCollection(copy.deepcopy(made), prefix="p_", postfix="_q", compute_groups=False)
    assert set(reference.compute()) == set(values)
    collection.reset()
    assert collection["user"].longest == 0
    assert collection["theirs"].update_count == 0
    filtered = MetricCollection([Longest(), ours.MulticlassAccuracy(C)])
    assert filtered(*batch(), note="abc")["longest"] == 11  # keywords go to those that take them


def test_the_interface_of_theirs():
    def names(module, library):
        nested = library.MetricCollection(
            [
                library.MetricCollection([module.MulticlassAccuracy(C), module.MulticlassRecall(C)], postfix="_macro"),
                library.MetricCollection(
                    {"a": module.MulticlassAccuracy(C, average="micro"), "f": module.MulticlassF1Score(C)}, prefix="m/"
                ),
            ],
            prefix="val/",
        )
        simple = library.MetricCollection(module.MulticlassAccuracy(C), module.MulticlassRecall(C), postfix="_x")
        ordered = library.MetricCollection(
            {"b": module.MulticlassAccuracy(C), "a": simple}, compute_groups=[["b"]], prefix="q"
        )
        found = []
        for collection in (nested, simple, ordered):
            collection.update(*batch())
            found.append(list(collection.compute()))
            found.append(list(collection(*batch())))
            found.append(list(collection.keys()))
            found.append(list(collection.keys(keep_base=True)))
            found.append([name for name, _ in collection.items(keep_base=True, copy_state=False)])
            found.append([name for name, _ in collection.items(False, True)])
            found.append([type(metric).__name__ for metric in collection.values(copy_state=True)])
            found.append([*collection, len(collection)])
            found.append(list(collection.clone(prefix="new_").compute()))
            found.append(collection.prefix)
        found.append(list(collection.metric_state))
        assert collection["qb"] is collection["b"] is collection._modules["b"]
        return found

    assert names(ours, fastmetrics) == names(theirs, torchmetrics)
    for bad, error in (
        ([ours.MulticlassAccuracy(C), ours.MulticlassAccuracy(C)], "two metrics both named"),
        ([1], "not a instance"),
        ({"a": 1}, "not an instance"),
        (3, "Unknown input"),
    ):
        with pytest.raises(ValueError, match=error):
            MetricCollection(bad)
    with pytest.raises(ValueError, match="does not match a metric"):
        MetricCollection({"a": ours.MulticlassAccuracy(C)}, compute_groups=[["b"]])
    with pytest.raises(ValueError, match="to be a string"):
        MetricCollection([], prefix=3)
    assert isinstance(MetricCollection([]), torchmetrics.MetricCollection)
    assert MetricCollection([]).compute() == {}
    collection = MetricCollection(members())
    assert collection.set_dtype(torch.float64) is collection


def test_plots():
    plt = pytest.importorskip("matplotlib.pyplot")
    collection = MetricCollection([ours.MulticlassAccuracy(C), ours.MulticlassConfusionMatrix(C)])
    collection.update(*batch())
    assert len(collection.plot()) == 2
    single = MetricCollection([ours.MulticlassAccuracy(C), ours.MulticlassRecall(C)])
    single.plot([single(*batch(seed)) for seed in range(3)], together=True)
    plt.close("all")

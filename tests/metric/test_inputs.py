# SPDX-License-Identifier: Apache-2.0
"""Arguments that are no tensors, or none that a pass can read: the error names metric, argument and rule."""

import pytest
import torch

from fastmetrics import MetricCollection
from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix
from fastmetrics.functional.classification import multiclass_accuracy
from tests.support.cases import C, every_metric, filled, same_states

pytestmark = pytest.mark.filterwarnings("ignore")


def names(metric):
    """Of the inputs that it needs."""
    parameters = metric._update_signature.parameters.values()
    return [p.name for p in parameters if p.name != "weight" and "None" not in str(p.annotation)]


@every_metric
@pytest.mark.parametrize("how", ["list", "array", "none", "number", "sparse", "nested", "quantized"])
def test_no_dense_tensor(kind, options, batch, how):
    metric = filled(kind, options, batch, 0)
    if ("values" in names(metric) or "value" in names(metric)) and how not in ("sparse", "nested", "quantized"):
        pytest.skip("aggregations take numbers, lists and arrays")
    made = {
        "list": lambda value: value.tolist(),
        "array": lambda value: value.numpy(),
        "none": lambda value: None,
        "number": lambda value: 3,
        "sparse": lambda value: value.to_sparse(),
        "nested": lambda value: torch.nested.nested_tensor([value[0], value[1]]),
        "quantized": lambda value: torch.quantize_per_tensor(value.float(), 0.1, 0, torch.qint8),
    }[how]
    for place, name in enumerate(names(metric)):
        inputs = list(batch(1))
        inputs[place] = made(inputs[place])
        collection = MetricCollection({"a": kind(**options), "b": kind(**options)})
        for call in (metric.update, metric.forward, metric.evaluate, collection.update):
            with pytest.raises((TypeError, ValueError)) as error:
                call(*inputs)
            assert f"{kind.__name__}: expected `{name}` to be a" in str(error.value)
    same_states(metric, filled(kind, options, batch, 0))


@every_metric
def test_missing_and_unknown_arguments(kind, options, batch):
    metric = kind(**options)
    for call in (metric.update, metric.forward, metric.evaluate):
        with pytest.raises(TypeError, match=f"{kind.__name__}: missing a required argument: '{names(metric)[0]}'"):
            call()
        with pytest.raises(TypeError, match=f"{kind.__name__}: got an unexpected keyword argument 'other'"):
            call(*batch(0), other=1)
    assert metric.update_count == 0


def test_one_hot_targets_are_refused():
    scores, target = torch.rand(5, C), torch.randint(0, C, (5,))
    one_hot = torch.nn.functional.one_hot(target, C)
    for metric in (MulticlassAccuracy(C), MulticlassConfusionMatrix(C), MetricCollection([MulticlassAccuracy(C)])):
        with pytest.raises(ValueError, match=r"class indices.*argmax"):
            metric.update(scores, one_hot)
    with pytest.raises(ValueError, match=r"class indices.*argmax"):
        multiclass_accuracy(scores, one_hot, num_classes=C)
    labels = torch.randint(0, C, (5, C + 1))
    MulticlassAccuracy(C).update(labels.float(), labels)  # labels of several dimensions, which came as floats
    MulticlassAccuracy(C).update(one_hot, one_hot)  # labels 0 and 1, for all that one can know

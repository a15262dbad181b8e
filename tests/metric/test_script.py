# SPDX-License-Identifier: Apache-2.0
"""TorchScript of modules that hold metrics: it leaves them out, as it does torchmetrics'."""

import pytest
import torch

from fastmetrics import MetricCollection, RunningMean, RunningSum, SumMetric
from fastmetrics.classification import MulticlassAccuracy, MulticlassF1Score
from fastmetrics.wrappers import Running
from tests.support.cases import C, every_metric

pytestmark = pytest.mark.filterwarnings("ignore")


class Net(torch.nn.Module):
    def __init__(self, metric):
        super().__init__()
        self.metric = metric
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)


def scripts(metric):
    net, x = Net(metric), torch.rand(4, 3)
    assert torch.equal(torch.jit.script(net)(x), net(x))
    assert torch.equal(torch.jit.trace(net, x)(x), net(x))


@every_metric
def test_every_metric(kind, options, batch):
    metric = kind(**options)
    scripts(metric)
    metric.update(*batch(0))
    scripts(metric)
    scripts(MetricCollection({"a": metric, "b": kind(**options)}))


def test_wrappers():
    scripts(RunningMean())
    scripts(RunningSum())
    scripts(Running(SumMetric(), 3))


def test_lightning():
    lightning = pytest.importorskip("pytorch_lightning")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)
            self.accuracy = MulticlassAccuracy(C)
            self.metrics = MetricCollection([MulticlassAccuracy(C), MulticlassF1Score(C)])

        def forward(self, x):
            return self.layer(x)

    module, x = Module(), torch.rand(4, 3)
    assert torch.equal(module.to_torchscript()(x), module(x))

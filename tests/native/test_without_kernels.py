# SPDX-License-Identifier: Apache-2.0
"""Metrics without native kernels: the same values, through the dispatcher or past it."""

import os
import subprocess
import sys
import textwrap

import pytest
import torch

from fastmetrics import native
from tests.support import ROOT

BEGIN = """
import warnings

import torch
import torchmetrics

import fastmetrics
from fastmetrics import MeanMetric, MeanSquaredError, PearsonCorrCoef, native
from fastmetrics.classification import BinaryAccuracy, MulticlassAccuracy, MulticlassF1Score
from fastmetrics.functional import mean_squared_error
from fastmetrics.passes import values_

warnings.simplefilter("ignore")
torch.manual_seed(0)
scores, target = torch.randn(200, 5), torch.randint(0, 5, (200,))
x, y = torch.randn(200) + 3, torch.randn(200) + 3
"""

CASES = {
    "values": """
        for ours, theirs, batch in (
            (MulticlassAccuracy(5), torchmetrics.classification.MulticlassAccuracy(5), (scores, target)),
            (MulticlassF1Score(5), torchmetrics.classification.MulticlassF1Score(5), (scores, target)),
            (BinaryAccuracy(), torchmetrics.classification.BinaryAccuracy(), (scores[:, 0], target % 2)),
            (MeanSquaredError(), torchmetrics.MeanSquaredError(), (x, y)),
            (PearsonCorrCoef(), torchmetrics.PearsonCorrCoef(), (x, y)),
            (MeanMetric(), torchmetrics.MeanMetric(), (x,)),
        ):
            for _ in range(3):
                torch.testing.assert_close(ours(*batch), theirs(*batch))
                ours.update(*batch), theirs.update(*batch)
            torch.testing.assert_close(ours.compute(), theirs.compute())
        assert not native.status("cpu").native
    """,
    "values out of range raise and are not counted": """
        metric = MulticlassAccuracy(5, average="micro")
        for bad in (-1, 5, 2**40):
            wrong = target.clone()
            wrong[7] = bad
            try:
                metric.update(scores, wrong)
            except RuntimeError as error:
                assert f"the first is {bad}" in str(error), error
            else:
                raise AssertionError("it was accepted")
        kept = torch.arange(200) != 7
        torch.testing.assert_close(metric.compute(), (scores[kept].argmax(1) == target[kept]).float().mean())
    """,
    "gradients": """
        leaf = x.clone().requires_grad_()
        metric = MeanSquaredError()
        metric(leaf, y).backward()
        torch.testing.assert_close(leaf.grad, 2 * (x - y) / 200)
        metric.update(leaf, y)
        assert not metric.compute().requires_grad
        assert mean_squared_error(leaf, y).requires_grad
    """,
    "states keep no graph": """
        from tests.support.cases import cases

        for case in cases():
            kind, options, batch = case.values
            leaves = [v.requires_grad_() if v.is_floating_point() else v for v in batch(0)]
            if not any(v.requires_grad for v in leaves):
                continue
            for extra in ({}, {"weights": torch.rand(len(leaves[0])).requires_grad_()}):
                metric = kind(**options)
                try:
                    metric.update(*leaves, **extra)
                except (TypeError, ValueError):
                    assert extra, case.id  # not every metric takes weights
                for name, state in metric.metric_state.items():
                    for value in state if isinstance(state, list) else [state]:
                        assert not value.requires_grad, (case.id, name)

        def total(values, weights):
            state = torch.zeros(2, dtype=torch.float64) + values.new_zeros(2, dtype=torch.float64)
            values_(values, weights, None, state[0], state[1], None, None, None, 0, 0.0)
            return state

        leaves = [torch.rand(3, 5).requires_grad_() for _ in range(2)]
        product = leaves[0].double() * leaves[1].double()
        for transform in (torch.func.functionalize, torch.func.vmap):
            found = transform(total)(*leaves)
            assert not found.requires_grad
            torch.testing.assert_close(found[..., 0].sum(), product.sum().detach())
    """,
    "transforms and tracers": """
        mean_squared_error(x, y)
        several = torch.stack([x, y]), torch.stack([y, y])
        found = torch.func.vmap(mean_squared_error)(*several)
        torch.testing.assert_close(found, torch.stack([mean_squared_error(*pair) for pair in zip(*several)]))
        metric, plain = MulticlassAccuracy(5), MulticlassAccuracy(5)
        plain.update(scores, target)
        torch.compile(metric.update, fullgraph=True, backend="aot_eager")(scores, target)
        torch.testing.assert_close(metric.compute(), plain.compute())
    """,
    "inference mode and a default device": """
        metric = PearsonCorrCoef()
        with torch.inference_mode():
            metric.update(x, y)
        metric.update(x, y)
        accuracy = BinaryAccuracy()
        torch.set_default_device("meta")
        metric.update(x, y)
        metric.update(x, y)
        accuracy.update(torch.rand(3, device="cpu"), torch.ones(3, dtype=torch.int64, device="cpu"))
        torch.set_default_device("cpu")
        torch.testing.assert_close(metric.compute(), torch.corrcoef(torch.stack([x, y]))[0, 1])
    """,
    "an operator is seen by a mode": """
        from torch.utils._python_dispatch import TorchDispatchMode

        class Seen(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                names.append(func._schema.name)
                return func(*args, **(kwargs or {}))

        names, metric = [], MeanSquaredError()
        metric.update(x, y)
        with Seen():
            metric.update(x, y)
        assert any(name.startswith("fastmetrics::") for name in names), names
    """,
}


@pytest.mark.parametrize("case", CASES)
def test_without_native_kernels(case):
    environment = {**os.environ, "FASTMETRICS_NATIVE": "off", "PYTHONPATH": str(ROOT)}
    code = BEGIN + textwrap.dedent(CASES[case])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_required_library_is_still_required():
    code = """
        import os
        os.environ["FASTMETRICS_NATIVE"] = "off"
        import torch
        from fastmetrics import MeanMetric, native
        metric = MeanMetric()
        metric.update(1.0)
        os.environ["FASTMETRICS_NATIVE"] = "require"
        other = torch.ops.fastmetrics.values_
        try:
            other(torch.ones(3), None, None, None, None, None, None, None, 0, 0.0)
        except native.NativeError:
            print("refused")
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "refused"


def test_the_first_use_is_not_in_a_capture(monkeypatch):
    """Nothing is built, loaded or remembered there."""
    monkeypatch.setattr(native, "_status", {})
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with pytest.raises(RuntimeError, match=r'Warm up first: .*fastmetrics\.build\(\["cuda"\]\)'):
        native.load("cuda")
    assert native._status == {}

# SPDX-License-Identifier: Apache-2.0
"""Who takes part in a workload: what is timed of each, and the value that it gives."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.inputs import batch_of

OURS, ALONE, READ = "fastmetrics", "alone", "read"
THEIRS, UNCHECKED, EAGER, COMPILED, TORCHEVAL = RIVALS = ("torchmetrics", "unchecked", "eager", "compile", "torcheval")


@dataclass
class Contestant:
    """One of them.

    Attributes:
        call: what is timed.
        value: what it gives for the batch, float64 ``[n]``; None if nothing to compare.
        share: of the samples that it gets.
    """

    call: Callable
    value: torch.Tensor | None
    share: float = 1.0


def flat(value):
    """A value, or the values of a collection by key, as float64 ``[n]``."""
    if isinstance(value, dict):
        return torch.cat([flat(value[key]) for key in sorted(value)])
    if isinstance(value, (list, tuple)):
        return torch.cat([flat(part) for part in value])
    return value.detach().double().flatten()


def of_metric(metric, batch, workload, prepare=None):
    """What is timed of a metric, and its value for the batch."""

    def given():
        return prepare(*batch) if prepare else batch

    metric.update(*given())
    value = flat(metric.compute())
    if workload.call == "compute":
        return Contestant(metric.compute, value)
    metric.reset()
    if workload.call == "reset":
        return Contestant(metric.reset, value)
    call = getattr(metric, workload.call)
    return Contestant((lambda: call(*prepare(*batch))) if prepare else (lambda: call(*batch)), value)


def build(spec, library, workload, device, unchecked=False):
    """The metric of a library, on the device; None if there is no such option or no such metric there."""
    # else a second `compute` returns what it kept
    options = {"compute_with_cache": False} if workload.call == "compute" and library != "torcheval.metrics" else {}
    made = spec.build(library, unchecked, **options)
    return None if made is None else made.to(device)


_compiled: dict = {}


def compiled(expression, batch):
    """The expression under ``torch.compile``; the last one is kept, for the next row of equal shapes."""
    key = (expression, tuple((x.shape, x.dtype, x.device) for x in batch))
    if key not in _compiled:
        _compiled.clear()
        torch.compiler.reset()
        _compiled[key] = torch.compile(expression)
    return _compiled[key]


def all_of(workload, device, scale, rivals=RIVALS, say=print):
    """Name -> contestant. torchmetrics is always there: the others are compared with it.

    Raises:
        bench.specs.NotThereError: fastmetrics has no such metric.
    """
    batch = batch_of(workload.inputs, device, scale)
    made = {OURS: of_metric(build(workload.ours, "fastmetrics", workload, device), batch, workload)}
    if workload.alone is not None:
        made[ALONE] = of_metric(build(workload.alone, "fastmetrics", workload, device), batch, workload)
        made[ALONE].value = None

    theirs = workload.their_spec
    for name, unchecked in ((THEIRS, False), (UNCHECKED, True)):
        metric = None if theirs is None else build(theirs, "torchmetrics", workload, device, unchecked)
        if metric is not None and (name in rivals or name == THEIRS):
            # not through the cache, which keeps the whole batch
            part = batch if workload.their_share == 1 else sample(workload, device, scale)
            made[name] = of_metric(metric, part, workload, workload.prepare)
            made[name].share = workload.their_share

    if workload.torcheval is not None and TORCHEVAL in rivals:
        with contextlib.suppress(ModuleNotFoundError):  # said once, at the start
            metric = build(workload.torcheval, "torcheval.metrics", workload, device)
            made[TORCHEVAL] = of_metric(metric, batch, workload)
    if workload.eager is not None and workload.call in ("update", "compute"):
        if EAGER in rivals:
            made[EAGER] = Contestant(lambda: workload.eager(*batch), flat(workload.eager(*batch)))
        if COMPILED in rivals:
            function = compiled(workload.eager, batch)
            try:
                made[COMPILED] = Contestant(lambda: function(*batch), flat(function(*batch)))
            except Exception as error:
                say(f"    torch.compile: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    return made


def sample(workload, device, scale):
    """The part of the batch that torchmetrics gets."""
    generator = torch.Generator(device).manual_seed(0)
    return workload.inputs.make(generator, scale * workload.their_share)


def missing():
    """Name -> why it takes no part at all."""
    try:
        import torcheval.metrics  # noqa: F401
    except ImportError as error:
        return {TORCHEVAL: str(error)}
    return {}

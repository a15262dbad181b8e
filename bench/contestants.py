# SPDX-License-Identifier: Apache-2.0
"""Who takes part in a workload: what is timed of each, and the value that it gives."""

import functools
import importlib
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
    if workload.call == "interval":
        return Contestant(metric.interval, value)
    metric.reset()
    if workload.call == "reset":
        return Contestant(metric.reset, value)
    call = getattr(metric, workload.call)
    return Contestant((lambda: call(*prepare(*batch))) if prepare else (lambda: call(*batch)), value)


def of_function(function, batch, share):
    """What is timed of a function of the batch, and its value."""
    value = function(*batch)
    return Contestant(lambda: function(*batch), None if value is None else flat(value), share)


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

    def part_for(name):
        share = workload.share(name)
        return batch if share == 1 else sample(workload, device, scale * share)

    made = {OURS: of_metric(build(workload.ours, "fastmetrics", workload, device), batch, workload)}
    if workload.alone is not None:
        made[ALONE] = of_metric(build(workload.alone, "fastmetrics", workload, device), batch, workload)
        made[ALONE].value = None

    peers = {
        THEIRS: ("torchmetrics", workload.their_spec, False),
        UNCHECKED: ("torchmetrics", workload.their_spec, True),
        TORCHEVAL: ("torcheval.metrics", workload.torcheval, False),
    }
    for name, (library, spec, unchecked) in peers.items():
        if spec is None or name not in (THEIRS, *rivals) or name in missing():
            continue
        metric = build(spec, library, workload, device, unchecked)
        if metric is not None:
            prepare = workload.prepare if library == "torchmetrics" else None
            made[name] = of_metric(metric, part_for(name), workload, prepare)
            made[name].share = workload.share(name)
    for name, function in workload.peers.items():
        if name in missing():
            continue
        made[name] = of_function(function, part_for(name), workload.share(name))
    if workload.eager is not None and workload.call in ("update", "compute"):
        part, share = part_for(EAGER), workload.share(EAGER)
        if EAGER in rivals:
            made[EAGER] = Contestant(lambda: workload.eager(*part), flat(workload.eager(*part)), share)
        if COMPILED in rivals:
            function = compiled(workload.eager, part)
            try:
                made[COMPILED] = Contestant(lambda: function(*part), flat(function(*part)), share)
            except Exception as error:
                say(f"    torch.compile: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    return made


def sample(workload, device, scale):
    """A batch that is not kept: the cache has the whole one."""
    return batch_of.__wrapped__(workload.inputs, device, scale)


@functools.cache
def missing():
    """Name -> why it takes no part at all."""
    found = {}
    for name, module in ((TORCHEVAL, "torcheval.metrics"), ("ranx", "ranx")):
        try:
            importlib.import_module(module)
        except ImportError as error:
            found[name] = str(error)
    return found

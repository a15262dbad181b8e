# SPDX-License-Identifier: Apache-2.0
"""Metrics by name: as the names and options of both libraries are the same, a row of the table says them once."""

import contextlib
import functools
import importlib
import inspect
from dataclasses import dataclass

FAMILIES = ("classification", "regression", "aggregation", "segmentation", "nominal", "clustering", "text", "retrieval")


class NotThereError(LookupError):
    """The library has no such metric."""


def find(library, name):
    """The class of that name in a library, or in the module of a family there.

    Raises:
        NotThereError: the library has none.
    """
    modules = [importlib.import_module(library)]
    for family in FAMILIES:
        with contextlib.suppress(ModuleNotFoundError):
            modules.append(importlib.import_module(f"{library}.{family}"))
    for module in modules:
        found = vars(module).get(name)  # fastmetrics has torchmetrics' own beside these
        if found is not None:
            return found
    raise NotThereError(f"{library} has no {name}")


@dataclass(frozen=True)
class One:
    """A metric: its name, and its options as pairs."""

    name: str
    options: tuple = ()

    def build(self, library, unchecked=False, **common):
        """The metric of a library.

        Args:
            library: its package.
            unchecked: with ``validate_args=False``; None is returned if the metric knows no such option.
            common: options of every metric.
        """
        cls = find(library, self.name)
        options = {**dict(self.options), **common}
        if unchecked:
            if "validate_args" not in inspect.signature(cls.__init__).parameters:
                return None
            options["validate_args"] = False
        return cls(**options)


@dataclass(frozen=True)
class Many:
    """A collection: pairs of key and metric."""

    members: tuple

    def build(self, library, unchecked=False, **common):
        collection = find(library, "MetricCollection")
        built = {key: member.build(library, unchecked, **common) for key, member in self.members}
        if any(member is None for member in built.values()):
            return None
        return collection(built)


class Held:
    """A function as a metric of one batch."""

    def __init__(self, function):
        self.function = function

    def to(self, device):
        return self

    def reset(self):
        self.value = None

    def update(self, *batch):
        self.value = self.function(*batch)

    def compute(self):
        return self.value


@dataclass(frozen=True)
class Function:
    """A function of a batch, by its name in the module ``functional``; its update is the call."""

    name: str
    options: tuple = ()

    def build(self, library, unchecked=False, **common):
        """What calls that of a library; None for the unchecked one, which is the same."""
        function = getattr(importlib.import_module(f"{library}.functional"), self.name)
        return None if unchecked else Held(functools.partial(function, **dict(self.options)))


@dataclass(frozen=True)
class FromHidden:
    """A metric of tokens whose update takes hidden states and the weights of the vocabulary."""

    member: One

    def build(self, library, unchecked=False, **common):
        metric = self.member.build(library, unchecked, **common)
        metric.update = metric.update_hidden
        return metric


def function(name, **options):
    return Function(name, tuple(options.items()))


def metric(name, **options):
    return One(name, tuple(options.items()))


def collection(**members):
    return Many(tuple(members.items()))

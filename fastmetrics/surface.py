# SPDX-License-Identifier: Apache-2.0
"""The names and module paths of torchmetrics under fastmetrics: ours where there is one, else torchmetrics' own.

``fastmetrics.a.b`` has the counterpart ``torchmetrics.a.b``. A module of ours passes on a name that it lacks to its
counterpart; a path that only torchmetrics has is imported as a stand-in, which passes on all names. The counterpart is
imported when a name is first passed on. Its classes and functions are handed out as they are, so they pickle.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType
from typing import Any

import torchmetrics

OURS, THEIRS = __name__.partition(".")[0], torchmetrics.__name__


def moved(name: str, package: str, to: str) -> str | None:
    """A module's name with the package at its front replaced; None if it is not of that package."""
    return to + name[len(package) :] if name == package or name.startswith(package + ".") else None


@functools.cache
def spec_of(name: str) -> ModuleSpec | None:
    """Find a module of torchmetrics; unlike ``importlib.util.find_spec``, import nothing."""
    if module := sys.modules.get(name):  # at the latest, torchmetrics itself
        return module.__spec__
    above = spec_of(name.rpartition(".")[0])
    if above is None or above.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, above.submodule_search_locations)


def counterpart(module: ModuleType) -> ModuleType:
    """Import torchmetrics' module of the same path."""
    return importlib.import_module(THEIRS + module.__name__[len(OURS) :])


def attributes(name: str) -> dict[str, Any]:
    """The attributes of a module that is imported, without those that it passes on."""
    return vars(sys.modules[name]) if name in sys.modules else {}


def public(names: dict[str, Any]) -> set[str]:
    """Those of a module's attributes that ``import *`` takes."""
    return set(names.get("__all__", (name for name in names if not name.startswith("_"))))


def replacement(value: Any) -> Any:
    """What is handed out for an attribute of torchmetrics: our module, class or function, or else the value itself.

    Ours replaces a class or function if both packages offer it under its name in the same place: the module that
    defines it or one above. So a helper of ours that has the name by chance is not mistaken for it.
    """
    if isinstance(value, ModuleType):
        path = moved(value.__name__, THEIRS, OURS)
        return importlib.import_module(path) if path else value
    if isinstance(value, (type, FunctionType)):
        name, place = value.__name__, value.__module__ or ""
        while path := moved(place, THEIRS, OURS):
            ours = attributes(path)
            if name in ours and attributes(place).get(name) is value:
                return ours[name]
            place = place.rpartition(".")[0]
    return value


def resolve(module: ModuleType, name: str) -> Any:
    """A name that a module lacks: an attribute or submodule of its counterpart."""
    cause: ImportError | None = None
    if not (name.startswith("__") and name.endswith("__")):  # Python asks these of a module itself
        try:
            theirs = counterpart(module)
            if hasattr(theirs, name):
                return replacement(getattr(theirs, name))
            if spec_of(f"{theirs.__name__}.{name}"):
                return importlib.import_module(f"{module.__name__}.{name}")
        except ImportError as error:
            cause = error
    message = f"module {module.__name__!r} has no attribute {name!r}"
    raise AttributeError(message, name=name, obj=module) from cause


class Namespace(ModuleType):
    """A module that has a counterpart."""

    @property
    def __all__(self) -> list[str]:
        """What ``import *`` takes: the public names of both."""
        return sorted(public(vars(self)) | public(vars(counterpart(self))))

    def __dir__(self) -> list[str]:
        """The names here, and torchmetrics' public names and submodules."""
        theirs = counterpart(self)
        submodules = {module.name for module in pkgutil.iter_modules(getattr(theirs, "__path__", []))}
        return sorted({*vars(self), *(name for name in {*vars(theirs), *submodules} if not name.startswith("_"))})

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, unless an import binds a stand-in to its parent.

        There the name may be that of a function, as in ``functional.classification.accuracy``, so it is passed on.
        """
        if not isinstance(getattr(value, "__loader__", None), StandIns):
            super().__setattr__(name, value)


def pass_on(module: ModuleType) -> None:
    """Let a module answer with its counterpart's attributes where it has none."""
    module.__class__ = Namespace
    # A `__getattr__` of the class would slow down every access, not only that to a missing name.
    vars(module)["__getattr__"] = functools.partial(resolve, module)


class StandIns(MetaPathFinder, Loader):
    """Imports the modules of fastmetrics that only torchmetrics has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The stand-in of a module of torchmetrics, if there is one at that path."""
        theirs = moved(fullname, OURS, THEIRS)
        spec = spec_of(theirs) if theirs else None
        if spec is None:
            return None
        return ModuleSpec(fullname, self, origin=spec.origin, is_package=spec.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that passes on all names."""
        module = ModuleType(spec.name)
        pass_on(module)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Import the counterpart; what it raises, the import of the stand-in raises."""
        theirs = vars(counterpart(module))
        names = {"__doc__", *public(theirs)}  # `__about__` exports names that are not passed on
        vars(module).update((name, theirs[name]) for name in names if name.startswith("__"))


def install() -> None:
    """Let the modules of fastmetrics that are imported pass on names, and make the paths of the others importable."""
    if not any(isinstance(finder, StandIns) for finder in sys.meta_path):
        sys.meta_path.append(StandIns())
    for name, module in list(sys.modules.items()):
        theirs = moved(name, OURS, THEIRS)
        spec = spec_of(theirs) if theirs else None
        if spec is None:
            continue
        pass_on(module)
        if spec.submodule_search_locations is not None and not hasattr(module, "__path__"):
            module.__path__ = []  # a package there, one file here: stand-ins for its submodules

# SPDX-License-Identifier: Apache-2.0
"""Writes the API pages: one for each subject, that is a metric, its classes for all tasks and its functions.

Subjects are found by name: ``MulticlassAccuracy``, ``Accuracy``, ``binary_accuracy`` and ``accuracy`` are all of the
subject ``accuracy``. What is public is what the ``__all__`` of :mod:`fastmetrics` and of its public modules says.
Nothing has to be listed here when a metric is added.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.inspect import stringify_signature

from fastmetrics import inventory

PACKAGE = "fastmetrics"
FUNCTIONS = f"{PACKAGE}.functional"
TITLES = {
    "classification": "Classification",
    "regression": "Regression",
    "segmentation": "Segmentation",
    "shape": "Shapes",
    "nominal": "Nominal association",
    "clustering": "Clustering",
    "aggregation": "Aggregation",
    "wrappers": "Wrappers",
}
TASK = re.compile(r"^(Binary|Multiclass|Multilabel|binary_|multiclass_|multilabel_)(?=.)")
# The functions whose names do not say of which class they are.
SUBJECT_OF = {
    "binary_groups_stat_rates": "GroupStatRates",
    "demographic_parity": "Fairness",
    "equal_opportunity": "Fairness",
}
# What is not a metric: page, title, and the names on it. A module stands for all that it defines or exports.
OTHERS: list[tuple[str, str, list[str]]] = [
    ("collection", "MetricCollection", ["fastmetrics.MetricCollection", "fastmetrics.pending.Pending"]),
    ("metric", "Bases of metrics", ["fastmetrics.Metric", "fastmetrics.metric.StatisticMetric"]),
    ("classification_bases", "Bases of classification metrics", ["fastmetrics.classification.base"]),
    ("statistics", "Statistics", ["fastmetrics.statistics"]),
    ("passes", "Passes", ["fastmetrics.passes"]),
    ("distributed", "Distributed evaluation", ["fastmetrics.distributed"]),
    ("native", "Native libraries", ["fastmetrics.build", "fastmetrics.native.status", "fastmetrics.native.Status"]),
]
WITH_MEMBERS = {"Metric", "StatisticMetric", "MetricCollection", "Pending", "Statistics", "Running"}


@dataclass
class Subject:
    """A page: the public paths of classes and of functions."""

    title: str
    classes: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    @property
    def file(self) -> str:
        """The name of its page: that of its function, if it has one."""
        names = [path.rsplit(".", 1)[1] for path in self.functions]
        plain = [TASK.sub("", name) for name in names if key(name) == key(self.title)]
        return plain[0] if plain else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.title).lower()


def key(name: str) -> str:
    """What the names of one subject have in common."""
    return TASK.sub("", name).replace("_", "").lower()


def exported(module: ModuleType) -> dict[str, Any]:
    """The public classes, functions and constants of a module that are implemented in this package, by name."""
    return {name: getattr(module, name) for name in sorted(inventory.own(module))}


def areas() -> dict[str, ModuleType]:
    """The public modules of metric classes, by name."""
    package = importlib.import_module(PACKAGE)
    public = {name: getattr(package, name) for name in vars(package)["__all__"] if name != "functional"}
    modules = {name: value for name, value in public.items() if inspect.ismodule(value)}
    known = [name for name in TITLES if name in modules]
    return {name: modules[name] for name in [*known, *sorted(set(modules) - set(known))]}


def functions_of(area: str) -> dict[str, Any]:
    """The functions of an area, by name."""
    try:
        return exported(importlib.import_module(f"{FUNCTIONS}.{area}"))
    except ModuleNotFoundError:
        return {}


def areas_of_functions() -> list[str]:
    """The public modules of functions that are of no metric class."""
    package = importlib.import_module(FUNCTIONS)
    names = [name for name in vars(package)["__all__"] if inspect.ismodule(getattr(package, name))]
    return sorted(set(names) - set(areas()))


def subjects(area: str, module: ModuleType) -> list[Subject]:
    """The subjects of an area, by title."""
    found: dict[str, Subject] = {}
    for name, value in sorted(exported(module).items()):
        home = value.__module__.split(".")[1]
        if home == area or home not in areas():
            found.setdefault(key(name), Subject(name)).classes.append(f"{PACKAGE}.{area}.{name}")
    for subject, page in found.items():
        plain = [path.rsplit(".", 1)[1] for path in page.classes if key(path.rsplit(".", 1)[1]) == subject]
        page.title = min(plain, key=len) if len(plain) > 1 else plain[0]
        page.classes.sort(key=lambda path: (not path.endswith(f".{page.title}"), path))
    for name in sorted(functions_of(area)):
        own = key(SUBJECT_OF.get(name, name))
        if own not in found:
            beginnings = [subject for subject in found if own.startswith(subject)]
            own = max(beginnings, key=len, default=own)
        found.setdefault(own, Subject(name)).functions.append(f"{FUNCTIONS}.{area}.{name}")
    return sorted(found.values(), key=lambda subject: subject.title)


def directive(path: str) -> list[str]:
    """What makes autodoc show an object."""
    module, name = path.rsplit(".", 1)
    value = getattr(importlib.import_module(module), name)
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    lines = [f".. auto{kind}:: {path}"]
    if name in WITH_MEMBERS:
        lines += ["   :members:"]
    return [*lines, ""]


def page(title: str, *blocks: list[str]) -> str:
    """A page of reStructuredText."""
    return "\n".join([title, "=" * len(title), "", *(line for block in blocks for line in block)]).rstrip() + "\n"


def toctree(files: list[str], *options: str) -> list[str]:
    """A list of pages."""
    return [".. toctree::", *(f"   {option}" for option in options), "", *(f"   {file}" for file in files), ""]


def table(paths: list[str]) -> list[str]:
    """A table of names with their first sentences."""
    return [".. autosummary::", "   :nosignatures:", "", *(f"   ~{path}" for path in paths), ""] if paths else []


def paths_of(names: list[str]) -> list[str]:
    """Names, with modules replaced by what they hold."""
    paths = []
    for name in names:
        parent, last = name.rsplit(".", 1)
        value = getattr(importlib.import_module(parent), last, None)
        if value is None or inspect.ismodule(value):
            module = importlib.import_module(name)
            paths += [f"{name}.{each}" for each in exported(module)]
        else:
            paths.append(name)
    return paths


def write(folder: Path) -> None:
    """Write all pages into a folder, which holds nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    overview: list[str] = []
    functions: list[str] = []
    for area, module in areas().items():
        found = subjects(area, module)
        (folder / area).mkdir()
        for subject in found:
            shown = [line for path in [*subject.classes, *subject.functions] for line in directive(path)]
            (folder / area / f"{subject.file}.rst").write_text(page(subject.title, shown))
        title = TITLES.get(area, area.replace("_", " ").capitalize())
        classes = [path for subject in found for path in subject.classes]
        of_area = [path for subject in found for path in subject.functions]
        functions += of_area
        text = page(
            title,
            [f"``{PACKAGE}.{area}``", "", *table(classes)],
            [f"Functions, in ``{FUNCTIONS}.{area}``", "", *table(of_area)] if of_area else [],
            toctree([f"{area}/{subject.file}" for subject in found], ":hidden:"),
        )
        (folder / f"{area}.rst").write_text(text)
        overview.append(area)
    for area in areas_of_functions():
        paths = [f"{FUNCTIONS}.{area}.{name}" for name in functions_of(area)]
        shown = [line for path in paths for line in directive(path)]
        (folder / f"{area}.rst").write_text(page(area.capitalize(), [f"``{FUNCTIONS}.{area}``", ""], shown))
        functions += paths
        overview.append(area)
    for file, title, names in OTHERS:
        shown = [line for path in paths_of(names) for line in directive(path)]
        (folder / f"{file}.rst").write_text(page(title, shown))
    short = [f"``{name}``" for name in sorted(exported(importlib.import_module(FUNCTIONS)))]
    (folder / "functional.rst").write_text(
        page(
            "Functions",
            [
                "A function is the value of its metric for one batch. Each is in the module of its kind.",
                f"In ``{FUNCTIONS}`` are also {', '.join(short)}.",
                "",
            ],
            table(functions),
        )
    )
    (folder / "index.rst").write_text(
        page(
            "API",
            ["Metrics", "-------", ""],
            toctree([*overview, "functional"], ":maxdepth: 1"),
            ["What they are made of", "---------------------", ""],
            toctree([file for file, _, _ in OTHERS], ":maxdepth: 1"),
        )
    )


def exists(path: str) -> bool:
    """Whether there is an object of the package, or a module, of this path."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            value = getattr(value, name, None)
        return value is not None
    return False


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement) -> nodes.Node | None:
    """A reference by another path than that of the page: ``fastmetrics.metric.Metric`` for ``fastmetrics.Metric``.

    One to an object of the package that has no page stays text. What is not there at all is left to be reported.
    """
    target = node["reftarget"]
    if node.get("refdomain") != "py" or ("." in target and not target.startswith(f"{PACKAGE}.")):
        return None
    last = target.rsplit(".", 1)[-1]
    entries = env.domains.python_domain.objects.items()
    places = [(name, entry) for name, entry in entries if name.rsplit(".", 1)[-1] == last and not entry.aliased]
    if len(places) != 1:
        return content if exists(target) else None
    ((name, entry),) = places
    uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
    return nodes.reference("", "", content, internal=True, refuri=f"{uri}#{entry.node_id}", reftitle=name)


def body_of(path: str) -> Any:
    """The function that an operator of the passes is made of, which has its signature and docstring; else None."""
    package, _, name = path.rpartition(".")
    if package != f"{PACKAGE}.passes":
        return None
    folder = importlib.import_module(package).__path__
    modules = [importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(folder)]
    bodies = [vars(module).get(f"{name.rstrip('_')}_body") for module in modules]
    return next((body for body in bodies if body is not None), None)


def process_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, returned: str
) -> tuple[str, str] | None:
    """An operator takes anything as far as Python can see; its body says what."""
    body = body_of(name)
    if body is None:
        return None
    of_body = inspect.signature(body)
    text = stringify_signature(of_body.replace(return_annotation=inspect.Signature.empty), unqualified_typehints=True)
    return text, str(of_body.return_annotation)


def process_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """An operator is documented at its body; and a constant does not have the docstring of its type."""
    body = body_of(name)
    if body is not None:
        lines[:] = (inspect.getdoc(body) or "").splitlines()
    elif what == "data" and lines and lines[0] in (inspect.getdoc(type(obj)) or ""):
        lines.clear()


def list_other_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the guides that the index does not name where it has a place for them: a new one has to be listed nowhere."""
    if docname == "index":
        named = {"index", *(line.strip() for line in source[0].splitlines())}
        pages = sorted(name for name in app.env.found_docs if "/" not in name and name not in named)
        source[0] = source[0].replace("{{ other pages }}", "\n".join(pages))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("config-inited", lambda app, config: write(Path(app.srcdir) / "api"))
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-process-docstring", process_docstring, priority=400)  # before napoleon
    app.connect("missing-reference", resolve)
    app.connect("source-read", list_other_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

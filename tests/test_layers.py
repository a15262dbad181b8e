# SPDX-License-Identifier: Apache-2.0
"""Imports run down only: names, collection, sharing, metric, sync, accumulator, statistics, passes, native."""

import ast
from pathlib import Path

from tests.support import ROOT

PACKAGE = ROOT / "fastmetrics"

# From the bottom to the top. A module imports from its own floor or from one below.
FLOORS = [
    {"tables", "tensors", "dtypes", "checks", "arguments", "versions", "pending", "distributed", "docstrings"},
    {"native"},
    {"passes"},
    {"statistics"},
    {"accumulator", "arena", "host", "reader", "slices"},
    {"sync", "intervals"},
    {"base", "states", "metric"},
    {"sharing"},
    {"collection"},
    {
        "aggregation",
        "classification",
        "clustering",
        "nominal",
        "regression",
        "retrieval",
        "segmentation",
        "shape",
        "text",
        "wrappers",
    },
    {"functional"},
    {"surface", "inventory"},
    {"", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Pure functions of tensors, some with kernels; they stand beside the floors and know two of them.
FORMULAS_KNOW = {"formulas", "native", "tables", "tensors"}
KNOW_NO_FORMULA = {"tables", "tensors", "checks", "arguments", "native", "passes", "statistics", "accumulator", "arena"}
KNOW_NO_FORMULA |= {"host", "reader", "slices", "sync", "base", "states", "metric", "sharing", "collection"}


def room(module):
    """The file or folder right below the package in which a module is."""
    return module.split(".")[1] if "." in module else ""


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path, known):
    """What a file imports of the package, types included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("fastmetrics"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastmetrics"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module


def edges():
    known = {name for name, _ in modules()}
    return {name: set(imports(path, known)) - {name} for name, path in modules()}


def test_no_import_runs_up():
    upwards = []
    for module, found in edges().items():
        for imported in found:
            here, there = room(module), room(imported)
            if here == "formulas" or there == "formulas":
                continue
            if there == "" and imported == "fastmetrics":
                assert FLOOR[here] >= FLOOR["surface"], f"{module} imports the package itself"
            elif FLOOR[there] > FLOOR[here]:
                upwards.append(f"{module} -> {imported}")
    assert not upwards


def test_every_file_has_a_floor():
    assert {room(name) for name, _ in modules()} == {*FLOOR, "formulas"}


def test_formulas_know_no_pass_and_what_counts_knows_no_formula():
    for module, found in edges().items():
        rooms = {room(imported) for imported in found}
        if room(module) == "formulas":
            assert rooms <= FORMULAS_KNOW, module
        elif room(module) in KNOW_NO_FORMULA:
            assert "formulas" not in rooms, module


def test_there_are_no_circles():
    graph, done = edges(), set()

    def follow(module, above):
        assert module not in above, f"{' -> '.join([*above, module])} is a circle"
        if module not in done:
            for imported in sorted(graph[module] - {"fastmetrics"}):
                follow(imported, [*above, module])
            done.add(module)

    for module in graph:
        follow(module, [])


def test_only_operators_know_the_direct_calls():
    users = {name for name, found in edges().items() if "fastmetrics.native.direct" in found}
    assert users <= {"fastmetrics.native", "fastmetrics.native.operators"}


def test_the_test_reads_what_there_is():
    assert Path(PACKAGE / "accumulator.py").is_file()
    assert "fastmetrics.statistics.base" in edges()["fastmetrics.accumulator"]
    assert len(edges()) > 100

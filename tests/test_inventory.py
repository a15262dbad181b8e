# SPDX-License-Identifier: Apache-2.0
"""The page of names, docs/surface.md."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import torchmetrics

from fastmetrics import inventory

ROOT = Path(__file__).parent.parent


def test_the_page_is_up_to_date():
    """``python -m fastmetrics surface > docs/surface.md`` writes it."""
    assert (ROOT / "docs" / "surface.md").read_text() == inventory.page()


def test_what_the_page_says():
    rows = {row.namespace: row for row in map(inventory.names, inventory.namespaces())}
    packages = [m.name for m in pkgutil.walk_packages(torchmetrics.__path__, "torchmetrics.") if m.ispkg]
    assert {name.replace("torch", "fast", 1) for name in packages} <= set(rows)
    for namespace, row in rows.items():
        module, theirs = (importlib.import_module(p) for p in (namespace, namespace.replace("fast", "torch", 1)))
        for name in row.replaced:
            assert getattr(module, name) is not getattr(theirs, name)
        for name in row.theirs:
            assert name in row.optional or getattr(module, name) is getattr(theirs, name)
        assert not any(hasattr(theirs, name) for name in row.added)
        modules = {name for name in getattr(theirs, "__all__", ()) if isinstance(getattr(theirs, name), ModuleType)}
        if hasattr(theirs, "__all__"):
            assert {*row.replaced, *row.theirs} - row.optional == set(theirs.__all__) - modules - row.optional
    assert rows["fastmetrics.wrappers"].replaced == ["Running"]
    assert {"BERTScore", "InfoLM"} == rows["fastmetrics.text"].optional
    assert rows["fastmetrics.collections"].replaced == ["MetricCollection"]
    assert "Informedness" in rows["fastmetrics.classification"].added
    assert "binary_informedness" in rows["fastmetrics.functional.classification"].added
    assert "task_forms" not in rows["fastmetrics.functional.classification"].added

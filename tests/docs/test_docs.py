# SPDX-License-Identifier: Apache-2.0
"""The examples of the documents run, and their links lead somewhere."""

import doctest
import re

import pytest

from tests.support import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page(page):
    text = page.read_text()
    assert doctest.testfile(str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0
    for code in re.findall(r"```python\n(.*?)```", text, re.S):
        if ">>>" not in code:
            pytest.importorskip("pytorch_lightning")
            exec(compile(code, page.name, "exec"), {})
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / link).exists(), link


def test_variables_are_all_in_the_page_on_installation():
    sources = [ROOT / "setup.py", *(ROOT / "fastmetrics").rglob("*.py")]
    used = {name for source in sources for name in re.findall(r"FASTMETRICS_[A-Z]+", source.read_text())}
    table = set(re.findall(r"^\| `(FASTMETRICS_[A-Z]+)`", (ROOT / "docs" / "installation.md").read_text(), re.M))
    assert used == table

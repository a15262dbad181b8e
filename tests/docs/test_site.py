# SPDX-License-Identifier: Apache-2.0
"""The site builds without a warning, has a page for every public name, and needs no network."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

import fastmetrics
from tests.support import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site: that in ``FASTMETRICS_SITE``, if one was built already.

    Sources are copied, since the build writes the API pages beside them.
    """
    if built := os.environ.get("FASTMETRICS_SITE"):
        return ROOT / built
    for name in ("sphinx", "furo", "myst_parser", "sphinx_copybutton"):
        pytest.importorskip(name)
    folder = tmp_path_factory.mktemp("site")
    built = build(sources(folder), folder / "html")
    assert built.returncode == 0, built.stderr
    return folder / "html"


def sources(folder):
    """What the build reads: the package and the examples as links, and copies of the pages."""
    for name in ("fastmetrics", "examples"):
        (folder / name).symlink_to(ROOT / name)
    for path in ROOT.glob("*.md"):
        (folder / path.name).write_bytes(path.read_bytes())
    for path in (ROOT / "docs").rglob("*"):
        relative = path.relative_to(ROOT)
        if path.is_file() and relative.parts[1] not in ("api", "_build") and "__pycache__" not in relative.parts:
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            (folder / relative).write_bytes(path.read_bytes())
    return folder / "docs"


def build(docs, html, *options):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", *options, str(docs), str(html)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})


class References(HTMLParser):
    """What a page loads, what it leads to, and its anchors."""

    def __init__(self, page):
        super().__init__()
        self.loads, self.leads, self.anchors = [], [], set()
        self.feed(page.read_text())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        self.loads += [found["src"]] if "src" in found else []
        if tag == "link" and "href" in found:
            self.loads.append(found["href"])
        elif "href" in found:
            self.leads.append(found["href"])


def test_every_public_name_has_a_place(site):
    places = {name for page in (site / "api").rglob("*.html") for name in References(page).anchors}
    shown = {place.rsplit(".", 1)[-1] for place in places if place.startswith("fastmetrics.")}
    modules = [fastmetrics, *(value for _, value in inspect.getmembers(fastmetrics, inspect.ismodule))]
    public = [
        (module.__name__, name)
        for module in modules
        for name in getattr(module, "__all__", ())
        if module.__name__.startswith("fastmetrics")
        and not inspect.ismodule(getattr(module, name))
        and getattr(getattr(module, name), "__module__", "fastmetrics").startswith("fastmetrics")
    ]
    assert len(public) > 200
    assert [f"{module}.{name}" for module, name in public if name not in shown] == []


def test_tasks_of_a_metric_are_on_one_page(site):
    shown = References(site / "api" / "classification" / "accuracy.html").anchors
    classes = [f"fastmetrics.classification.{task}Accuracy" for task in ("", "Binary", "Multiclass", "Multilabel")]
    functions = [
        f"fastmetrics.functional.classification.{task}accuracy"
        for task in ("", "binary_", "multiclass_", "multilabel_")
    ]
    assert shown >= {*classes, *functions}


def test_new_names_and_a_new_area_have_pages(tmp_path, monkeypatch):
    """What is exported has a page, without a line for it in the documentation."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "extensions"))
    api_pages = importlib.import_module("api_pages")

    def export(module, name):
        made = type(name, (fastmetrics.Metric,), {"__module__": module.__name__, "__doc__": "New."})
        monkeypatch.setitem(vars(module), name, made)
        monkeypatch.setitem(vars(module), "__all__", [*vars(module).get("__all__", ()), name])

    for name in ("BinaryNovelty", "MulticlassNovelty"):
        export(fastmetrics.classification, name)
    area = ModuleType("fastmetrics.novelties")
    export(area, "Novelty")
    monkeypatch.setitem(sys.modules, area.__name__, area)
    monkeypatch.setitem(vars(fastmetrics), "novelties", area)
    monkeypatch.setitem(vars(fastmetrics), "__all__", [*vars(fastmetrics)["__all__"], "novelties"])
    api_pages.write(tmp_path / "api")

    (joined,) = (tmp_path / "api" / "classification").glob("*novelty.rst")
    text = joined.read_text()
    assert ".. autoclass:: fastmetrics.classification.BinaryNovelty\n" in text
    assert ".. autoclass:: fastmetrics.classification.MulticlassNovelty\n" in text
    assert "autoclass:: fastmetrics.novelties.Novelty\n" in (tmp_path / "api/novelties/novelty.rst").read_text()
    assert "   novelties\n" in (tmp_path / "api" / "index.rst").read_text()


def test_links_and_anchors_lead_somewhere_and_nothing_is_fetched(site):
    pages = {page: References(page) for page in site.rglob("*.html")}
    assert len(pages) > 90
    dead, fetched = [], []
    for page, found in pages.items():
        fetched += [url for url in found.loads if "://" in url or url.startswith("//")]
        for link in found.loads + found.leads:
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.split("?")[0].partition("#")
            target = Path(os.path.normpath(page.parent / path)) if path else page
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []
    assert fetched == []


def test_a_new_page_is_a_guide_and_an_old_one_stands_where_the_index_says(tmp_path):
    """A page that the index does not name joins the guides; without a warning, though nothing lists it."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    docs = sources(tmp_path)
    for page in docs.glob("*.md"):
        if page.name not in ("index.md", "gpu.md"):
            page.write_text(f"# {page.stem}\n")
    (docs / "gpu.md").write_text("# GPU\n")
    (docs / "rankings.md").write_text("# A new guide\n\nSee [the GPU](gpu.md).\n")
    index = re.sub(r"(?s)(# fastmetrics\n).*?(?=```{toctree})", r"\1\n", (docs / "index.md").read_text(), count=1)
    (docs / "index.md").write_text(index.replace("api/index\n", ""))
    built = build(docs, tmp_path / "html", "-D", "exclude_patterns=extensions,api")
    assert built.returncode == 0, built.stderr
    menu = re.search(r'(?s)<div class="sidebar-tree">.*?</div>', (tmp_path / "html" / "gpu.html").read_text()).group()
    captions = re.split(r'<span class="caption-text">', menu)[1:]
    (guides,) = [caption for caption in captions if caption.startswith("Guides")]
    assert guides.count('href="rankings.html"') == 1
    assert menu.count('href="rankings.html"') == 1
    (reference,) = [caption for caption in captions if caption.startswith("Reference")]
    assert 'href="kernels.html"' in reference


def test_search_finds_a_metric_and_a_guide(site):
    index = (site / "searchindex.js").read_text()
    for word in ("multiclassaccuracy", "torcheval"):
        assert word in index
    for script in re.findall(r'src="([^"?]*)', (site / "search.html").read_text()):
        assert (site / script).exists()


def test_a_broken_reference_is_an_error(tmp_path):
    """The build can fail: a link to a page and a name that are not there. The rest of the site is left out."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    docs = sources(tmp_path)
    for page in docs.glob("*.md"):
        page.unlink()
    (docs / "index.md").write_text("# Here\n\n[gone](gone.md)\n\n```{eval-rst}\n:class:`fastmetrics.Gone`\n```\n")
    built = build(docs, tmp_path / "html", "-D", "exclude_patterns=extensions,api")
    assert built.returncode != 0
    warnings = [line for line in built.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 2
    assert "gone.md" in warnings[0]
    assert "fastmetrics.Gone" in warnings[1]

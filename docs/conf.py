# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the site."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

from docutils import nodes  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import fastmetrics  # noqa: E402

project = "fastmetrics"
author = "the fastmetrics authors"
copyright = author
version = release = fastmetrics.__version__

extensions = [
    "api_pages",
    "mathml",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["extensions"]

# Broken references are warnings, and `make docs` makes warnings errors. Types of other libraries have no page here.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!fastmetrics\b).*")]

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = False  # api_pages writes the pages
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
add_module_names = True
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = [("Inputs", "params_style")]  # the arguments of `update`

html_theme = "furo"
html_math_renderer = "mathml"
html_title = f"fastmetrics {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1d5f8a", "color-brand-content": "#1d5f8a"},
    "dark_css_variables": {"color-brand-primary": "#7fb8de", "color-brand-content": "#7fb8de"},
}
copybutton_exclude = ".linenos, .gp, .go"


def trim(app: Sphinx, document: nodes.document) -> None:
    """Take away the empty line that ends an example, without which doctest would read on."""
    for block in document.findall(nodes.literal_block):
        if len(block) == 1 and isinstance(block[0], nodes.Text):
            block.rawsource = block[0].rstrip()  # highlighted where it is the text
            block[0] = nodes.Text(block.rawsource)


def setup(app: Sphinx) -> None:
    """Register what changes pages."""
    app.connect("doctree-read", trim)

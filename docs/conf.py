"""Settings of the documentation site: `make docs` builds it into site/.

Sphinx rather than MkDocs: it is maintained, its search runs without a server from file://, it
reads numpydoc docstrings and Markdown (MyST), and docutils turns formulas into MathML, so that the
pages need neither a network nor a script to show them.
"""

from pathlib import Path

import matplotlib
import osteometa
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

project = "osteometa"
author = "osteometa contributors"
copyright = "osteometa contributors, MIT licence"
version = release = osteometa.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4
autodoc_typehints = "none"  # the docstrings say the types in words
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"osteometa {version}"
# A font with a MATH table, for systems that have none; matplotlib ships it.
MATH_FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSerif.ttf")
html_static_path = ["_static", str(MATH_FONT)]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
smartquotes_action = "D"  # dashes only


def visit_inline(translator: nodes.NodeVisitor, node: nodes.math) -> None:
    """Write an inline formula as MathML."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator: nodes.NodeVisitor, node: nodes.math_block) -> None:
    """Write a displayed formula as MathML."""
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))

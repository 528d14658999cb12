"""Sphinx configuration.

The gallery is executed, on the data that SCIKIT_LEARN_DATA and SKSPECTRAL_DATA name or, without
them, on bundled and synthetic data; SKSPECTRAL_DOCS_RUN=0 leaves it out.
SKSPECTRAL_DOCS_INTERSPHINX=1 links to the documentation of other projects, which needs a network;
those that cannot be reached are left unlinked.
"""

import logging
import os
import re
import sys
from pathlib import Path

import skspectral

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_order

RUN_GALLERY = os.environ.get("SKSPECTRAL_DOCS_RUN") != "0"
LINK_PROJECTS = bool(os.environ.get("SKSPECTRAL_DOCS_INTERSPHINX"))

project = "skspectral"
author = "The skspectral developers"
copyright = f"2026, {author}"
release = skspectral.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    "sphinx_design",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
default_role = "literal"

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
numpydoc_xref_param_type = False

intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "joblib": ("https://joblib.readthedocs.io/en/stable", None),
    "matplotlib": ("https://matplotlib.org/stable", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "onnx": ("https://onnx.ai/onnx", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
    "skl2onnx": ("https://onnx.ai/sklearn-onnx", None),
    "skorch": ("https://skorch.readthedocs.io/en/stable", None),
    "torch": ("https://docs.pytorch.org/docs/stable", None),
}
intersphinx_timeout = 10  # seconds
if LINK_PROJECTS:
    extensions.append("sphinx.ext.intersphinx")
    # with -W this warning would make our build fail whenever one of their sites is down
    logging.getLogger("sphinx.sphinx.ext.intersphinx").addFilter(
        lambda record: "failed to reach any of the inventories" not in str(record.msg)
    )

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[\\/]plot_",
    "plot_gallery": RUN_GALLERY,
    "abort_on_example_error": True,
    # by name, as Sphinx cannot keep a function in its cache of the configuration
    "within_subsection_order": "gallery_order.place",
    "minigallery_sort_order": "gallery_order.place",
    "doc_module": ("skspectral",),
    "backreferences_dir": "api/generated/backreferences",
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skspectral"
html_baseurl = "https://skspectral.github.io/skspectral/"
html_theme_options = {
    "github_url": "https://github.com/skspectral/skspectral",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_sidebars = {page: [] for page in ("index", "install", "getting_started", "references")}
html_show_sourcelink = False


def skip_metadata_requests(app, what, name, obj, skip, options):
    """Leave out the metadata routing methods that scikit-learn adds to every estimator."""
    if re.fullmatch(r"set_\w+_request|get_metadata_routing", name):
        return True
    return None


def unlink_foreign_labels(app, what, name, obj, options, lines):
    """Turn links into scikit-learn's guide to plain text in docstrings inherited from it."""
    if not str(getattr(obj, "__module__", "")).startswith("sklearn."):
        return
    text = re.sub(r":ref:`([^`<]+?)\s*(?:<[^>`]*>)?`", r"\1", "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app):
    """Connect the handlers above."""
    app.connect("autodoc-skip-member", skip_metadata_requests)
    app.connect("autodoc-process-docstring", unlink_foreign_labels)

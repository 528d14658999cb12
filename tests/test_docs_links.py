"""Links into the documentation of other projects name what is there."""

import importlib
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    *ROOT.glob("docs/*.rst"),
    *ROOT.glob("docs/*/*.rst"),
    *ROOT.glob("examples/*.py"),
    *ROOT.glob("skspectral/**/*.py"),
]
ROLE = re.compile(r":(?:attr|class|func|meth|mod|obj):`~?([a-z]\w*(?:\.\w+)+)`")
FOREIGN = sorted(
    {
        name
        for path in SOURCES
        for name in ROLE.findall(path.read_text(encoding="utf-8"))
        if not name.startswith("skspectral.")
    }
)


def find(name):
    """Return the object of a dotted name, whichever of its parts are modules."""
    parts = name.split(".")
    for n_modules in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n_modules]))
        except ModuleNotFoundError:
            continue
        for part in parts[n_modules:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", FOREIGN)
def test_linked_names_exist(name):
    pytest.importorskip(name.split(".")[0])
    assert find(name) is not None


def test_all_linked_projects_are_in_the_mapping():
    mapping = runpy.run_path(str(ROOT / "docs" / "conf.py"))["intersphinx_mapping"]
    assert {name.split(".")[0] for name in FOREIGN} <= mapping.keys()


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("missing values", "tables"),
        ("synthetic data", "studies"),
        ("overfitting", "troubleshooting"),
        ("feature importance", "fitted_network"),
    ],
)
def test_words_that_people_search_for_begin_a_section(words, page):
    text = (ROOT / "docs" / "guide" / f"{page}.rst").read_text(encoding="utf-8")
    assert re.search(rf"^{words}", text, re.IGNORECASE | re.MULTILINE)

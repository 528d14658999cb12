"""The gallery: an order with a place for each example, questions as titles, nothing written."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(ROOT.glob("examples/plot_*.py"))
GALLERY = runpy.run_path(str(ROOT / "docs" / "gallery_order.py"))
NAMED = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def test_order_has_every_example_and_no_other():
    assert sorted(GALLERY["ORDER"]) == [path.stem for path in EXAMPLES]


def test_place_is_that_in_the_order():
    names = sorted((path.name for path in EXAMPLES), key=GALLERY["place"])
    assert [name.removesuffix(".py") for name in names] == GALLERY["ORDER"]
    assert GALLERY["place"](EXAMPLES[0]) == GALLERY["place"](EXAMPLES[0].name)


def test_configuration_names_the_order():
    conf = runpy.run_path(str(ROOT / "docs" / "conf.py"))["sphinx_gallery_conf"]
    for key in ("within_subsection_order", "minigallery_sort_order"):
        assert conf[key] == "gallery_order.place"


@NAMED
def test_example_asks_a_question(path):
    _, title, underline, *_ = path.read_text(encoding="utf-8").splitlines()
    assert title.endswith("?")
    assert underline == "=" * len(title)


@NAMED
def test_example_writes_no_file(path):
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"savefig|\.png|to_csv|write_(?:text|bytes)|open\(", source)


def test_demo_is_the_first_example():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"examples/{GALLERY['ORDER'][0]}.py" in makefile

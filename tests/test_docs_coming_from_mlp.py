"""The page "Coming from MLPRegressor" has every parameter, the true defaults and true scores."""

import contextlib
import inspect
import io
import re
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

PAGE = Path(__file__).parents[1] / "docs" / "guide" / "coming_from_mlp.rst"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = re.findall(r"   \* - (.+)\n     - (.+)\n     - (.+)\n     - (.+)", TEXT)[1:]


def block(kind):
    """Return the text of the first code block of this kind."""
    found = re.search(rf"\.\. code-block:: {kind}\n\n((?:    .*\n|\n)+)", TEXT)
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


def defaults(*classes):
    signatures = [inspect.signature(cls).parameters.values() for cls in classes]
    return {p.name: p.default for parameters in signatures for p in parameters}


def written(default):
    return f"``{default!r}``".replace("'", '"')


def scores(text):
    """Return the number at the end of each line."""
    return {line[:22].strip(): float(line[22:]) for line in text.splitlines() if line}


def test_table_has_every_parameter_of_scikit_learn():
    listed = [row[0].strip("`") for row in ROWS]
    assert len(listed) == len(set(listed))
    assert set(listed) == defaults(MLPRegressor, MLPClassifier).keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_defaults_in_the_table_are_those_of_the_classes(row):
    name, there, here, _ = row
    name = name.strip("`")
    assert there.startswith(written(defaults(MLPRegressor, MLPClassifier)[name]))
    ours = defaults(SpectralMLPRegressor, SpectralMLPClassifier)
    assert here.startswith(written(ours[name]) if name in ours else "not available")


def test_example_prints_what_the_page_shows():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the page speaks of it
        exec(block("python"), {})
    shown, now = scores(block("text")), scores(printed.getvalue())
    assert now == pytest.approx(shown, abs=0.03)

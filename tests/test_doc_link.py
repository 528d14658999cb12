"""The "?" in scikit-learn's HTML view leads to a page that the documentation has."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

import skspectral
from skspectral import SpectralMLPRegressor, preprocessing
from skspectral._doc_link import SITE

DOCS = Path(__file__).parent.parent / "docs"
BUILT = DOCS / "_build" / "html"
PUBLIC = [getattr(skspectral, name) for name in skspectral.__all__]
ESTIMATORS = [cls for cls in PUBLIC if inspect.isclass(cls) and hasattr(cls, "fit")]


def made(cls):
    """Return an estimator, with a teacher where one is needed."""
    needed = inspect.signature(cls).parameters
    return cls(LinearRegression()) if "teacher" in needed else cls()


def pages():
    """Return the pages that the lists of docs/api.rst make."""
    module, names = "", []
    for line in (DOCS / "api.rst").read_text(encoding="utf-8").splitlines():
        if current := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = current[1]
        elif entry := re.fullmatch(r"   ([\w.]+)", line):
            names.append(f"{module}.{entry[1]}")
    return {f"api/generated/{name}.html" for name in names}


def page_of(estimator):
    link = estimator._get_doc_link()
    assert link.startswith(f"{SITE}/")
    return link.removeprefix(f"{SITE}/")


def test_site_is_that_of_the_project():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["urls"]["Documentation"] == SITE
    assert f'html_baseurl = "{SITE}/"' in (DOCS / "conf.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_estimators_link_to_their_page(cls):
    page = page_of(made(cls))
    assert page == f"api/generated/skspectral.{cls.__name__}.html"
    assert page in pages()
    assert not BUILT.exists() or (BUILT / page).is_file()


def test_private_steps_link_to_the_function_that_makes_them():
    view = preprocessing.make_tabular_preprocessor()._repr_html_()
    page = "api/generated/skspectral.preprocessing.make_tabular_preprocessor.html"
    assert page in pages()
    assert view.count(f'href="{SITE}/{page}"') >= 2  # cleaner, hat functions


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_html_view_shows_the_link(cls):
    estimator = made(cls)
    assert f'href="{estimator._get_doc_link()}"' in estimator._repr_html_()


def test_html_view_shows_the_link_once_fitted():
    fitted = SpectralMLPRegressor(4, alpha=0, max_iter=1).fit([[0.0], [1.0]] * 10, [0.0, 1.0] * 10)
    assert f'href="{fitted._get_doc_link()}"' in fitted._repr_html_()

"""The recipes of the guide run as they stand, and print what the page shows."""

import contextlib
import io
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor

PAGE = Path(__file__).parents[1] / "docs" / "guide" / "recipes.rst"
PARTS = re.split(r"^(\S.*)\n-+\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
SECTIONS = {title.split(":")[0]: text for title, text in zip(*[iter(PARTS)] * 2, strict=True)}
PACKAGES = {
    "SHAP": ["shap"],
    "Optuna": ["optuna"],
    "MLflow": ["mlflow"],
    "MAPIE": ["mapie"],
    "imbalanced-learn": ["imblearn"],
    "Dask": ["dask"],
    "Ray": ["ray"],
    "SQL": ["orbital"],
    "C": ["emx_onnx_cgen", "skl2onnx"],
}
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")

pytestmark = pytest.mark.filterwarnings("ignore")  # of the other packages


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Return a function that runs the code of a section in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # Ray writes a token there
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")

    def run(section):
        for package in PACKAGES[section]:
            pytest.importorskip(package)
        names, printed = {}, io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            exec(block(section, "python"), names)
        check_output(printed.getvalue(), block(section, "text"))
        return {**names, "printed": printed.getvalue()}

    return run


def block(section, kind):
    """Return the only code block of this kind, or nothing."""
    found = re.findall(rf"\.\. code-block:: {kind}\n\n((?:    .*\n|\n)+)", SECTIONS[section])
    assert len(found) <= 1
    return re.sub(r"^    ", "", "".join(found), flags=re.MULTILINE).strip()


def check_output(printed, shown):
    """Compare words, and numbers as closely as other versions of the packages allow."""
    if shown:
        assert NUMBER.sub("#", printed.strip()) == NUMBER.sub("#", shown)
        for now, then in zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True):
            is_count = "." not in then
            assert float(now) == pytest.approx(float(then), rel=0.1, abs=1 if is_count else 0.02)


def test_packages_of_every_section_are_known():
    assert [name for name in SECTIONS if block(name, "python")] == list(PACKAGES)


@pytest.mark.parametrize("section", PACKAGES)
def test_code_is_short(section):
    lines = [line for line in block(section, "python").splitlines() if line]
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert len(lines) - len(imports) <= 20


@pytest.mark.parametrize("section", ["SHAP", "Optuna", "MAPIE", "SQL"])
def test_recipe(recipe, section):
    recipe(section)


def test_a_moved_threshold_is_the_way_to_begin_with_rare_classes(recipe):
    lines = recipe("imbalanced-learn")["printed"].splitlines()
    right, loss, nodes = np.array([NUMBER.findall(line) for line in lines], float).T
    assert [line.split()[0] for line in lines] == ["threshold", "class_weight", "SMOTE"]
    assert (right[0] > right[1:] - 0.01).all()
    assert (loss[0] < loss[1:]).all()
    assert (nodes[0] < nodes[1:]).all()


def test_c_code_compiles(recipe):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    recipe("C")


def test_mlflow_returns_a_network_of_scikit_learn(recipe):
    names = recipe("MLflow")
    assert type(names["loaded"][-1]) is MLPRegressor
    metrics = names["mlflow"].last_active_run().data.metrics
    assert metrics["nodes"] == sum(names["model"][-1].n_alive_nodes_)


def test_ray_gives_the_scores_of_one_process(recipe):
    names = recipe("Ray")
    here = GridSearchCV(names["model"], names["grid"]).fit(names["X"], names["y"])
    there = names["search"].cv_results_["mean_test_score"]
    np.testing.assert_array_equal(there, here.cv_results_["mean_test_score"])


def test_dask_blocks(recipe):
    assert recipe("Dask")["network"].n_iter_ > 20


def test_incremental_of_dask_ml_trains_as_the_loop_does():
    da = pytest.importorskip("dask.array")
    wrappers = pytest.importorskip("dask_ml.wrappers")
    from skspectral import SpectralMLPRegressor

    X = da.from_array(np.random.default_rng(0).normal(size=(600, 4)), chunks=(200, 4))
    y = np.abs(X[:, 0])
    loop = SpectralMLPRegressor(16, alpha=1e-3, random_state=0)
    wrapped = wrappers.Incremental(
        SpectralMLPRegressor(16, alpha=1e-3, random_state=0), shuffle_blocks=False
    )
    for _ in range(3):
        wrapped.partial_fit(X, y)
        for block in range(X.numblocks[0]):
            loop.partial_fit(X.blocks[block].compute(), y.blocks[block].compute())
    np.testing.assert_array_equal(wrapped.predict(X).compute(), loop.predict(X.compute()))

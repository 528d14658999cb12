"""The pruning curve that is drawn is the one that was computed."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPRegressor
from skspectral._display import PruningCurveDisplay
from skspectral._pruning.curve import pruning_curve

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def reg(regression):
    return SpectralMLPRegressor((12, 6), max_iter=30, random_state=0).fit(*regression)


@pytest.fixture
def cv_results():
    return {
        "n_nodes": np.array([1, 2, 8, 64, 256]),
        "mean_test_score": np.array([-0.2, 0.3, 0.7, 0.75, 0.75]),
        "std_test_score": np.array([0.3, 0.2, 0.1, 0.05, 0.05]),
    }


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def tick_labels(ax):
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    return [label.get_text() for value, label in ticks if low <= value <= high]


def test_from_estimator_draws_the_curve_of_the_function(reg, regression):
    display = PruningCurveDisplay.from_estimator(reg, *regression)
    curve = pruning_curve(reg, *regression)
    np.testing.assert_array_equal(display.line_.get_xdata(), curve.n_nodes)
    np.testing.assert_array_equal(display.line_.get_ydata(), curve.score)
    np.testing.assert_array_equal(display.n_nodes, np.arange(2, 19))
    assert display.figure_ is display.ax_.figure
    assert display.fill_between_ is display.chosen_line_ is None
    assert display.ax_.get_ylabel() == "score"


def test_from_estimator_hands_its_parameters_on(reg, regression):
    weight = np.arange(120.0)
    parameters = {
        "n_nodes": [2, 5, 18],
        "scoring": "neg_mean_squared_error",
        "scope": "layer",
        "relevance": "random",
        "random_state": 3,
        "sample_weight": weight,
    }
    display = PruningCurveDisplay.from_estimator(reg, *regression, **parameters)
    curve = pruning_curve(reg, *regression, **parameters)
    np.testing.assert_array_equal(display.n_nodes, [2, 5, 18])
    np.testing.assert_array_equal(display.score, curve.score)
    assert display.ax_.get_ylabel() == "negative mean squared error"


def test_from_estimator_marks_the_alive_nodes(reg, regression):
    display = PruningCurveDisplay.from_estimator(reg, *regression)
    n_alive = sum(reg.n_alive_nodes_)
    assert display.n_alive == n_alive > 0
    assert list(display.alive_line_.get_xdata()) == [n_alive, n_alive]
    assert labels(display.ax_) == [f"alive: {n_alive} nodes"]


def test_from_estimator_takes_a_pipeline(reg, regression):
    X, y = regression
    model = make_pipeline(StandardScaler(), clone(reg)).fit(X, y)
    display = PruningCurveDisplay.from_estimator(model, X, y, n_nodes=[2, 18])
    assert display.score[-1] == pytest.approx(model.score(X, y))
    assert display.n_alive == sum(model[-1].n_alive_nodes_)


@pytest.mark.parametrize(
    ("estimator", "error", "match"),
    [
        (Ridge(), TypeError, "Ridge"),
        (SpectralMLPRegressor(8), NotFittedError, "not fitted"),
    ],
)
def test_from_estimator_rejects_what_is_no_fitted_network(estimator, error, match, regression):
    with pytest.raises(error, match=match):
        PruningCurveDisplay.from_estimator(estimator, *regression)


def test_from_cv_results_draws_line_band_and_chosen_size(cv_results):
    display = PruningCurveDisplay.from_cv_results(cv_results, n_chosen=8, score_name="R2")
    np.testing.assert_array_equal(display.line_.get_xdata(), cv_results["n_nodes"])
    np.testing.assert_array_equal(display.line_.get_ydata(), cv_results["mean_test_score"])
    corners = display.fill_between_.get_paths()[0].vertices
    for sign in (-1, 1):
        edge = cv_results["mean_test_score"] + sign * cv_results["std_test_score"]
        for point in zip(cv_results["n_nodes"], edge, strict=True):
            assert np.isclose(corners, point).all(axis=1).any()
    assert list(display.chosen_line_.get_xdata()) == [8, 8]
    assert display.alive_line_ is None
    assert labels(display.ax_) == ["± 1 standard deviation", "chosen: 8 nodes"]
    assert display.ax_.get_ylabel() == "R2"


def test_from_cv_results_takes_the_curve_of_the_function(reg, regression):
    curve = pruning_curve(reg, *regression, n_nodes=[2, 4, 8])
    display = PruningCurveDisplay.from_cv_results(curve)
    np.testing.assert_array_equal(display.line_.get_ydata(), curve.score)
    assert display.fill_between_ is None
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize("std", [0.0, np.nan, None])
def test_one_split_has_no_band(cv_results, std):
    if std is None:
        del cv_results["std_test_score"]
    else:
        cv_results["std_test_score"] = np.full(5, std)
    assert PruningCurveDisplay.from_cv_results(cv_results).fill_between_ is None


@pytest.mark.parametrize("missing", ["n_nodes", "mean_test_score"])
def test_from_cv_results_tells_which_keys_it_needs(cv_results, missing):
    del cv_results[missing]
    with pytest.raises(ValueError, match=r"'n_nodes' and 'mean_test_score'.*; got \["):
        PruningCurveDisplay.from_cv_results(cv_results)


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        (None, "score"),
        (lambda estimator, X, y: 0.5, "score"),
        ("r2", "r2"),
        ("neg_mean_absolute_error", "negative mean absolute error"),
    ],
)
def test_score_is_named_by_scoring(reg, regression, scoring, name):
    display = PruningCurveDisplay.from_estimator(reg, *regression, n_nodes=[4], scoring=scoring)
    assert display.ax_.get_ylabel() == name


@pytest.mark.parametrize(
    ("n_nodes", "expected"),
    [
        ([1, 30, 256], ["1", "2", "5", "10", "20", "50", "100", "200"]),
        ([2, 10, 50], ["2", "5", "10", "20", "50"]),
        ([7], ["5", "10"]),
    ],
)
def test_sizes_are_on_a_logarithmic_axis_with_whole_numbers(n_nodes, expected):
    display = PruningCurveDisplay(n_nodes=n_nodes, score=np.linspace(0, 1, len(n_nodes))).plot()
    assert display.ax_.get_xscale() == "log"
    shown = tick_labels(display.ax_)
    assert set(expected) <= set(shown)
    assert all(label.isdecimal() for label in shown if label)
    assert not len(display.ax_.get_xticks(minor=True))


def test_narrow_range_of_sizes_has_only_whole_tick_labels():
    display = PruningCurveDisplay(n_nodes=[3, 4], score=[0, 1]).plot()
    assert {label for label in tick_labels(display.ax_) if label} == {"3", "4"}


def test_no_line_at_zero_alive_nodes():
    display = PruningCurveDisplay(n_nodes=[1, 2], score=[0, 0], n_alive=0).plot()
    assert display.alive_line_ is None


def test_lines_are_in_the_singular_for_one_node():
    display = PruningCurveDisplay(n_nodes=[1, 2], score=[0, 0], n_chosen=1, n_alive=1).plot()
    assert labels(display.ax_) == ["chosen: 1 node", "alive: 1 node"]


def test_styles_win_over_defaults_and_may_be_abbreviated(cv_results):
    display = PruningCurveDisplay.from_cv_results(
        cv_results,
        line_kw={"c": "red", "marker": "s", "label": "spectral"},
        fill_between_kw={"alpha": 0.1, "fc": "green", "label": "spread"},
    )
    assert display.line_.get_color() == "red"
    assert display.line_.get_marker() == "s"
    assert display.fill_between_.get_alpha() == 0.1
    np.testing.assert_allclose(
        display.fill_between_.get_facecolor()[0], matplotlib.colors.to_rgba("green", 0.1)
    )
    assert labels(display.ax_) == ["spectral", "spread"]


def test_curves_share_axes_and_a_label_of_both_is_told_once():
    _, ax = plt.subplots()
    for name in ("spectral", "random"):
        display = PruningCurveDisplay(n_nodes=[1, 4, 9], score=[0, 1, 2], n_alive=4)
        display.plot(ax, line_kw={"label": name})
    assert display.ax_ is ax
    assert labels(ax) == ["spectral", "alive: 4 nodes", "random"]


def test_plot_returns_the_display():
    display = PruningCurveDisplay(n_nodes=[1, 2], score=[0, 1])
    assert display.plot() is display


def test_import_does_not_need_matplotlib_and_plot_tells_that_it_does():
    code = (
        "import sys; sys.modules['matplotlib'] = None; "
        "from skspectral._display import PruningCurveDisplay\n"
        "try: PruningCurveDisplay(n_nodes=[1], score=[0]).plot()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PruningCurveDisplay.plot requires matplotlib" in done.stdout


def test_import_does_not_load_matplotlib():
    code = "import sys, skspectral._display; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

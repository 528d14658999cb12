"""The sizes that are drawn are those that the search recorded."""

import functools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    EffectiveSizeDisplay,
    PathMagnitudesDisplay,
    SpectralMLPRegressor,
    n_alive_nodes_score,
    path_magnitudes,
)
from skspectral.datasets import make_teacher_student

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def results():
    """A study of two widths, two parametrizations and two seeds, in a pipeline."""
    X, y = make_teacher_student(200, 4, 3, random_state=0, return_teacher=False)
    prefix = "spectralmlpregressor__"
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SpectralMLPRegressor(max_iter=60)),
        {
            f"{prefix}hidden_layer_sizes": [(6, 4), (12, 4)],
            f"{prefix}parametrization": ["spectral", "dense"],
            f"{prefix}random_state": [0, 1],
        },
        scoring={
            "r2": "r2",
            "n_nodes": n_alive_nodes_score,
            "n_first": functools.partial(n_alive_nodes_score, layer=0),
        },
        cv=2,
        refit=False,
    )
    return search.fit(X, y).cv_results_


def sizes(results, parametrization, layers, name="n_nodes"):
    prefix = "param_spectralmlpregressor__"
    rows = [
        k
        for k in range(8)
        if results[f"{prefix}parametrization"][k] == parametrization
        and results[f"{prefix}hidden_layer_sizes"][k] == layers
    ]
    return [results[f"split{fold}_test_{name}"][k] for k in rows for fold in range(2)]


def test_curves_are_means_over_seeds_and_splits(results):
    display = EffectiveSizeDisplay.from_cv_results(results, teacher_size=3)
    assert display.labels == ["spectral", "dense"]
    assert display.widths.tolist() == [10, 16]
    for k, label in enumerate(display.labels):
        for j, layers in enumerate([(6, 4), (12, 4)]):
            found = sizes(results, label, layers)
            assert len(found) == 4
            assert display.n_alive_nodes[k, j] == pytest.approx(np.mean(found))
            assert display.std_n_alive_nodes[k, j] == pytest.approx(np.std(found))
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), display.n_alive_nodes[1])
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["spectral", "dense", "every node", "teacher: 3 nodes"]
    assert display.ax_.get_xlabel() == "hidden nodes at the start"


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (5, ValueError, "from -2 to 1, as the network has 2 hidden layers; got 5"),
        ("first", TypeError, "an integer or None"),
    ],
)
def test_layer_that_is_not_there_is_refused(results, layer, error, message):
    with pytest.raises(error, match=f"`layer` must be {message}"):
        EffectiveSizeDisplay.from_cv_results(results, layer=layer)


def test_one_layer_of_several(results):
    display = EffectiveSizeDisplay.from_cv_results(results, score_name="n_first", layer=0)
    assert display.widths.tolist() == [6, 12]
    found = sizes(results, "dense", (6, 4), "n_first")
    assert display.n_alive_nodes[1, 0] == pytest.approx(np.mean(found))


def test_drawing_goes_where_it_is_told(results):
    _, ax = plt.subplots()
    display = EffectiveSizeDisplay.from_cv_results(results, ax=ax, line_kw={"linewidth": 5})
    assert display.ax_ is ax
    assert display.lines_[0].get_linewidth() == 5


def test_parametrizations_may_differ_between_layers():
    made = {
        "param_hidden_layer_sizes": [(9, 3)],
        "param_parametrization": [("spectral", "dense")],
        "split0_test_n_nodes": [7],
    }
    assert EffectiveSizeDisplay.from_cv_results(made).labels == ["spectral, dense"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"param_parametrization": ["dense", "dense"]}, r"no spectral fit.*\['dense'\]"),
        ({"split0_test_n_nodes": [np.nan, np.nan]}, "All scores named 'n_nodes' are NaN"),
        ({"split0_test_n_nodes": None}, "no scores named 'n_nodes'"),
        ({"param_hidden_layer_sizes": None}, "no parameter `hidden_layer_sizes`"),
        ({"param_a__hidden_layer_sizes": [1, 2]}, "several parameters"),
        ({"param_hidden_layer_sizes": ["auto", 8]}, "has hidden_layer_sizes='auto', and does not"),
    ],
)
def test_other_searches_are_refused(changes, message):
    made = {
        "param_hidden_layer_sizes": [10, 20],
        "param_parametrization": ["spectral", "dense"],
        "split0_test_n_nodes": [7, 7],
    }
    made = {key: value for key, value in {**made, **changes}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        EffectiveSizeDisplay.from_cv_results(made)


def test_search_over_something_else_is_refused(regression):
    results = GridSearchCV(Ridge(), {"alpha": [1, 2]}).fit(*regression).cv_results_
    with pytest.raises(ValueError, match="no parameter `hidden_layer_sizes`; search over widths"):
        EffectiveSizeDisplay.from_cv_results(results)


@pytest.mark.parametrize(
    ("cv_results", "teacher_size", "error", "message"),
    [
        (GridSearchCV(Ridge(), {}), None, TypeError, "`cv_results_` of a search; got GridS"),
        ("made", 0, ValueError, "teacher_size == 0, must be >= 1"),
        ("made", "ten", TypeError, "teacher_size must be an instance of int"),
    ],
)
def test_other_arguments_are_refused(cv_results, teacher_size, error, message):
    made = {"param_hidden_layer_sizes": [10, 20], "split0_test_n_nodes": [7, 7]}
    cv_results = made if cv_results == "made" else cv_results
    with pytest.raises(error, match=message):
        EffectiveSizeDisplay.from_cv_results(cv_results, teacher_size=teacher_size)


def test_path_magnitudes_are_drawn_strongest_first():
    teacher = make_teacher_student(10, random_state=0).teacher
    other = make_teacher_student(10, random_state=1).teacher
    display = PathMagnitudesDisplay.from_estimators(other, teacher)
    assert display.labels == ["student", "teacher"]
    np.testing.assert_array_equal(display.magnitudes[1], path_magnitudes(teacher))
    drawn = display.lines_[1]
    np.testing.assert_array_equal(
        drawn.get_ydata(), path_magnitudes(teacher)[drawn.get_xdata().astype(int) - 1]
    )
    assert (drawn.get_xdata()[0], drawn.get_xdata()[-1]) == (1, 4000)
    assert 0.5 < display.path_agreement < 1

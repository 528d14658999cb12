"""The diagram has the weights of the network."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import NetworkDisplay, SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._display.signs import COLOURS
from skspectral.preprocessing import make_tabular_preprocessor

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
    return SpectralMLPRegressor((8, 5), alpha=3e-3, max_iter=60, random_state=0).fit(*regression)


@pytest.fixture
def toy():
    """Return a display of two inputs, two nodes and an output."""
    return NetworkDisplay(
        strengths=[[[1.0, 0.5], [0.25, 0.001]], [[2.0], [1.0]]],
        signs=[[[1, -1], [0, 1]], [[-1], [1]]],
        relevances=[[1.0, 0.5]],
        node_indices=[[3, 7]],
        input_names=["a", "b"],
        output_names=["prediction"],
    )


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_lines_have_width_and_colour_of_the_weights(toy):
    ax = toy.plot().ax_
    first, last = ax.collections[:2]
    # the strongest on top; what is next to nothing is left out
    assert first.get_linewidths() == pytest.approx([1, 2, 4])
    expected = [to_rgb(COLOURS[sign]) for sign in (0, -1, 1)]
    np.testing.assert_allclose(first.get_colors()[:, :3], expected)
    assert last.get_linewidths() == pytest.approx([2, 4])
    np.testing.assert_allclose(first.get_segments()[-1], [[0, -0.5], [1, -0.5]])


def test_nodes_have_area_of_their_relevance_and_their_numbers(toy):
    ax = toy.plot().ax_
    (areas,) = (c.get_sizes() for c in ax.collections if len(c.get_offsets()) == 2)
    assert areas[0] > areas[1]
    assert texts(ax) == ["3", "7", "a", "b", "prediction", "2 inputs", "2 nodes"]


def test_estimator_brings_the_alive_nodes(reg, regression):
    display = NetworkDisplay.from_estimator(reg, feature_names=list("abcd"))
    small = reg.prune()
    for drawn, expected in zip(display.strengths[1:], small.coefs_[1:], strict=True):
        np.testing.assert_allclose(drawn, np.abs(expected))
    spreads = regression[0].std(axis=0)[:, np.newaxis]
    np.testing.assert_allclose(display.strengths[0], np.abs(small.coefs_[0]) * spreads)
    np.testing.assert_array_equal(display.signs[0], np.sign(small.coefs_[0]))
    assert [len(indices) for indices in display.node_indices] == reg.n_alive_nodes_
    assert display.input_names == list("abcd")
    assert "4 inputs" in texts(display.ax_)


@pytest.mark.parametrize("with_rows", [False, True])
def test_linear_skip_is_drawn_from_inputs_to_outputs(regression, with_rows):
    X, y = regression
    Y = np.column_stack([y, -X[:, 2]])
    reg = SpectralMLPRegressor((8, 5), skip=True, alpha=1e-3, max_iter=60, random_state=0).fit(
        X, Y
    )
    display = NetworkDisplay.from_estimator(reg, X if with_rows else None)
    expected = np.abs(reg.prune().skip_coef_.T) * X.std(axis=0)[:, np.newaxis]
    np.testing.assert_allclose(display.skip_strengths, expected, rtol=1e-5)
    assert display.strengths[0].shape[1] == len(display.node_indices[0])
    np.testing.assert_array_equal(display.skip_signs, np.sign(reg.skip_coef_.T))
    segments = display.ax_.collections[3].get_segments()
    assert {(a[0], b[0]) for a, b in segments} == {(0.0, 3.0)}
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend[-1] == "linear skip"


def test_rows_group_inputs_by_columns():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "kind": rng.choice(["u", "v"], 200)})
    y = np.abs(X["a"]) + (X["kind"] == "u")
    model = make_pipeline(
        make_tabular_preprocessor(n_knots=5, n_quantiles=50),
        SpectralMLPRegressor(8, alpha=3e-3, max_iter=60, random_state=0),
    ).fit(X, y)
    by_column = NetworkDisplay.from_estimator(model, X)
    assert by_column.input_names == ["a", "kind"]
    assert not by_column.signs[0][1].any()
    by_input = NetworkDisplay.from_estimator(model)
    assert by_input.input_names == model[0].get_feature_names_out().tolist()


def test_strongest_inputs_are_drawn_and_the_others_counted(reg, regression):
    display = NetworkDisplay.from_estimator(reg, max_inputs=2)
    assert display.input_names == ["x0", "x1"]  # of which y is made
    assert "2 of 4 inputs" in texts(display.ax_)


def test_outputs_are_named_by_class(multiclass):
    X, y = multiclass
    clf = SpectralMLPClassifier(8, max_iter=20, random_state=0).fit(X, y)
    display = NetworkDisplay.from_estimator(make_pipeline(StandardScaler(), clf).fit(X, y))
    assert display.output_names == ["ash", "beech", "cedar"]
    two = NetworkDisplay.from_estimator(SpectralMLPClassifier(8, max_iter=20).fit(X, y == "ash"))
    assert two.output_names == ["class True"]


def test_axes_of_the_caller_are_used(toy):
    figure, ax = plt.subplots()
    assert toy.plot(ax).ax_ is ax
    assert toy.figure_ is figure
    with pytest.raises(TypeError, match="`ax` must be Axes"):
        toy.plot("a")


def test_what_cannot_be_drawn_is_refused(reg, regression):
    X, y = regression
    with pytest.raises(TypeError, match=r"got Ridge\."):
        NetworkDisplay.from_estimator(Ridge().fit(X, y))
    with pytest.raises(NotFittedError):
        NetworkDisplay.from_estimator(SpectralMLPRegressor())
    with pytest.raises(ValueError, match="no hidden layer"):
        NetworkDisplay.from_estimator(SpectralMLPRegressor((), max_iter=2).fit(X, y))
    dead = SpectralMLPRegressor(8, alpha=10, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Every node of the network died"):
        NetworkDisplay.from_estimator(dead)
    wide = SpectralMLPRegressor(40, alpha=0, max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="`max_nodes` is 30, and the network has 40 alive nodes"):
        NetworkDisplay.from_estimator(wide)
    assert not plt.get_fignums()
    NetworkDisplay.from_estimator(wide, max_nodes=40)
    Y = np.column_stack([y] * 5)
    several = SpectralMLPRegressor(3, max_iter=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="has 5 outputs"):
        NetworkDisplay.from_estimator(several, max_nodes=4)
    with pytest.raises(ValueError, match="each of the 4 columns; got 2 names"):
        NetworkDisplay.from_estimator(reg, feature_names=["a", "b"])

"""The relevances that are drawn are those of the network."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._display import RelevanceDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FLOOR = 1e-8


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """A meta-estimator such as a pruner."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def reg(regression):
    model = SpectralMLPRegressor((12, 6), max_iter=30, relevance_threshold=0.1, random_state=0)
    return model.fit(*regression)


@pytest.fixture
def display():
    return RelevanceDisplay(
        relevance=[np.array([2.0, 0.0, 4.0, 0.1]), np.array([1.0, 1e-12, 1e-4])], threshold=0.05
    )


def points(ax):
    return ax.lines[0].get_xdata(), ax.lines[0].get_ydata()


def visible_tick_labels(ax):
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    return [label.get_text() for value, label in ticks if low <= value <= high]


def test_spectrum_is_sorted_and_divided_by_the_largest(display):
    display.plot()
    ranks, shares = points(display.axes_[0, 0])
    np.testing.assert_array_equal(ranks, [1, 2, 3, 4])
    np.testing.assert_allclose(shares, [1, 0.5, 0.025, FLOOR])
    np.testing.assert_allclose(points(display.axes_[1, 0])[1], [1, 1e-4, FLOOR])
    assert display.axes_[0, 0].get_yscale() == "log"


def test_floor_is_named_on_the_axis(display):
    assert visible_tick_labels(display.plot().axes_[0, 0])[0] == r"$\leq 10^{-8}$"


def test_axis_without_small_relevances_ends_before_the_floor():
    display = RelevanceDisplay(relevance=[np.linspace(0.5, 1, 9)], threshold=0.05).plot()
    assert visible_tick_labels(display.axes_[0, 0]) == ["$10^{-2}$", "$10^{0}$"]


def test_histogram_counts_every_node(display):
    display.plot()
    for ax, n_nodes in zip(display.axes_[:, 1], [4, 3], strict=True):
        assert sum(bar.get_height() for bar in ax.patches) == n_nodes
        assert ax.get_yscale() == "log"
    heights = {round(bar.get_x(), 3): bar.get_height() for bar in display.axes_[0, 1].patches}
    assert heights[0.0] == 1
    assert heights[0.5] == 1
    assert heights[0.975] == 1  # the last bin includes its right edge


@pytest.mark.parametrize(("threshold", "drawn"), [(0.05, 0.05), (0.3, 0.3), (0.0, FLOOR)])
def test_threshold_is_drawn_in_both_panels(display, threshold, drawn):
    display.threshold = threshold
    for spectrum, histogram in display.plot().axes_:
        assert list(spectrum.lines[1].get_ydata()) == [drawn, drawn]
        assert list(histogram.lines[0].get_xdata()) == [threshold, threshold]
    (text,) = display.axes_[0, 0].get_legend().get_texts()
    assert text.get_text() == f"threshold {threshold:g}"


def test_titles_count_alive_nodes(display):
    titles = [ax.get_title(loc="left") for ax in display.plot().axes_[:, 0]]
    assert titles == ["hidden layer 1: 2 of 4 nodes alive", "hidden layer 2: 1 of 3 nodes alive"]
    display.n_alive = [1, 0]
    titles = [ax.get_title(loc="left") for ax in display.plot().axes_[:, 0]]
    assert titles == ["hidden layer 1: 1 of 4 nodes alive", "hidden layer 2: 0 of 3 nodes alive"]


@pytest.mark.parametrize("threshold", [0.0, 0.05])
@pytest.mark.parametrize("n_nodes", [1, 7])
def test_collapsed_layer_lies_on_the_floor(n_nodes, threshold):
    display = RelevanceDisplay(relevance=[np.zeros(n_nodes)], threshold=threshold).plot()
    display.figure_.canvas.draw()
    np.testing.assert_array_equal(points(display.axes_[0, 0])[1], np.full(n_nodes, FLOOR))
    assert f"0 of {n_nodes} nodes" in display.axes_[0, 0].get_title(loc="left")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_from_estimator_draws_each_hidden_layer(reg, regression, dtype):
    reg = clone(reg).set_params(dtype=dtype).fit(*regression)
    display = RelevanceDisplay.from_estimator(reg)
    assert display.axes_.shape == (2, 2)
    assert display.threshold == 0.1
    assert display.n_alive == reg.n_alive_nodes_
    assert display.figure_ is display.axes_[0, 0].figure
    for ax, relevance in zip(display.axes_[:, 0], reg.feature_relevance_, strict=True):
        relevance = relevance.astype(float)
        expected = np.maximum(np.sort(relevance / relevance.max())[::-1], FLOOR)
        np.testing.assert_allclose(points(ax)[1], expected)


def test_from_estimator_finds_the_network_inside(reg, regression):
    model = make_pipeline(StandardScaler(), clone(reg)).fit(*regression)
    wrapped = Wrapper(clone(reg)).fit(*regression)
    for outer, network in [
        (model, model[-1]),
        (wrapped, wrapped.estimator_),
        (make_pipeline(wrapped), wrapped.estimator_),
    ]:
        display = RelevanceDisplay.from_estimator(outer)
        np.testing.assert_array_equal(display.relevance[0], network.feature_relevance_[0])


def test_from_estimator_draws_a_classifier(binary):
    clf = SpectralMLPClassifier(9, max_iter=30, random_state=0).fit(*binary)
    display = RelevanceDisplay.from_estimator(clf)
    assert len(points(display.axes_[0, 0])[0]) == 9


@pytest.mark.parametrize("estimator", [Ridge(), make_pipeline(Ridge()), "ridge"])
def test_from_estimator_names_what_is_no_network(estimator):
    with pytest.raises(TypeError, match=r"got (Ridge|str)\."):
        RelevanceDisplay.from_estimator(estimator)


def test_from_estimator_looks_into_searches(reg, regression):
    search = GridSearchCV(reg, {}, cv=2).fit(*regression)
    display = RelevanceDisplay.from_estimator(search)
    np.testing.assert_array_equal(
        display.relevance[0], search.best_estimator_.feature_relevance_[0]
    )
    with pytest.raises(TypeError, match="got Ridge"):
        RelevanceDisplay.from_estimator(GridSearchCV(Ridge(), {}, cv=2).fit(*regression))


@pytest.mark.parametrize("wrap", [lambda e: e, Wrapper, make_pipeline])
def test_from_estimator_needs_a_fitted_one(wrap):
    with pytest.raises(NotFittedError):
        RelevanceDisplay.from_estimator(wrap(SpectralMLPRegressor(8)))


def test_network_without_hidden_layers_has_nothing_to_draw(regression):
    reg = SpectralMLPRegressor((), max_iter=3, random_state=0).fit(*regression)
    with pytest.raises(ValueError, match="at least one hidden layer"):
        RelevanceDisplay.from_estimator(reg)
    assert not plt.get_fignums()


def test_one_axes_is_split(display):
    fig, (left, right) = plt.subplots(1, 2, layout="constrained")
    display.plot(right)
    assert display.figure_ is fig
    assert display.bounding_ax_ is right
    assert not right.axison
    fig.canvas.draw()
    assert all(ax.get_position().x0 > left.get_position().x1 for ax in display.axes_.ravel())
    with pytest.raises(ValueError, match=r"display\.axes_"):
        display.plot(right)
    display.plot(display.axes_)
    assert display.bounding_ax_ is None


def test_axes_outside_a_grid_cannot_be_split(display):
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match=r"plt\.subplots.*shape \(2, 2\)"):
        display.plot(ax)


def test_array_of_axes_is_used_as_it_is(display):
    _, axes = plt.subplots(2, 2)
    assert display.plot(axes) is display
    assert (display.axes_ == axes).all()
    RelevanceDisplay(relevance=[[1.0, 2.0]], threshold=0.05).plot([axes[0]])


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 2), (4,)])
def test_array_of_axes_of_another_shape_is_rejected(display, shape):
    _, axes = plt.subplots(4, 2)
    axes = axes.ravel()[: np.prod(shape)].reshape(shape)
    with pytest.raises(ValueError, match=r"of shape \(2, 2\).*got shape"):
        display.plot(axes)


def test_plot_tells_that_it_needs_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None; "
        "from skspectral._display import RelevanceDisplay\n"
        "try: RelevanceDisplay(relevance=[[1.0]], threshold=0.05).plot()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "RelevanceDisplay.plot requires matplotlib" in done.stdout


@pytest.mark.parametrize("ax", [3, "ax", [[1, 2], [3, 4]]])
def test_axes_are_axes(display, ax):
    with pytest.raises(TypeError, match="`ax` must be Axes of matplotlib"):
        display.plot(ax)

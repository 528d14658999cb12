"""The path that is drawn is the one that was followed."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skspectral import SpectralMLPRegressor, SpectralMLPRegressorCV, SpectralPathDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ALPHAS = [1e-3, 1e-2, 1e-1]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def reg(regression):
    reg = SpectralMLPRegressorCV(8, alphas=ALPHAS, cv=2, max_iter=30, random_state=0)
    return reg.fit(*regression)


@pytest.fixture
def path():
    return Bunch(
        alphas=np.array([0.0, 0.1, 1.0]),
        n_alive_nodes=np.array([[30, 20], [5, 3], [0, 0]]),
        train_loss=np.array([0.1, 0.2, 1.0]),
    )


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_from_estimator_draws_what_the_folds_gave(reg):
    display = SpectralPathDisplay.from_estimator(reg)
    top, bottom = display.axes_
    results = reg.cv_results_
    np.testing.assert_array_equal(display.score_line_.get_xdata(), ALPHAS)
    np.testing.assert_array_equal(display.score_line_.get_ydata(), results["mean_test_score"])
    np.testing.assert_array_equal(display.nodes_line_.get_ydata(), results["mean_n_alive_nodes"])
    assert (top.get_ylabel(), bottom.get_ylabel()) == ("r2", "alive nodes")
    assert bottom.get_xlabel() == "penalty alpha"
    assert labels(bottom)[-1] == f"chosen: {reg.n_alive_nodes_[0]} nodes"
    band = top.collections[0].get_paths()[0].vertices[:, 1]
    lowest = results["mean_test_score"] - results["std_test_score"]
    assert band.min() == pytest.approx(lowest.min())


def test_chosen_penalty_is_marked(reg):
    display = SpectralPathDisplay.from_estimator(make_pipeline(StandardScaler(), reg))
    for ax in display.axes_:
        assert any((np.asarray(line.get_xdata()) == reg.alpha_).all() for line in ax.lines)
    point = display.axes_[1].lines[-1]
    assert (*point.get_xdata(), *point.get_ydata()) == (reg.alpha_, sum(reg.n_alive_nodes_))


def test_best_margin_and_interval_are_marked():
    toy = {"alphas": [0.1, 0.2, 0.4], "n_alive_nodes": [5, 4, 4], "score": [0.9, 0.95, 0.9]}
    marks = {"best_alpha": 0.2, "margin": [0.02, 0.01, 0.03], "interval": (4, 5)}
    display = SpectralPathDisplay(**toy, **marks, identified=True).plot()
    top, bottom = display.axes_
    star = top.lines[-1]
    assert (*star.get_xdata(), *star.get_ydata()) == (0.2, 0.95)
    (band,) = top.collections
    vertices = band.get_paths()[0].vertices
    assert {tuple(vertex) for vertex in vertices.round(6)} >= {
        (0.1, 0.93),
        (0.2, 0.94),
        (0.4, 0.92),
    }
    assert vertices[:, 1].max() == 0.95
    (shade,) = bottom.patches
    assert (shade.get_y(), shade.get_y() + shade.get_height()) == (3.5, 5.5)
    texts = [text.get_text() for ax in display.axes_ for text in ax.get_legend().get_texts()]
    assert texts == ["margin of the choice", "best: 0.2", "4 to 5 nodes: identified"]


def test_nothing_is_marked_unless_given():
    toy = {"alphas": [0.1, 0.2], "n_alive_nodes": [4, 4], "score": [0.9, 0.9]}
    display = SpectralPathDisplay(**toy).plot()
    for ax in display.axes_:
        assert len(ax.lines) == 1
        assert not [*ax.patches, *ax.collections]
        assert ax.get_legend() is None


@pytest.mark.parametrize(("nodes", "scale"), [([11, 5, 4], "linear"), ([60, 5, 4], "symlog")])
def test_axis_of_nodes_holds_all_marks(nodes, scale):
    toy = {"alphas": [0.1, 0.2, 0.4], "n_alive_nodes": nodes, "score": [0.9, 0.9, 0.9]}
    display = SpectralPathDisplay(**toy, alpha=0.2, n_chosen=90, interval=(3, 99)).plot()
    bottom = display.axes_[1]
    assert bottom.get_yscale() == scale
    assert bottom.get_ylim() == (0, pytest.approx(1.2 * 99))


def test_estimator_brings_what_made_the_choice(reg):
    display = SpectralPathDisplay.from_estimator(reg)
    assert display.best_alpha == reg.alphas_[np.argmax(reg.cv_results_["mean_test_score"])]
    np.testing.assert_array_equal(display.margin, reg.cv_results_["margin"])
    assert display.interval == reg.size_interval_[0]
    assert display.identified == reg.size_identified_


def test_from_path_draws_the_loss_that_there_is(path):
    display = SpectralPathDisplay.from_path(path)
    assert display.axes_[0].get_ylabel() == "train loss"
    assert display.nodes_line_.get_ydata().tolist() == [50, 8, 0]
    path.validation_loss = np.array([0.2, 0.3, 1.0])
    display = SpectralPathDisplay.from_path(path)
    assert display.axes_[0].get_ylabel() == "validation loss"
    assert display.score_line_.get_ydata().tolist() == [0.2, 0.3, 1.0]


def test_axes_and_style_of_the_caller_are_used(path):
    figure, axes = plt.subplots(2)
    display = SpectralPathDisplay.from_path(path, ax=axes, line_kw={"color": "green"})
    assert display.figure_ is figure
    assert display.score_line_.get_color() == display.nodes_line_.get_color() == "green"
    with pytest.raises(ValueError, match=r"two Axes.* got 3"):
        display.plot(plt.subplots(3)[1])


def test_no_nodes_and_many_are_both_to_be_seen(path):
    ax = SpectralPathDisplay.from_path(path).axes_[1]
    low, high = ax.get_ylim()
    assert low == 0
    assert high > 50


def test_what_has_no_path_is_refused():
    with pytest.raises(TypeError, match=r"SpectralMLPRegressorCV.*got SpectralMLPRegressor"):
        SpectralPathDisplay.from_estimator(SpectralMLPRegressor())
    with pytest.raises(NotFittedError):
        SpectralPathDisplay.from_estimator(SpectralMLPRegressorCV())
    with pytest.raises(ValueError, match="what spectral_path returns; it has no"):
        SpectralPathDisplay.from_path({"alphas": [1.0]})

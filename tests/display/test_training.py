"""The course of training that is drawn is the one that was recorded."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPRegressor, TrainingDisplay
from skspectral._display.training import unchanged_since
from skspectral._training.history import cycle_ends_of
from skspectral._training.schedule import cycle_ends

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
    return SpectralMLPRegressor(12, max_iter=30, random_state=0).fit(*regression)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def title(ax):
    return ax.get_legend().get_title().get_text()


def test_curves_are_those_of_the_history(reg, regression):
    display = TrainingDisplay.from_estimator(make_pipeline(StandardScaler(), reg))
    history = reg.net_.history
    nodes, loss, alpha, noise = display.axes_
    counts = [n_alive for (n_alive,) in history[:, "n_alive_nodes"]]
    np.testing.assert_array_equal(nodes.lines[0].get_ydata(), counts)
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), reg.loss_curve_)
    np.testing.assert_array_equal(alpha.lines[0].get_ydata(), history[:, "alpha"])
    np.testing.assert_array_equal(noise.lines[0].get_ydata(), history[:, "noise_variance"])
    assert nodes.lines[0].get_xdata().tolist() == list(range(1, reg.n_iter_ + 1))
    assert display.figure_ is nodes.figure


def test_fixed_penalty_has_no_curve(regression):
    reg = SpectralMLPRegressor(8, alpha=0.01, max_iter=20, random_state=0).fit(*regression)
    display = TrainingDisplay.from_estimator(reg)
    assert [ax.get_ylabel() for ax in display.axes_] == ["alive nodes", "loss"]


def test_ends_of_cycles_are_found_and_named(regression):
    X, y = regression
    reg = SpectralMLPRegressor(12, batch_size=20, random_state=0).fit(X, y)
    planned = cycle_ends(len(X), 20)
    ends = cycle_ends_of(reg.net_.history).tolist()
    assert ends
    assert ends == [end for end in planned if end < reg.n_iter_]
    display = TrainingDisplay.from_estimator(reg)
    assert legend(display.axes_[0])[-1] == "a cycle ends"
    assert "Last cycle: " in title(display.axes_[0])
    one = TrainingDisplay.from_estimator(SpectralMLPRegressor(8, max_iter=20).fit(X, y))
    assert len(one.cycle_ends) == 0
    assert "cycle" not in title(one.axes_[0])


def test_a_warm_start_begins_a_cycle(reg, regression):
    reg.set_params(warm_start=True).fit(*regression)
    assert cycle_ends_of(reg.net_.history).tolist() == [30]


@pytest.mark.parametrize(
    ("sizes", "epoch"), [([4, 3, 2, 2, 2], 3), ([2, 2], 1), ([3, 2, 3, 2], 4), ([5], 1)]
)
def test_epoch_from_which_the_size_stays_is_marked(sizes, epoch):
    assert unchanged_since(np.array(sizes)[:, np.newaxis]) == epoch
    nodes = [[size] for size in sizes]
    display = TrainingDisplay(n_alive_nodes=nodes, loss=np.ones(len(sizes))).plot()
    top = display.axes_[0]
    marked = top.lines[1]
    assert marked.get_xdata() == [epoch, epoch]
    assert legend(top) == [f"{sizes[-1]} nodes from epoch {epoch} on"]


def test_last_cycle_tells_what_it_changed():
    display = TrainingDisplay(
        n_alive_nodes=[[9, 4], [6, 3], [5, 3], [5, 3]],
        loss=[4.0, 2.0, 1.9, 1.9],
        cycle_ends=[2],
        title="Settled: yes",
    ).plot()
    assert title(display.axes_[0]) == (
        "Settled: yes\nLast cycle: 6 + 3 nodes before, 5 + 3 nodes after; loss −5.0 %"  # noqa: RUF001
    )
    assert legend(display.axes_[0])[:2] == ["hidden layer 1", "hidden layer 2"]


def test_verdict_is_that_of_the_summary(reg, regression):
    settled = dict(line.split(maxsplit=1) for line in reg.summary().splitlines()[1:])["settled"]
    assert title(TrainingDisplay.from_estimator(reg).axes_[0]).startswith(f"Settled: {settled}")
    several = SpectralMLPRegressor(8, n_members=2, max_iter=20, random_state=0).fit(*regression)
    text = title(TrainingDisplay.from_estimator(several).axes_[0])
    assert text.startswith("First of 2 networks; settled: ")


def test_network_that_died_can_be_followed(regression):
    reg = SpectralMLPRegressor(8, alpha=10, random_state=0).fit(*regression)
    top = TrainingDisplay.from_estimator(reg).axes_[0]
    assert top.get_yscale() == "symlog"
    assert legend(top)[0].startswith("0 nodes from epoch")


def test_axes_of_the_caller_are_used(reg):
    figure, axes = plt.subplots(4)
    display = TrainingDisplay.from_estimator(reg, ax=axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match=r"four Axes, for alive nodes, .*; got 3"):
        display.plot(plt.subplots(3)[1])
    with pytest.raises(TypeError, match="`ax` must be Axes"):
        display.plot("a")


def test_what_has_no_training_is_refused(regression):
    X, y = regression
    with pytest.raises(TypeError, match=r"got Ridge\."):
        TrainingDisplay.from_estimator(Ridge().fit(X, y))
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(SpectralMLPRegressor())
    with pytest.raises(ValueError, match="no hidden layer"):
        TrainingDisplay.from_estimator(SpectralMLPRegressor((), max_iter=2).fit(X, y))


def test_three_quantities_need_three_axes():
    display = TrainingDisplay(n_alive_nodes=[[3], [2]], loss=[1, 0.5], alpha=[0.1, 0.2])
    with pytest.raises(ValueError, match=r"three Axes, for alive nodes, .*; got 2"):
        display.plot(plt.subplots(2)[1])

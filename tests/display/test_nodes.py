"""What is drawn of nodes is what they do."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    NodesDisplay,
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
)
from skspectral._display.cells import HALF
from skspectral._display.node_responses import as_numbers, effects_of, sign_of
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
    return SpectralMLPRegressor(8, alpha=0.01, max_iter=60, random_state=0).fit(*regression)


@pytest.fixture
def titles():
    """Return a table of a number, a number with gaps and a category, and y."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.uniform(20, 60, 300),
            "fare": rng.exponential(30, 300),
            "kind": rng.choice(["long name of a kind", "b", "c"], 300),
        }
    )
    y = np.abs(table["age"] - 40) / 10 + 2 * (table["kind"] == "b")
    table.loc[:20, "fare"] = np.nan
    return table, y.to_numpy()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(ax):
    return [label.get_text() for label in ax.get_xticklabels()]


def test_strength_and_sign_are_those_of_the_weights(reg, regression):
    X, _ = regression
    display = NodesDisplay.from_estimator(reg, X)
    at = {int(number): row for row, number in enumerate(reg.node_indices_[0])}
    weights = reg.coefs_[0][:, [at[index] for index in display.node_indices]]
    assert [response.name for response in display.responses] == ["x0", "x1", "x2", "x3"]
    for column, response in enumerate(display.responses):
        expected = np.abs(weights[column]) * X[:, column].std()
        np.testing.assert_allclose(response.strengths, expected)
        np.testing.assert_array_equal(response.signs, np.sign(weights[column]))


def test_shares_add_up_to_one_with_one_hidden_layer(reg, regression):
    display = NodesDisplay.from_estimator(reg, regression[0], max_nodes=100)
    assert display.shares.sum() == pytest.approx(1, abs=1e-6)
    assert (np.diff(display.shares) <= 0).all()
    assert display.n_nodes == len(display.shares) == reg.n_alive_nodes_[0]
    signs = {int(index): np.sign(weight) for index, weight in zip(*outgoing(reg), strict=True)}
    for index, (sign,) in zip(display.node_indices, display.effect_signs, strict=True):
        assert sign == signs[int(index)]


def test_shares_leave_out_that_of_a_linear_skip(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, skip=True, alpha=0.01, max_iter=60, random_state=0).fit(X, y)
    display = NodesDisplay.from_estimator(reg, X, max_nodes=100)
    prediction = reg.predict(X)
    skipped = np.cov(X @ reg.skip_coef_[0], prediction)[0, 1] / prediction.var(ddof=1)
    assert display.shares.sum() + skipped == pytest.approx(1, abs=1e-5)
    assert skipped > 0.05


def outgoing(reg):
    return reg.node_indices_[0], reg.coefs_[1][:, 0]


def test_part_of_a_node_is_what_its_mean_takes_away(regression):
    X, y = regression
    reg = SpectralMLPRegressor((6, 4), alpha=1e-3, max_iter=60, random_state=0).fit(X, y)
    effects = effects_of(reg, X)
    changed = clone(reg).fit(X, y)
    plain = reg.to_sklearn()
    hidden = np.maximum(X @ plain.coefs_[0] + plain.intercepts_[0], 0)
    # the first node is set to its mean by way of its weights
    plain.coefs_[0][:, 0] = 0
    plain.intercepts_[0][0] = hidden[:, 0].mean()
    part = (changed.predict(X) - plain.predict(X)) / reg.y_scale_
    assert effects.strengths[0, 0] == pytest.approx(part.std(), rel=1e-5)
    prediction = changed.predict(X) / reg.y_scale_
    share = np.cov(part, prediction, ddof=0)[0, 1] / prediction.var()
    assert effects.shares[0] == pytest.approx(share, rel=1e-5)


def test_encoded_columns_are_drawn_as_the_user_has_them(titles):
    table, y = titles
    model = make_pipeline(
        make_tabular_preprocessor(n_knots=6),
        SpectralMLPRegressor(16, alpha=3e-3, max_iter=150, random_state=0),
    ).fit(table, y)
    display = NodesDisplay.from_estimator(model, table)
    ax = display.ax_
    assert ticks(ax) == ["age", "fare", "kind", "prediction"]
    age, fare, kind = display.responses
    assert age.has_numbers
    assert fare.has_numbers
    assert (kind.values == ["b", "c", "long name of a kind"]).all()
    assert not kind.signs.any()
    assert age.values.min() >= 20
    # the first node to respond to age is high at one of its ends or in the middle
    assert "b" in texts(ax) or "long na…" in texts(ax)
    low, high = np.quantile(table["fare"].dropna(), [0.01, 0.99])
    assert (fare.values[0], fare.values[-1]) == pytest.approx((low, high))


@pytest.mark.parametrize("monotone", [1, -1, 0])
def test_sign_tells_whether_a_response_is_monotone(monotone):
    x = np.linspace(-1, 1, 50)
    response = {1: x**3, -1: -np.maximum(x, 0), 0: x**2}[monotone]
    assert sign_of(x, response + 1e-13 * np.cos(90 * x)) == monotone
    assert sign_of(x, np.ones(50)) == 0


def test_numbers_and_times_have_an_order():
    days = pd.to_datetime(["1970-01-01", "2000-01-01", None])
    for dated in (days.to_numpy(), days.tz_localize("UTC").to_numpy(dtype=object)):
        np.testing.assert_allclose(as_numbers(dated), [1970, 2000, np.nan], atol=0.01)
    spans = np.array([36, 12], dtype="timedelta64[h]")
    np.testing.assert_allclose(as_numbers(spans), [1.5, 0.5])
    listed = np.array([1, None, 2.5, pd.NA], dtype=object)
    np.testing.assert_array_equal(as_numbers(listed), [1, np.nan, 2.5, np.nan])
    for labels in (["a", "b"], [True, False], ["1", "2"]):
        assert as_numbers(np.array(labels)) is None
    assert as_numbers(np.array([1.0, np.nan, 1.0])) is None


def test_curves_fill_cells_by_their_strength(reg, regression):
    ax = NodesDisplay.from_estimator(reg, regression[0]).ax_
    heights = [np.ptp(line.get_ydata()) for line in ax.lines]
    assert max(heights) == pytest.approx(2 * HALF)
    widths = [np.ptp(line.get_xdata()) for line in ax.lines]
    assert widths == pytest.approx([2 * HALF] * len(widths))


def test_each_class_has_a_column(multiclass):
    X, y = multiclass
    clf = SpectralMLPClassifier(12, alpha=3e-3, max_iter=60, random_state=0).fit(X, y)
    display = NodesDisplay.from_estimator(clf, X)
    assert display.output_names == ["ash", "beech", "cedar"]
    assert display.effects.shape == (len(display.shares), 3)
    # logits are compared with their mean over classes: a node cannot raise all of them
    assert display.shares.sum() == pytest.approx(1, abs=1e-6)
    assert (display.effect_signs.min(axis=1) < display.effect_signs.max(axis=1)).all()


def test_two_classes_share_a_column(binary):
    X, y = binary
    clf = SpectralMLPClassifier(6, alpha=3e-3, max_iter=30, random_state=0).fit(X, y)
    assert NodesDisplay.from_estimator(clf, X).output_names == ["class 1"]


def test_what_is_left_out_is_said(regression):
    X, y = regression
    Y = np.column_stack([y, -y, X[:, 0]])
    reg = SpectralMLPRegressor(12, alpha=1e-4, max_iter=30, random_state=0).fit(X, Y)
    display = NodesDisplay.from_estimator(reg, X, max_nodes=2, max_columns=2)
    title = display.ax_.get_legend().get_title().get_text()
    n_alive = reg.n_alive_nodes_[0]
    assert title.startswith(f"2 of {n_alive} nodes, 2 of 4 columns, 2 of 3 outputs\n")
    assert len(display.shares) == len(display.responses) == 2
    whole = NodesDisplay.from_estimator(reg, X, max_nodes=99)
    np.testing.assert_allclose(display.shares, whole.shares[:2])
    assert "of" not in whole.ax_.get_legend().get_title().get_text().split("\n")[0].split()[:2]


def test_ensembles_searches_and_cv_estimators_are_read(regression):
    X, y = regression
    network = SpectralMLPRegressor(6, max_iter=20, random_state=0)
    for model in (
        clone(network).set_params(n_members=2),
        GridSearchCV(make_pipeline(StandardScaler(), network), {}, cv=2),
        SpectralMLPRegressorCV(6, alphas=[1e-3, 1e-2], cv=2, max_iter=20, random_state=0),
    ):
        assert NodesDisplay.from_estimator(model.fit(X, y), X).shares.sum() == pytest.approx(1)


def test_column_is_drawn_over_its_values(titles):
    table, y = titles
    model = make_pipeline(
        make_tabular_preprocessor(n_knots=6),
        SpectralMLPRegressor(16, alpha=3e-3, max_iter=60, random_state=0),
    ).fit(table, y)
    display = NodesDisplay.from_estimator(model, table)
    ax = display.plot_column("age")
    assert ax.get_xlabel() == "age"
    assert len(ax.lines) == min(10, len(display.shares))
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), display.responses[0].values)
    assert display.plot_column("kind").lines[0].get_linestyle() == "None"
    own = plt.subplots()[1]
    assert display.plot_column("fare", ax=own) is own
    with pytest.raises(ValueError, match=r"one of \['age', 'fare', 'kind'\]; got 'sex'"):
        display.plot_column("sex")


def test_axes_of_the_caller_are_used(reg, regression):
    figure, ax = plt.subplots()
    display = NodesDisplay.from_estimator(reg, regression[0], ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    with pytest.raises(TypeError, match="`ax` must be Axes"):
        NodesDisplay.from_estimator(reg, regression[0], ax="a")


def test_colours_suit_a_dark_page(reg, regression):
    with plt.style.context("dark_background"):
        ax = NodesDisplay.from_estimator(reg, regression[0]).ax_
        assert ax.lines[0].get_color() == "white"
        # opacity, not a white middle
        assert ax.collections[0].get_facecolor()[:, 3].min() < 0.5


def test_what_cannot_be_drawn_is_refused(reg, regression):
    X, y = regression
    with pytest.raises(TypeError, match=r"got Ridge\."):
        NodesDisplay.from_estimator(Ridge().fit(X, y), X)
    with pytest.raises(NotFittedError):
        NodesDisplay.from_estimator(SpectralMLPRegressor(), X)
    with pytest.raises(ValueError, match="3 features, but"):
        NodesDisplay.from_estimator(reg, X[:, :3])
    model = make_pipeline(StandardScaler(), clone(reg)).fit(X, y)
    with pytest.raises(ValueError, match="3 features, but"):
        NodesDisplay.from_estimator(model, X[:, :3])
    with pytest.raises(ValueError, match="no hidden layer"):
        NodesDisplay.from_estimator(SpectralMLPRegressor((), max_iter=2).fit(X, y), X)
    dead = SpectralMLPRegressor(8, alpha=10, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Every node of the network died"):
        NodesDisplay.from_estimator(dead, X)
    with pytest.raises(ValueError, match=r"`?max_nodes`?|'max_nodes'"):
        NodesDisplay.from_estimator(reg, X, max_nodes=0)
    with pytest.raises(ValueError, match="All rows of `X` are the same"):
        NodesDisplay.from_estimator(reg, X[:1])
    assert not plt.get_fignums()

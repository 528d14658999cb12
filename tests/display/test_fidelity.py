"""Fidelity and score of a student against its nodes."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    FidelityDisplay,
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
)
from skspectral._students.labels import mean_divergence

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def of_numbers(regression):
    student = make_pipeline(StandardScaler(), SpectralMLPRegressor((6, 4), max_iter=30))
    forest = RandomForestRegressor(5, random_state=0)
    return SpectralStudentRegressor(forest, student, cv=3, random_state=0).fit(*regression)


def test_curves_are_those_of_the_pruned_students(of_numbers, regression):
    X, y = regression
    display = FidelityDisplay.from_estimator(of_numbers, X, y, n_nodes=[2, 5, 10])
    said = of_numbers.teacher_.predict(X)
    for n, fidelity, score in zip(display.n_nodes, display.fidelity, display.score, strict=True):
        small = of_numbers.prune(n_nodes=int(n)).predict(X)
        assert fidelity == pytest.approx(r2_score(said, small))
        assert score == pytest.approx(r2_score(y, small))
    assert display.teacher_score == pytest.approx(r2_score(y, said))
    upper, lower = display.ax_
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), display.fidelity)
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), display.score)
    assert display.teacher_line_ in lower.lines
    assert upper.get_ylabel() == "R2 against the teacher"
    assert lower.get_ylabel() == "R2"


def test_curves_of_classes_are_divergence_and_accuracy(multiclass):
    X, y = multiclass
    weight = np.linspace(0.5, 2, 150)
    model = SpectralStudentClassifier(
        GaussianNB(), SpectralMLPClassifier(8, max_iter=30), cv=3, random_state=0
    ).fit(X, y)
    display = FidelityDisplay.from_estimator(model, X, y, n_nodes=[3], sample_weight=weight)
    small = model.prune(n_nodes=3)
    said = model.teacher_.predict_proba(X)
    expected = mean_divergence(said, small.predict_log_proba(X), weight)
    assert display.fidelity[0] == pytest.approx(expected)
    expected = accuracy_score(y, small.predict(X), sample_weight=weight)
    assert display.score[0] == pytest.approx(expected)
    assert "nats" in display.ax_[0].get_ylabel()


def test_student_in_a_pipeline_is_found(regression):
    X, y = regression
    network = SpectralMLPRegressor(4, max_iter=10)
    student = SpectralStudentRegressor(LinearRegression(), network, cv=3, random_state=0)
    model = make_pipeline(StandardScaler(), student).fit(X, y)
    display = FidelityDisplay.from_estimator(model, X, y)
    said = model[-1].teacher_.predict(model[0].transform(X))
    assert display.fidelity[-1] == pytest.approx(r2_score(said, model.predict(X)))


def test_what_is_no_student_is_refused(regression):
    model = SpectralMLPRegressor(4, max_iter=5).fit(*regression)
    with pytest.raises(TypeError, match="SpectralStudentRegressor, SpectralStudentClassifier"):
        FidelityDisplay.from_estimator(model, *regression)


def test_two_axes_are_drawn_on(of_numbers, regression):
    axes = plt.subplots(2)[1]
    display = FidelityDisplay.from_estimator(of_numbers, *regression, ax=axes, line_kw={"c": "r"})
    assert list(display.ax_) == list(axes)
    assert display.lines_[0].get_color() == "r"
    with pytest.raises(ValueError, match="two Axes, for fidelity and score; got 1"):
        display.plot(axes[0])


def test_a_transformed_target_is_transformed_here_too(regression):
    X, y = regression
    student = make_pipeline(StandardScaler(), SpectralMLPRegressor((6,), max_iter=30))
    inner = SpectralStudentRegressor(LinearRegression(), student, cv=3, random_state=0)
    outer = TransformedTargetRegressor(inner, func=np.cbrt, inverse_func=lambda z: z**3)
    display = FidelityDisplay.from_estimator(make_pipeline(outer).fit(X, y), X, y, n_nodes=[6])
    said = outer.fit(X, y).regressor_.teacher_.predict(X)
    assert display.teacher_score == pytest.approx(r2_score(np.cbrt(y), said))


def test_a_pipeline_of_the_student_alone(of_numbers, regression):
    display = FidelityDisplay.from_estimator(make_pipeline(of_numbers), *regression, n_nodes=[5])
    alone = FidelityDisplay.from_estimator(of_numbers, *regression, n_nodes=[5])
    np.testing.assert_array_equal(display.score, alone.score)

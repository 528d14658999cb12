"""What is asked of a student of another model comes from the network or pipeline inside."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    RelevanceDisplay,
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
    to_onnx,
    to_sklearn,
)
from skspectral._study.final_network import final_network
from skspectral.preprocessing import make_tabular_preprocessor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
TABLE = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.where(X[:, 2] > 0, "x", "y")})
Y = np.abs(X[:, 0]) + X[:, 1]


@pytest.fixture(scope="module")
def of_numbers():
    """Return a student whose steps in front are this package's."""
    encoder = make_tabular_preprocessor(n_quantiles=20)
    student = make_pipeline(encoder, SpectralMLPRegressor(8, max_iter=10))
    teacher = make_pipeline(encoder, LinearRegression())
    return SpectralStudentRegressor(teacher, student, cv=3, random_state=0).fit(TABLE, Y)


@pytest.fixture(scope="module")
def of_classes():
    student = SpectralMLPClassifier((8, 6), max_iter=10)
    return SpectralStudentClassifier(GaussianNB(), student, cv=3, random_state=0).fit(X, Y > 1)


def test_predictions_are_those_of_the_student(of_numbers, of_classes):
    np.testing.assert_array_equal(of_numbers.predict(TABLE), of_numbers.student_.predict(TABLE))
    for name in ("predict", "predict_proba", "predict_log_proba"):
        expected = getattr(of_classes.student_, name)(X)
        np.testing.assert_array_equal(getattr(of_classes, name)(X), expected)
    assert not hasattr(of_numbers, "predict_proba")


def test_scikit_learn_models_predict_the_same_without_the_package(of_numbers, of_classes):
    for model, rows in ((of_numbers, TABLE), (of_classes, X)):
        for plain in (model.to_sklearn(), to_sklearn(model)):
            again = pickle.dumps(plain)
            assert b"skspectral" not in again
            plain = pickle.loads(again)
            if model is of_numbers:
                np.testing.assert_allclose(plain.predict(rows), model.predict(rows), rtol=1e-6)
            else:
                np.testing.assert_allclose(
                    plain.predict_proba(rows), model.predict_proba(rows), rtol=1e-6
                )
    assert isinstance(to_sklearn(of_numbers), Pipeline)
    outer = make_pipeline(StandardScaler(), of_classes).fit(X, Y > 1)
    np.testing.assert_array_equal(to_sklearn(outer).predict(X), outer.predict(X))


def test_onnx_models_predict_the_same(of_numbers, of_classes, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    for proto in (of_numbers.to_onnx(tmp_path / "s.onnx", X=TABLE), to_onnx(of_numbers, X=TABLE)):
        session = onnxruntime.InferenceSession(proto.SerializeToString())
        feeds = {name: TABLE[[name]].to_numpy() for name in TABLE}
        (said,) = session.run(None, feeds)
        np.testing.assert_allclose(said.ravel(), of_numbers.predict(TABLE), rtol=1e-4)
    assert (tmp_path / "s.onnx").exists()
    session = onnxruntime.InferenceSession(to_onnx(of_classes).SerializeToString())
    _, proba = session.run(None, {"X": X})
    np.testing.assert_allclose(proba, of_classes.predict_proba(X), rtol=1e-4)


def test_prune_returns_a_smaller_student(of_numbers):
    before = of_numbers.predict(TABLE)
    small = of_numbers.prune(n_nodes=2)
    assert small[-1].hidden_layer_sizes == (2,)
    assert small.predict(TABLE).shape == (80,)
    alive = of_numbers.prune()
    np.testing.assert_array_equal(alive[-1].n_alive_nodes_, of_numbers.n_alive_nodes_)
    np.testing.assert_array_equal(of_numbers.predict(TABLE), before)


def test_the_network_inside_is_found(of_numbers, of_classes):
    assert final_network(of_numbers) is of_numbers.student_[-1]
    assert final_network(of_classes) is of_classes.student_
    plt = pytest.importorskip("matplotlib.pyplot")
    RelevanceDisplay.from_estimator(of_numbers)
    plt.close("all")


def test_pickle_keeps_all_of_it(of_classes):
    again = pickle.loads(pickle.dumps(of_classes))
    np.testing.assert_array_equal(again.predict_proba(X), of_classes.predict_proba(X))
    assert again.summary() == of_classes.summary()


def test_summary_says_what_the_size_is_of(of_numbers, of_classes):
    for model, fidelity, score in (
        (of_numbers, f"R2 {of_numbers.fidelity_:.3f}", "R2"),
        (of_classes, f"{of_classes.fidelity_:.3g} nats", "accuracy"),
    ):
        lines = dict(line.split(maxsplit=1) for line in model.summary().splitlines()[1:])
        assert lines["nodes"].endswith("the size for this fidelity, not that of the task")
        assert lines["fidelity"].startswith(fidelity)
        assert lines["score"].startswith(f"{score} {model.student_score_:.3f}, teacher")
        assert "alpha" in lines


def test_view_holds_the_student(of_classes):
    html = of_classes._repr_html_()
    assert "student_: SpectralMLPClassifier, " in html
    assert "nodes left" in html


def test_nothing_is_there_before_the_fit():
    model = SpectralStudentRegressor(LinearRegression())
    for call in (
        lambda: model.predict(X),
        lambda: model.n_alive_nodes_,
        lambda: model.size_settled_,
        model.summary,
        model.prune,
        model.to_sklearn,
        model.to_onnx,
    ):
        with pytest.raises(NotFittedError):
            call()


def test_the_default_student_predicts_what_it_was_fitted_to():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    y = X[:, 0] + np.abs(X[:, 1])
    names = ["a", "b", "c"]
    forms = {
        "array": X,
        "pandas": pd.DataFrame(X, columns=names),
        "polars": pl.DataFrame(dict(zip(names, X.T, strict=True))),
    }
    student = SpectralStudentRegressor(LinearRegression(), n_synthetic=20, random_state=0)
    student.fit(forms["polars"], y)
    np.testing.assert_allclose(student.predict(forms["polars"]), student.predict(forms["pandas"]))
    with pytest.raises(ValueError, match="feature names"):
        student.predict(forms["pandas"][["c", "b", "a"]])
    with pytest.warns(UserWarning, match="without feature names"):
        student.fit(forms["array"], y).predict(forms["pandas"])

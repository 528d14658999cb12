"""What a wrong argument is told: which one it is, what was expected, what to do."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import EarlyStopping

from skspectral import (
    PruningCurveDisplay,
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPathDisplay,
    SpectralPruner,
    spectral_path,
    to_onnx,
    to_sklearn,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.abs(X[:, 0])
CLASSES = (Y > 1).astype(int)
DAYS = np.arange(60).astype("datetime64[D]")


def regressor(**parameters):
    return SpectralMLPRegressor(4, **{"max_iter": 2, "random_state": 0, **parameters})


def classifier(**parameters):
    return SpectralMLPClassifier(4, **{"max_iter": 2, "random_state": 0, **parameters})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y_val": np.full(60, np.nan)}, "Input y_val contains NaN"),
        ({"y_val": ["a"] * 60}, "`y_val` must be numeric"),
        ({"y_val": np.c_[Y, Y]}, "`y_val` must have 1 output, as the training rows; got 2"),
        ({"y_val": Y[:10]}, "inconsistent numbers of samples"),
        ({"y_val": DAYS}, r"`y_val` must be numeric .* \(y_val - y_val.min\(\)\)"),
        ({"X_val": X[:, :2]}, "X_val has 2 features"),
        ({"X_val": np.full_like(X, np.nan)}, "Input X_val contains NaN"),
        ({"X_val": X[:, 0]}, "Expected 2D array"),
        ({"sample_weight_val": np.ones(3)}, r"sample_weight_val.shape == \(3,\)"),
        ({"sample_weight_val": -np.ones(60)}, "`sample_weight_val` must not be negative"),
    ],
)
def test_validation_rows_are_spoken_of_by_their_names(given, message):
    with pytest.raises(ValueError, match=f"Validation rows: (?s:.*){message}"):
        regressor().fit(X, Y, **{"X_val": X, "y_val": Y, **given})


@pytest.mark.parametrize(
    ("y_val", "message"),
    [
        (CLASSES + 5, r"`y_val` must have the classes of the training rows, \[0 1\]; got \[5 6\]"),
        (np.c_[CLASSES, CLASSES], "`y_val` must have the form of the training rows: one class"),
    ],
)
def test_validation_classes_are_not_told_of_partial_fit(y_val, message):
    with pytest.raises(ValueError, match=message) as caught:
        classifier().fit(X, CLASSES, X_val=X, y_val=y_val)
    assert "partial_fit" not in str(caught.value)


def test_path_refuses_validation_rows_before_a_fit(monkeypatch):
    monkeypatch.setattr(SpectralMLPClassifier, "fit", None)
    with pytest.raises(ValueError, match="`y_val` must have the classes of the training rows"):
        spectral_path(
            X, CLASSES, estimator=classifier(), alphas=[1e-3], X_val=X, y_val=CLASSES + 5
        )


def test_values_in_quotes_are_not_taken_for_names():
    y = np.where(CLASSES, "X", "y")
    with pytest.raises(
        ValueError, match=r"classes of the training rows, \['X' 'y'\]; got \['z'\]"
    ):
        classifier().fit(X, y, X_val=X, y_val=np.full(60, "z"))


def test_sentences_end_before_the_next_begins():
    with pytest.raises(ValueError, match=r"number of classes = 2\. Change `val"):
        classifier(early_stopping=True, validation_fraction=0.01).fit(X, CLASSES)
    with pytest.raises(
        ValueError, match=r"Early stopping cannot hold out 10% of 1 row: .*\. Change `val"
    ):
        regressor(early_stopping=True).fit(X[:1], Y[:1])


def test_one_node_is_not_said_to_be_several():
    with pytest.warns(ConvergenceWarning, match="not settled: 1 alive node, of which"):
        SpectralMLPRegressor(1, alpha=1e-3, max_iter=40, random_state=0).fit(X, Y)


@pytest.mark.parametrize("entry", [(), ("name",), (1, EarlyStopping()), ("a", 3), 3])
def test_callbacks_are_callbacks_or_pairs(entry):
    with pytest.raises(ValueError, match="`callbacks` must hold skorch callbacks or"):
        regressor(callbacks=[entry]).fit(X, Y)


@pytest.mark.parametrize("model", [classifier(), SpectralPruner(classifier(), cv=2)])
def test_classes_of_several_types_are_named(model):
    with pytest.raises(TypeError, match="`y` must hold classes of one type"):
        model.fit(X, np.array(["a", None] * 30, dtype=object))


@pytest.mark.parametrize("n_nodes", [object, {"a"}.__len__, 2j])
def test_number_of_nodes_is_a_number_or_a_list(n_nodes):
    with pytest.raises(TypeError, match="`n_nodes` must be an integer, a fraction"):
        regressor().fit(X, Y).prune(n_nodes=n_nodes)


@pytest.mark.parametrize("export", [to_sklearn, to_onnx])
def test_class_is_not_exported(export):
    with pytest.raises(TypeError, match="`model` must be a SpectralMLPRegressor"):
        export(SpectralMLPRegressor)


@pytest.mark.parametrize("given", [0, np.nan, object, [[1], [2]]])
def test_displays_tell_what_they_are_made_from(given):
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="`cv_results` must have the keys"):
        PruningCurveDisplay.from_cv_results(given)
    with pytest.raises(ValueError, match="`path` must be what spectral_path returns"):
        SpectralPathDisplay.from_path(given)


@pytest.mark.parametrize(("classes", "found"), [([], "none"), ([1], "one class, 1")])
def test_classes_of_partial_fit_are_two_at_least(classes, found):
    with pytest.raises(ValueError, match=f"at least 2; `classes` has {found}"):
        classifier().partial_fit(X, CLASSES, classes=classes)


def test_shortest_time_is_one_epoch():
    reg = regressor(time_limit=5e-324, max_iter=50).fit(X, Y)
    assert reg.n_iter_ == 1


@pytest.mark.parametrize("name", ["alpha", "learning_rate_init", "tol"])
def test_integers_of_any_size_are_numbers_or_refused(name):
    for fit in (lambda m: m.fit(X, Y), lambda m: m.partial_fit(X, Y)):
        fit(regressor(**{name: 2**63}))
        with pytest.raises(ValueError, match=f"`{name}` is beyond the range"):
            fit(regressor(**{name: 2**2000}))


@pytest.mark.parametrize("n_threads", [True, 2**40])
def test_threads_are_a_number_that_torch_can_hold(n_threads):
    with pytest.raises(ValueError, match="`n_threads` must be an integer from 1 to"):
        regressor(n_threads=n_threads).fit(X, Y)


@pytest.mark.parametrize("name", ["SparseAdam", "Muon", "Optimizer"])
def test_solver_that_cannot_step_is_refused(name):
    solver = getattr(torch.optim, name, None)
    if solver is None:
        pytest.skip(f"this torch has no {name}")
    with pytest.raises(ValueError, match="`solver` cannot train a network here"):
        regressor(solver=solver).fit(X, Y)


@pytest.mark.parametrize("sizes", [2**40, 2**70, (2**20, 2**20)])
def test_network_beyond_memory_is_told_as_such(sizes):
    reg = regressor().set_params(hidden_layer_sizes=sizes)
    with pytest.raises(MemoryError, match="Lower `hidden_layer_sizes`"):
        reg.fit(X, Y)
    with pytest.raises(NotFittedError):
        reg.predict(X)


def test_growing_beyond_memory_is_told_as_such():
    with pytest.raises(MemoryError, match="Lower `hidden_layer_sizes`"):
        regressor().fit(X, Y).grow(2**40)


@pytest.mark.parametrize("y", [DAYS, DAYS - DAYS[0], pd.Series(DAYS), np.c_[DAYS, DAYS]])
@pytest.mark.parametrize("make", [regressor, lambda: SpectralMLPRegressorCV(4, max_iter=2)])
def test_times_are_no_targets(make, y):
    with pytest.raises(ValueError, match=r"numeric for regression; got (datetime|timedelta)64"):
        make().fit(X, y)


def test_times_beside_numbers_are_no_targets():
    with pytest.raises(ValueError, match="must hold numbers"):
        regressor().fit(X, pd.DataFrame({"a": DAYS, "b": Y}))


@pytest.mark.parametrize("inside", ["x", SpectralMLPRegressor])
def test_pruner_of_no_estimator_is_not_fitted_and_can_be_looked_at(inside):
    pruner = SpectralPruner(inside)
    with pytest.raises(NotFittedError):
        check_is_fitted(pruner)
    assert "SpectralPruner" in pruner._repr_html_()
    with pytest.raises(TypeError, match="`estimator` must be a SpectralMLPRegressor"):
        pruner.fit(X, Y)

"""Warnings point at the line of the user, whichever public function has led to them."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skspectral import (
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    SpectralStudentRegressor,
    fit_many,
    size_interval,
    spectral_path,
)
from skspectral._warn import warn_caller

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = np.abs(X[:, 0]) + 0.1 * RNG.normal(size=80)
WIDE = X * [1, 1, 1000]
QUICK = {"max_iter": 2, "alpha": 1e-3, "random_state": 0}


def network(**options):
    return SpectralMLPRegressor(4, **{**QUICK, **options})


def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return network().fit(X, Y)


CALLS = {
    "fit": (network, lambda reg, rows: reg.fit(rows, Y)),
    "partial_fit": (network, lambda reg, rows: reg.partial_fit(rows, Y)),
    "members": (lambda: network(n_members=2), lambda reg, rows: reg.fit(rows, Y)),
    "restarts": (lambda: network(n_restarts=1), lambda reg, rows: reg.fit(rows, Y)),
    "fit_many": (lambda: [network(), network()], lambda many, rows: fit_many(many, rows, Y)),
    "cv": (
        lambda: SpectralMLPRegressorCV(4, alphas=[1e-3, 1e-2], cv=2, max_iter=2),
        lambda cv, rows: cv.fit(rows, Y),
    ),
    "pruner": (lambda: SpectralPruner(network()), lambda pruner, rows: pruner.fit(rows, Y)),
    "path": (
        network,
        lambda reg, rows: spectral_path(rows, Y, estimator=reg, path_max_iter=1, n_alphas=2),
    ),
    "student": (
        lambda: SpectralStudentRegressor(network(), network()),
        lambda student, rows: student.fit(rows, Y),
    ),
    "search": (
        lambda: GridSearchCV(network(), {"alpha": [1e-3, 1e-2]}, cv=2),
        lambda search, rows: search.fit(rows, Y),
    ),
    "pipeline": (
        lambda: make_pipeline(FunctionTransformer(), network()),
        lambda pipeline, rows: pipeline.fit(rows, Y),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_spreads_and_training_are_told_at_the_line_of_the_call(name):
    make, call = CALLS[name]
    model = make()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        call(model, WIDE)
    own = [w for w in told if issubclass(w.category, (ConvergenceWarning, UserWarning))]
    assert any("spreads of columns" in str(warning.message) for warning in own)
    line = call.__code__.co_firstlineno
    assert {(warning.filename, warning.lineno) for warning in own} == {(__file__, line)}


ROWS = {
    "size_interval": lambda reg: size_interval(reg, X, Y, n_seeds=1, cv=[], random_state=0),
    "path": lambda reg: spectral_path(X, Y, estimator=reg, alphas=[1e-3, 1e-2]),
}


@pytest.mark.parametrize("name", ROWS)
def test_divergence_of_a_path_is_told_there_too(name):
    reg = fitted().set_params(learning_rate_init=1e9, max_iter=5)
    with pytest.warns(ConvergenceWarning, match="Training") as told:
        ROWS[name](reg)
    assert {warning.filename for warning in told} == {__file__}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_batch_of_all_rows_is_told_there():
    many = [network(batch_size=100), network(batch_size=100)]
    with pytest.warns(UserWarning, match="all rows form one batch") as told:
        fit_many(many, X, Y)
    assert {warning.filename for warning in told} == {__file__}


def test_category_and_text_are_those_given():
    with pytest.warns(RuntimeWarning, match="^so it is$") as told:
        warn_caller("so it is", RuntimeWarning)
    assert told[0].filename == __file__

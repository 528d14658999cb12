"""scikit-learn's own checks, in every parametrisation, without an exception."""

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
)

NETWORKS = [
    ((16,), {}),
    ((12, 8), {}),
    ((12, 8), {"parametrization": "dense"}),
    ((12, 8), {"eigenvalues": "out-in", "skip": True}),
    ((16,), {"eigenvalues": "inputs"}),
]
ESTIMATORS = [
    cls(hidden_layer_sizes=sizes, max_iter=30, learning_rate_init=0.02, **settings)
    for cls in (SpectralMLPRegressor, SpectralMLPClassifier)
    for sizes, settings in NETWORKS
]
DEFAULTS = [SpectralMLPRegressor(), SpectralMLPClassifier()]
ENSEMBLES = [
    cls(sizes, n_members=3, max_iter=30, **settings)
    for cls, sizes, settings in (
        (SpectralMLPRegressor, 16, {}),
        (SpectralMLPClassifier, (12, 8), {}),
        (SpectralMLPClassifier, 16, {"alpha": 1e-3, "eigenvalues": "inputs"}),
    )
]
PRUNERS = [
    SpectralPruner(cls(hidden_layer_sizes=sizes, max_iter=epochs), **settings)
    for cls, sizes, epochs, settings in (
        (SpectralMLPRegressor, (16,), 45, {}),
        (SpectralMLPClassifier, (16,), 30, {}),
        (SpectralMLPRegressor, (12, 8), 30, {"n_nodes": 0.5, "strategy": "before"}),
        (SpectralMLPClassifier, (12, 8), 30, {"cv": 2, "fine_tune": 3}),
    )
]
PATHS = [
    cls(sizes, cv=2, max_iter=30, **settings)
    for cls, sizes, settings in (
        (SpectralMLPRegressorCV, 16, {"alphas": [1e-3, 1e-2]}),
        (SpectralMLPClassifierCV, (12, 8), {"alphas": [1e-3, 1e-2], "selection": "best"}),
        (SpectralMLPClassifierCV, 16, {"alpha_factors": [0.5, 2.0], "eigenvalues": "in"}),
    )
]
STUDENTS = [
    SpectralStudentRegressor(LinearRegression(), SpectralMLPRegressor(16, max_iter=30)),
    SpectralStudentClassifier(
        DecisionTreeClassifier(), SpectralMLPClassifier((12, 8), max_iter=30)
    ),
]


@pytest.fixture(autouse=True)
def _array_api(monkeypatch):
    """Without it the array API check skips itself."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@pytest.mark.usefixtures("short_cycles")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS + DEFAULTS + ENSEMBLES + PRUNERS + PATHS + STUDENTS)
def test_estimators_pass_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(DEFAULTS)
def test_default_estimators_pass_check_estimator_trained_in_full(estimator, check):
    check(estimator)

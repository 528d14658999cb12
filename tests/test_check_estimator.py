"""scikit-learn's own checks, in every parametrisation, without an exception."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

SETTINGS = [
    {"parametrization": "dense"},
    {"eigenvalues": "out"},
    {"eigenvalues": "out-in"},
]
ESTIMATORS = [
    cls(hidden_layer_sizes=sizes, max_iter=60, learning_rate_init=0.02, **settings)
    for cls in (SpectralMLPRegressor, SpectralMLPClassifier)
    for sizes in ((16,), (12, 8))
    for settings in SETTINGS
]


@pytest.fixture(autouse=True)
def _array_api(monkeypatch):
    """Without it the array API check skips itself."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS)
def test_estimators_pass_check_estimator(estimator, check):
    check(estimator)

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from skorch.callbacks import Callback

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, fit_many

SHORT = {"max_iter": 20, "random_state": 0, "dtype": "float64"}


class Nothing(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"callbacks": [Nothing()]},
        {"early_stopping": True},
        {"solver": "sgd"},
        {"activation": "gelu"},
        {"hidden_layer_sizes": ()},
        {"verbose": 1},
    ],
)
def test_what_no_fleet_serves_is_fitted_as_always(regression, options, capsys):
    X, y = regression
    estimators = [SpectralMLPRegressor(**{**SHORT, **options}) for _ in range(2)]
    fitted = fit_many([*estimators, SpectralMLPRegressor(**SHORT)], X, y)
    assert fitted[0] is estimators[0]
    for ours in fitted:
        np.testing.assert_allclose(ours.predict(X), clone(ours).fit(X, y).predict(X), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callbacks_of_scikit_learn_are_ended(regression):
    callback = pytest.importorskip("sklearn.callback")

    class Ended(callback.ScoringMonitor):
        def teardown(self, *args, **kwargs):
            super().teardown(*args, **kwargs)
            ended.append(self)

    ended = []
    monitors = [Ended(scoring="r2"), Ended(scoring="r2")]
    fit_many([SpectralMLPRegressor(**SHORT).set_callbacks(m) for m in monitors], *regression)
    assert sorted(map(id, ended)) == sorted(map(id, monitors))


def test_same_complaint_is_made_once(regression):
    X, y = regression
    estimators = [SpectralMLPRegressor(alpha=100.0, **SHORT) for _ in range(3)]
    with pytest.warns(ConvergenceWarning, match="The size has not settled") as caught:
        fit_many(estimators, X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        ([], ValueError, "with at least one; got"),
        (SpectralMLPRegressor(), ValueError, "must be a list"),
        ([SpectralMLPRegressor(), MLPRegressor()], TypeError, "MLPRegressor at index 1"),
        ([Ridge()], TypeError, "Ridge at index 0"),
        ([SpectralMLPRegressor(), SpectralMLPClassifier()], ValueError, "all regressors or all"),
        ([SpectralMLPRegressor()] * 2, ValueError, "one is there twice"),
        ([SpectralMLPRegressor(alpha=-1)], ValueError, "The 'alpha' parameter"),
    ],
)
def test_bad_lists_are_refused(regression, estimators, error, message):
    with pytest.raises(error, match=message):
        fit_many(estimators, *regression)


def test_fitted_estimators_are_refused(regression):
    X, y = regression
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reg = SpectralMLPRegressor(**SHORT).fit(X, y)
    with pytest.raises(ValueError, match="the one at index 1 is"):
        fit_many([clone(reg), reg], X, y)


def test_bad_rows_leave_all_unfitted(regression):
    X, y = regression
    estimators = [SpectralMLPRegressor(**SHORT), SpectralMLPRegressor(**SHORT)]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit_many(estimators, X, y[:-1])
    assert not any(hasattr(estimator, "net_") for estimator in estimators)


class Failing(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise RuntimeError("no more")


def test_a_failure_leaves_none_fitted(regression):
    several = [SpectralMLPRegressor(**SHORT), SpectralMLPRegressor(**SHORT, callbacks=[Failing()])]
    with pytest.raises(RuntimeError, match="no more"):
        fit_many(several, *regression)
    assert not any(hasattr(estimator, "net_") for estimator in several)

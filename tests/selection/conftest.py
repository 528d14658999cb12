"""The two estimators that choose by folds, ready to be made alike."""

import pytest

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
)

NETWORK = {"hidden_layer_sizes": 8, "max_iter": 40, "random_state": 0}
PATH = {**NETWORK, "alphas": [1e-3, 1e-1]}


def pruner(network=SpectralMLPRegressor, **settings):
    return SpectralPruner(network(**NETWORK), **{"cv": 3, "random_state": 0, **settings})


def path(network=SpectralMLPRegressor, **settings):
    paths = {
        SpectralMLPRegressor: SpectralMLPRegressorCV,
        SpectralMLPClassifier: SpectralMLPClassifierCV,
    }
    return paths[network](**{**PATH, "cv": 3, **settings})


@pytest.fixture(params=[pruner, path], ids=["pruner", "path"])
def make(request):
    """Return a function of settings, and of the class of the network."""
    return request.param


@pytest.fixture
def no_fit(monkeypatch):
    """Let every fit of a network fail."""

    def fit(*args, **kwargs):
        raise AssertionError("a network was fitted")

    for network in (SpectralMLPRegressor, SpectralMLPClassifier):
        monkeypatch.setattr(network, "fit", fit)

"""How validation chose a size, in words."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skspectral import (
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
)
from skspectral._selection.choice_text import (
    chosen_index,
    cross_validation_rows,
    identification_caption,
    identification_rows,
    interval_text,
    score_text,
)
from skspectral._selection.network_inside import NetworkInsideMixin

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RESULTS = {
    "alpha": np.array([0.001, 0.01, 0.1]),
    "mean_test_score": np.array([0.82, 0.815, np.nan]),
    "split0_test_score": np.zeros(3),
    "split1_test_score": np.zeros(3),
    "split0_n_alive_nodes": np.zeros(3),
    "margin": np.array([0.0, 0.0071, np.nan]),
}
NO = "no, read the size as nodes left at this penalty"


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ((7, 9), "7 to 9 nodes"),
        ((8, 8), "8 nodes"),
        (np.array([7.0, 9.5]), "7 to 9.5 nodes"),
        ([(7, 9), (3, 3)], "7 to 9, 3 nodes"),
        ([(7, 9)], "7 to 9 nodes"),
    ],
)
def test_intervals_in_words(interval, text):
    assert interval_text(interval) == text


@pytest.mark.parametrize(
    ("interval", "identified", "rows"),
    [
        (None, None, []),
        (None, False, [("identified", NO)]),
        ((7, 9), True, [("interval", "7 to 9 nodes"), ("identified", "yes")]),
        ((2, 30), np.False_, [("interval", "2 to 30 nodes"), ("identified", NO)]),
    ],
)
def test_only_what_is_known_is_told(interval, identified, rows):
    assert identification_rows(interval, identified) == rows


def test_captions_of_what_is_identified():
    captions = [identification_caption(known) for known in (None, np.True_, False)]
    assert captions == ["", ", identified", ", not identified"]


@pytest.mark.parametrize(
    ("results", "alpha", "index"),
    [
        (RESULTS, 0.01 * (1 + 1e-12), 1),
        (RESULTS, 0.02, None),
        ({"alpha": np.array([0.0, 1e-12])}, 0.0, 0),
        ({"mean_test_score": np.zeros(2)}, 0.01, None),
    ],
)
def test_the_chosen_penalty_is_found(results, alpha, index):
    assert chosen_index(results, alpha) == index


def test_score_beside_the_best_and_the_margin():
    expected = "r2 0.815, mean of 2 folds; 0.005 below the best, margin 0.0071"
    assert score_text(RESULTS, 1, "r2") == expected
    assert score_text(RESULTS, 0, max) == "score 0.82, mean of 2 folds; the best, margin 0"
    single = {"mean_test_score": np.array([0.5]), "split0_test_score": np.array([0.5])}
    assert score_text(single, 0, "r2", " at 3 nodes") == (
        "r2 0.5 at 3 nodes, on held-out rows; the best"
    )


def test_no_score_where_the_penalty_is_not_among_the_results():
    model = SimpleNamespace(
        cv_results_=RESULTS, scoring=None, estimator_=SimpleNamespace(alpha_=0.5)
    )
    assert cross_validation_rows(model) == []


def test_parameters_that_changed_after_the_fit_are_not_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    for model in (
        SpectralMLPRegressorCV(4, alphas=[1e-3, 1e-2], cv=2, max_iter=5, random_state=0),
        SpectralPruner(SpectralMLPRegressor(4, max_iter=5), cv=2, random_state=0),
    ):
        told = model.fit(X, X[:, 0]).summary()
        assert "score" in told
        assert "r2 " in told
        assert model.set_params(scoring="neg_mean_absolute_error").summary() == told
        if "selection" in model.get_params():
            assert "margin" in told
            assert model.set_params(selection="best").summary() == told


class Chosen(NetworkInsideMixin, BaseEstimator):
    """What cross-validation leaves, without cross-validation."""

    scoring = None

    def fit(self, X, y):
        return self

    def _inner(self):
        return self.estimator_

    def __init__(self, network, **results):
        self.estimator_ = network
        self.cv_results_ = {**RESULTS, "alpha": RESULTS["alpha"] / 0.01 * network.alpha_}
        vars(self).update(results)


@pytest.fixture(scope="module")
def network():
    X = np.random.default_rng(0).normal(size=(120, 2))
    return SpectralMLPRegressor(8, alpha=0.02, max_iter=20, random_state=0).fit(X, X[:, 0])


def test_a_size_that_is_identified(network):
    chosen = Chosen(network, size_interval_=(4, 6), size_identified_=True)
    assert chosen.summary().splitlines() == [
        "Chosen",
        f"nodes       {network.n_alive_nodes_[0]} of 8 nodes left",
        "settled     no, more training would remove nodes",
        "interval    4 to 6 nodes",
        "identified  yes",
        "alpha       0.02: chosen by cross-validation",
        "score       r2 0.815, mean of 2 folds; 0.005 below the best, margin 0.0071",
    ]
    assert chosen._caption() == (
        f"{network.n_alive_nodes_[0]} of 8 nodes left, not settled, identified"
    )


@pytest.mark.parametrize("known", [{}, {"size_identified_": False}])
def test_a_size_that_is_not_identified_is_nodes_left(known, network):
    text = Chosen(network, **known).summary()
    assert "interval" not in text
    assert "yes" not in text
    assert (NO in text) == bool(known)


def test_a_penalty_that_follows_the_noise_says_so(network):
    X = np.random.default_rng(0).normal(size=(120, 2))
    auto = SpectralMLPRegressor(8, alpha_factor=0.3, max_iter=20, random_state=0)
    text = Chosen(auto.fit(X, X[:, 0])).summary()
    assert "follows the noise, times alpha_factor=0.3, chosen by cross-validation" in text
    assert "% of the variance of the target" in text


@pytest.mark.parametrize("cls", [SpectralMLPRegressorCV, SpectralMLPClassifierCV])
@pytest.mark.parametrize("selection", ["1se", "best"])
def test_scores_are_those_that_chose_the_penalty(cls, selection, binary):
    X, y = binary
    settings = {"alphas": [1e-3, 1e-2, 0.3], "max_iter": 30, "cv": 3}
    model = cls(8, selection=selection, random_state=0, **settings).fit(X, y)
    results = model.cv_results_
    score = results["mean_test_score"][list(results["alpha"]).index(model.alpha_)]
    name = "r2" if cls is SpectralMLPRegressorCV else "neg_log_loss"
    assert f"{name} {score:.4g}, mean of 3 folds; " in model.summary()
    assert ("identified  yes" in model.summary()) == model.size_identified_

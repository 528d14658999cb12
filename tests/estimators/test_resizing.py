"""prune: a smaller fitted estimator that goes on from where the large one was."""

import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback, LRScheduler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    pruning_curve,
)
from skspectral._training.shrinking import drop_nodes
from skspectral.nn import mask_nodes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def reg(regression):
    return SpectralMLPRegressor(
        (16, 10), max_iter=150, alpha=3e-3, shrink=False, random_state=0
    ).fit(*regression)


def test_prune_keeps_the_alive_nodes(reg, regression):
    X, _ = regression
    small = reg.prune()
    assert list(small.hidden_layer_sizes) == reg.n_alive_nodes_ == small.n_alive_nodes_
    assert sum(small.hidden_layer_sizes) < 26
    np.testing.assert_allclose(small.predict(X), reg.predict(X), atol=0.1)
    assert [c.shape for c in small.coefs_] == [
        (4, small.hidden_layer_sizes[0]),
        small.hidden_layer_sizes,
        (small.hidden_layer_sizes[1], 1),
    ]
    assert [len(r) for r in small.feature_relevance_] == list(small.hidden_layer_sizes)


@pytest.mark.parametrize(
    ("n_nodes", "expected"), [(7, 7), (0.5, 13), ([4, 3], 7), (26, 26), (2, 2)]
)
def test_prune_keeps_n_nodes(reg, n_nodes, expected):
    small = reg.prune(n_nodes=n_nodes)
    assert sum(small.hidden_layer_sizes) == expected
    if isinstance(n_nodes, list):
        assert list(small.hidden_layer_sizes) == n_nodes


def test_prune_equals_the_masked_network(reg, regression):
    X, _ = regression
    small = reg.prune(n_nodes=[5, 4])
    masks = [r >= np.sort(r)[-n] for r, n in zip(reg.feature_relevance_, (5, 4), strict=True)]
    masked = mask_nodes(reg.module_, masks)
    rows = torch.as_tensor(X, dtype=reg.net_.dtype)
    expected = masked(rows).detach().numpy()[:, 0] * reg.y_scale_ + reg.y_mean_
    np.testing.assert_allclose(small.predict(X), expected, rtol=1e-10)


def test_prune_by_threshold(reg):
    relevances = reg.feature_relevance_
    small = reg.prune(threshold=0.5)
    assert list(small.hidden_layer_sizes) == [int((r > 0.5 * r.max()).sum()) for r in relevances]
    assert list(reg.prune(threshold=0.0).hidden_layer_sizes) == [
        int((r > 0).sum()) for r in relevances
    ]


def test_prune_leaves_the_estimator(reg, regression):
    X, y = regression
    before, weights = reg.predict(X), [c.copy() for c in reg.coefs_]
    small = reg.prune(n_nodes=4)
    small.partial_fit(X, y)
    small.set_params(warm_start=True, max_iter=3).fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), before)
    assert all(np.array_equal(a, b) for a, b in zip(weights, reg.coefs_, strict=True))
    assert reg.n_iter_ == 150
    assert reg.hidden_layer_sizes == (16, 10)
    assert reg.max_iter == 150


def test_prune_restarts_the_numbering(reg):
    small = reg.prune(n_nodes=[5, 4])
    assert [i.tolist() for i in small.node_indices_] == [[*range(5)], [*range(4)]]
    assert small.n_layers_ == 4
    assert small.loss_curve_ == reg.loss_curve_


def test_pruned_estimator_trains_on(reg, regression):
    X, y = regression
    small = reg.prune(n_nodes=[3, 3])
    cut = small.score(X, y)
    small.set_params(warm_start=True, max_iter=100).fit(X, y)
    assert small.score(X, y) > cut
    assert small.hidden_layer_sizes == (3, 3)
    assert small.n_iter_ == 250
    assert small.partial_fit(X, y).n_iter_ == 251


def test_clone_of_pruned_trains_its_size_from_scratch(reg, regression):
    fresh = clone(reg.prune(n_nodes=[5, 4])).fit(*regression)
    assert fresh.hidden_layer_sizes == (5, 4)
    assert fresh.n_iter_ == 150
    assert fresh.coefs_[0].shape == (4, 5)


def test_prune_twice_equals_once(regression):
    X, y = regression
    reg = SpectralMLPRegressor(16, max_iter=50, random_state=0).fit(X, y)
    # with one layer: the relevances of a second one change as its inputs go
    twice, once = reg.prune(n_nodes=9).prune(n_nodes=5), reg.prune(n_nodes=5)
    np.testing.assert_allclose(twice.predict(X), once.predict(X), rtol=1e-9)


def test_pruned_estimator_survives_pickling(reg, regression):
    X, y = regression
    small = reg.prune(n_nodes=6)
    copy = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(copy.predict(X), small.predict(X))
    assert len(pickle.dumps(small.module_)) < len(pickle.dumps(reg.module_))
    np.testing.assert_array_equal(
        copy.partial_fit(X, y).predict(X), small.partial_fit(X, y).predict(X)
    )


def test_size_stays_settled_only_where_dead_nodes_went(regression):
    reg = SpectralMLPRegressor(16, max_iter=2000, alpha=1e-2, random_state=0).fit(*regression)
    reg.size_settled_ = True
    assert reg.prune().size_settled_ is True
    assert reg.prune(n_nodes=1).size_settled_ is None


def test_classifier_is_pruned(multiclass):
    X, y = multiclass
    clf = SpectralMLPClassifier(16, max_iter=1500, alpha=2e-2, random_state=0).fit(X, y)
    small = clf.prune(threshold=1e-3)
    assert small.hidden_layer_sizes[0] < 16
    np.testing.assert_allclose(small.predict_proba(X), clf.predict_proba(X), atol=0.02)
    assert list(small.classes_) == list(clf.classes_)


@pytest.mark.parametrize("activation", ["logistic", "relu"])
def test_network_without_intercepts_is_pruned(regression, activation):
    X, y = regression
    reg = SpectralMLPRegressor(
        12, activation=activation, fit_intercept=False, max_iter=20, random_state=0
    ).fit(X, y)
    masks = [reg.feature_relevance_[0] >= np.sort(reg.feature_relevance_[0])[-4]]
    masked = (
        mask_nodes(reg.module_, masks)(torch.as_tensor(X, dtype=reg.net_.dtype)).detach().numpy()
    )
    small = reg.prune(n_nodes=4)
    expected = masked[:, 0] * reg.y_scale_ + reg.y_mean_
    np.testing.assert_allclose(small.predict(X), expected, rtol=1e-10)
    small.set_params(warm_start=True).fit(X, y).partial_fit(X, y)
    assert np.isfinite(small.predict(X)).all()


def test_collapsed_network_keeps_a_node_per_layer(regression):
    X, y = regression
    reg = SpectralMLPRegressor((6, 5), alpha=100.0, max_iter=300, random_state=0).fit(X, y)
    assert reg.n_alive_nodes_ == [0, 0]
    small = reg.prune()
    assert small.hidden_layer_sizes == (1, 1)
    np.testing.assert_allclose(small.predict(X), reg.predict(X), rtol=1e-6)


class Locked(Callback):
    """Callback that cannot be copied once training has begun."""

    def on_train_begin(self, net, **kwargs):
        self.lock_ = threading.Lock()


@pytest.mark.parametrize("callback", [LRScheduler(), Locked()], ids=["LRScheduler", "Locked"])
def test_callbacks_start_anew(regression, callback):
    X, y = regression
    reg = SpectralMLPRegressor(8, max_iter=20, callbacks=[callback], random_state=0).fit(X, y)
    small = reg.prune(n_nodes=3)
    assert small.partial_fit(X, y).n_iter_ == 21
    assert small.set_params(warm_start=True).fit(X, y).n_iter_ == 41
    assert reg.set_params(warm_start=True).fit(X, y).n_iter_ == 40
    assert pruning_curve(reg, X, y).n_nodes[-1] == 8


def test_global_random_state_is_not_copied(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, max_iter=5).fit(X, y)
    assert reg.prune(n_nodes=3)._random_state is np.random.mtrand._rand


def test_network_without_hidden_layer_has_nothing_to_prune(regression):
    with pytest.raises(ValueError, match="no hidden layer"):
        SpectralMLPRegressor((), max_iter=3).fit(*regression).prune()


def test_wrong_arguments_are_refused(reg):
    with pytest.raises(ValueError, match="not both"):
        reg.prune(n_nodes=3, threshold=0.1)
    with pytest.raises(ValueError, match="to 26, all there are"):
        reg.prune(n_nodes=27)
    with pytest.raises(ValueError, match="`n_nodes` must be from 2"):
        reg.prune(n_nodes=1)
    for threshold in (1.0, -0.1, "small", True):
        with pytest.raises(ValueError, match="`threshold` must be a number"):
            reg.prune(threshold=threshold)
    with pytest.raises(NotFittedError):
        SpectralMLPRegressor().prune()


def test_a_dead_network_is_cut_to_a_node_that_is_still_there(regression):
    reg = SpectralMLPRegressor((8, 6), max_iter=2, alpha=0.0, random_state=0).fit(*regression)
    for layer in reg.module_.layers[:-1]:
        torch.nn.init.zeros_(layer.phi)
    drop_nodes(reg.net_, [torch.arange(8) > 4, torch.arange(6) > 2])
    ways = {
        "n_nodes": reg.prune(n_nodes=2),
        "list": reg.prune(n_nodes=[1, 1]),
        "alive": reg.prune(),
        "threshold": reg.prune(threshold=0.5),
        "pruner": SpectralPruner(FrozenEstimator(reg), n_nodes=2).fit(*regression).estimator_,
    }
    for way, small in ways.items():
        assert tuple(small.hidden_layer_sizes) == (1, 1), way
        np.testing.assert_allclose(small.predict(regression[0]), reg.predict(regression[0]))
    curve = pruning_curve(reg, *regression)
    assert curve.n_nodes_per_layer.min() == 1
    whole = SpectralPruner(FrozenEstimator(reg)).fit(*regression).estimator_
    assert whole.n_alive_nodes_ == [0, 0]


class Counts(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ = getattr(self, "n_epochs_", 0) + 1


@pytest.mark.parametrize("verbose", [(0, 2), (2, 0)])
def test_callbacks_stay_whatever_is_printed(regression, verbose, capsys):
    first, later = verbose
    reg = SpectralMLPRegressor(4, max_iter=2, callbacks=[Counts()], verbose=first, random_state=0)
    reg.fit(*regression)
    reg.set_params(verbose=later).partial_fit(*regression)
    small = reg.prune().partial_fit(*regression)
    for fitted, n_epochs in ((reg, 3), (small, 1)):
        counts = [cb for _, cb in fitted.net_.callbacks_ if isinstance(cb, Counts)]
        assert [cb.n_epochs_ for cb in counts] == [n_epochs]

"""Paths of rising penalties: what they find, and that each network is the one it says."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.utils import Bunch
from sklearn.utils.class_weight import compute_sample_weight

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, spectral_path
from skspectral._path.alphas import _last_of_scout, alpha_grid, find_alpha_max
from skspectral._path.description import alpha_bracket, order_of_leaving
from skspectral._path.penalties import fixed
from skspectral._path.walk import is_dead, path_epochs, steps, until, visit
from skspectral._training.fleet import Fleet
from skspectral._training.net import SpectralNet
from skspectral._training.together import finish

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4))
Y = np.abs(X[:, 0]) + 0.5 * X[:, 1]
NETWORK = SpectralMLPRegressor(12, max_iter=150, random_state=0)
ALPHAS = [1e-3, 1e-2, 1e-1, 1.0, 10.0]


@pytest.fixture(scope="module")
def path():
    return spectral_path(
        X, Y, estimator=NETWORK, alphas=ALPHAS, X_val=X[:50], y_val=Y[:50], return_coefs=True
    )


def test_path_has_an_entry_per_alpha(path):
    assert path.alphas.tolist() == ALPHAS
    assert path.n_alive_nodes.shape == (5, 1)
    assert path.alive_features.shape == path.feature_importances.shape == (5, 4)
    assert path.train_loss.shape == path.validation_loss.shape == path.size_settled.shape == (5,)
    assert len(path.coefs) == len(path.intercepts) == 5


def test_nodes_only_die_along_the_path(path):
    sizes = path.n_alive_nodes.ravel()
    assert (np.diff(sizes) <= 0).all()
    assert sizes[0] > sizes[2] > 0
    assert sizes[-1] == 0


def test_losses_rise_to_that_of_a_constant(path):
    assert path.train_loss[0] < 0.05
    assert path.train_loss[-1] == pytest.approx(1.0, abs=0.01)
    assert path.validation_loss[0] < 0.1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_path_is_what_warm_started_fits_give(path):
    network = SpectralMLPRegressor(12, alpha=1e-3, max_iter=150, random_state=0, warm_start=True)
    network.fit(X, Y)
    network.set_params(alpha=1e-2, max_iter=path_epochs(NETWORK, len(X))[1]).fit(X, Y)
    np.testing.assert_array_equal(network.coefs_[0], path.coefs[1][0])
    assert network.n_alive_nodes_ == path.n_alive_nodes[1].tolist()


def test_coefs_compute_the_loss(path):
    (first, last), (bias, out) = path.coefs[1], path.intercepts[1]
    predicted = np.maximum(X[:50] @ first + bias, 0) @ last + out
    loss = np.mean((predicted.ravel() - Y[:50]) ** 2) / Y.var()
    assert loss == pytest.approx(path.validation_loss[1], rel=1e-6)


def test_validation_loss_of_a_classifier_is_the_log_loss():
    y = X[:, 0] > 0.3
    network = SpectralMLPClassifier(6, max_iter=40, random_state=0)
    path = spectral_path(X, y, estimator=network, alphas=[1e-2], X_val=X, y_val=y)
    with pytest.warns(ConvergenceWarning):
        network.set_params(alpha=1e-2).fit(X, y)
    assert path.validation_loss[0] == pytest.approx(log_loss(y, network.predict_proba(X)))


@pytest.mark.parametrize("class_weight", [{0: 1, 1: 20}, "balanced"])
def test_validation_loss_counts_classes_as_the_training_loss_does(class_weight):
    y = (X[:, 0] > 0.8).astype(int)
    network = SpectralMLPClassifier(6, class_weight=class_weight, random_state=0)
    kept = np.arange(len(X)) % 3 > 0
    path = spectral_path(
        *(X[kept], y[kept]),
        estimator=network,
        alphas=[1e-3],
        X_val=X,
        y_val=y,
        return_coefs=True,
    )
    if class_weight == "balanced":  # by how frequent they are in the rows that are trained on
        weight = (1 / np.bincount(y[kept]))[y]
    else:
        weight = compute_sample_weight(class_weight, y)
    (first, last), (bias, out) = path.coefs[0], path.intercepts[0]
    probability = expit(np.maximum(X @ first + bias, 0) @ last + out).ravel()
    expected = log_loss(y, probability, sample_weight=weight)
    assert path.validation_loss[0] == pytest.approx(expected, rel=1e-6)


def test_walk_ends_with_the_first_network_without_nodes():
    alive = [[2, 1], [0, 1], [0, 0], [0, 0]]
    networks = (Bunch(n_alive_nodes_=n) for n in alive)
    assert [network.n_alive_nodes_ for network in until(networks, is_dead)] == alive[:3]


@pytest.mark.parametrize("alphas", [ALPHAS, None])
def test_paths_side_by_side_are_those_of_each_network(alphas, monkeypatch):
    networks = [
        SpectralMLPRegressor(width, max_iter=60, dtype="float64", random_state=seed)
        for width, seed in ((12, 0), (12, 1), (10, 0))
    ]
    options = {"alphas": alphas, "n_alphas": 4, "X_val": X[:50], "y_val": Y[:50]}
    alone = [
        spectral_path(X, Y, estimator=network, return_coefs=True, **options)
        for network in networks
    ]
    crews = []
    run = Fleet.run
    monkeypatch.setattr(
        Fleet, "run", lambda fleet: (crews.append(len(fleet.members)), run(fleet))[1]
    )
    together = spectral_path(X, Y, estimator=networks, return_coefs=True, **options)
    assert crews[0] == 3
    for one, other in zip(together, alone, strict=True):
        assert one.keys() == other.keys()
        np.testing.assert_array_equal(one.n_alive_nodes, other.n_alive_nodes)
        np.testing.assert_allclose(one.alphas, other.alphas, rtol=1e-12)
        np.testing.assert_allclose(one.validation_loss, other.validation_loss, rtol=1e-7)
        np.testing.assert_allclose(one.coefs[0][0], other.coefs[0][0], rtol=1e-6, atol=1e-9)


def test_list_of_one_gives_a_list(path):
    (found,) = spectral_path(X, Y, estimator=[NETWORK], alphas=ALPHAS)
    np.testing.assert_array_equal(found.train_loss, path.train_loss)


def test_found_path_ends_at_the_first_alpha_without_nodes():
    path = spectral_path(X, Y, estimator=NETWORK, n_alphas=6, eps=1e-3)
    alive = path.n_alive_nodes.sum(axis=1)
    assert (alive[:-1] > 0).all()
    assert alive[-1] == 0
    assert path.alpha_max == (path.alphas[-2], path.alphas[-1])
    np.testing.assert_allclose(path.alphas[1:] / path.alphas[:-1], 1e3 ** (1 / 5))


def test_grid_spans_what_eps_says():
    alpha_max = finish(find_alpha_max(NETWORK, X, Y, epochs=100))
    grid = finish(alpha_grid(NETWORK, X, Y, 4, 1e-3, epochs=100))
    alphas = [next(grid) for _ in range(4)]
    np.testing.assert_allclose(alphas, alpha_max * np.array([1e-3, 1e-2, 1e-1, 1.0]))


def test_a_dead_network_is_not_trained_on():
    walked = steps(NETWORK, X, Y, fixed([10.0, 20.0, 40.0]))
    fits = finish(visit(walked, lambda fitted: (fitted.alpha, fitted.n_iter_)))
    assert fits == [(10.0, 150), (20.0, 150), (40.0, 150)]


def test_constant_target_needs_no_node():
    path = spectral_path(X, np.ones(len(X)), estimator=NETWORK, n_alphas=3, eps=0.1)
    assert path.n_alive_nodes[-1].sum() == 0
    assert path.alpha_max[1] < 1e-2


@pytest.mark.parametrize(
    ("alive", "bracket"),
    [([3, 1, 0], (2.0, 4.0)), ([3, 2, 1], (4.0, np.inf)), ([0, 0, 0], (0.0, 1.0))],
)
def test_alpha_bracket(alive, bracket):
    n_alive_nodes = np.array(alive)[:, None]
    assert alpha_bracket(np.array([1.0, 2.0, 4.0]), n_alive_nodes) == bracket


@pytest.mark.parametrize(
    ("max_iter", "path_max_iter", "n_rows", "epochs"),
    [
        ("auto", "auto", 150, (400, 100)),
        ("auto", "auto", 10_000, (32, 8)),
        ("auto", "auto", 100_000, (20, 5)),
        (20, "auto", 1000, (20, 20)),
        (80, 3, 1000, (80, 3)),
    ],
)
def test_epochs_of_a_path(max_iter, path_max_iter, n_rows, epochs):
    network = SpectralMLPRegressor(max_iter=max_iter)
    assert path_epochs(network, n_rows, path_max_iter) == epochs


def test_estimator_and_random_state_are_not_changed(path):
    assert NETWORK.get_params()["alpha"] == "auto"
    assert not hasattr(NETWORK, "net_")
    again = spectral_path(X, Y, estimator=NETWORK, alphas=ALPHAS)
    np.testing.assert_array_equal(again.train_loss, path.train_loss)


def test_irrelevant_inputs_leave_first():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 12))
    y = np.abs(X[:, 3]) + np.maximum(X[:, 7] - X[:, 9], 0) + 0.1 * rng.normal(size=1500)
    network = SpectralMLPRegressor(24, eigenvalues="in", max_iter=300, random_state=0)
    path = spectral_path(X, y, estimator=network, n_alphas=12, eps=1e-3)
    assert set(order_of_leaving(path)[-3:]) == {3, 7, 9}
    assert any(np.flatnonzero(alive).tolist() == [3, 7, 9] for alive in path.alive_features)


def test_search_ends_where_a_layer_has_collapsed_though_nodes_are_alive():
    relevances = {1.0: 2.0, 2.0: 1.5, 4.0: 0.3, 8.0: 0.009, 16.0: 0.005}
    networks = (
        Bunch(alpha=alpha, n_alive_nodes_=[3, 3], feature_relevance_=[np.ones(3), np.full(3, r)])
        for alpha, r in relevances.items()
    )
    assert finish(_last_of_scout(networks)) == 8.0


def test_grid_has_an_end():
    grid = list(finish(alpha_grid(NETWORK, X, Y, 5, 1e-2, epochs=100)))
    assert len(grid) == 5 + 2
    assert grid[-1] == pytest.approx(10 * grid[4])


def test_order_of_leaving_by_penalty_then_importance(path):
    toy = Bunch(
        n_alive_nodes=np.array([[2], [1], [0]]),
        alive_features=np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=bool),
        feature_importances=np.array([[0.4, 0.25, 0.3, 0.05], [1.0, 0, 0, 0], [0, 0, 0, 0]]),
    )
    assert order_of_leaving(toy).tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([1e-2, 1e-3], "must increase"),
        ([1e-3, 1e-3], "must increase"),
        ([-1e-3, 1e-3], "finite and >= 0; got -0.001"),
        ([1e-3, np.inf], "finite and >= 0; got inf"),
        ([1e-3, np.nan], "finite and >= 0; got nan"),
        ([], "at least one penalty"),
        ([[1e-3]], "must be a list"),
        (["many"], "must hold numbers"),
    ],
)
def test_bad_alphas_raise(alphas, message):
    with pytest.raises(ValueError, match=message):
        spectral_path(X, Y, alphas=alphas)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"estimator": object()}, TypeError, "must be a SpectralMLPRegressor"),
        ({"estimator": SpectralMLPRegressor(())}, ValueError, "no hidden layer"),
        ({"estimator": SpectralMLPRegressor(alpha_phi=1e-3)}, ValueError, "`alpha_phi` must be"),
        ({"estimator": []}, ValueError, "`estimator` must be a list .* with at least one"),
        ({"estimator": [NETWORK, object()]}, TypeError, "got object at index 1"),
        ({"estimator": [NETWORK, NETWORK]}, ValueError, "one is there twice"),
        (
            {"estimator": [NETWORK, SpectralMLPClassifier()]},
            ValueError,
            "`estimator` must be all regressors or all",
        ),
        ({"estimator": [NETWORK, SpectralMLPRegressor(())]}, ValueError, "no hidden layer"),
        ({"estimator": [NETWORK, SpectralMLPRegressor(tol=-1)]}, ValueError, "'tol' parameter"),
        ({"X_val": X}, ValueError, "`y_val` was not given"),
        ({"n_alphas": 1}, ValueError, "n_alphas"),
        ({"eps": 1.0}, ValueError, "eps"),
        ({"path_max_iter": 0}, ValueError, "path_max_iter"),
    ],
)
def test_bad_settings_raise(settings, error, message):
    with pytest.raises(error, match=message):
        spectral_path(X, Y, **settings)


def test_one_class_raises():
    with pytest.raises(ValueError, match="at least 2"):
        spectral_path(X, np.ones(len(X), dtype=int), estimator=SpectralMLPClassifier())


def test_zero_weights_are_rows_left_out():
    weight = np.ones(len(X))
    weight[::2] = 0
    given = spectral_path(X, Y, estimator=NETWORK, alphas=[1e-3, 1e-1], sample_weight=weight)
    left_out = spectral_path(X[1::2], Y[1::2], estimator=NETWORK, alphas=[1e-3, 1e-1])
    np.testing.assert_array_equal(given.train_loss, left_out.train_loss)


def test_path_tells_where_nodes_stay_alive():
    network = SpectralMLPRegressor(6, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="ends at alpha=.* with nodes alive"):
        path = spectral_path(X, Y, estimator=network, n_alphas=3, path_max_iter=1)
    assert path.alpha_max[1] == np.inf


def test_path_tells_of_divergence():
    network = SpectralMLPRegressor(6, max_iter=20, learning_rate_init=1e30, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        spectral_path(X, Y, estimator=network, alphas=[1e-3])


DIVERGING = {"solver": "sgd", "activation": "identity", "learning_rate_init": 1e30}


@pytest.mark.filterwarnings("ignore:The size has not settled")
@pytest.mark.parametrize("first", [True, False])
def test_path_goes_on_after_divergence_in_a_first_epoch(first, monkeypatch):
    network = SpectralMLPRegressor(6, max_iter=2, batch_size=4, dtype="float32", random_state=0)
    network.set_params(**DIVERGING)
    if not first:  # from the second penalty on
        monkeypatch.setattr(SpectralNet, "train", train_well_once(SpectralNet.train))
    with pytest.warns(ConvergenceWarning, match="Training diverged in epoch") as caught:
        path = spectral_path(X, Y, estimator=network, alphas=[1e-3, 1e-2, 1e-1], path_max_iter=2)
    assert len(caught) == 3 - (not first)
    np.testing.assert_array_equal(np.isnan(path.train_loss), [first, True, True])
    assert np.isfinite(path.feature_importances).all()
    assert len(path.n_alive_nodes) == 3


def train_well_once(train):
    rates = iter([1e-3])

    def changed(net, *args, **keywords):
        net.optimizer_.param_groups[0]["lr"] = net.lr = next(rates, 1e30)
        return train(net, *args, **keywords)

    return changed


@pytest.mark.filterwarnings("ignore:Training diverged", "ignore:The path ends")
def test_grid_of_a_path_that_diverges_at_once_ends():
    network = SpectralMLPRegressor(6, max_iter=1, batch_size=50, dtype="float32", random_state=0)
    path = spectral_path(X, Y, estimator=network.set_params(**DIVERGING), n_alphas=2)
    assert np.isnan(path.train_loss).all()


def test_lists_are_taken():
    path = spectral_path(X.tolist(), Y.tolist(), estimator=NETWORK, alphas=[1e-3])
    expected = spectral_path(X, Y, estimator=NETWORK, alphas=[1e-3])
    np.testing.assert_array_equal(path.train_loss, expected.train_loss)


def test_grid_at_most_doubles():
    penalties = list(finish(alpha_grid(NETWORK, X, Y, 30, 0.99, epochs=2)))
    assert len(penalties) == 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"max_iter": "long"}, "max_iter"),
    ],
)
def test_path_checks_the_network_first(settings, message):
    with pytest.raises(ValueError, match=message):
        spectral_path(X, Y, estimator=SpectralMLPRegressor(**settings))


def test_path_checks_the_rows_first():
    with pytest.raises(ValueError, match="0 sample"):
        spectral_path(np.empty((0, 3)), np.empty(0))
    with pytest.raises(ValueError, match="features"):
        spectral_path(X, Y, X_val=X[:, :1], y_val=Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # many diagonals
def test_every_sparse_format_is_taken_with_rows_left_out(form):
    weight = np.ones(len(X))
    weight[::3] = 0
    options = {"estimator": SpectralMLPRegressor(4, max_iter=2, random_state=0), "alphas": [0.1]}
    thin = sparse.coo_array(X).asformat(form)
    found = spectral_path(
        thin, Y, **options, sample_weight=weight, X_val=thin, y_val=Y, path_max_iter=1
    )
    kept = weight > 0
    expected = spectral_path(X[kept], Y[kept], **options, X_val=X, y_val=Y, path_max_iter=1)
    np.testing.assert_allclose(found.train_loss, expected.train_loss)
    np.testing.assert_allclose(found.validation_loss, expected.validation_loss)

"""The one walk of spectral_path and of the CV estimators."""

import numpy as np
from sklearn.utils import Bunch

from skspectral import SpectralMLPRegressor
from skspectral._estimators.rows import Rows
from skspectral._path.alphas import alpha_grid
from skspectral._path.follow import follow, until_none_is_alive
from skspectral._path.penalties import fixed


def test_walk_ends_with_the_first_network_without_nodes():
    alive = [[2, 1], [0, 1], [0, 0], [0, 0]]
    networks = (Bunch(n_alive_nodes_=n) for n in alive)
    assert [network.n_alive_nodes_ for network in until_none_is_alive(networks)] == alive[:3]


def test_given_penalties_are_all_gone_along_found_ones_till_nothing_is_alive():
    X = np.random.default_rng(0).normal(size=(400, 4))
    rows = Rows(X, np.abs(X[:, 0]), None)
    network = SpectralMLPRegressor(6, max_iter=150, random_state=0)
    given = [entry for _, entry in follow(network, rows, fixed([1e-3, 20, 40, 80]))]
    assert [entry["alphas"] for entry in given] == [1e-3, 20, 40, 80]
    assert [any(entry["n_alive_nodes"]) for entry in given][-2:] == [False, False]
    grid = alpha_grid(network, rows.X, rows.y, 4, 1e-2, epochs=100)
    steps = follow(network, rows, fixed(grid), epochs=(150, 100), to_the_end=False)
    found = [entry for _, entry in steps]
    assert [any(entry["n_alive_nodes"]) for entry in found][-2:] == [True, False]


def test_rows_without_weight_do_not_lengthen_the_walk(regression):
    X, y = regression
    network = SpectralMLPRegressor(6, random_state=0)
    weight = np.repeat([1.0, 0.0], 60)
    (given,), (left_out,) = (
        [fitted for fitted, _ in follow(network, rows, fixed([1.0]))]
        for rows in (Rows(X, y, weight), Rows(X[:60], y[:60], None))
    )
    assert given.n_iter_ == left_out.n_iter_
    np.testing.assert_array_equal(given.coefs_[0], left_out.coefs_[0])

"""Nodes that do not pay for their parameters are found, and no others."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training import elimination
from skspectral._training.batches import RowDataset
from skspectral._training.comparing import loss_at
from skspectral._training.elimination import paying_nodes, price_of_node
from skspectral._training.sparse_rows import SparseRows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N_ROWS = 3000


def data_of(X, y, weight=None):
    target = torch.as_tensor(y if y.ndim > 1 or y.dtype.kind == "i" else y[:, None])
    weight = None if weight is None else torch.as_tensor(weight)
    return RowDataset(X, target, weight, dtype=torch.float64)


def hidden_of(model, X):
    """Return the last hidden layer in plain numpy, for relu."""
    for weight, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        X = np.maximum(X @ weight + bias, 0)
    return X


def squares_left(columns, outputs, weight):
    root = np.sqrt(weight)[:, None]
    coefs = np.linalg.lstsq(root * columns, root * outputs, rcond=None)[0]
    return np.sum(np.square(root * (outputs - columns @ coefs)))


def paying_by_force(hidden, always, outputs, weight, price):
    """Take nodes out one by one, by a least-squares fit for each that could be taken."""
    pays = list(range(hidden.shape[1]))
    before = 0.0
    while len(pays) > 1:
        left = [
            squares_left(np.c_[hidden[:, [i for i in pays if i != node]], always], outputs, weight)
            for node in pays
        ]
        if min(left) - before >= price * outputs.size:
            break
        before = min(left)
        pays.pop(int(np.argmin(left)))
    return np.isin(np.arange(hidden.shape[1]), pays)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_nodes_are_those_of_brute_force(n_outputs, skip, is_weighted, is_sparse):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 6)) * (rng.random((N_ROWS, 6)) < 0.09)
    y = rng.normal(size=(N_ROWS, n_outputs)) + np.abs(X[:, :1])
    options = {"max_iter": 2, "skip": skip, "dtype": "float64", "random_state": 0}
    model = SpectralMLPRegressor((7, 12), **options).fit(X, y if n_outputs > 1 else y[:, 0])
    weight = rng.uniform(0.1, 2, N_ROWS) if is_weighted else np.ones(N_ROWS)
    rows = sparse.csr_matrix(X) if is_sparse else X
    dataset = data_of(rows, y, weight if is_weighted else None)
    batch, _ = next(iter(model.net_.get_iterator(dataset)))
    assert isinstance(model.net_.as_input(batch), SparseRows if is_sparse else torch.Tensor)
    outputs = model.module_(torch.as_tensor(X)).detach().numpy()
    hidden = hidden_of(model, X)
    always = np.c_[np.ones(N_ROWS), X] if skip else np.ones((N_ROWS, 1))
    counts = set()
    for price in (0.0, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 1e9):
        pays = paying_nodes(model.net_, dataset, price)
        expected = paying_by_force(hidden, always, outputs, weight, price)
        np.testing.assert_array_equal(pays, expected)
        counts.add(pays.sum())
    assert {1, 12} <= counts
    assert len(counts) > 4


def network(cls, n_nodes, X, y):
    """Return a dense network of float64, whose weights are to be set."""
    options = {"parametrization": "dense", "dtype": "float64", "random_state": 0}
    return cls(n_nodes, max_iter=1, **options).fit(X, y)


def set_weights(model, incoming, bias, outgoing, constant):
    first, last = model.module_.layers
    with torch.no_grad():
        for parameter, values in (
            (first.weight, incoming),
            (first.bias, bias),
            (last.weight, outgoing),
            (last.bias, constant),
        ):
            parameter.copy_(torch.as_tensor(values))


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_nodes_of_a_teacher_pay_and_those_that_fit_noise_or_are_split_do_not(noise):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N_ROWS, 5))
    incoming, bias = rng.normal(size=(10, 5)), rng.normal(size=10)
    incoming[4], bias[4] = incoming[0], bias[0]  # the first node is split in two
    hidden = np.maximum(X @ incoming.T + bias, 0)
    y = hidden[:, :4] @ np.ones(4) + noise * rng.normal(size=N_ROWS)
    model = network(SpectralMLPRegressor, 10, X, y)
    # the others have the weights that fit the noise best
    columns = np.c_[np.delete(hidden, 4, axis=1), np.ones(N_ROWS)]
    fitted = np.insert(np.linalg.lstsq(columns, y, rcond=None)[0], 4, 0.5)
    fitted[0] -= 0.5
    set_weights(model, incoming, bias, fitted[None, :-1], fitted[-1:])
    dataset = data_of(X, y)
    loss = loss_at(model.net_, dataset, None)
    assert loss == pytest.approx(noise**2, rel=0.1)
    pays = paying_nodes(model.net_, dataset, price_of_node(model.net_, loss, N_ROWS))
    # a split node keeps one of its halves
    assert pays[[0, 4]].sum() == 1
    np.testing.assert_array_equal(pays[[1, 2, 3, 5, 6, 7, 8, 9]], [True] * 3 + [False] * 5)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_losses_of_classes_rise_by_no_more_than_the_bound(n_classes):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(N_ROWS, 4))
    weight, bias = rng.normal(size=(6, 4)), rng.normal(size=6)
    hidden = np.maximum(X @ weight.T + bias, 0)
    logits = hidden @ rng.normal(size=(6, n_classes))
    y = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    model = network(SpectralMLPClassifier, 6, X, y)
    readout = LogisticRegression(C=np.inf, tol=1e-8, max_iter=10_000)

    def loss_of(columns):
        proba = readout.fit(columns, y).predict_proba(columns)
        return -np.log(proba[np.arange(N_ROWS), y]).mean()

    whole = loss_of(hidden)
    set_weights(model, weight, bias, readout.coef_, readout.intercept_)
    target = y.astype(float) if n_classes == 2 else y
    dataset = data_of(X, target)
    assert loss_at(model.net_, dataset, None) == pytest.approx(whole, rel=1e-6)
    counts = set()
    for price in np.geomspace(1e-4, 10, 30):
        pays = paying_nodes(model.net_, dataset, price)
        n_gone = 6 - pays.sum()
        counts.add(n_gone)
        if n_gone:
            assert loss_of(hidden[:, pays]) - whole < n_gone * price
    assert len(counts) > 2


def test_a_price_is_that_of_schwarz():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(N_ROWS, 4)), rng.normal(size=(N_ROWS, 3))
    options = {"max_iter": 1, "random_state": 0}
    for outputs in (1, 3):
        model = SpectralMLPRegressor((8, 5), **options).fit(X, y if outputs > 1 else y[:, 0])
        price = price_of_node(model.net_, 0.25, N_ROWS)
        k = 8 + 1 + outputs  # weights from below, a bias, weights to the outputs
        deviance = N_ROWS * outputs * (np.log(0.25 + price) - np.log(0.25))
        assert deviance == pytest.approx(k * np.log(N_ROWS), rel=0.02)
    for classes, outputs in ((2, 1), (4, 4)):
        model = SpectralMLPClassifier((8, 5), **options).fit(X, np.arange(N_ROWS) % classes)
        price = price_of_node(model.net_, 0.25, N_ROWS)
        assert 2 * N_ROWS * price == pytest.approx((8 + 1 + outputs) * np.log(N_ROWS))


def test_equal_nodes_and_a_perfect_fit_are_no_trouble():
    X = np.random.default_rng(4).normal(size=(200, 3))
    model = network(SpectralMLPRegressor, 6, X, X[:, 0])
    set_weights(model, np.ones((6, 3)), np.zeros(6), np.ones((1, 6)), np.zeros(1))
    dataset = data_of(X, 6 * np.maximum(X.sum(axis=1), 0))
    assert paying_nodes(model.net_, dataset, 1e-6).sum() == 1
    assert paying_nodes(model.net_, dataset, 0.0).all()


def test_a_skip_of_many_columns_stays_as_it_is(monkeypatch):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N_ROWS, 6))
    y = rng.normal(size=N_ROWS) + np.abs(X[:, 0])
    model = SpectralMLPRegressor(9, max_iter=2, skip=True, dtype="float64").fit(X, y)
    monkeypatch.setattr(elimination, "MOST_COLUMNS", 5)
    hidden = hidden_of(model, X)
    outputs = hidden @ model.module_.layers[-1].weight.detach().numpy().T
    ones = np.ones((N_ROWS, 1))
    for price in (1e-7, 1e-5, 1e-4, 1e-3):
        pays = paying_nodes(model.net_, data_of(X, y), price)
        expected = paying_by_force(hidden, ones, outputs, ones[:, 0], price)
        np.testing.assert_array_equal(pays, expected)

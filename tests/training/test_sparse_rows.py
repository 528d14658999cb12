"""Sparse rows give what dense ones give, in products, in training and in predictions."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch.callbacks import Callback
from torch.nn import functional as F

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training.backpropagation import Backpropagation
from skspectral._training.batches import RowBatches, RowDataset
from skspectral._training.sparse_rows import MOST_DENSE, SparseRows
from skspectral.nn import SpectralMLP

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
N_FEATURES = 60
TABLE = sparse.random_array((150, N_FEATURES), density=0.06, format="csr", rng=0)
Y = TABLE @ np.random.default_rng(0).normal(size=N_FEATURES)


def batch(dtype=torch.float64, n_rows=9):
    """Return sparse rows, an empty one among them, and the same as a Tensor."""
    X = TABLE[:n_rows].astype(str(dtype).removeprefix("torch."))
    X = sparse.vstack([X, X[:1] * 0], format="csr")
    return SparseRows(X), torch.from_numpy(X.toarray())


@DTYPES
@pytest.mark.parametrize("bias", [True, False])
def test_linear_and_its_gradients_equal_those_of_dense_rows(dtype, bias):
    rows, dense = batch(dtype)
    layer = torch.nn.Linear(N_FEATURES, 4, bias=bias, dtype=dtype)
    twin = copy.deepcopy(layer)
    outputs = layer(rows)
    torch.testing.assert_close(outputs, twin(dense))
    (outputs**2).sum().backward()
    (twin(dense) ** 2).sum().backward()
    torch.testing.assert_close(layer.weight.grad, twin.weight.grad)


def test_other_functions_get_dense_rows():
    rows, dense = batch()
    torch.testing.assert_close(torch.sin(rows), torch.sin(dense))
    torch.testing.assert_close(F.relu(rows[2:5]), F.relu(dense[2:5]))


@DTYPES
@pytest.mark.parametrize("hidden", [(), (7,), (7, 5)])
@pytest.mark.parametrize("eigenvalues", ["out", "both"])
def test_hand_written_passes_equal_those_of_dense_rows(dtype, hidden, eigenvalues):
    rows, dense = batch(dtype)
    sizes = (N_FEATURES, *hidden, 3)
    module = SpectralMLP(sizes, eigenvalues=eigenvalues, dtype=dtype)
    found = []
    for X in (dense, rows):
        passes = Backpropagation(module, len(dense) + 2)
        output = passes.forward(X)
        passes.backward(output.clone())
        trained = (p for p in module.parameters() if p.requires_grad)
        found.append([output.clone(), *(p.grad.clone() for p in trained)])
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("density", [0.5 * MOST_DENSE, 2 * MOST_DENSE])
def test_batches_are_sparse_where_that_pays(density):
    X = sparse.random_array((50, 200), density=density, format="csr", rng=0)
    dataset = RowDataset(X, torch.arange(50), None, torch.float32)
    for rows, y in RowBatches(dataset, 16, np.random.RandomState(0)):
        assert isinstance(rows, SparseRows) == (density < MOST_DENSE)
        dense = rows.dense() if isinstance(rows, SparseRows) else rows
        np.testing.assert_array_equal(dense.numpy(), X[y.numpy()].toarray().astype("float32"))


def test_values_beyond_the_dtype_are_refused():
    dataset = RowDataset(TABLE * 1e300, None, None, torch.float32)
    with pytest.raises(ValueError, match="beyond float32"):
        dataset.rows(slice(0, 9))


class Watch(Callback):
    """Keep the batches that callbacks are given."""

    def on_train_begin(self, net, **kwargs):
        self.seen_ = []

    def on_batch_end(self, net, batch, **kwargs):
        self.seen_.append(batch[0])


class WatchGradients(Watch):
    on_batch_end = Callback.on_batch_end

    def on_grad_computed(self, net, batch=None, **kwargs):
        self.seen_.append(batch[0])


def fitted(X, cls=SpectralMLPRegressor, **options):
    model = cls(
        (12, 6), alpha=1e-4, batch_size=40, max_iter=15, dtype="float64", random_state=0, **options
    )
    return model.fit(X, Y if cls is SpectralMLPRegressor else np.digitize(Y, [-0.2, 0.2]))


OPTIONS = [
    {},
    {"activation": "gelu"},  # trained by autograd
    {"parametrization": "dense", "solver": "sgd"},
    {"eigenvalues": "in", "trainable": "eigenvalues"},
    {"early_stopping": True},
    {"callbacks": [Watch()]},
    {"callbacks": [WatchGradients()]},
]


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix, sparse.coo_matrix])
@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_training_on_sparse_rows_equals_that_on_dense_ones(options, container):
    X = TABLE.toarray()
    dense, thin = fitted(X, **options), fitted(container(X), **options)
    expected = dense.predict(X)
    for form in (container(X), X):
        np.testing.assert_allclose(thin.predict(form), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(thin.loss_curve_, dense.loss_curve_, rtol=1e-9)
    assert thin.size_settled_ == dense.size_settled_


def test_probabilities_of_sparse_rows_equal_those_of_dense_ones():
    X = TABLE.toarray()
    dense, thin = (fitted(form, SpectralMLPClassifier) for form in (X, TABLE))
    np.testing.assert_allclose(thin.predict_proba(TABLE), dense.predict_proba(X), rtol=1e-9)


def test_fits_multiply_sparse_rows_and_users_see_dense_ones(monkeypatch):
    products, times = [], SparseRows.times
    monkeypatch.setattr(SparseRows, "times", lambda *args: products.append(1) or times(*args))
    for callback in (Watch, WatchGradients):
        model = fitted(TABLE, callbacks=[callback()])
        [seen] = [cb.seen_ for _, cb in model.net_.callbacks_ if type(cb) is callback]
        assert seen
        assert all(isinstance(rows, torch.Tensor) for rows in seen)
    model, products[:] = fitted(TABLE), []
    model.predict(TABLE)
    assert products == [1]
    inputs = []
    model.module_.layers[0].register_forward_hook(lambda module, given, out: inputs.append(given))
    model.predict(TABLE)
    assert isinstance(inputs[0][0], torch.Tensor)

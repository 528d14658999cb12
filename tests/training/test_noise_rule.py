"""The rule: the penalty at which a node on pure noise stops paying, found by brute force."""

import math

import numpy as np
import pytest
import torch
from scipy import sparse

from skspectral._training.noise_rule import Spectrum, column_moments
from skspectral.nn._noise_threshold import KINDS, noise_threshold, threshold

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu}


@pytest.mark.parametrize("order", [2, 3, 4])
def test_threshold_is_where_the_best_node_stops_paying(order):
    gain, cost = 0.03, 0.7
    J = np.geomspace(1e-6, 1, 200_001)
    brute = ((2 * gain * J - cost * J**2) / (order * J ** (2 / order))).max()
    assert threshold(order, gain, cost) == pytest.approx(brute, rel=1e-4)


def test_special_cases_of_the_threshold():
    c, k = 0.2, 0.5
    assert threshold(2, c, k) == pytest.approx(c)
    assert threshold(3, c, k) == pytest.approx(c ** (4 / 3) / (2 * (2 * k) ** (1 / 3)))
    assert threshold(4, c, k) == pytest.approx(c / 3 * math.sqrt(2 * c / (3 * k)))
    assert threshold(3, 0.0, k) == 0.0


class Noise:
    """Columns, and targets that have nothing to do with them."""

    def __init__(self, n_rows, n_columns, n_outputs, loss, correlated=False, seed=0):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n_rows, n_columns))
        if correlated:
            X = X @ (rng.normal(size=(n_columns, n_columns)) * np.geomspace(1, 0.3, n_columns))
        X = X - X.mean(axis=0)
        self.X, self.loss = torch.as_tensor(X / np.sqrt(np.mean(X**2))), loss
        if loss == "identity":
            y = rng.normal(size=(n_rows, n_outputs))
            self.y = torch.as_tensor(y - y.mean(axis=0))
            residuals = self.y.numpy()
        else:
            y = rng.integers(0, n_outputs if loss == "softmax" else 2, size=n_rows)
            self.y = torch.as_tensor(y)
            codes = np.eye(n_outputs)[y] if loss == "softmax" else y[:, None]
            residuals = codes - codes.mean(axis=0)
            self.constant = torch.as_tensor(codes.mean(axis=0))
        self.residuals, self.covariance = residuals, residuals.T @ residuals / n_rows
        self.n_outputs = n_outputs

    def data_term(self, output):
        """Return the loss of outputs of shape (n_starts, n, n_outputs) that a node adds."""
        if self.loss == "identity":
            return (self.y - output).square().mean(dim=(1, 2))
        if self.loss == "softmax":
            log_p = torch.log_softmax(self.constant.log() + output, dim=2)
            return -log_p[:, torch.arange(len(self.y)), self.y].mean(dim=1)
        logit = torch.logit(self.constant) + output
        target = self.y.double().expand(logit.shape[:2])
        return torch.nn.functional.binary_cross_entropy_with_logits(
            logit[:, :, 0], target, reduction="none"
        ).mean(dim=1)

    def brute_force(self, order, activation, n_starts=8, n_steps=200):
        """Return the largest penalty at which a node pays: gain over q J^(2/q), maximised.

        Over direction and length of the incoming weights, bias, outgoing vector and J; the
        output bias is refitted by centring what the node adds.
        """
        generator = torch.Generator().manual_seed(0)
        n_columns = self.X.shape[1]

        def start(*shape):
            return torch.randn(shape, generator=generator, dtype=torch.float64)

        v = start(n_starts, self.n_outputs)
        # around the best linear node, from where the bias bends the others
        w = v @ torch.as_tensor(self.residuals).T @ self.X
        w = w / w.std(dim=1, keepdim=True) + start(n_starts, n_columns)
        b, length = start(n_starts) / 2, torch.zeros(n_starts, dtype=torch.float64)
        log_J = torch.full((n_starts,), -4.0, dtype=torch.float64)
        parameters = [p.requires_grad_() for p in (w, v, b, length, log_J)]
        optimizer = torch.optim.Adam(parameters, lr=0.05)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
        best = 0.0
        for _ in range(n_steps):
            direction = torch.nn.functional.normalize(w) * length.exp()[:, None]
            activations = FUNCTIONS[activation](direction @ self.X.T + b[:, None])
            activations = activations - activations.mean(dim=1, keepdim=True)
            outgoing = torch.nn.functional.normalize(v) * (log_J - length).exp()[:, None]
            added = activations[:, :, None] * outgoing[:, None, :]
            gain = self.data_term(torch.zeros_like(added)) - self.data_term(added)
            ratio = gain / (order * (2 / order * log_J).exp())
            best = max(best, float(ratio.detach().max()))
            optimizer.zero_grad()
            (-ratio.sum()).backward()
            optimizer.step()
            decay.step()
        return best

    def formula(self, order, activation):
        return noise_threshold(
            Spectrum.of(self.X.numpy().T @ self.X.numpy() / len(self.X)),
            Spectrum.of(self.covariance),
            len(self.X),
            order=order,
            activation=activation,
            loss=self.loss,
            n_outputs=self.n_outputs,
        )


CASES = {
    "10 columns": {"n_columns": 10, "n_outputs": 1, "loss": "identity"},
    "30 columns": {"n_columns": 30, "n_outputs": 1, "loss": "identity"},
    "20 correlated": {"n_columns": 20, "n_outputs": 1, "loss": "identity", "correlated": True},
    "10 outputs": {"n_columns": 10, "n_outputs": 10, "loss": "identity"},
    "two classes": {"n_columns": 10, "n_outputs": 1, "loss": "logistic"},
    "five classes": {"n_columns": 10, "n_outputs": 5, "loss": "softmax"},
}


SLOW = [pytest.param(order, marks=pytest.mark.slow) for order in (2, 4)]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("order", [*SLOW, 3])
@pytest.mark.parametrize("case", CASES)
def test_formula_is_near_the_threshold_found_by_brute_force(case, order, activation):
    tables = [Noise(500, **CASES[case], seed=seed) for seed in range(10)]
    ratios = [t.formula(order, activation) / t.brute_force(order, activation) for t in tables]
    # the largest correlation scatters from sample to sample: the typical one is meant
    assert 0.75 <= np.exp(np.mean(np.log(ratios))) <= 1.3, ratios


def test_threshold_falls_with_the_rows_and_rises_with_the_noise():
    def at(n_rows, variance):
        return noise_threshold(
            Spectrum.of(np.eye(10)),
            Spectrum.of(np.array([[variance]])),
            n_rows,
            order=3,
            activation="relu",
            loss="identity",
            n_outputs=1,
        )

    assert at(8000, 1.0) == pytest.approx(at(1000, 1.0) * 8 ** (-2 / 3))
    assert at(1000, 8.0) == pytest.approx(at(1000, 1.0) * 8 ** (2 / 3))
    assert at(1000, 0.0) == 0.0


def test_every_activation_has_its_kind():
    from skspectral.nn._mlp import ACTIVATIONS

    assert KINDS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("weighted", [False, True])
def test_covariance_of_sparse_columns_is_that_of_dense_ones(weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 6)) * (rng.random((50, 6)) < 0.4)
    weight = rng.random(50) if weighted else None
    expected = np.cov(X.T, aweights=weight, ddof=0)
    for table in (X, sparse.csr_matrix(X)):
        covariance, spectrum = column_moments(table, weight)
        np.testing.assert_allclose(covariance, expected, atol=1e-12)
        values = np.linalg.eigvalsh(expected)
        assert spectrum.trace == pytest.approx(values.sum())
        assert spectrum.square == pytest.approx((values**2).sum())
        assert spectrum.largest == pytest.approx(values[-1])


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_spectrum_of_many_columns_is_sampled(make, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 80)) * np.geomspace(1, 0.05, 80) + 1
    exact = column_moments(X, None)[1]
    monkeypatch.setattr("skspectral._training.noise_rule.EXACT_COLUMNS", 10)
    covariance, sampled = column_moments(make(X), None)
    assert covariance is None
    assert sampled.trace == pytest.approx(exact.trace)
    assert sampled.largest == pytest.approx(exact.largest, rel=1e-2)
    assert sampled.square == pytest.approx(exact.square, rel=0.2)


@pytest.mark.parametrize("n_columns", [5, 1200])
@pytest.mark.parametrize("value", [0.0, 3.7, 1e8])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_constant_columns_have_unit_scale(make, value, n_columns):
    X = make(np.full((50, n_columns), value))
    assert column_moments(X, None) == (None, Spectrum(1.0, 1.0, 1.0))


def test_spread_beside_a_large_mean_counts():
    X = 1e8 + np.random.default_rng(0).normal(size=(500, 2))
    assert column_moments(X, None)[1].trace == pytest.approx(X.var(axis=0).sum())


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_columns", [5, 1200])
def test_squares_that_overflow_are_named(n_columns, make):
    X = make(1e200 * np.random.default_rng(0).normal(size=(20, n_columns)))
    with pytest.raises(ValueError, match="whose squares overflow"):
        column_moments(X, None)

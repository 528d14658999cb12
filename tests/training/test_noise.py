"""What the penalty follows: residuals, degrees of freedom, columns as the nodes see them."""

import numpy as np
import pytest
import torch

from skspectral._training.batches import RowDataset
from skspectral._training.losses import DataTerm, ResidualMoments
from skspectral._training.noise import (
    NoiseTable,
    capped,
    columns_seen,
    constant_products,
    inflated,
    n_used_columns,
    n_used_parameters,
    penalised_factors,
)
from skspectral._training.noise_rule import Spectrum
from skspectral.nn import SpectralMLP
from skspectral.nn._linear import matrix_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"parametrization": "dense"}, 2),
        ({"eigenvalues": "out"}, 3),
        ({"eigenvalues": "in"}, 3),
        ({"eigenvalues": "out-in"}, 4),
        ({"eigenvalues": "both"}, 3),
        ({"eigenvalues": "inputs"}, 2),
        ({"eigenvalues": "out", "trainable": "eigenvalues"}, 2),
        ({"eigenvalues": "out-in", "trainable": "eigenvalues"}, 2),
        ({"eigenvalues": "out", "trainable": "eigenvectors"}, 2),
        ({"eigenvalues": "in", "trainable": "eigenvalues"}, 2),
    ],
)
def test_penalised_factors_of_a_node(options, expected):
    assert penalised_factors(SpectralMLP((4, 6, 2), **options)) == expected
    assert penalised_factors(SpectralMLP((4, 6, 5, 2), **options)) in (expected, expected - 1)


def test_parameters_between_alive_nodes():
    assert n_used_parameters(10, [5], 1) == 10 * 5 + 5 + 5 + 1
    assert n_used_parameters(3, [4, 2], 3) == (3 + 1) * 4 + (4 + 1) * 2 + (2 + 1) * 3
    assert n_used_parameters(10, [0], 1) == 1


@pytest.mark.parametrize("out_activation", ["identity", "logistic", "softmax"])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_gathered_from_batches_are_those_of_all_rows(out_activation, weighted):
    output = torch.as_tensor(RNG.normal(size=(30, 3)))
    if out_activation == "identity":
        target = torch.as_tensor(RNG.normal(size=(30, 3)))
        residual = output - target
    elif out_activation == "logistic":
        target = torch.as_tensor(RNG.integers(0, 2, size=(30, 3))).double()
        residual = torch.sigmoid(output) - target
    else:
        target = torch.as_tensor(RNG.integers(0, 3, size=30))
        residual = torch.softmax(output, dim=1) - torch.eye(3, dtype=torch.float64)[target]
    weight = torch.as_tensor(RNG.random(30)) if weighted else None
    share = (
        torch.full((30,), 1 / 30, dtype=torch.float64) if weight is None else weight / weight.sum()
    )
    expected = (residual * share[:, None]).T @ residual
    for by_hand in (False, True):
        criterion = DataTerm(out_activation)
        criterion.moments = ResidualMoments(3, output)
        for rows in (slice(0, 12), slice(12, 30)):
            of_batch = output[rows], target[rows], None if weight is None else weight[rows]
            if by_hand:
                criterion.value_and_gradient(*of_batch)
            else:
                criterion.watch(*of_batch)
        np.testing.assert_allclose(criterion.moments.take(), expected, rtol=1e-10)
        assert not criterion.moments.products.any()


@pytest.mark.parametrize("weighted", [False, True])
def test_constant_leaves_the_covariance_of_the_target(weighted):
    X, y = np.zeros((40, 1)), RNG.normal(size=(40, 2))
    weight = RNG.random(40) if weighted else None
    dataset = RowDataset(
        X, torch.as_tensor(y), None if weight is None else torch.as_tensor(weight), torch.float64
    )
    np.testing.assert_allclose(constant_products(dataset, 2), np.cov(y.T, aweights=weight, ddof=0))
    codes = RNG.integers(0, 3, size=40)
    dataset = RowDataset(X, torch.as_tensor(codes), None, torch.float64)
    p = np.bincount(codes, minlength=3) / 40
    np.testing.assert_allclose(
        constant_products(dataset, 3), np.diag(p) - np.outer(p, p), atol=1e-12
    )


def test_training_residuals_are_inflated_and_capped():
    residuals, constant = np.array([[0.2]]), np.array([[1.0]])
    assert inflated(residuals, 50, 100) == pytest.approx(0.8)
    assert np.isinf(inflated(residuals, 100, 100))
    assert capped(inflated(residuals, 50, 100), constant) == pytest.approx(0.8)
    assert capped(inflated(residuals, 80, 100), constant) is constant
    assert capped(np.array([[np.nan]]), constant) is constant


def test_linear_regression_has_its_noise_estimated():
    # ordinary least squares: sigma^2 = RSS / (n - p), which the inflation overshoots a little
    n_rows, n_columns = 200, 40
    X, noise = RNG.normal(size=(n_rows, n_columns)), RNG.normal(size=n_rows)
    residual = noise - X @ np.linalg.lstsq(X, noise, rcond=None)[0]
    estimate = inflated(np.array([[np.mean(residual**2)]]), n_columns, n_rows)[0, 0]
    assert 1.0 < estimate / np.var(noise) < 1.6


def test_table_of_constant_columns_or_target_has_unit_scale():
    X = RNG.normal(size=(20, 3))
    flat = NoiseTable.of(np.ones((20, 3)), None, np.array([[0.5]]))
    assert flat.columns == Spectrum(1.0, 1.0, 1.0)
    still = NoiseTable.of(X, None, np.zeros((2, 2)))
    np.testing.assert_array_equal(still.constant, np.eye(2))
    assert still.constant_is_exact
    weighted = NoiseTable.of(X, np.full(20, 2.0), np.array([[0.5]]))
    assert weighted.n_rows == 40
    assert weighted.columns == NoiseTable.of(X, None, np.array([[0.5]])).columns


def test_columns_as_nodes_see_them():
    X = RNG.normal(size=(50, 4)) * [1, 2, 3, 4]
    table = NoiseTable.of(X, None, np.array([[1.0]]))
    out = SpectralMLP((4, 6, 1), dtype=torch.float64)
    assert columns_seen(out, table) is table.columns
    inbound = SpectralMLP((4, 6, 1), eigenvalues="in", dtype=torch.float64)
    assert columns_seen(inbound, table).trace == pytest.approx(table.columns.trace)
    with torch.no_grad():
        inbound.layers[0].lambda_in[:] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert columns_seen(inbound, table).trace == pytest.approx(np.var(X[:, 0]))
    fixed = SpectralMLP((4, 6, 1), trainable="eigenvalues", dtype=torch.float64)
    phi = fixed.layers[0].phi.detach().numpy()
    assert columns_seen(fixed, table).trace == pytest.approx(np.var(X @ phi.T, axis=0).mean())


@pytest.mark.parametrize("eigenvalues", ["in", "inputs"])
@pytest.mark.parametrize("skip", [False, True])
def test_columns_that_have_left_are_not_used(eigenvalues, skip):
    module = SpectralMLP((4, 6, 1), eigenvalues=eigenvalues, skip=skip, dtype=torch.float64)
    assert n_used_columns(module) == 4
    eigenvalue = module.layers[0].lambda_in
    with torch.no_grad():
        eigenvalue[1] = 0.0
        eigenvalue[2] *= 1e-4
    # a skip that alone reads a column does not make it one that is used
    assert n_used_columns(module) == 2
    with torch.no_grad():
        eigenvalue[:] = 0.0
    assert n_used_columns(module) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"eigenvalues": "out"},
        {"eigenvalues": "both"},
        {"eigenvalues": "inputs", "parametrization": "dense"},
        {"eigenvalues": "inputs", "trainable": "eigenvectors"},
    ],
    ids=str,
)
def test_all_columns_count_unless_they_alone_have_eigenvalues(options):
    module = SpectralMLP((4, 6, 1), **options)
    with torch.no_grad():
        matrix_of(module.layers[0])[:, 1] = 0.0
    assert n_used_columns(module) == 4

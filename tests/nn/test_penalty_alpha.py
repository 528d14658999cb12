"""The value for loops is what alpha="auto" is for the estimators."""

import gzip
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skspectral._training.noise import NoiseTable, capped, inflated, n_used_parameters
from skspectral._training.noise_rule import Spectrum
from skspectral.datasets import make_teacher_student
from skspectral.nn import (
    SpectralLinear,
    SpectralMLP,
    mask_nodes,
    node_relevance,
    penalty,
    penalty_alpha,
    reparametrize,
    shrink,
)
from skspectral.nn._noise_threshold import noise_threshold

N_ROWS, N_COLUMNS = 400, 5


def network(n_outputs=1, activation=nn.ReLU, width=8):
    torch.manual_seed(0)
    layers = nn.Linear(N_COLUMNS, width), activation(), nn.Linear(width, n_outputs)
    return reparametrize(nn.Sequential(*layers).double())


def table(n_outputs=1, n_rows=N_ROWS):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, N_COLUMNS)) @ rng.normal(size=(N_COLUMNS, N_COLUMNS))
    y = X[:, :n_outputs] + rng.normal(size=(n_rows, n_outputs)) @ rng.normal(size=(n_outputs,) * 2)
    return torch.from_numpy(X), torch.from_numpy(y)


def by_the_rule_of_estimators(X, residuals, centred, n_used, *, loss, activation="relu", order=3):
    """Return what the estimators' own functions make of residuals, with a factor of 1."""
    covariances = [(r.T @ r / len(r)).numpy() for r in (centred, residuals)]
    at = NoiseTable.of(X.numpy(), None, covariances[0])
    noise = capped(inflated(covariances[1], n_used, len(X)), covariances[0])
    return noise_threshold(
        at.columns,
        Spectrum.of(noise),
        at.n_rows,
        order=order,
        activation=activation,
        loss=loss,
        n_outputs=residuals.shape[1],
    )


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_alpha_is_that_of_the_estimators(n_outputs, activation):
    X, y = table(n_outputs)
    module = network(n_outputs, activation)
    with torch.no_grad():
        module[2].weight.mul_(0.01)
        module[2].bias.copy_(y.mean(0))
        residuals = 0.3 * (y - module(X))
    y = residuals + module(X).detach()
    name = activation.__name__.lower()
    n_used = n_used_parameters(N_COLUMNS, [8], n_outputs)
    expected = by_the_rule_of_estimators(
        X, residuals, y - y.mean(0), n_used, loss="identity", activation=name
    )
    found = penalty_alpha(module, X, y, activation=name, factor=1.0)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, rel=1e-8)
    assert penalty_alpha(module, X, y, activation=name) == pytest.approx(expected / 2, rel=1e-8)


def test_alpha_of_classes_is_that_of_the_estimators():
    X, _ = table()
    y = (X[:, 0] > 0).long() + (X[:, 1] > 1).long()
    module = network(3)
    with torch.no_grad():
        module[2].weight.mul_(0.01)
        module[2].bias.copy_(F.one_hot(y, 3).double().mean(0).log() + torch.tensor([0.1, 0, 0]))
        residuals = F.one_hot(y, 3) - module(X).softmax(1)
    centred = F.one_hot(y, 3).double() - F.one_hot(y, 3).double().mean(0)
    n_used = n_used_parameters(N_COLUMNS, [8], 3)
    expected = by_the_rule_of_estimators(X, residuals, centred, n_used, loss="softmax")
    found = penalty_alpha(module, X, y, loss="cross_entropy", factor=1.0)
    assert found == pytest.approx(expected, rel=1e-8)


def test_alpha_of_labels_is_that_of_the_estimators():
    X, y = table(2)
    y = (y > 0).double()
    module = network(2)
    with torch.no_grad():
        module[2].weight.mul_(0.01)
        module[2].bias.zero_()
    residuals, centred = (y - module(X).sigmoid()).detach(), y - y.mean(0)
    n_used = n_used_parameters(N_COLUMNS, [8], 2)
    expected = by_the_rule_of_estimators(X, residuals, centred, n_used, loss="logistic")
    found = penalty_alpha(module, X, y, loss="binary_cross_entropy", factor=1.0)
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("eigenvalues", "order"), [("out", 3), ("out-in", 4)])
def test_alpha_counts_the_factors_of_a_node(eigenvalues, order):
    X, y = table()
    module = SpectralMLP((N_COLUMNS, 8, 1), eigenvalues=eigenvalues, dtype=torch.float64)
    centred = y - y.mean(0)  # an untrained network is worse than the constant
    expected = by_the_rule_of_estimators(X, 99 * y, centred, 1, loss="identity", order=order)
    with torch.no_grad():
        module.layers[-1].bias.fill_(99.0)
    assert penalty_alpha(module, X, y, factor=1.0) == pytest.approx(expected, rel=1e-8)


def test_noise_that_is_given_is_a_variance_or_a_covariance():
    X, y = table(2)
    module = network(2)
    found = penalty_alpha(module, X, y, noise_variance=0.01)
    same = penalty_alpha(module, X, y, noise_variance=0.01 * torch.eye(2))
    assert found == pytest.approx(same, rel=1e-6)
    assert 0 < found < penalty_alpha(module, X, y, noise_variance=torch.eye(2) / 50)
    assert penalty_alpha(module, X, y, noise_variance=0.0) == 0.0


def test_no_noise_is_larger_than_the_spread_of_the_target():
    X, y = table(2)
    module = network(2)
    with torch.no_grad():
        module[2].bias.fill_(99.0)
    assert penalty_alpha(module, X, y) == penalty_alpha(module, X, y, noise_variance=1e9)


def test_alpha_falls_with_the_rows():
    X, y = table()
    options = {"noise_variance": 0.1}
    found = penalty_alpha(network(), X, y, **options)
    assert penalty_alpha(network(), X, y, n_rows=4 * N_ROWS, **options) == pytest.approx(
        found / 4 ** (2 / 3)
    )


def test_alpha_has_the_unit_of_the_loss():
    X, y = table()
    with torch.no_grad():
        module = network()
        module[2].weight.zero_()
    found = penalty_alpha(module, X, y)
    assert penalty_alpha(module, X, 10 * y) == pytest.approx(found * 100 ** (2 / 3))


def test_many_columns_have_the_spectrum_of_the_rows():
    X, y = table(n_rows=4)
    wide = torch.cat([X, torch.zeros(4, 3)], dim=1)  # more columns than rows
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    reparametrize(module)
    constant = (y - y.mean(0)).square().mean()
    columns = Spectrum.of(np.cov(wide.numpy().T, ddof=0))
    expected = noise_threshold(
        columns,
        Spectrum.of(constant.numpy().reshape(1, 1)),
        4,
        order=3,
        activation="relu",
        loss="identity",
        n_outputs=1,
    )
    assert penalty_alpha(module, wide, y, factor=1.0) == pytest.approx(expected, rel=1e-8)


def test_constant_targets_and_columns_have_a_finite_penalty():
    X, y = table()
    assert penalty_alpha(network(), X, torch.ones_like(y)) > 0
    assert penalty_alpha(network(), torch.full_like(X, 0.1), y) > 0


def test_module_and_generator_are_left_as_they_were():
    module = nn.Sequential(
        nn.Linear(N_COLUMNS, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1)
    )
    reparametrize(module)
    module[1].eval()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    X, y = (values.float() for values in table())
    found = penalty_alpha(module, X, y)
    assert found == penalty_alpha(module, X, y)
    assert [part.training for part in module] == [True, False, True, True, True]
    assert all(torch.equal(state[key], value) for key, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not module[0]._forward_pre_hooks


def test_convolutions_are_taken_for_layers_on_the_same_pixels():
    X, y = table()
    torch.manual_seed(0)
    layers = nn.Conv1d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3 * (N_COLUMNS - 1), 1)
    module = reparametrize(nn.Sequential(*layers).double())
    expected = penalty_alpha(network(), X, y, noise_variance=0.1)
    images = X.reshape(-1, 1, N_COLUMNS)
    assert penalty_alpha(module, images, y, noise_variance=0.1) == pytest.approx(expected)


def fit(module, X, y, n_epochs, batch_size, lr, factor=0.5, every=1, rise=0.0):
    """Train as a plain loop does, with a penalty that follows the noise.

    Its first share of training, `rise`, has less of it.
    """
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    n_steps = n_epochs * math.ceil(len(X) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=n_steps)
    classes = y.ndim == 1
    loss = "cross_entropy" if classes else "squared_error"
    function = F.cross_entropy if classes else F.mse_loss
    for epoch in range(n_epochs):
        if epoch % every == 0:
            alpha = penalty_alpha(module, X, y, loss=loss, factor=factor)
        share = min(1.0, epoch / (rise * n_epochs)) if rise else 1.0
        for rows in torch.randperm(len(X)).split(batch_size):
            optimizer.zero_grad()
            (function(module(X[rows]), y[rows]) + penalty(module, share * alpha)).backward()
            optimizer.step()
            schedule.step()
    return alpha


def test_plain_loop_finds_the_size_of_the_teacher():
    data = make_teacher_student(3000, 10, (5,), noise=0.1, random_state=0)
    X = torch.tensor(data.X, dtype=torch.float32)
    y = torch.tensor((data.y - data.y.mean()) / data.y.std(), dtype=torch.float32)[:, None]
    torch.manual_seed(0)
    module = reparametrize(nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1)))
    alpha = fit(module, X, y, n_epochs=400, batch_size=300, lr=0.1)
    (relevance,) = node_relevance(module)
    alive = relevance > 0.05 * relevance.max()
    small = shrink(module, [alive])
    with torch.no_grad():
        assert float((small(X) - module(X)).abs().max()) < 1e-5
        error = float((module(X) - y).square().mean())
    assert 4 <= int(alive.sum()) <= 6
    assert small[0].out_features == int(alive.sum())
    assert 0.008 < error < 0.013  # the noise is 0.0099 of the variance
    assert 1e-4 < alpha < 5e-4


@pytest.fixture(scope="module")
def digits():
    """Return images of shape (n, 1, 28, 28) and labels, 3,000 of MNIST and 2,000 held out."""
    folder = Path(os.environ.get("SKSPECTRAL_DATA", "nowhere")) / "mnist"
    if not folder.is_dir():
        pytest.skip("MNIST is not there (SKSPECTRAL_DATA)")
    parts = []
    for part, n in (("train", 3000), ("t10k", 2000)):
        for kind, skipped in (("images-idx3", 16), ("labels-idx1", 8)):
            raw = gzip.decompress((folder / f"{part}-{kind}-ubyte.gz").read_bytes())
            parts.append(torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=skipped))
        X, y = parts[-2].reshape(-1, 1, 28, 28)[:n], parts[-1][:n]
        parts[-2:] = [X / 255, y.long()]
    return parts


@pytest.mark.slow
def test_plain_loop_on_images_lets_channels_and_nodes_go(digits):
    X, y, X_test, y_test = digits
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16 * 25, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    reparametrize(module)
    fit(module, X, y, n_epochs=30, batch_size=100, lr=0.01, factor=0.25, every=3, rise=0.2)
    relevances = node_relevance(module)
    alive = [relevance > 0.05 * relevance.max() for relevance in relevances]
    masked = mask_nodes(module, alive)
    with torch.no_grad():
        accuracy, of_masked = (
            float((network(X_test).argmax(1) == y_test).float().mean())
            for network in (module, masked)
        )
    sizes = [int(mask.sum()) for mask in alive]
    assert accuracy > 0.92
    assert abs(accuracy - of_masked) < 0.005
    assert sizes[0] <= 10  # of 16 channels
    assert sizes[2] <= 54  # of 64 nodes


WRONG = {
    "module": ({"module": "a"}, TypeError, "`module` must be"),
    "no layer": ({"module": nn.ReLU()}, TypeError, "`module` must be"),
    "no factors": (
        {"module": nn.Sequential(nn.Linear(N_COLUMNS, 2), nn.Linear(2, 1)).double()},
        ValueError,
        "must have a layer with factors",
    ),
    "fixed": (
        {"module": SpectralMLP((N_COLUMNS, 2, 1), trainable="eigenvalues")},
        ValueError,
        "must train all entries of the eigenvectors",
    ),
    "decomposed": (
        {"module": nn.Sequential(SpectralLinear(N_COLUMNS, 2, decomposition="svd"))},
        ValueError,
        "must train all entries of the eigenvectors",
    ),
    "array": ({"X": np.zeros((3, N_COLUMNS))}, TypeError, "`X` must be a torch.Tensor"),
    "list": ({"y": [1.0]}, TypeError, "`y` must be a torch.Tensor"),
    "rows": ({"y": torch.zeros(3, 1)}, ValueError, "the same number of rows"),
    "shape of y": ({"y": torch.zeros(N_ROWS)}, ValueError, r"shape of the outputs, \(400, 1\)"),
    "nan": ({"y": torch.full((N_ROWS, 1), math.nan)}, ValueError, "`y` must be finite"),
    "numbers": ({"X": torch.ones(N_ROWS, 5).int()}, ValueError, "`X` must hold floating-point"),
    "infinity": ({"X": torch.full((N_ROWS, 5), math.inf)}, ValueError, "`X` must be finite"),
    "large": (
        {"X": 1e200 * torch.ones(N_ROWS, 5).double().cumsum(0)},
        ValueError,
        "overflow",
    ),
    "loss": ({"loss": "mse"}, ValueError, "`loss` must be one of"),
    "unhashable": ({"loss": []}, ValueError, "`loss` must be one of"),
    "activation": ({"activation": "elu"}, ValueError, "`activation` must be one of"),
    "factor": ({"factor": -1}, ValueError, "`factor` must be a finite number >= 0"),
    "n_rows": ({"n_rows": 0}, ValueError, "`n_rows` must be an integer of at least 1"),
    "noise": ({"noise_variance": -1.0}, ValueError, "`noise_variance` must be"),
    "noise shape": ({"noise_variance": torch.eye(2)}, ValueError, "`noise_variance` must be"),
    "noise type": ({"noise_variance": "a"}, ValueError, "`noise_variance` must be"),
    "classes": ({"loss": "cross_entropy"}, ValueError, "`y` must hold integers of shape"),
}


@pytest.mark.parametrize(("change", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_refused(change, error, message):
    X, y = table()
    options = {"module": network(), "X": X, "y": y} | change
    with pytest.raises(error, match=message):
        penalty_alpha(options.pop("module"), options.pop("X"), options.pop("y"), **options)


def test_classes_must_be_outputs():
    X, _ = table()
    y = torch.full((N_ROWS,), 3)
    with pytest.raises(ValueError, match="from 0 to below the number of outputs"):
        penalty_alpha(network(3), X, y, loss="cross_entropy")


def test_outputs_must_be_finite():
    X, y = table()
    module = network()
    with torch.no_grad():
        module[2].bias.fill_(math.nan)
    with pytest.raises(ValueError, match="finite outputs"):
        penalty_alpha(module, X, y)

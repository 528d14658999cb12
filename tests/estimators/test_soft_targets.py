"""A classifier that learns from probabilities."""

import pickle

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score

from skspectral import SpectralMLPClassifier
from skspectral._estimators.rows import Rows
from skspectral._estimators.soft_targets import ProbabilityTarget, fit_to_probabilities
from skspectral._training import losses
from skspectral._training.losses import DataTerm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
NETWORK = {"hidden_layer_sizes": 12, "max_iter": 20, "random_state": 0}


def probabilities(n, n_classes, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), size=n)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize(
    "settings", [{}, {"n_members": 2}, {"alpha": 1e-3, "batch_size": 40}], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
def test_certain_probabilities_are_classes(request, task, settings, weighted):
    X, y = request.getfixturevalue(task)
    classes, codes = np.unique(y, return_inverse=True)
    weight = RNG.random(len(y)) if weighted else None
    soft = fit_to_probabilities(
        SpectralMLPClassifier(**NETWORK, **settings),
        X,
        np.eye(len(classes))[codes],
        classes,
        weight,
    )
    hard = SpectralMLPClassifier(**NETWORK, **settings).fit(X, y, weight)
    np.testing.assert_allclose(soft.predict_proba(X), hard.predict_proba(X), rtol=1e-9)
    assert soft.alpha_ == pytest.approx(hard.alpha_, rel=1e-9)
    np.testing.assert_array_equal(soft.predict(X), hard.predict(X))
    assert soft.score(X, y) == hard.score(X, y)
    assert "_soft_target" not in vars(soft)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_fleet_trains_alike(n_classes, request):
    X, proba = RNG.normal(size=(90, 4)), probabilities(90, n_classes)
    classes = np.arange(n_classes)
    one = fit_to_probabilities(SpectralMLPClassifier(**NETWORK), X, proba, classes)
    request.getfixturevalue("no_fleet")
    other = fit_to_probabilities(SpectralMLPClassifier(**NETWORK), X, proba, classes)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-8)
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient_are_those_of_the_cross_entropy(weighted):
    proba, output = probabilities(30, 4), RNG.normal(size=(30, 4))
    weight = RNG.random(30) if weighted else np.ones(30)
    of_rows = -(proba * log_softmax(output, axis=1)).sum(axis=1)
    target, w = torch.as_tensor(proba), torch.as_tensor(weight) if weighted else None
    z = torch.tensor(output, requires_grad=True)
    brute = -(torch.as_tensor(weight)[:, None] * target * torch.log_softmax(z, 1)).sum() / 30
    brute.backward()
    criterion = DataTerm("softmax")
    assert float(criterion(z.detach(), target, w)) == pytest.approx((weight * of_rows).mean())
    loss, gradient = criterion.value_and_gradient(z.detach(), target, w)
    assert float(loss) == pytest.approx((weight * of_rows).mean())
    torch.testing.assert_close(gradient, z.grad)
    torch.testing.assert_close(
        criterion.residual(z.detach(), target), torch.softmax(z.detach(), 1) - target
    )
    stacked, both = z.detach()[None], target[None]
    residual = losses.residuals("softmax", stacked, both)[0]
    torch.testing.assert_close(residual * torch.as_tensor(weight)[:, None] / 30, z.grad)
    entropy = losses.entropies("softmax", stacked, both)
    np.testing.assert_allclose(entropy[0, :, 0].numpy(), of_rows)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_covariance_is_that_of_classes_drawn_from_the_probabilities(n_classes):
    proba, weight = probabilities(20, n_classes), RNG.random(20)
    target = ProbabilityTarget(np.arange(n_classes), 1 if n_classes == 2 else n_classes, False)
    drawn = np.eye(n_classes)
    expected = np.average(
        [
            sum(p[k] * np.outer(drawn[k] - p, drawn[k] - p) for k in range(n_classes))
            for p in proba
        ],
        axis=0,
        weights=weight,
    )
    expected = expected[1:, 1:] if n_classes == 2 else expected
    rows = Rows(np.zeros((20, 1)), proba, weight)
    np.testing.assert_allclose(target.covariance(rows), expected, atol=1e-12)
    certain = Rows(np.zeros((20, 1)), np.eye(n_classes)[RNG.integers(n_classes, size=20)], None)
    np.testing.assert_allclose(target.covariance(certain), 0, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_early_stopping_scores_the_likeliest_class(n_classes):
    X, proba = RNG.normal(size=(100, 4)), probabilities(100, n_classes)
    classes = np.array(["ash", "beech", "cedar"])[:n_classes]
    network = SpectralMLPClassifier(**NETWORK, early_stopping=True, validation_fraction=0.99)
    fit_to_probabilities(network, X, proba, classes)
    likeliest = classes[proba.argmax(axis=1)]
    assert network.best_validation_score_ == pytest.approx(
        accuracy_score(likeliest, network.predict(X)), abs=0.02
    )


def test_what_follows_is_of_classes_again(multiclass):
    X, y = multiclass
    network = SpectralMLPClassifier(**NETWORK)
    fit_to_probabilities(network, X, probabilities(150, 3), np.unique(y))
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))
    assert set(again.partial_fit(X, y).predict(X)) <= set(y)
    assert again.fit(X, y).score(X, y) > 0.5


def test_a_failed_fit_leaves_no_trace():
    network = SpectralMLPClassifier(**NETWORK)
    with pytest.raises(ValueError, match="NaN"):
        fit_to_probabilities(network, np.full((5, 2), np.nan), probabilities(5, 2), np.arange(2))
    assert set(vars(network)) == set(network.get_params())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_one_certain_class_are_a_constant(n_classes):
    X = RNG.normal(size=(70, 3))
    proba = np.zeros((70, n_classes))
    proba[:, 0] = 1 + RNG.choice([-1, 0, 1], size=70) * np.finfo(float).eps  # by rounding
    clf = fit_to_probabilities(
        SpectralMLPClassifier(8, random_state=0), X, proba, np.arange(n_classes)
    )
    assert clf.n_alive_nodes_ == [0]
    assert clf.noise_variance_ == 0
    assert np.isfinite(clf.alpha_)
    assert (clf.predict(X) == 0).all()

"""Copies, clones and broken fits: nothing is lost, nothing half-fitted is left."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, GradientNormClipping

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore:The size has not settled")
SOLVERS = {
    "adam": {"solver": "adam"},
    "adamw": {"solver": torch.optim.AdamW},
    "clipped": {"callbacks": [GradientNormClipping(0.1)]},
}


def make(cls=SpectralMLPRegressor, **parameters):
    return cls(**{"hidden_layer_sizes": 8, "max_iter": 20, "random_state": 0, **parameters})


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_train_on_as_the_original(regression, solver, duplicate):
    X, y = regression
    reg = make(alpha=1e-2, **SOLVERS[solver]).fit(X, y)
    other = duplicate(reg)
    for _ in range(20):
        reg.partial_fit(X, y)
        other.partial_fit(X, y)
    np.testing.assert_array_equal(other.predict(X), reg.predict(X))


def test_decoupled_adam_gets_the_coupled_penalty(regression):
    X, y = regression
    decoupled = functools.partial(torch.optim.Adam, decoupled_weight_decay=True)
    a = make(solver=decoupled, alpha=1e-2, max_iter=60).fit(X, y)
    b = make(solver=torch.optim.AdamW, alpha=1e-2, max_iter=60).fit(X, y)
    np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=1e-6)


def test_partial_fit_follows_changed_parameters(regression):
    X, y = regression
    reg = make(alpha=0).partial_fit(X, y)
    reg.set_params(alpha=0.5, relevance_threshold=0.5).partial_fit(X, y)
    assert reg.net_.penalty.phi == 0.5
    assert {g["weight_decay"] for g in reg.net_.optimizer_.param_groups} == {0.0, 1.0}
    assert reg.net_.relevance_threshold == 0.5
    with pytest.raises(ValueError, match="`activation` was 'relu'"):
        reg.set_params(activation="tanh").partial_fit(X, y)


def test_net_is_a_net_of_its_own(regression):
    X, y = regression
    reg = make().fit(X, y)
    reg.net_.partial_fit(X, y)
    assert len(reg.net_.history) == 20 + 10
    fresh = clone(reg.net_).fit(X, y)
    assert fresh.predict(X).shape == (120, 1)


class Interrupt(Callback):
    """Do what Ctrl-C does, in the midst of the third epoch."""

    def on_batch_begin(self, net, training, **kwargs):
        if training and len(net.history) == 3:
            raise KeyboardInterrupt


def test_interrupt_keeps_the_epochs_before_it(regression):
    with pytest.warns(ConvergenceWarning, match="interrupted in epoch 3"):
        reg = make(batch_size=40, callbacks=[Interrupt()]).fit(*regression)
    assert reg.n_iter_ == len(reg.loss_curve_) == 2
    assert np.isfinite(reg.predict(regression[0])).all()


@pytest.mark.parametrize("rate", [1e2, 1e6])
def test_finite_divergence_warns(regression, rate):
    with pytest.warns(ConvergenceWarning, match="diverged"):
        make(learning_rate="constant", learning_rate_init=rate, alpha=0).fit(*regression)


def test_diverged_partial_fit_warns_and_recovers(regression):
    X, y = regression
    settings = {"activation": "identity", "dtype": "float32", "batch_size": 4, "alpha": 0}
    reg = make(solver="sgd", learning_rate_init=1e6, **settings)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 1"):
        reg.partial_fit(X, y)
    assert reg.t_ == 0
    reg.set_params(learning_rate_init=1e-3).partial_fit(X, y)
    assert reg.n_iter_ == 1
    assert np.isfinite(reg.loss_curve_).all()


@pytest.mark.parametrize("rate", [1e3, 1e30])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
def test_partial_fit_of_a_single_step_tells_of_divergence(binary, cls, solver, rate):
    """The loss of such a pass is from before its step."""
    X, y = binary
    model = make(cls, solver=solver, learning_rate_init=rate, dtype="float64")
    keywords = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    for _ in range(2):
        with pytest.warns(ConvergenceWarning, match="Training diverged"):
            model.partial_fit(X, y, **keywords)
        # zeros where the relevances have overflowed, so that no node counts as alive
        assert any(model.feature_importances_.sum() == pytest.approx(n) for n in (0, 1))


def test_importances_stay_finite_where_products_overflow(regression):
    X, y = regression
    reg = make(hidden_layer_sizes=(8, 8), dtype="float64").fit(X, y)
    before = reg.feature_importances_
    for name, parameter in reg.module_.named_parameters():
        if name.endswith(("phi", "weight")):  # 1e360 for a path through the three layers
            parameter.data *= 1e120
    np.testing.assert_allclose(reg.feature_importances_, before)
    reg._input_scaler.var_[1] = np.inf
    np.testing.assert_array_equal(reg.feature_importances_, [0, 1, 0, 0])


@pytest.mark.parametrize("which", ["checkpoint", "early stopping"])
def test_divergence_in_the_first_epoch_is_what_is_reported(regression, tmp_path, which):
    callback = {
        "checkpoint": Checkpoint(monitor="train_loss_best", dirname=str(tmp_path), load_best=True),
        "early stopping": EarlyStopping(monitor="train_loss", load_best=True),
    }[which]
    reg = make(
        solver="sgd",
        learning_rate="constant",
        learning_rate_init=1e30,
        dtype="float32",
        activation="identity",
        batch_size=4,
        callbacks=[callback],
    )
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 1"):
        reg.fit(*regression)


def test_failed_fit_leaves_no_half_fitted_estimator(regression):
    X, y = regression
    reg = make(hidden_layer_sizes=(8, 8), parametrization=["spectral"], warm_start=True)
    with pytest.raises(ValueError, match="one parametrization per hidden layer"):
        reg.fit(X, y)
    with pytest.raises(NotFittedError):
        reg.predict(X)
    reg.set_params(parametrization="spectral").fit(X, y)


class Failing(Callback):
    """Fail after an epoch."""

    def on_epoch_end(self, net, **kwargs):
        raise RuntimeError("from within")


def test_exception_in_training_leaves_an_unfitted_estimator(binary):
    X, y = binary
    clf = make(SpectralMLPClassifier, early_stopping=True, callbacks=[Failing()])
    with pytest.raises(RuntimeError, match="from within"):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)
    clf.set_params(early_stopping=False, callbacks=None)
    clf.partial_fit(X[:, :2], y, classes=[0, 1])


def test_early_stopped_warm_fit_is_not_said_to_have_reached_max_iter(regression):
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda text: None)
    reg = make(learning_rate="constant", alpha=0, warm_start=True, callbacks=[stop])
    for n_iter in (3, 6):
        assert reg.fit(*regression).n_iter_ == n_iter


def test_callback_names_are_the_users(regression):
    callbacks = [("plateau", Callback()), ("best_epoch", Callback())]
    reg = make(learning_rate="constant", early_stopping=True, callbacks=callbacks, tol=1.0)
    names = [name for name, _ in reg.fit(*regression).net_.callbacks_]
    assert names[-2:] == ["plateau", "best_epoch"]

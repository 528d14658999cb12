"""The net: skorch callbacks, schedules, lean epochs, divergence."""

import functools
import re

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
    ProgressBar,
)
from skorch.history import History

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(**parameters):
    return SpectralMLPRegressor(
        **{
            "hidden_layer_sizes": (8,),
            "max_iter": 12,
            "batch_size": 32,
            "learning_rate_init": 0.01,
            "random_state": 0,
            "dtype": "float64",
            **parameters,
        }
    )


class LearningRates(Callback):
    """Note the learning rate of every batch."""

    def on_train_begin(self, net, **kwargs):
        self.rates_ = []

    def on_batch_end(self, net, training, **kwargs):
        if training:
            self.rates_.append(net.optimizer_.param_groups[0]["lr"])


class Watch(Callback):
    """Ask for batches and do nothing, so that skorch's own loop runs."""

    def on_batch_end(self, net, **kwargs):
        pass


class WatchGradients(Callback):
    """Ask for gradients and do nothing, so that the penalty is added to them."""

    def on_grad_computed(self, net, **kwargs):
        pass


def callback(model, cls):
    return next(cb for _, cb in model.net_.callbacks_ if isinstance(cb, cls))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("watch", [Watch, WatchGradients])
def test_lean_epochs_equal_skorchs_own(regression, watch, weighted):
    X, y = regression
    weight = np.linspace(0.5, 2, len(y)) if weighted else None
    lean = regressor(max_iter=50).fit(X, y, sample_weight=weight)
    own = regressor(max_iter=50, callbacks=[watch()]).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(lean.predict(X), own.predict(X), rtol=1e-9)
    np.testing.assert_allclose(lean.loss_curve_, own.loss_curve_, rtol=1e-9)


def test_onecycle_rises_and_falls_over_the_planned_steps(regression):
    reg = regressor(callbacks=[LearningRates()], learning_rate_init=0.1).fit(*regression)
    rates = callback(reg, LearningRates).rates_
    assert len(rates) == 12 * 4
    assert np.argmax(rates) in (4, 5)
    assert max(rates) == pytest.approx(0.1, rel=0.05)
    assert rates[-1] < 1e-3


def test_constant_keeps_the_rate(regression):
    reg = regressor(callbacks=[LearningRates()], learning_rate="constant").fit(*regression)
    assert set(callback(reg, LearningRates).rates_) == {0.01}


def test_constant_stops_on_a_plateau(regression):
    reg = regressor(learning_rate="constant", max_iter=500, tol=10.0, n_iter_no_change=3)
    assert reg.fit(*regression).n_iter_ == 5


def test_constant_never_stops_with_endless_patience(regression):
    reg = regressor(learning_rate="constant", tol=10.0, n_iter_no_change=np.inf)
    assert reg.fit(*regression).n_iter_ == 12


def test_adaptive_divides_the_rate_before_it_stops(regression):
    reg = regressor(
        learning_rate="adaptive",
        max_iter=500,
        tol=10.0,
        n_iter_no_change=1,
        callbacks=[LearningRates()],
    ).fit(*regression)
    rates = sorted(set(callback(reg, LearningRates).rates_), reverse=True)
    np.testing.assert_allclose(rates, 0.01 / 5.0 ** np.arange(len(rates)))
    assert rates[-1] < 1e-5
    assert reg.n_iter_ < 500


def test_horizon_schedules_run_to_their_end(regression):
    for name in ("onecycle", "cosine"):
        assert (
            regressor(learning_rate=name, tol=10.0, n_iter_no_change=1).fit(*regression).n_iter_
            == 12
        )


def test_lr_scheduler_replaces_the_schedule(regression):
    scheduler = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=4, gamma=0.5)
    reg = regressor(callbacks=[LearningRates(), scheduler]).fit(*regression)
    rates = callback(reg, LearningRates).rates_
    assert rates[0] == 0.01
    assert rates[-1] == pytest.approx(0.01 / 4)


def test_epoch_scoring_records_scores(regression, multiclass, binary, multilabel):
    for caching in (True, False):
        scoring = EpochScoring("r2", on_train=True, lower_is_better=False, use_caching=caching)
        reg = regressor(callbacks=[scoring], max_iter=100).fit(*regression)
        assert len(reg.net_.history[:, "r2"]) == 100
        assert reg.net_.history[-1, "r2"] == pytest.approx(reg.score(*regression), abs=0.02)
    for X, y in (multiclass, binary, multilabel):
        for scoring in ("accuracy", "neg_log_loss"):
            if scoring == "neg_log_loss" and y.ndim == 2:
                continue
            clf = SpectralMLPClassifier(
                (8,),
                max_iter=30,
                random_state=0,
                early_stopping=True,
                callbacks=[EpochScoring(scoring, lower_is_better=False)],
            ).fit(X, y)
            assert len(clf.net_.history[:, scoring]) == 30
    assert clf.net_.history[-1, "accuracy"] == pytest.approx(clf.validation_scores_[-1])


def test_checkpoint_saves_and_loads_the_best(regression, tmp_path):
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=str(tmp_path), load_best=True)
    reg = regressor(callbacks=[checkpoint]).fit(*regression)
    assert (tmp_path / "params.pt").exists()
    saved = torch.load(tmp_path / "params.pt")
    assert all(torch.equal(saved[k], v) for k, v in reg.module_.state_dict().items())


def test_early_stopping_callback_stops(regression):
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda text: None)
    assert regressor(callbacks=[stop], max_iter=100).fit(*regression).n_iter_ == 3


def test_gradient_clipping_sees_the_penalised_gradient(regression):
    class Norms(Callback):
        def on_train_begin(self, net, **kwargs):
            self.norms_ = []

        def on_grad_computed(self, net, named_parameters, **kwargs):
            grads = [p.grad for _, p in named_parameters if p.grad is not None]
            self.norms_.append(float(torch.stack(torch._foreach_norm(grads)).norm()))

    reg = regressor(callbacks=[("clip", GradientNormClipping(1e-3)), ("norms", Norms())])
    norms = callback(reg.fit(*regression), Norms).norms_
    assert len(norms) == 12 * 4
    assert max(norms) <= 1e-3 * (1 + 1e-6)


def test_progress_bar_counts_batches(regression, capsys):
    regressor(callbacks=[ProgressBar(detect_notebook=False)]).fit(*regression)
    assert re.search(r"[1-4]/4 \[|0/4 \[", capsys.readouterr().err)


def test_callbacks_are_copied(regression):
    mine = LearningRates()
    reg = regressor(callbacks=[mine])
    reg.fit(*regression)
    assert not hasattr(mine, "rates_")
    assert reg.callbacks == [mine]


def test_verbose_two_prints_a_line_per_epoch(regression, capsys):
    regressor(verbose=2, max_iter=3).fit(*regression)
    assert len(re.findall(r"^\s+\d ", capsys.readouterr().out, re.MULTILINE)) == 3


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_divergence_keeps_the_last_finite_weights(regression):
    X, y = regression
    reg = regressor(
        solver="sgd",
        learning_rate="constant",
        learning_rate_init=1e3,
        activation="identity",
        max_iter=200,
        dtype="float32",
        alpha=0,
    )
    with pytest.warns(ConvergenceWarning, match="diverged in epoch .* Lower `learning_rate_init`"):
        reg.fit(X, y)
    assert all(np.isfinite(w).all() for w in reg.coefs_)
    assert len(reg.loss_curve_) == reg.n_iter_ < 200


@pytest.mark.filterwarnings("default", "ignore:The spreads of columns")
@pytest.mark.parametrize("fleet", [True, False])
def test_divergence_is_told_by_effective_weights(fleet, request):
    if not fleet:
        request.getfixturevalue("no_fleet")
    X = np.random.default_rng(0).normal(size=(20, 3)) * [1e36, 1e36, 1.0]
    clf = SpectralMLPClassifier(
        4, max_iter=2, solver="sgd", learning_rate_init=0.02, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="diverged"):
        clf.fit(X, X[:, 2] > 0)
    # the factors of the weights are finite one by one
    assert np.isfinite(clf.feature_relevance_[0]).all()
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("solver", ["adam", torch.optim.AdamW])
def test_penalties_beyond_float32_are_taken(regression, solver):
    reg = regressor(solver=solver, alpha=1e300, dtype="float32", max_iter=2).fit(*regression)
    assert np.isfinite(reg.predict(regression[0])).all()


@pytest.mark.parametrize(
    "solver",
    ["adam", "sgd", torch.optim.AdamW, functools.partial(torch.optim.RMSprop, alpha=0.9)],
)
def test_solvers_fit(regression, solver):
    X, y = regression
    reg = regressor(solver=solver, max_iter=150, alpha=1e-4, learning_rate_init=0.02).fit(X, y)
    assert reg.score(X, y) > 0.8


def test_history_serves_skorch(regression, tmp_path):
    reg = regressor().fit(*regression)
    history = reg.net_.history
    assert len(history) == 12
    assert history[:, "train_loss"] == [row["train_loss"] for row in history]
    history.to_file(tmp_path / "history.json")
    assert (
        History.from_file(tmp_path / "history.json")[-1, "train_loss"] == history[-1, "train_loss"]
    )

"""Ctrl-C, as a real signal: a fit stops and keeps its weights, a loop of fits is left at once."""

import contextlib
import math
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    size_interval,
    spectral_path,
)
from skspectral._training import feed, interrupts
from skspectral._training.interrupts import Interrupts, StopTraining
from skspectral._training.member import Member
from skspectral._training.net import SpectralNet

pytestmark = [
    pytest.mark.filterwarnings("ignore:The size has not settled"),
    pytest.mark.skipif(
        threading.current_thread() is not threading.main_thread(), reason="no signals here"
    ),
]
INTERRUPTED = pytest.mark.filterwarnings("ignore:Training was interrupted")
FOREVER = 10**6


@pytest.fixture(autouse=True)
def handler(monkeypatch):
    """Answer the signal as Python does, with no Ctrl-C in the last seconds; return how."""
    monkeypatch.setattr(interrupts, "_last_time", -math.inf)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    answer = signal.signal(signal.SIGINT, before)
    assert answer is signal.default_int_handler  # every fit has put it back


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


class CtrlC(Callback):
    """Press Ctrl-C in some hooks, from the second epoch on."""

    def __init__(self, hooks):
        self.hooks = hooks

    def _press(self, hook, net):
        if hook in self.hooks and len(net.history) >= 2:
            ctrl_c()

    def on_epoch_begin(self, net, **kwargs):
        self._press("epoch begin", net)

    def on_epoch_end(self, net, **kwargs):
        self._press("epoch end", net)

    def on_train_end(self, net, **kwargs):
        self._press("train end", net)


class CtrlCInBatches(CtrlC):
    """The same with the hooks of batches, which need skorch's own loop."""

    def on_batch_begin(self, net, training, **kwargs):
        self._press("batch begin" if training else "validation", net)

    def on_batch_end(self, net, training, **kwargs):
        if training:
            self._press("batch end", net)

    def on_grad_computed(self, net, **kwargs):
        self._press("gradient", net)


class CtrlCLater(Callback):
    """Press it so many seconds after training began."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_train_begin(self, net, **kwargs):
        threading.Timer(self.seconds, ctrl_c).start()


def make(*hooks, cls=SpectralMLPRegressor, **parameters):
    batches = {"batch begin", "validation", "batch end", "gradient"} & set(hooks)
    press = (CtrlCInBatches if batches else CtrlC)(hooks)
    defaults = {"max_iter": FOREVER, "batch_size": 40, "random_state": 0, "callbacks": [press]}
    return cls(8, **{**defaults, **parameters})


def assert_whole(model, X, y):
    n_iter = model.n_iter_
    assert len(model.loss_curve_) == n_iter
    assert np.isfinite(model.loss_curve_).all()
    scores = model.validation_scores_
    assert scores is None or len(scores) == n_iter
    assert np.isfinite(model.predict(X)).all()
    model = pickle.loads(pickle.dumps(model))
    model.set_params(callbacks=None, max_iter=2, early_stopping=False, warm_start=True)
    assert model.fit(X, y).n_iter_ == n_iter + 2


HOOKS = ["epoch begin", "batch begin", "gradient", "batch end", "epoch end"]


@pytest.mark.parametrize(
    ("hook", "early_stopping"),
    [*((hook, False) for hook in HOOKS), *((hook, True) for hook in [*HOOKS, "validation"])],
)
def test_ctrl_c_stops_a_fit_and_keeps_the_weights(binary, hook, early_stopping):
    X, y = binary
    clf = make(hook, cls=SpectralMLPClassifier, early_stopping=early_stopping)
    with pytest.warns(ConvergenceWarning, match="Training was interrupted in epoch 2"):
        clf.fit(X, y)
    assert clf.n_iter_ == 2
    seen = clf.t_
    assert_whole(clf, X, y)
    # up to the step that was running, and no row of the next
    per_epoch = 135 if early_stopping else 150
    steps = {"epoch begin": 40, "batch begin": 40, "gradient": 40, "batch end": 40}
    assert seen == per_epoch + steps.get(hook, per_epoch)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"batch_size": 120}])
@pytest.mark.parametrize("seconds", [0.05, 0.11])
def test_ctrl_c_at_any_moment(regression, seconds, settings):
    reg = make(callbacks=[CtrlCLater(seconds)], **settings)
    with pytest.warns(ConvergenceWarning, match="Training was interrupted in epoch"):
        reg.fit(*regression)
    assert_whole(reg, *regression)


def test_ctrl_c_after_the_last_epoch_is_told_too(regression):
    with pytest.warns(ConvergenceWarning, match="Training was interrupted in epoch 3"):
        reg = make("train end", max_iter=3).fit(*regression)
    assert reg.n_iter_ == 3


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_noise_after_a_part_of_an_epoch_is_that_of_its_rows(monkeypatch, weighted, shuffle):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 5)), rng.normal(size=4000)
    weight = rng.uniform(0.5, 2.0, size=4000) if weighted else None
    monkeypatch.setitem(feed.LEG_BYTES, "cpu", 400 * 5 * 8)  # a look at Ctrl-C at each leg
    looks = []
    monkeypatch.setattr(Interrupts, "stop_here", lambda self: len(looks.append(0) or looks) > 1)
    options = {"batch_size": 100, "shuffle": shuffle, "random_state": 0, "dtype": "float64"}
    reg = SpectralMLPRegressor(4, learning_rate_init=1e-9, **options).fit(X, y, weight)
    assert reg.t_ == 800
    assert reg.noise_variance_ == pytest.approx(y.var(), rel=0.1)  # nothing was learned


def test_ctrl_c_stops_a_partial_fit(regression):
    reg = make("batch end").partial_fit(*regression)
    with pytest.warns(ConvergenceWarning, match="Training was interrupted in epoch 2"):
        reg.partial_fit(*regression)
    assert reg.t_ == 120 + 40
    assert_whole(reg, *regression)


def test_second_ctrl_c_is_raised(regression):
    X, y = regression
    with pytest.raises(KeyboardInterrupt):
        make("epoch end", "train end").fit(X, y)
    reg = make(warm_start=True, max_iter=3, callbacks=None).fit(X, y)
    before, n_iter = reg.predict(X), reg.n_iter_
    with pytest.raises(KeyboardInterrupt):
        reg.set_params(callbacks=[CtrlC(["epoch end", "train end"])]).fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), before)
    assert reg.n_iter_ == n_iter


class CtrlCLost(Callback):
    """Press it twice where exceptions are dropped, as Python does in destructors."""

    def on_epoch_end(self, net, **kwargs):
        with contextlib.suppress(BaseException):
            ctrl_c()
            ctrl_c()


def test_second_ctrl_c_is_raised_where_it_was_dropped(regression):
    with pytest.raises(KeyboardInterrupt):
        make(callbacks=[CtrlCLost()]).fit(*regression)


@INTERRUPTED
def test_second_ctrl_c_counts_across_fits_for_two_seconds(regression, monkeypatch):
    reg = make("epoch end").fit(*regression)
    with pytest.raises(KeyboardInterrupt):
        reg.fit(*regression)
    monkeypatch.setattr(interrupts, "_last_time", time.monotonic() - 2.1)
    assert reg.fit(*regression).n_iter_ == 2


def test_search_goes_on_after_one_and_ends_after_two(regression, monkeypatch):
    search = GridSearchCV(make("epoch end"), {"alpha": [1e-3, 1e-2]}, cv=2)
    with pytest.warns(ConvergenceWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        search.fit(*regression)
    monkeypatch.setattr(interrupts, "AGAIN", 0.0)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        search.fit(*regression)
    assert search.best_estimator_.n_iter_ == 2


LOOPS = {
    "path": lambda X, y, reg: spectral_path(X, y, estimator=reg, alphas=[1e-3, 1e-2, 1e-1]),
    "grid of a path": lambda X, y, reg: spectral_path(X, y, estimator=reg),
    "cv": lambda X, y, reg: SpectralMLPRegressorCV(8, max_iter=5, cv=2).fit(X, y),
    "pruner": lambda X, y, reg: SpectralPruner(reg, cv=2).fit(X, y),
    "pruner before": lambda X, y, reg: SpectralPruner(reg, strategy="before").fit(X, y),
    "fine-tuning": lambda X, y, reg: SpectralPruner(reg, n_nodes=2, fine_tune=9).fit(X, y),
    "size": lambda X, y, reg: size_interval(reg.set_params(warm_start=False), X, y),
}


@pytest.mark.parametrize("epoch", [1, 8])
@pytest.mark.parametrize("loop", LOOPS)
def test_loops_of_fits_are_left_at_once(regression, monkeypatch, loop, epoch):
    reg = make(max_iter=5, callbacks=None).fit(*regression)
    ends = []

    def pressing(close):
        def close_epoch(*arguments):
            close(*arguments)
            ends.append(arguments)
            if len(ends) == epoch:  # in the first fit, and in a later one
                ctrl_c()

        return close_epoch

    monkeypatch.setattr(SpectralNet, "_close_epoch", pressing(SpectralNet._close_epoch))
    monkeypatch.setattr(Member, "end_epoch", pressing(Member.end_epoch))
    with pytest.raises(KeyboardInterrupt):
        LOOPS[loop](*regression, reg)
    assert len(ends) == epoch


def test_processes_are_left_at_once(regression):
    reg = make(max_iter=1, callbacks=None).fit(*regression).set_params(max_iter=FOREVER)
    threading.Timer(0.5, ctrl_c).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        size_interval(reg, *regression, n_jobs=2)
    assert time.monotonic() - start < 60


class Raising(Callback):
    """Raise KeyboardInterrupt, skorch's way of stopping, in the second epoch."""

    def __init__(self, hook):
        self.hook = hook

    def on_epoch_end(self, net, **kwargs):
        self._stop("end", net)

    def on_grad_computed(self, net, **kwargs):
        self._stop("midst", net)

    def _stop(self, hook, net):
        if hook == self.hook and len(net.history) - net.first_epoch_ == 2:
            net.module_.layers[0].phi.data *= np.inf if hook == "midst" else 1.0
            raise KeyboardInterrupt


def test_a_callback_may_stop_after_an_epoch(regression):
    reg = make(callbacks=[Raising("end")], learning_rate="constant", alpha=0)
    assert reg.fit(*regression).n_iter_ == 2  # without a warning
    path = spectral_path(*regression, estimator=reg, alphas=[1e-3, 1e-2, 1e-1])
    assert len(path.alphas) == 3
    patient = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0, sink=print)
    reg = make(callbacks=[patient], learning_rate="constant", alpha=0, max_iter=9)
    assert reg.fit(*regression).n_iter_ == 2


def test_a_callback_in_the_midst_of_an_epoch_counts_as_ctrl_c(regression):
    reg = make(callbacks=[Raising("midst")])
    with pytest.warns(ConvergenceWarning, match="Training was interrupted in epoch 2"):
        reg.fit(*regression)
    assert reg.n_iter_ == 1
    assert_whole(reg, *regression)
    reg = make(callbacks=[Raising("midst")])
    with pytest.raises(KeyboardInterrupt):
        spectral_path(*regression, estimator=reg, alphas=[1e-3, 1e-2])


def test_other_threads_fit_without_ctrl_c(regression):
    reg = make(max_iter=2, callbacks=None)
    thread = threading.Thread(target=reg.fit, args=regression)
    thread.start()
    thread.join()
    assert reg.n_iter_ == 2


def test_an_answer_of_the_users_own_decides(regression):
    pressed = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    assert make("epoch end", max_iter=4).fit(*regression).n_iter_ == 4
    assert len(pressed) == 3
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert make("epoch end", max_iter=4).fit(*regression).n_iter_ == 4
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_handlers_that_are_set_meanwhile_stay(handler):
    def own(number, frame):
        pass

    with Interrupts():
        signal.signal(signal.SIGINT, own)
    assert signal.signal(signal.SIGINT, handler) is own


def test_nested_fits_stop_with_the_outer_one():
    with Interrupts() as outer:
        with Interrupts() as inner:
            ctrl_c()
        assert outer.asked
        assert not inner.asked


def test_planned_stops_are_no_interrupts():
    assert not issubclass(StopTraining, KeyboardInterrupt)


def test_first_fit_that_is_left_is_not_fitted(regression):
    reg = make("epoch end", "train end")
    with pytest.raises(KeyboardInterrupt):
        reg.fit(*regression)
    with pytest.raises(NotFittedError):
        reg.predict(regression[0])

"""After a call that failed, an estimator predicts as before, or is not fitted."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from skorch.callbacks import Callback

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralPruner,
)
from skspectral._estimators.base import BaseSpectralMLP

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
NUMBERS = X[:, 0] + 0.1 * RNG.normal(size=60)
A_OR_C, A_OR_B = (np.where(X[:, 0] > 0, *names) for names in ("ac", "ab"))
NAMED = pd.DataFrame(X, columns=["one", "two", "three"])


class Failing(Callback):
    """Raise in a hook, in the second epoch of a call or later."""

    def __init__(self, hook, error=RuntimeError):
        self.hook, self.error = hook, error

    def _fail(self, hook, net):
        if hook == self.hook and len(net.history) - net.first_epoch_ >= 2:
            raise self.error("on purpose")

    def on_grad_computed(self, net, **kwargs):
        self._fail("gradient", net)

    def on_epoch_end(self, net, **kwargs):
        self._fail("epoch", net)

    def on_train_end(self, net, **kwargs):
        self._fail("train", net)


class FailsAtOnce(Callback):
    """Raise after the first epoch."""

    def on_epoch_end(self, net, **kwargs):
        raise SystemExit


def make(cls, **parameters):
    return cls(4, **{"max_iter": 3, "alpha": 1e-3, "random_state": 0, **parameters})


def call(name, **parameters):
    """Return a step: set parameters, call a method with rows, and put the parameters back."""

    def step(model, rows, **keywords):
        before = model.get_params(deep=False)
        try:
            model.set_params(**parameters)
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)
                warnings.simplefilter("ignore", category=ConvergenceWarning)
                getattr(model, name)(*rows, **keywords)
        finally:
            model.set_params(**before)

    return step


def good(y, name="fit", rows=X, **parameters):
    return call(name, **parameters), (rows, y), {}


def bad(y, name="fit", rows=X, given=None, **parameters):
    return call(name, **parameters), (rows, y), given or {}


def steps(y, other):
    """Return calls that work, and calls that fail at every stage of a fit."""
    known = {"classes": np.unique(y)} if y.dtype.kind == "U" else {}
    broken = X.copy()
    broken[3, 1] = np.nan
    stop, warm = {"early_stopping": True}, {"warm_start": True}
    first = (call("partial_fit"), (X, y), known)
    works = [good(y), good(other), good(y, rows=NAMED), good(y, **warm), good(y, **stop), first]
    fails = [
        bad(y, rows=broken),
        bad(y[:50]),
        bad(y, rows=NAMED.iloc[:50]),
        bad(y, rows=NAMED.rename(columns={"one": "zero"}), **warm),
        bad(y, given={"sample_weight": -np.ones(60)}),
        bad(other, given={"X_val": X[:, :2], "y_val": y}, **stop),
        bad(other, given={"X_val": X[:9], "y_val": y[:9] if known else y[:8]}, **stop),
        bad(other, given={"X_val": X[:1], "y_val": other[:1]}, **stop),
        bad(other, rows=X[:, :2], validation_fraction=0.999, **stop),
        bad(other, hidden_layer_sizes=0),
        bad(other, parametrization=["spectral"] * 3),
        bad(other, solver=len),
        bad(other, device="cuda:99"),
        bad(other, rows=X[:, :2], batch_size=61),  # a warning, which is an error here
        bad(other, callbacks=[Failing("epoch")]),
        bad(other, rows=X[:, :2], callbacks=[Failing("train")]),
        bad(y, callbacks=[Failing("gradient")], **warm),
        bad(y, callbacks=[Failing("gradient", KeyboardInterrupt)], time_limit=-1.0),
        bad(y, callbacks=[Failing("epoch", SystemExit)], **warm),
        bad(y, callbacks=[Failing("train", SystemExit)], **warm, **stop),
        bad(y, name="partial_fit", rows=X[:, :1], given=known),
        bad(y, name="partial_fit", rows=broken, given=known),
        bad(y, name="partial_fit", **stop),
    ]
    if known:
        one = np.full(60, "a")
        fails += [
            bad(one),
            bad(one, rows=X[:, :2]),
            bad(other, class_weight={"x": 1.0}),
            bad(np.where(X[:, 0] > 0, "a", "z"), name="partial_fit"),
            bad(y, name="partial_fit", given={"classes": ["a", "q"]}),
        ]
    return works, fails


def state(model):
    """Return what a fitted model tells, None where it is not fitted."""
    names = getattr(model, "feature_names_in_", None)
    rows = X[:, : getattr(model, "n_features_in_", 3)]
    rows = rows if names is None else pd.DataFrame(rows, columns=names)
    try:
        predicted = model.predict(rows)
    except NotFittedError:
        return None
    told = {"predict": predicted, "names": names}
    for name in ("n_iter_", "t_", "alpha_", "loss_curve_", "n_features_in_", "classes_"):
        told[name] = copy.deepcopy(getattr(model, name, None))
    told["importances"] = model.feature_importances_
    if isinstance(model, BaseSpectralMLP):  # optimiser and generator, too, are those of before
        again = copy.deepcopy(model).set_params(early_stopping=False)
        told["goes on"] = again.partial_fit(rows, predicted).predict(rows)
    return told


def assert_same(now, before):
    if before is None:
        assert now is None
        return
    for name, value in before.items():
        np.testing.assert_array_equal(now[name], value, err_msg=name)


CASES = {
    "numbers": (SpectralMLPRegressor, *steps(NUMBERS, -3 * NUMBERS + 1)),
    "classes": (SpectralMLPClassifier, *steps(A_OR_C, A_OR_B)),
}


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_failed_calls_change_nothing(case, data):
    cls, works, fails = CASES[case]
    model, calls = make(cls), works + fails
    for _ in range(data.draw(st.integers(1, 4))):
        step, rows, keywords = calls[data.draw(st.integers(0, len(calls) - 1))]
        before = state(model)
        try:
            step(model, rows, **keywords)
        except BaseException:
            assert_same(state(model), before)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("first", [None, 0, 2, 5])
def test_each_failure_changes_nothing(case, first):
    cls, works, fails = CASES[case]
    model = make(cls)
    if first is not None:
        step, rows, keywords = works[first]
        step(model, rows, **keywords)
    before = state(model)
    failed = 0
    for step, rows, keywords in fails:
        other = copy.deepcopy(model)
        try:
            step(other, rows, **keywords)
        except BaseException:
            failed += 1
            assert_same(state(other), before)
    assert failed >= len(fails) - 4  # some need a network to be warm


def test_failed_pass_leaves_a_network_that_trains_on():
    reg = make(SpectralMLPRegressor).partial_fit(X, NUMBERS)
    before = state(reg)
    reg.net_.callbacks_.append(("fails", FailsAtOnce()))
    with pytest.raises(SystemExit):
        reg.partial_fit(X, NUMBERS)
    del reg.net_.callbacks_[-1]
    assert_same(state(reg), before)
    assert reg.partial_fit(X, NUMBERS).n_iter_ == 2
    assert reg.t_ == 120


@pytest.mark.parametrize("early_stopping", [False, True])
def test_warm_fit_that_shrank_goes_back(early_stopping):
    reg = make(SpectralMLPRegressor, warm_start=True, early_stopping=early_stopping)
    before = state(reg.set_params(hidden_layer_sizes=64).fit(X, NUMBERS))
    module = reg.module_

    def fail(*args):
        raise RuntimeError("on purpose")

    reg._conclude = fail
    parameters = reg.get_params()
    with pytest.raises(RuntimeError, match="on purpose"):
        reg.set_params(alpha=1.0, max_iter=400, learning_rate_init=0.1).fit(X, NUMBERS)
    assert_same(state(reg.set_params(**parameters)), before)
    assert reg.module_ is module


@pytest.mark.parametrize("kind", ["pruner", "cv"])
def test_what_is_around_a_network_goes_back_too(kind):
    model = {
        "pruner": SpectralPruner(make(SpectralMLPClassifier), n_nodes=2),
        "cv": SpectralMLPClassifierCV(4, alphas=[1e-3, 1e-2], cv=2, max_iter=3, random_state=0),
    }[kind]
    before = state(model.fit(NAMED, A_OR_C))
    fails = [
        {"X": X[:, :2], "y": np.full(60, "a")},
        {"X": NAMED.rename(columns={"one": "zero"}), "y": A_OR_B[:50]},
        {"X": X, "y": A_OR_B, "sample_weight": -np.ones(60)},
        {"X": X, "y": A_OR_B, "what": 1},
    ]
    for arguments in fails:
        with pytest.raises((ValueError, TypeError)):
            model.fit(**arguments)
        assert_same(state(model), before)


@pytest.mark.parametrize("seed", [0, np.random.RandomState(0), None])
@pytest.mark.parametrize("later", [{}, {"random_state": 5}])
def test_only_a_generator_of_its_own_goes_back(seed, later):
    reg = make(SpectralMLPRegressor, random_state=seed, batch_size=10, warm_start=True)
    before = reg.fit(X, NUMBERS)._random_state.get_state()
    reg.set_params(callbacks=[Failing("epoch")], **later)
    with pytest.raises(RuntimeError, match="on purpose"):
        reg.fit(X, NUMBERS)
    # scikit-learn lets those that are shared go on
    now = reg._random_state.get_state()
    assert all(map(np.array_equal, now, before)) == (seed == 0)

"""A time limit bends the schedule, so that training ends annealed and in time."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators.rows import Rows
from skspectral._training import convergence
from skspectral._training.interrupts import Interrupts

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def clock(monkeypatch):
    """Make every look at the clock take a millisecond."""
    ticks = iter(range(10**9))
    monkeypatch.setattr("skspectral._training.net.time.monotonic", lambda: next(ticks) / 1000)


def learning_rates(reg):
    sums = [row["learning_rate_sum"] for row in reg.net_.history]
    return np.diff([0.0, *sums])


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("schedule", ["onecycle", "cosine"])
def test_schedule_anneals_within_the_limit(schedule, regression):
    reg = SpectralMLPRegressor(
        8, alpha=1e-3, learning_rate=schedule, max_iter=100_000, time_limit=0.5
    ).fit(*regression)
    rates = learning_rates(reg)  # full batches: one step an epoch, two looks at the clock
    assert 245 <= reg.n_iter_ <= 252
    assert rates.max() > 0.99 * reg.learning_rate_init
    assert rates[-2] < 1e-3 * reg.learning_rate_init
    assert reg.net_.optimizer_.param_groups[0]["lr"] >= 0


@pytest.mark.usefixtures("clock")
def test_steps_decide_where_they_end_first(regression):
    limited = SpectralMLPRegressor(8, max_iter=50, time_limit=1000.0, random_state=0)
    free = SpectralMLPRegressor(8, max_iter=50, random_state=0)
    np.testing.assert_allclose(
        limited.fit(*regression).predict(regression[0]),
        free.fit(*regression).predict(regression[0]),
        rtol=1e-9,  # a fleet of one makes the steps of the second, in another order of sums
    )


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("schedule", ["onecycle", "constant", "adaptive"])
def test_one_epoch_at_least_and_one_too_many_at_most(schedule, regression):
    reg = SpectralMLPRegressor(8, learning_rate=schedule, batch_size=10, time_limit=1e-6)
    assert reg.fit(*regression).n_iter_ == 1


class WatchBatches(Callback):
    """Need skorch's own loop over batches."""

    def on_batch_end(self, net, **kwargs):
        pass


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("callbacks", [None, [WatchBatches()]], ids=["lean", "skorch"])
@pytest.mark.parametrize(
    "settings", [{}, {"early_stopping": True}, {"learning_rate": "constant"}, {"alpha": 1e-3}]
)
def test_time_is_looked_at_within_an_epoch(settings, callbacks, regression):
    reg = SpectralMLPRegressor(
        8, batch_size=1, max_iter=100, time_limit=0.05, callbacks=callbacks, **settings
    ).fit(*regression)
    assert reg.n_iter_ == len(reg.loss_curve_) == 1
    assert 10 < reg.t_ < 50  # rows seen, a step each, with a look or two at the clock
    assert np.isfinite(reg.loss_curve_).all()
    assert reg.net_.history[-1]["train_batch_count"] == reg.t_
    assert reg.set_params(early_stopping=False).partial_fit(*regression).t_ > 120  # has no limit


@pytest.mark.usefixtures("clock")
def test_epochs_before_the_last_are_whole(regression):
    reg = SpectralMLPRegressor(8, batch_size=30, max_iter=10**6, time_limit=0.1, random_state=0)
    reg.fit(*regression)
    sizes = [row["batches"][0]["train_batch_size"] for row in reg.net_.history]
    assert set(sizes[:-1]) == {120}
    assert sum(sizes) == reg.t_
    # the schedule ends with the time, as it did with whole epochs
    assert learning_rates(reg)[-1] < 1e-2 * learning_rates(reg).max()


def test_judging_the_size_takes_a_tenth_of_the_time_at_most(binary, monkeypatch):
    X, y = (np.concatenate([part] * 40) for part in binary)
    clf = SpectralMLPClassifier(8, max_iter=3, random_state=0).fit(X, y)
    dataset = clf._dataset(Rows(X, y, None))
    batches, ratios = [], []
    loss, feed = clf.net_.get_loss, convergence.feed_ratios
    clf.net_.get_loss = lambda *args, **kwargs: batches.append(1) or loss(*args, **kwargs)
    monkeypatch.setattr(
        convergence, "feed_ratios", lambda *args: ratios.append(feed(*args)) or ratios[-1]
    )
    seconds = iter(range(100))
    monkeypatch.setattr(convergence.time, "monotonic", lambda: next(seconds))
    asked = Interrupts()
    asked.asked = True
    for keywords, n_batches in (({}, 6), ({"time_limit": 30.0}, 2), ({"interrupts": asked}, 1)):
        batches.clear()
        clf.net_.started_ = -6.0  # some seconds were trained
        convergence.judge_size(clf.net_, dataset, **keywords)
        assert len(batches) == n_batches
    # the gradient of fewer rows, not a smaller one
    assert 0.8 < ratios[1].sum() / ratios[0].sum() < 1.25


def test_real_time_is_kept(binary):
    import time

    clf = SpectralMLPClassifier(64, max_iter=10**6, time_limit=0.5)
    start = time.monotonic()
    clf.fit(*binary)
    assert 0.4 < time.monotonic() - start < 5
    assert clf.n_iter_ > 5


@pytest.mark.usefixtures("clock")
def test_early_stopping_and_warm_start_go_with_it(regression):
    X, y = regression
    reg = SpectralMLPRegressor(
        8, early_stopping=True, time_limit=0.1, max_iter=10**6, warm_start=True, random_state=0
    ).fit(X, y)
    first = reg.n_iter_
    assert reg.validation_scores_ is not None
    assert reg.fit(X, y).n_iter_ > first
    assert reg.set_params(early_stopping=False).partial_fit(X, y).n_iter_ > first


@pytest.mark.parametrize("value", [0, -1.0, "fast"])
def test_wrong_limits_are_named(value, regression):
    with pytest.raises(ValueError, match="'time_limit' parameter"):
        SpectralMLPRegressor(time_limit=value).fit(*regression)

"""Training in cycles ends with the cycle that changed nothing."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, LRScheduler
from torch.optim.lr_scheduler import ConstantLR

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training.convergence import judge_size
from skspectral._training.cycles import StopWhenLossSettled, StopWhenSettled, is_as_before
from skspectral._training.interrupts import StopTraining
from skspectral._training.schedule import cycle_ends, onecycle

QUIET = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ENDS = (10, 30, 70)


def row(sizes=(8,), loss=1.0, penalty=0.5):
    return {"n_alive_nodes": list(sizes), "train_loss": loss, "penalty": penalty}


class FakeNet:
    """A net of one step an epoch, of which the callback reads history and progress."""

    schedule_ = staticmethod(onecycle)

    def __init__(self):
        self.history = []
        self.steps_done_ = 0

    def progress(self, steps):
        return steps / ENDS[-1]


@pytest.fixture
def judge(monkeypatch):
    """Replace the judgement of the size; return what it says and how often it was asked."""
    said = SimpleNamespace(settled=True, calls=0)

    def judge_size(net, dataset):
        said.calls += 1
        return None if said.settled is None else SimpleNamespace(settled=said.settled)

    monkeypatch.setattr("skspectral._training.cycles.judge_size", judge_size)
    return said


def epochs_until_stop(rows_of_cycle, net=None, earliest=0.0, stop=StopWhenSettled):
    """Return the epoch that the callback stops at, None if it never does.

    Within a cycle the rows differ from those at its end, which must not matter.
    """
    net = FakeNet() if net is None else net
    callback = stop(ENDS, earliest)
    callback.on_train_begin(net)
    for epoch in range(1, ENDS[-1] + 1):
        cycle = next(i for i, end in enumerate(ENDS) if epoch <= end)
        net.history.append(rows_of_cycle[cycle] if epoch in ENDS else row((99,), loss=epoch))
        net.steps_done_ = epoch
        try:
            callback.on_epoch_end(net, dataset_train=None)
        except StopTraining:
            assert callback.stopped_
            return epoch
    assert not callback.stopped_
    return None


@pytest.mark.usefixtures("judge")
def test_a_cycle_that_changed_nothing_is_the_last():
    assert epochs_until_stop([row(), row(), row()]) == 30


@pytest.mark.parametrize(
    ("after", "settled", "epoch"),
    [
        (row((4,), loss=0.985), False, 30),  # a loss within 2 %, whatever the size
        (row((4,), loss=0.97), False, None),
        (row(loss=0.95), True, 30),  # as a single network stops
        (row(loss=0.95), False, None),
        (row(loss=0.9), True, None),
    ],
)
def test_members_stop_by_their_loss(judge, after, settled, epoch):
    judge.settled = settled
    rows = [row(), after, row()]
    assert epochs_until_stop(rows, stop=StopWhenLossSettled) == epoch


def test_only_the_ends_of_cycles_are_judged(judge):
    judge.settled = False
    assert epochs_until_stop([row(), row(), row()]) is None
    assert judge.calls == 1  # not after the first cycle, nor after the last, which ends anyway


@pytest.mark.usefixtures("judge")
def test_a_callback_serves_several_fits():
    net, callback = FakeNet(), StopWhenSettled(ENDS)
    for _ in range(2):
        callback.on_train_begin(net)
        net.history.append(row())
        net.steps_done_ = 10
        callback.on_epoch_end(net)  # the first end of each fit has nothing to compare with
        assert callback.cycle_ == 1  # seen, and not stopped at


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize(
    ("before", "after", "stops"),
    [
        ((100,), (95,), True),
        ((100,), (94,), False),
        ((100,), (105,), True),
        ((100,), (106,), False),
        ((5,), (4,), True),  # one node may always go
        ((5,), (3,), False),
        ((100, 100), (97, 97), True),
        ((100, 10), (100, 8), False),  # each layer for itself: 2 of 110 are few
        ((0,), (0,), True),
        ((), (), True),
    ],
)
def test_sizes_may_change_by_a_twentieth_or_one_node_a_layer(before, after, stops):
    assert is_as_before(row(after), row(before)) is stops
    if any(after):
        assert (epochs_until_stop([row(before), row(after), row(after)]) == 30) is stops


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize(
    ("loss", "penalty", "stops"),
    [
        (0.96, 0.5, True),
        (0.92, 0.5, False),  # of the sum: 1.42 is more than a twentieth below 1.5
        (1.04, 0.5, True),
        (1.08, 0.5, False),
        (0.6, 0.9, True),  # the penalised loss counts, not its parts
        (1.0, 0.4, False),
        (np.nan, 0.5, False),
    ],
)
def test_the_penalised_loss_may_change_by_a_twentieth(loss, penalty, stops):
    after = row(loss=loss, penalty=penalty)
    assert is_as_before(after, row()) is stops
    assert (epochs_until_stop([row(), after, after]) == 30) is stops


def test_a_loss_of_zero_is_as_before_only_if_it_stays():
    assert is_as_before(row(loss=0.0, penalty=0.0), row(loss=0.0, penalty=0.0))
    assert not is_as_before(row(loss=1e-9, penalty=0.0), row(loss=0.0, penalty=0.0))


def test_a_later_cycle_is_compared_with_the_one_before_it():
    ends, net = (10, 30, 70, 150), FakeNet()
    callback = StopWhenSettled(ends)
    callback.on_train_begin(net)
    # as the first again, but not as the second
    for end, size in zip(ends[:3], (50, 20, 50), strict=True):
        net.history.append(row((size,)))
        # half a step more: the share of the end itself is subject to rounding
        net.steps_done_ = (end + 0.5) * ENDS[-1] / ends[-1]
        callback.on_epoch_end(net)
    assert callback.cycle_ == 3  # stopped at none


def test_a_size_that_has_not_settled_goes_on(judge):
    for settled, last in ((False, None), (True, 30), (None, 30)):
        judge.settled = settled  # None: a dense network, of which the counts tell all
        assert epochs_until_stop([row(), row(), row()]) == last


@pytest.mark.parametrize(("earliest", "last"), [(0.4, 30), (0.43, None)])
@pytest.mark.usefixtures("judge")
def test_nothing_stops_before_the_earliest_share(earliest, last):
    assert epochs_until_stop([row(), row(), row()], earliest=earliest) == last


def test_a_network_without_a_node_stops_at_once(judge):
    # even while the penalty still rises: no node comes back
    assert epochs_until_stop([row((0, 0)), row(), row()], earliest=0.9) == 10
    assert epochs_until_stop([row((3,)), row((0,), loss=9.0), row()]) == 30
    assert judge.calls == 0


@pytest.mark.usefixtures("judge")
def test_no_hidden_layer_is_no_network_without_a_node():
    # a first cycle has nothing to compare with; the second has
    assert epochs_until_stop([row(()), row(()), row(())]) == 30
    assert epochs_until_stop([row(()), row((), loss=2.0), row((), loss=4.0)]) is None


def test_a_schedule_of_the_user_has_no_cycles(judge):
    net = FakeNet()
    net.schedule_ = None
    assert epochs_until_stop([row(), row(), row()], net) is None
    assert epochs_until_stop([row((0,))] * 3, net) is None
    assert judge.calls == 0


def test_a_limit_of_time_may_pass_over_several_ends(judge):
    net, callback = FakeNet(), StopWhenSettled((1, 2, 3, 100))
    callback.on_train_begin(net)
    net.progress = lambda steps: net.now
    net.now = 0.005
    net.history.append(row((50,)))
    callback.on_epoch_end(net)  # no end yet
    net.now = 0.025  # two ends at once: the first that is looked at
    net.history.append(row((8,)))
    callback.on_epoch_end(net)
    assert callback.before_["n_alive_nodes"] == [8]
    net.now = 0.029  # within the third cycle
    callback.on_epoch_end(net)
    assert judge.calls == 0
    net.now = 0.5
    net.history.append(row((8,)))
    with pytest.raises(StopTraining):
        callback.on_epoch_end(net)
    assert judge.calls == 1


@pytest.fixture(scope="module")
def easy():
    """Return a table that 3 nodes explain; with fewer rows cycles would be shorter."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 4))
    return X, np.maximum(X[:, 0], 0) + 0.5 * np.abs(X[:, 1]) + 0.3 * rng.normal(size=1000)


@pytest.fixture(scope="module")
def fitted(easy):
    return SpectralMLPRegressor(random_state=0).fit(*easy)


def ends_of(model, n_rows):
    return cycle_ends(n_rows, model.net_.batch_size)


def test_a_fit_at_the_defaults_ends_with_a_cycle(fitted, easy):
    ends = ends_of(fitted, len(easy[0]))
    assert fitted.n_iter_ in ends[1:-1]
    assert fitted.size_settled_
    assert fitted.n_alive_nodes_ == [3]
    assert not fitted.net_.interrupted_
    assert len(fitted.loss_curve_) == fitted.n_iter_


def test_it_ends_as_its_schedule_does_in_full(fitted, easy):
    rates = np.diff([0.0, *(row["learning_rate_sum"] for row in fitted.net_.history)])
    ends = ends_of(fitted, len(easy[0]))
    for end in (end for end in ends if end <= fitted.n_iter_):
        assert rates[end - 1] < 1e-2 * rates.max()
        assert end == fitted.n_iter_ or rates[end] > 0  # it rises again


def test_what_it_stops_at_is_what_its_history_shows(fitted, easy):
    # the last cycle left size and loss as they were
    ends = [end for end in ends_of(fitted, len(easy[0])) if end <= fitted.n_iter_]
    rows = [fitted.net_.history[end - 1] for end in ends]
    same = [is_as_before(rows[i + 1], rows[i]) for i in range(len(rows) - 1)]
    assert same[-1]
    assert fitted.net_.history[-1]["n_alive_nodes"] == fitted.n_alive_nodes_


@QUIET
def test_a_number_of_epochs_is_trained_in_full(easy):
    reg = SpectralMLPRegressor(random_state=0, max_iter=100).fit(*easy)
    assert reg.n_iter_ == 100
    rates = np.diff([0.0, *(row["learning_rate_sum"] for row in reg.net_.history)])
    peak = rates.argmax()
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()


@pytest.mark.parametrize("parametrization", ["spectral", "dense"])
def test_a_penalty_that_is_a_number_ends_early_too(easy, parametrization):
    reg = SpectralMLPRegressor(
        16, alpha=1e-2, parametrization=parametrization, random_state=0
    ).fit(*easy)
    assert reg.n_iter_ in ends_of(reg, len(easy[0]))[1:-1]


def test_no_penalty_and_no_hidden_layer_end_early_too(easy):
    reg = SpectralMLPRegressor((), random_state=0).fit(*easy)
    assert reg.n_iter_ in ends_of(reg, len(easy[0]))[1:-1]
    assert reg.alpha_ == 0


@QUIET
def test_a_network_whose_nodes_all_died_is_not_trained_on(easy):
    reg = SpectralMLPRegressor(16, alpha=1e3, random_state=0).fit(*easy)
    assert reg.n_alive_nodes_ == [0]
    assert reg.n_iter_ == ends_of(reg, len(easy[0]))[0]


def test_other_schedules_have_no_cycles(easy):
    for schedule in ("constant", "adaptive"):
        reg = SpectralMLPRegressor(16, learning_rate=schedule, learning_rate_init=1e-3)
        reg.set_params(random_state=0, n_iter_no_change=np.inf)
        with pytest.warns(ConvergenceWarning):
            assert reg.fit(*easy).n_iter_ == 200


@pytest.mark.usefixtures("short_cycles")
@QUIET
def test_a_scheduler_of_the_user_runs_to_the_last_end(easy):
    X, y = easy[0][:60], easy[1][:60]
    scheduler = LRScheduler(ConstantLR, factor=1.0)
    reg = SpectralMLPRegressor(4, alpha=1e3, random_state=0, callbacks=[scheduler]).fit(X, y)
    assert reg.n_alive_nodes_ == [0]
    assert reg.n_iter_ == cycle_ends(60, 60)[-1]


@QUIET
def test_early_stopping_goes_with_it(easy):
    reg = SpectralMLPRegressor(16, early_stopping=True, random_state=0).fit(*easy)
    assert reg.n_iter_ in ends_of(reg, int(0.9 * len(easy[0])))
    assert len(reg.validation_scores_) == reg.n_iter_
    assert reg.score(*easy) > 0.75


def test_a_warm_start_counts_its_own_epochs(easy, fitted):
    reg = copy.deepcopy(fitted).set_params(warm_start=True)
    before = reg.n_iter_
    reg.fit(*easy)
    # nothing is left to change, so the second end is the last
    assert reg.n_iter_ - before == ends_of(reg, len(easy[0]))[1]
    assert reg.n_alive_nodes_ == fitted.n_alive_nodes_
    assert reg.size_settled_


def test_a_pass_is_one_epoch_and_leaves_nothing_behind(easy, fitted):
    reg = copy.deepcopy(fitted)
    assert not {"_settled", "_noise", "_shrink"} & set(dict(reg.net_.callbacks_))
    assert reg.partial_fit(*easy).n_iter_ == fitted.n_iter_ + 1
    assert SpectralMLPRegressor(random_state=0).partial_fit(*easy).n_iter_ == 1


def test_a_fit_that_ended_early_is_repeated_copied_and_predicts(easy, fitted):
    again = clone(fitted).fit(*easy)
    assert again.n_iter_ == fitted.n_iter_
    np.testing.assert_array_equal(again.predict(easy[0]), fitted.predict(easy[0]))
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict(easy[0]), fitted.predict(easy[0]))


class SeeEpochs(Callback):
    """Count what a callback of the user is told, also in the epoch that is the last."""

    def on_train_begin(self, net, **kwargs):
        self.n_ = self.ended_ = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_ += 1

    def on_train_end(self, net, **kwargs):
        self.ended_ += 1


def test_callbacks_of_the_user_see_all_epochs_and_the_end(easy):
    reg = SpectralMLPRegressor(16, alpha=1e-2, random_state=0, callbacks=[SeeEpochs()])
    reg.fit(*easy)
    seen = next(cb for _, cb in reg.net_.callbacks_ if isinstance(cb, SeeEpochs))
    assert (seen.n_, seen.ended_) == (reg.n_iter_, 1)


@QUIET
def test_a_look_at_the_size_does_not_change_training(easy, monkeypatch):
    # with a size that never settles the callback looks at each end, and training goes on
    X, y = easy[0][:150], easy[1][:150]
    options = {"hidden_layer_sizes": 8, "alpha": 1e-2, "random_state": 0}
    unsettled = SimpleNamespace(settled=False)
    looks = []

    def look(net, dataset):
        looks.append(judge_size(net, dataset))
        return unsettled

    monkeypatch.setattr("skspectral._training.cycles.judge_size", look)
    looked = SpectralMLPRegressor(**options).fit(X, y)
    monkeypatch.setattr("skspectral._training.cycles.is_as_before", lambda *_: False)
    assert looks
    plain = SpectralMLPRegressor(**options).fit(X, y)
    assert plain.n_iter_ == looked.n_iter_ == cycle_ends(150, 150)[-1]
    np.testing.assert_array_equal(plain.predict(X), looked.predict(X))


def test_classes_end_early_too(easy):
    X, y = easy
    clf = SpectralMLPClassifier(random_state=0).fit(X, y > np.median(y))
    assert clf.n_iter_ in ends_of(clf, len(X))[1:]
    assert clf.score(X, y > np.median(y)) > 0.8


@pytest.mark.usefixtures("short_cycles")
@QUIET
@pytest.mark.parametrize("schedule", ["onecycle", "cosine"])
def test_rates_of_a_fit_are_those_of_the_cycles(easy, schedule, monkeypatch):
    monkeypatch.setattr("skspectral._training.cycles.is_as_before", lambda *_: False)
    X, y = easy[0][:100], easy[1][:100]
    reg = SpectralMLPRegressor(4, alpha=1e-3, learning_rate=schedule, random_state=0)
    reg.fit(X, y)
    rates = np.diff([0.0, *(row["learning_rate_sum"] for row in reg.net_.history)])
    ends = cycle_ends(100, 100)
    assert len(rates) == ends[-1]
    for start, end in zip((0, *ends), ends, strict=False):
        cycle = rates[start:end]
        assert cycle.max() > 0.99 * reg.learning_rate_init
        assert cycle[-1] < 1e-3 * reg.learning_rate_init
        assert cycle.sum() == pytest.approx(0.5 * len(cycle) * reg.learning_rate_init, rel=0.02)

"""Restarts lead out of local minima; the best network is kept, and is an ordinary one."""

import copy
import os
import pickle
import signal
import time

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    fit_many,
    merge,
    size_interval,
    spectral_path,
)
from skspectral._estimators import restarting
from skspectral._estimators.soft_targets import fit_to_probabilities
from skspectral._training.comparing import loss_at
from skspectral._training.penalty import Penalty
from skspectral.datasets import make_teacher_student
from skspectral.nn import SpectralMLP
from skspectral.nn._restart import with_new_upper_layers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
AROUND = 2
"""Trainings beside those of restarts: the first, and the last one."""
EACH = 2
"""Trainings of a restart, and of the wide network: at a smaller penalty, and at the penalty."""


def make(cls=SpectralMLPRegressor, sizes=(16, 12), **parameters):
    parameters = {"max_iter": 12, "random_state": 0, "n_restarts": 2, **parameters}
    return cls(**{"hidden_layer_sizes": sizes, **parameters})


def six_pay(net, *_):
    return np.arange(net.module_.layer_sizes[-2]) < 6


@pytest.fixture
def all_pay(monkeypatch):
    """Let every node pay for its parameters, so that trainings can be counted."""
    everyone = lambda net, *_: np.ones(net.module_.layer_sizes[-2], dtype=bool)  # noqa: E731
    monkeypatch.setattr(restarting, "paying_nodes", everyone)


@pytest.fixture
def trained(monkeypatch, all_pay):
    """Return the list that is filled with copies of the networks as they have been trained."""
    kept = []
    train = restarting.Restarts._train

    def spy(self, network, *args, **options):
        yield from train(self, network, *args, **options)
        kept.append(copy.copy(network))
        kept[-1].net_ = network.net_.with_module(copy.deepcopy(network.module_))
        kept[-1].n_restarts = self.estimator.n_restarts

    monkeypatch.setattr(restarting.Restarts, "_train", spy)
    return kept


def loss_of(network, X, y, penalty):
    """Return the penalised loss in plain numpy, for a regressor of one output."""
    residual = (network.predict(X) - y) / network.y_scale_
    norms = [
        penalty.coefficient(name) * float(parameter.detach().double().square().sum())
        for name, parameter in network.module_.named_parameters()
        if parameter.requires_grad
    ]
    return np.mean(residual**2) + sum(norms)


@pytest.mark.parametrize("sizes", [(16,), (16, 12), (12, 10, 8)])
def test_the_smallest_penalised_loss_is_kept(regression, trained, sizes):
    X, y = regression
    reg = make(sizes=sizes).fit(X, y)
    first, last = trained[0], reg.net_.penalty
    own = loss_of(reg, X, y, last)
    assert own <= loss_of(first, X, y, last)
    assert reg.restart_gain_ == pytest.approx(1 - own / loss_of(first, X, y, last), abs=1e-6)
    assert len(trained) == AROUND + 3 * EACH


@pytest.mark.parametrize(("saved", "is_kept"), [(0.005, False), (0.02, True)])
def test_a_larger_network_must_save_something(regression, monkeypatch, saved, is_kept):
    X, y = regression
    losses = {}  # of networks in the order in which they are compared
    falling = lambda net, *_: losses.setdefault(id(net), 1 - saved * len(losses))  # noqa: E731
    monkeypatch.setattr(restarting, "loss_at", falling)
    one, best = make(n_restarts=0, sizes=16).fit(X, y), make(n_restarts=0, sizes=40).fit(X, y)
    rounds = restarting.Restarts(one, None, None, one.net_.module, {}, None)
    monkeypatch.setattr(rounds, "_dataset", lambda: one.net_.get_dataset(X, y[:, None]))
    assert sum(best.n_alive_nodes_) > sum(one.n_alive_nodes_)
    assert rounds._pays(one, best) is is_kept
    assert rounds._pays(best, one) is False
    losses[id(one.net_)] = np.inf
    assert rounds._pays(one, best) is True


def test_the_first_network_is_that_without_restarts(regression, trained):
    X, y = regression
    make().fit(X, y)
    alone = make(n_restarts=0).fit(X, y)
    np.testing.assert_array_equal(trained[0].predict(X), alone.predict(X))
    assert alone.restart_gain_ is None


def test_a_worse_network_is_not_kept(regression, monkeypatch):
    X, y = regression
    reg, alone = make(), make(n_restarts=0).fit(X, y)
    # all others are said to be worse than the first network
    monkeypatch.setattr(restarting, "loss_at", lambda net, *_: 1.0 + (net is not reg.net_))
    reg.fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), alone.predict(X))
    assert reg.restart_gain_ == 0
    assert "restarts  none found a smaller loss" in reg.summary()


def test_restarts_are_made_at_a_quarter_of_the_penalty_from_what_pays(regression, trained):
    make(sizes=(12, 10, 8), n_restarts=3).fit(*regression)
    first, *rounds = trained[: 1 + 4 * EACH]
    assert [network.alpha_ / first.alpha_ for network in rounds] == pytest.approx([0.25, 1] * 4)
    epochs = [network.n_iter_ for network in trained[: 1 + EACH]]
    assert epochs == [12, 12, 15]


@pytest.mark.usefixtures("short_cycles")
@pytest.mark.parametrize(("n_members", "planned"), [(1, 60 + 120 + 240), (2, 60 + 80 + 120 + 150)])
def test_a_wide_network_trains_as_long_as_is_planned_for_a_fit(
    regression, trained, n_members, planned
):
    make(max_iter="auto", n_restarts=1, n_members=n_members).fit(*regression)
    wide = [network for network in trained if network.max_iter == planned]
    assert len(wide) >= n_members


def test_the_last_training_is_as_the_parameters_ask_for_it_in_short_steps(regression, trained):
    make().fit(*regression)
    own = make()
    short = [network.learning_rate_init / own.learning_rate_init for network in trained]
    assert short == pytest.approx([1.0] + [0.25] * (1 + 3 * EACH))
    assert [network.alpha for network in (trained[0], trained[-1])] == ["auto", "auto"]
    assert trained[-1].max_iter == own.max_iter


@pytest.mark.parametrize(
    ("last", "fewer", "n_nodes", "gain"),
    [
        (0.995, 0.999, 6, 0.001),
        (0.980, 0.999, 12, 0.02),  # the nodes save more than a hundredth
        (0.995, 1.003, 12, 0.005),  # only the larger network is better than the first
        (1.003, 1.001, 12, 0.0),
    ],
)
def test_nodes_that_do_not_pay_are_taken_out_if_that_costs_little(
    regression, monkeypatch, last, fewer, n_nodes, gain
):
    own = make().learning_rate_init

    def said(net, *_):
        if net.module_.layer_sizes[-2] <= 6:
            return fewer
        return 1.0 if net.lr == pytest.approx(own) else last

    monkeypatch.setattr(restarting, "loss_at", said)
    monkeypatch.setattr(restarting, "paying_nodes", six_pay)
    reg = make(alpha=1e-6).fit(*regression)
    assert reg.n_alive_nodes_ == [16, n_nodes]
    assert reg.restart_gain_ == pytest.approx(gain)


def test_a_row_of_weight_ten_counts_as_ten_rows(regression, monkeypatch):
    asked = []
    price = restarting.price_of_node
    spy = lambda *of: asked.append(of[-1]) or price(*of)  # noqa: E731
    monkeypatch.setattr(restarting, "price_of_node", spy)
    X, y = regression
    for weight in (None, np.full(len(X), 10.0)):
        make(n_restarts=1).fit(X, y, sample_weight=weight)
    assert set(asked) == {len(X), 10 * len(X)}


def test_without_drawn_classes_all_nodes_stay(multiclass, monkeypatch):
    asked = []
    none = lambda net, *_: asked.append(net) or np.zeros(1, dtype=bool)  # noqa: E731
    monkeypatch.setattr(restarting, "paying_nodes", none)
    X, y = multiclass
    classes, code = np.unique(y, return_inverse=True)
    proba = 0.7 * np.eye(len(classes))[code] + 0.3 / len(classes)
    clf = fit_to_probabilities(make(SpectralMLPClassifier, n_restarts=1), X, proba, classes)
    assert clf.restart_gain_ is not None
    assert not asked


@pytest.mark.parametrize("seed", [0, 1])
def test_nodes_that_fit_noise_are_taken_out(request, seed):
    data = make_teacher_student(2000, 5, (12,), noise=0.1, random_state=seed)
    reg = SpectralMLPRegressor(32, max_iter=200, n_restarts=1, random_state=seed)
    few = reg.fit(data.X, data.y).n_alive_nodes_
    request.getfixturevalue("all_pay")
    many = clone(reg).fit(data.X, data.y).n_alive_nodes_
    assert 11 <= few[0] <= 15 < many[0]


def test_rounds_that_leave_nothing_to_train_on_end_with_the_first_network(
    regression, trained, monkeypatch
):
    X, y = regression
    may_go_on = lambda self, network: network is self.estimator  # noqa: E731
    monkeypatch.setattr(restarting.Restarts, "_goes_on", may_go_on)
    reg = make().fit(X, y)
    assert len(trained) == 2
    np.testing.assert_array_equal(reg.predict(X), make(n_restarts=0).fit(X, y).predict(X))
    assert reg.restart_gain_ == 0


def test_upper_layers_start_anew_and_lower_ones_are_kept():
    module = SpectralMLP((3, 5, 4, 2), generator=torch.Generator().manual_seed(0))
    for n_kept, sizes in ((1, (3, 5, 7, 2)), (2, (3, 5, 4, 2))):
        new = with_new_upper_layers(module, n_kept, (9, 7), torch.Generator().manual_seed(1))
        assert new.layer_sizes == sizes
        for index, (old, layer) in enumerate(zip(module.layers, new.layers, strict=True)):
            is_kept = index < n_kept
            same = old.weight.shape == layer.weight.shape and torch.equal(old.weight, layer.weight)
            assert same is is_kept
            assert not is_kept or layer is not old


def test_without_noise_restarts_are_made_at_the_penalty_of_some(trained):
    X = np.random.default_rng(0).normal(size=(300, 3))
    make(sizes=(8, 8), max_iter=600, batch_size=50).fit(X, np.abs(X[:, 0]))
    first, wide, short = trained[:3]
    share = first.noise_variance_ / first._target_variance
    assert share < restarting.LEAST_NOISE / 2
    # the rule of two layers with one factor more than dense ones: noise to the power of 2 / 3
    assert short.alpha_ / first.alpha_ == pytest.approx((0.01 / share) ** (2 / 3))
    assert wide.alpha_ == pytest.approx(0.25 * short.alpha_)


def test_loss_is_that_of_the_formula(regression):
    X, y = regression
    reg = make(n_restarts=0).fit(X, y)
    penalty = Penalty(1e-3, 2e-3, 3e-3)
    dataset = reg.net_.get_dataset(torch.as_tensor(X), reg._target.encode(y))
    assert loss_at(reg.net_, dataset, penalty) == pytest.approx(loss_of(reg, X, y, penalty))
    with torch.no_grad():
        reg.module_.layers[0].phi[0, 0] = np.inf
    assert loss_at(reg.net_, dataset, penalty) == np.inf


@pytest.mark.parametrize("seed", [0, 1])
def test_recovers_a_teacher_that_one_fit_does_not(seed):
    data = make_teacher_student(2000, 5, (3, 3), random_state=seed)
    one = SpectralMLPRegressor((16, 16), max_iter=300, random_state=seed).fit(data.X, data.y)
    best = clone(one).set_params(n_restarts=2).fit(data.X, data.y)
    assert np.abs(np.array(best.n_alive_nodes_) - 3).max() <= 1
    assert sum(one.n_alive_nodes_) > 12


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": 1e-3},
        {"alpha": 0.0},
        {"alpha": 1e-3, "alpha_phi": 1e-2, "alpha_lambda": 0.0},
        {"parametrization": "dense"},
        {"eigenvalues": "out-in"},
        {"learning_rate": "constant"},
        {"early_stopping": True},
        {"noise_cv": 2},
        {"shuffle": False},
        {"solver": "sgd"},
        {"activation": "tanh"},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": "auto"},
        {"n_members": 2},
        {"time_limit": 0.5},
    ],
    ids=str,
)
def test_is_an_ordinary_network(regression, parameters):
    X, y = regression
    reg = make(**parameters).fit(X, y)
    assert np.isfinite(reg.predict(X)).all()
    assert 0 <= reg.restart_gain_ <= 1
    assert clone(reg).get_params() == make(**parameters).get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reg)).predict(X), reg.predict(X))
    np.testing.assert_allclose(reg.to_sklearn().predict(X), reg.predict(X), rtol=1e-5, atol=1e-6)
    if reg.net_.module.hidden_layer_sizes:
        small = reg.prune()
        assert small.n_restarts == 0
        assert small.set_params(warm_start=True, max_iter=2).fit(X, y).n_iter_ > 0


def test_nodes_are_numbered_as_in_the_first_widths(regression):
    reg = make(sizes=(16, 12)).fit(*regression)
    assert reg.hidden_layer_sizes == (16, 12) == reg.net_.module.hidden_layer_sizes
    assert [len(relevance) for relevance in reg.feature_relevance_] == [16, 12]
    assert all(index.max() < n for index, n in zip(reg.node_indices_, (16, 12), strict=True))
    assert [row["epoch"] for row in reg.net_.history] == list(range(1, reg.n_iter_ + 1))
    assert reg.n_iter_ == len(reg.loss_curve_) == 12  # of the last training alone
    reg = make(alpha=1e-2).fit(*regression)
    assert reg.best_loss_ == min(reg.loss_curve_)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_classifier(request, task):
    X, y = request.getfixturevalue(task)
    weight = np.linspace(0.5, 2, len(X))
    clf = make(SpectralMLPClassifier, dtype="float64")
    probabilities = [
        clone(clf).fit(table, y, sample_weight=each).predict_proba(X)
        for table, each in ((X, weight), (sparse.csr_array(X), weight), (X, None))
    ]
    np.testing.assert_allclose(probabilities[1], probabilities[0], rtol=1e-5, atol=1e-8)
    assert np.abs(probabilities[2] - probabilities[0]).max() > 1e-3


def test_fits_side_by_side_are_those_alone(regression):
    X, y = regression
    models = [make(random_state=seed, dtype="float64") for seed in (0, 1)]
    together = fit_many([clone(model) for model in models], X, y)
    for one, alone in zip(together, models, strict=True):
        assert one.n_alive_nodes_ == alone.fit(X, y).n_alive_nodes_
        np.testing.assert_allclose(one.predict(X), alone.predict(X), rtol=1e-6)


def test_members_have_restarts_of_their_own(regression, trained):
    reg = make(n_members=3).fit(*regression)
    assert len(reg.member_sizes_) == 3
    assert len(trained) == 3 * (AROUND + 3 * EACH)
    assert 0 <= reg.restart_gain_ <= 1


def test_paths_begin_with_restarts(regression, trained):
    X, y = regression
    path = spectral_path(X, y, estimator=make(), alphas=[1e-3, 1e-2], path_max_iter=3)
    assert len(path.n_alive_nodes) == 2
    assert len(trained) == AROUND + 3 * EACH
    reg = make(sizes=8).fit(X, y)
    assert len(size_interval(reg, X, y, n_seeds=1, cv=2, random_state=0).size) == 1


@pytest.mark.parametrize("strategy", ["after", "before"])
def test_pruner_trains_on(regression, strategy):
    X, y = regression
    pruner = SpectralPruner(make(), n_nodes=6, strategy=strategy, fine_tune=2).fit(X, y)
    assert sum(pruner.estimator_.n_alive_nodes_) <= 6


class Interrupt(Callback):
    """Ask to stop, as Ctrl-C does, in the given epoch of the given training."""

    begun = 0

    def __init__(self, training):
        self.training = training

    def on_train_begin(self, net, **kwargs):
        Interrupt.begun += 1
        if Interrupt.begun == self.training:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("handler")
def test_ctrl_c_while_nodes_are_taken_out(regression, monkeypatch):
    X, y = regression
    monkeypatch.setattr(restarting, "paying_nodes", six_pay)
    monkeypatch.setattr(Interrupt, "begun", 0)
    training = AROUND + 3 * EACH + 1
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        reg = make(alpha=1e-6, callbacks=[Interrupt(training)]).fit(X, y)
    assert Interrupt.begun == training
    assert reg.n_alive_nodes_ in ([16, 12], [16, 6])
    assert np.isfinite(reg.predict(X)).all()


@pytest.mark.usefixtures("handler", "all_pay")
@pytest.mark.parametrize("training", [1, 2, 3, 5, AROUND + 3 * EACH - 1])
def test_ctrl_c_keeps_the_best_so_far(regression, monkeypatch, training):
    X, y = regression
    monkeypatch.setattr(Interrupt, "begun", 0)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        reg = make(callbacks=[Interrupt(training)]).fit(X, y)
    assert Interrupt.begun == training
    assert np.isfinite(reg.predict(X)).all()
    alone = make(n_restarts=0).fit(X, y)
    if 1 < training <= 3 * EACH:
        np.testing.assert_allclose(reg.predict(X), alone.predict(X), rtol=1e-6)
    if training > 1:
        assert reg.score(X, y) >= alone.score(X, y)


@pytest.mark.parametrize("n_members", [1, 2])
def test_the_time_is_shared_out_and_the_last_training_has_its_part(regression, trained, n_members):
    X, y = regression
    start = time.monotonic()
    make(time_limit=1.0, max_iter=10**5, n_members=n_members).fit(X, y)
    assert time.monotonic() - start < 3
    assert len(trained) == n_members * (AROUND + 3 * EACH)


def test_the_time_is_for_taking_nodes_out_as_well(regression, trained, monkeypatch):
    fewer = lambda net, *_: np.arange(net.module_.layer_sizes[-2]) > 0  # noqa: E731
    monkeypatch.setattr(restarting, "paying_nodes", fewer)
    start = time.monotonic()
    reg = make(time_limit=1.0, max_iter=10**5, alpha=1e-6, n_restarts=1).fit(*regression)
    assert time.monotonic() - start < 3
    assert len(trained) > AROUND + 2 * EACH
    assert np.isfinite(reg.predict(regression[0])).all()


def test_says_what_restarts_brought(regression):
    reg = make().fit(*regression)
    assert reg.restart_gain_ > 0
    assert f"{100 * reg.restart_gain_:.3g} % less penalised loss" in reg.summary()
    for other in (reg.prune(), reg.grow([20, 20]), merge([reg, reg.prune()])):
        assert other.restart_gain_ is None
        assert "restarts" not in other.summary()
    assert "restarts" not in make(n_restarts=0).fit(*regression).summary()


@pytest.mark.parametrize("n_restarts", [-1, 1.0, "2", None])
def test_number_is_checked(regression, n_restarts):
    with pytest.raises(ValueError, match="'n_restarts' parameter"):
        make(n_restarts=n_restarts).fit(*regression)


def test_what_goes_on_from_weights_excludes_restarts(regression):
    X, y = regression
    reg = make(n_restarts=0).fit(X, y).set_params(n_restarts=1)
    with pytest.raises(ValueError, match="n_restarts=1 and warm_start=True exclude each other"):
        reg.set_params(warm_start=True).fit(X, y)
    assert not hasattr(reg, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        _ = reg.partial_fit
    assert "n_restarts=1: restarts go through all rows" in str(caught.value.__cause__)
    assert hasattr(reg.set_params(n_restarts=0), "partial_fit")


def test_warns_of_the_network_that_is_kept(regression, monkeypatch):
    X, y = regression
    train, said = restarting.Restarts._train, []

    def speak(self, network, *args, **options):
        yield from train(self, network, *args, **options)
        said.append(network)
        self.complaints[id(network)] = f"Training number {len(said)}."

    monkeypatch.setattr(restarting.Restarts, "_train", speak)
    with pytest.warns(ConvergenceWarning, match=r"Training number \d+") as caught:
        make().fit(X, y)
    number = int(str(caught[-1].message).split()[-1].rstrip("."))
    assert number > 1 + 3 * EACH


def test_no_node_is_a_result_beside_a_skip():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = X @ [1.0, -1.0, 0.5, 0.0] + 0.1 * np.abs(X[:, 0]) + 0.1 * rng.normal(size=300)
    options = {"skip": True, "max_iter": 150, "alpha": 0.03, "random_state": 7}
    reg = SpectralMLPRegressor(8, n_restarts=2, **options).fit(X, y)
    one = SpectralMLPRegressor(8, **options).fit(X, y)
    penalty = one.net_.penalty
    assert loss_of(reg, X, y, penalty) <= loss_of(one, X, y, penalty)
    assert sum(reg.n_alive_nodes_) == 0 < sum(one.n_alive_nodes_)

"""Several networks of different seeds become one estimator, that is one network."""

import copy
import os
import pickle
import signal
import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold
from skorch.callbacks import Callback

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    fit_many,
    merge,
    n_alive_nodes_score,
    pruning_curve,
    size_interval,
    spectral_path,
)
from skspectral._estimators import members
from skspectral._training import cycles, fleet, together
from skspectral._training.schedule import cycle_ends

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
MEMBERS = ("member_sizes_", "member_alphas_", "member_settled_")


def make(cls=SpectralMLPRegressor, sizes=16, **parameters):
    parameters = {"max_iter": 40, "random_state": 0, "n_members": 3, **parameters}
    return cls(sizes, **parameters)


@pytest.fixture
def parts(monkeypatch):
    """Return the list that is filled with copies of the networks before they are folded."""
    kept = []
    fold_into = members._fold_into

    def spy(estimator, networks):
        kept.extend(copy.deepcopy(network) for network in networks)
        fold_into(estimator, networks)

    monkeypatch.setattr(members, "_fold_into", spy)
    return kept


@pytest.mark.parametrize("eigenvalues", ["out", "in", "out-in", "both", "inputs"])
@pytest.mark.parametrize("sizes", [(12,), (12, 8), ()])
def test_regressor_predicts_the_mean_of_its_members(regression, parts, sizes, eigenvalues):
    X, y = regression
    reg = make(sizes=sizes, eigenvalues=eigenvalues).fit(X, y)
    assert len(parts) == 3
    mean = np.mean([part.predict(X) for part in parts], axis=0)
    np.testing.assert_allclose(reg.predict(X), mean, rtol=1e-9)
    predictions = {round(part.predict(X)[0], 8) for part in parts}
    assert len(predictions) == 3 or not sizes  # other seeds, other networks


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_classifier_takes_the_mean_of_the_logits(request, parts, task):
    X, y = request.getfixturevalue(task)
    clf = make(SpectralMLPClassifier).fit(X, y)
    outputs = [part._decoded(X, lambda outputs: outputs) for part in parts]
    mean = np.mean(outputs, axis=0)
    np.testing.assert_allclose(clf.predict_proba(X), clf._target.probabilities(mean), atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exports_predict_the_same(multiclass, dtype):
    X, y = multiclass
    clf = make(SpectralMLPClassifier, (12, 8), dtype=dtype).fit(X, y)
    exported = clf.to_sklearn()
    np.testing.assert_allclose(exported.predict_proba(X), clf.predict_proba(X), atol=1e-5)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(clf.to_onnx().SerializeToString())
    name = session.get_inputs()[0].name
    proba = session.run(None, {name: X.astype(dtype)})[1]
    np.testing.assert_allclose(proba, clf.predict_proba(X), atol=1e-5)


def test_the_estimator_is_the_folded_network(regression, parts):
    X, y = regression
    reg = make(sizes=(12, 8)).fit(X, y)
    left = [sum(part.module_.layer_sizes[layer] for part in parts) for layer in (1, 2)]
    assert reg.module_.layer_sizes == (4, *left, 1)
    assert [coef.shape for coef in reg.coefs_] == [(4, left[0]), tuple(left), (left[1], 1)]
    assert [len(relevance) for relevance in reg.feature_relevance_] == left
    assert [index.tolist() for index in reg.node_indices_] == [list(range(n)) for n in left]
    assert reg.hidden_layer_sizes == (12, 8)
    assert reg.feature_importances_.sum() == pytest.approx(1)
    # hidden layers beyond the first are block-diagonal
    between = reg.coefs_[1]
    first_in, first_out = parts[0].module_.layer_sizes[1:3]
    assert (between[:first_in, first_out:] == 0).all()
    assert (between[first_in:, :first_out] == 0).all()


def test_what_each_member_came_to_is_kept(regression, parts):
    reg = make(alpha_factor=2.0).fit(*regression)
    assert reg.member_sizes_ == [part.n_alive_nodes_ for part in parts]
    assert reg.member_alphas_.tolist() == [part.alpha_ for part in parts]
    assert reg.member_settled_ == [part.size_settled_ for part in parts]
    assert reg.alpha_ == np.median(reg.member_alphas_) == reg.net_.penalty.weight
    assert reg.noise_variance_ == np.median([part.noise_variance_ for part in parts])
    assert isinstance(reg.noise_variance_, float)
    assert reg.size_settled_ == all(reg.member_settled_)
    assert reg.loss_curve_ == parts[0].loss_curve_
    assert reg.n_iter_ == len(reg.loss_curve_)


@pytest.mark.parametrize(
    ("flags", "whole"),
    [([True, True], True), ([True, False], False), ([True, None], None), ([None, None], None)],
)
def test_the_whole_has_settled_if_all_have(regression, flags, whole):
    regs = [make(n_members=1, max_iter=2, random_state=s).fit(*regression) for s in (0, 1)]
    for reg, flag in zip(regs, flags, strict=True):
        reg.size_settled_ = flag
    assert merge(regs).size_settled_ is whole


def test_members_of_numbers_have_a_smaller_factor_than_a_single_network(regression):
    X, y = regression
    several, alone = make().fit(X, y), make(n_members=1).fit(X, y)
    assert several.alpha_factor_ == 0.25
    assert alone.alpha_factor_ == 0.5
    given = make(alpha_factor=0.25).fit(X, y)
    np.testing.assert_array_equal(given.predict(X), several.predict(X))
    for reg in (several, several.prune(), merge([several, given])):
        assert "times alpha_factor=0.25" in reg.summary()
    assert make(alpha=0.01).fit(X, y).alpha_factor_ is None
    assert make(n_members=1).partial_fit(X, y).alpha_factor_ == 0.5


def test_members_of_classes_have_the_factor_of_a_single_network(multiclass):
    for n_members in (1, 3):
        clf = make(SpectralMLPClassifier, n_members=n_members).fit(*multiclass)
        assert clf.alpha_factor_ == 0.5


def test_median_noise_has_one_entry_per_output(regression):
    X, y = regression
    reg = make().fit(X, np.column_stack([y, -y]))
    assert reg.noise_variance_.shape == (2,)


def test_one_member_is_an_ordinary_fit(regression):
    X, y = regression
    alone = SpectralMLPRegressor(16, max_iter=40, random_state=0).fit(X, y)
    reg = make(n_members=1).fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), alone.predict(X))
    assert not any(hasattr(reg, name) for name in MEMBERS)


@pytest.mark.parametrize("n_members", [10**14, 2**63, 10**400])
def test_more_networks_than_memory_holds_are_refused(regression, n_members):
    reg = SpectralMLPRegressor(8, n_members=n_members)
    with pytest.raises(MemoryError, match=r"`n_members`=.* not enough memory"):
        reg.fit(*regression)
    assert not hasattr(reg, "net_")


def test_fits_repeat(regression):
    X, y = regression
    first, second, other = (make(random_state=seed).fit(X, y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    assert not np.allclose(first.predict(X), other.predict(X))


def test_members_do_not_depend_on_whether_a_fleet_trains_them(regression, no_fleet):
    X, y = regression
    one_by_one = make(max_iter=10).fit(X, y).predict(X)
    reg = make(max_iter=10)
    fit_many([reg], X, y)
    np.testing.assert_allclose(reg.predict(X), one_by_one, rtol=1e-5)


def test_a_fit_of_one_network_forgets_the_members(regression):
    reg = make().fit(*regression)
    reg.set_params(n_members=1).fit(*regression)
    assert not any(hasattr(reg, name) for name in MEMBERS)


def test_summary_lists_the_members(regression):
    reg = make(sizes=(12, 8), alpha=0.01).fit(*regression)
    sizes = ", ".join(f"{a} + {b}" for a, b in reg.member_sizes_)
    whole = " + ".join(map(str, reg.n_alive_nodes_))
    line = f"nodes    3 networks of {sizes} nodes, folded into one of {whole}"
    assert line in reg.summary().splitlines()
    assert "3 networks of" in reg._caption()
    assert "nodes left" in reg.prune().summary()


def test_summary_of_networks_that_all_died(regression):
    reg = make(alpha=1.0, max_iter=400).fit(*regression)
    assert reg.n_alive_nodes_ == [0]
    assert "folded into one of 0: every node died" in reg.summary()


def test_summary_without_hidden_layers(regression):
    assert "no hidden layers" in make(sizes=()).fit(*regression).summary()


def test_summary_says_whose_score_it_is(regression):
    reg = make(early_stopping=True).fit(*regression)
    assert "of the first network on the validation rows" in reg.summary()


def test_score_of_sizes_is_that_of_the_median_member(regression):
    reg = make(sizes=(12, 8)).fit(*regression)
    reg.member_sizes_ = [[9, 3], [2, 2], [4, 6], [1, 1]]
    assert n_alive_nodes_score(reg) == 4
    assert n_alive_nodes_score(reg, layer=0) == 2
    reg.member_sizes_ = [[9, 3], [2, 2], [4, 6]]
    assert n_alive_nodes_score(reg) == 10
    assert n_alive_nodes_score(reg, layer=-1) == 6


def test_prune_returns_one_network_that_trains_on(regression):
    X, y = regression
    reg = make(alpha=0.01).fit(X, y)
    small = reg.prune()
    assert small.n_members == 1
    assert list(small.hidden_layer_sizes) == reg.n_alive_nodes_ == small.n_alive_nodes_
    assert not any(hasattr(small, name) for name in MEMBERS)
    assert reg.n_members == len(reg.member_sizes_) == 3
    small.partial_fit(X, y)
    small.set_params(warm_start=True).fit(X, y)
    assert reg.grow([60]).n_members == 1
    assert clone(small).fit(X, y).n_members == 1


def test_partial_fit_is_not_there_for_several(regression):
    reg = make()
    assert not hasattr(reg, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        reg.partial_fit(*regression)
    assert not hasattr(make(SpectralMLPClassifier), "partial_fit")
    assert hasattr(make(n_members=1), "partial_fit")


def test_warm_start_of_several_is_refused(regression):
    with pytest.raises(ValueError, match="n_members=3 and warm_start=True exclude each other"):
        make(warm_start=True).fit(*regression)


@pytest.mark.parametrize("n_members", [0, -1, 2.0, "3", None])
def test_number_of_members_is_checked(regression, n_members):
    with pytest.raises(ValueError, match="'n_members' parameter"):
        make(n_members=n_members).fit(*regression)


def test_clone_and_pickle(regression):
    X, y = regression
    reg = make().fit(X, y)
    assert clone(reg).get_params()["n_members"] == 3
    loaded = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(loaded.predict(X), reg.predict(X))
    assert loaded.member_sizes_ == reg.member_sizes_


@pytest.mark.parametrize(
    "settings",
    [
        {"early_stopping": True},
        {"noise_cv": 2},
        {"shuffle": False},
        {"alpha": 1e-3, "alpha_phi": 1e-4},
        {"parametrization": "dense"},
        {"solver": "sgd"},
        {"learning_rate": "adaptive", "learning_rate_init": 1e-3},
        {"time_limit": 0.3},
        {"max_iter": "auto"},
        {"fit_intercept": False},
        {"random_state": None},
    ],
    ids=str,
)
def test_members_are_trained_as_the_parameters_say(regression, parts, settings):
    X, y = regression
    reg = make(**settings).fit(X, y)
    mean = np.mean([part.predict(X) for part in parts], axis=0)
    np.testing.assert_allclose(reg.predict(X), mean, rtol=1e-9)
    assert np.isfinite(reg.member_alphas_).all()


def test_validation_rows_and_groups_reach_all(regression, parts):
    X, y = regression
    make(early_stopping=True).fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])
    assert [len(part.validation_scores_) for part in parts] == [part.n_iter_ for part in parts]
    with pytest.raises(ValueError, match="groups"):
        make(noise_cv=GroupKFold(2)).fit(X, y)
    make(noise_cv=GroupKFold(2)).fit(X, y, groups=np.arange(120) // 10)


def test_weights_of_rows_and_classes_reach_all(binary, parts):
    X, y = binary
    weight = np.where(np.arange(150) < 100, 1.0, 0.0)
    clf = make(SpectralMLPClassifier, class_weight="balanced").fit(X, y, weight)
    assert {part.t_ for part in parts} == {clf.t_}
    assert clf.t_ == 100 * clf.n_iter_
    only = make(SpectralMLPClassifier, class_weight="balanced").fit(X[:100], y[:100])
    np.testing.assert_allclose(clf.predict_proba(X), only.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("density", [0.05, 0.5])
def test_sparse_rows_and_several_outputs(density, parts):
    rng = np.random.default_rng(0)
    X = sparse.csr_matrix(rng.normal(size=(100, 12)) * (rng.random((100, 12)) < density))
    y = X[:, [0, 1]].toarray() + 0.1 * rng.normal(size=(100, 2))
    reg = make(max_iter=10).fit(X, y)
    mean = np.mean([part.predict(X) for part in parts], axis=0)
    np.testing.assert_allclose(reg.predict(X), mean, rtol=1e-9)


def test_members_go_through_the_rows_in_one_order(regression, parts, monkeypatch):
    X, y = regression
    sides = []

    class Watched(fleet.StackedPasses):
        def __init__(self, *arguments, shares_rows):
            sides.append(shares_rows)
            super().__init__(*arguments, shares_rows=shares_rows)

    monkeypatch.setattr(fleet, "StackedPasses", Watched)
    reg = make(batch_size=32).fit(X, y)
    assert all(sides)
    # one after the other, in the ordinary way, they end as the same networks
    monkeypatch.setattr(together, "LARGEST", {"cpu": 0, "cuda": 0})
    alone = make(batch_size=32).fit(X, y)
    np.testing.assert_allclose(alone.predict(X), reg.predict(X), rtol=1e-9)
    assert alone.member_sizes_ == reg.member_sizes_
    losses = [part.loss_curve_[-1] for part in parts]
    np.testing.assert_allclose(losses[:3], losses[3:], rtol=1e-9)
    assert len(set(losses[:3])) == 3  # other weights at the start


def test_training_goes_on_in_orders_of_its_own(regression):
    reg = make(batch_size=32).fit(*regression)
    assert isinstance(reg.net_.random_state, np.random.RandomState)
    assert make(shuffle=False).fit(*regression).net_.random_state is None


def test_sizes_may_stay_unsettled_where_the_losses_have_settled(regression, monkeypatch):
    X, y = regression
    monkeypatch.setattr(cycles, "loss_is_as_before", lambda *arguments: True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        reg = make(max_iter="auto").fit(X, y)
    assert reg.n_iter_ == cycle_ends(120, 120, of_member=True)[1]  # one batch: epochs are steps
    reg.member_settled_, reg.size_settled_ = [True, False, False], False
    assert "settled  1 of 3 networks; the others might lose nodes" in reg.summary()


def test_a_search_can_vary_the_number_of_members(regression):
    X, y = regression
    search = GridSearchCV(make(max_iter=5), {"n_members": [1, 2]}, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_rows_are_converted_once(regression, monkeypatch):
    datasets = []
    dataset = SpectralMLPRegressor._dataset
    monkeypatch.setattr(
        SpectralMLPRegressor,
        "_dataset",
        lambda self, *rows: datasets.append(None) or dataset(self, *rows),
    )
    make().fit(*regression)
    assert len(datasets) == 1


class Epochs(Callback):
    """Count epochs, each copy its own."""

    def on_train_begin(self, net, **kwargs):
        self.n_ = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_ += 1


def test_each_member_has_callbacks_of_its_own(regression, parts):
    counter = Epochs()
    reg = make(max_iter=3, callbacks=[counter]).fit(*regression)
    assert not hasattr(counter, "n_")
    counters = [part.net_.callbacks_[-1][1] for part in parts]
    assert [one.n_ for one in counters] == [3, 3, 3]
    assert [type(one) for _, one in reg.net_.callbacks_[-1:]] == [Epochs]


class Failing(Callback):
    """Raise in the second epoch of the second network."""

    calls = 0

    def on_epoch_end(self, net, **kwargs):
        Failing.calls += 1
        if Failing.calls == 5:
            raise RuntimeError("on purpose")


def test_after_a_failure_the_estimator_is_as_it_was(regression):
    X, y = regression
    reg = make(max_iter=3).fit(X, y)
    before = reg.predict(X), vars(reg).copy()
    Failing.calls = 0
    reg.set_params(callbacks=[Failing()])
    with pytest.raises(RuntimeError, match="on purpose"):
        reg.fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), before[0])
    assert reg.member_sizes_ is before[1]["member_sizes_"]
    unfitted = make(max_iter=3, callbacks=[Failing()])
    Failing.calls = 0
    with pytest.raises(RuntimeError, match="on purpose"):
        unfitted.fit(X, y)
    assert not hasattr(unfitted, "net_")
    assert not any(hasattr(unfitted, name) for name in MEMBERS)


def test_one_warning_tells_of_all(regression):
    with pytest.warns(ConvergenceWarning) as caught:
        make(max_iter=2, alpha=0.01).fit(*regression)
    assert len(caught) == 1
    assert str(caught[0].message).startswith("3 of 3 networks: The size has not settled")
    assert caught[0].filename == __file__


def test_verbose_shows_one_display(regression, capsys):
    make(max_iter=20, verbose=1).fit(*regression)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all("of 3 networks in training" in line for line in lines)


def test_fit_many_trains_ensembles_side_by_side(regression):
    X, y = regression
    alone = make().fit(X, y)
    regs = fit_many([make(), make(n_members=1)], X, y)
    np.testing.assert_allclose(regs[0].predict(X), alone.predict(X), rtol=1e-6)
    assert len(regs[0].member_sizes_) == 3


def test_time_limit_is_shared_out(regression, parts):
    reg = make(max_iter=10**6, time_limit=0.9).fit(*regression)
    seconds = [sum(row["dur"] for row in part.net_.history) for part in parts]
    assert max(seconds) < 0.6
    assert len(reg.member_sizes_) == 3


class CtrlC(Callback):
    """Press Ctrl-C in the third epoch of the second network, each trained by itself."""

    calls = 0

    def on_epoch_end(self, net, **kwargs):
        CtrlC.calls += 1
        if CtrlC.calls == 8:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("handler")
def test_ctrl_c_keeps_the_networks_that_had_begun(regression):
    X, y = regression
    CtrlC.calls = 0
    reg = make(max_iter=5, callbacks=[CtrlC()], batch_size=20)
    with pytest.warns(ConvergenceWarning, match=r"interrupted in epoch .* 1 of the networks had"):
        reg.fit(X, y)
    assert len(reg.member_sizes_) == 2
    assert np.isfinite(reg.predict(X)).all()


@pytest.mark.usefixtures("handler")
def test_ctrl_c_stops_a_fleet(regression, monkeypatch):
    X, y = regression
    draw = members.Interrupts.stop_here
    count = []

    def press(self):
        count.append(None)
        if len(count) == 30:
            os.kill(os.getpid(), signal.SIGINT)
        return draw(self)

    monkeypatch.setattr(members.Interrupts, "stop_here", press)
    with pytest.warns(ConvergenceWarning, match="Training was interrupted"):
        reg = make(max_iter=10**4, batch_size=20).fit(X, y)
    assert len(reg.member_sizes_) == 3
    assert reg.n_iter_ < 10**4


def test_global_generator_of_torch_stays(regression):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    make().fit(*regression)
    assert torch.equal(torch.rand(3), expected)


def test_searches_for_a_size_want_one_network(regression):
    X, y = regression
    with pytest.raises(ValueError, match="`estimator` must have n_members=1"):
        spectral_path(X, y, estimator=make(), alphas=[1e-3])
    with pytest.raises(ValueError, match="`estimator` must have n_members=1"):
        size_interval(make().fit(X, y), X, y)
    with pytest.raises(ValueError, match="Fit the networks first"):
        SpectralPruner(make()).fit(X, y)


def test_a_fitted_ensemble_can_be_pruned(regression):
    X, y = regression
    reg = make(alpha=0.01).fit(X, y)
    n_nodes = sum(len(relevance) for relevance in reg.feature_relevance_)
    assert pruning_curve(reg, X, y)["n_nodes"][-1] == n_nodes
    pruner = SpectralPruner(FrozenEstimator(reg), n_nodes=5, fine_tune=3).fit(X, y)
    assert pruner.n_nodes_ == [5]
    assert pruner.estimator_.n_members == 1


@pytest.mark.parametrize("task", ["numbers", "two numbers", "two", "three", "labels"])
@pytest.mark.parametrize("weighted", [False, True])
def test_members_without_hidden_layers(task, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = {
        "numbers": X[:, 0],
        "two numbers": X[:, :2],
        "two": (X[:, 0] > 0).astype(int),
        "three": np.digitize(X[:, 0], [-0.5, 0.5]),
        "labels": (X[:, :2] > 0).astype(int),
    }[task]
    cls = SpectralMLPRegressor if "numbers" in task else SpectralMLPClassifier
    weight = rng.random(60) if weighted else None
    model = cls([], n_members=2, max_iter=3, batch_size=16, random_state=0)
    whole = model.fit(X, y, sample_weight=weight)
    assert np.isfinite(whole.coefs_[0]).all()
    assert whole.predict(X).shape == y.shape

"""Networks that shrink as they train end as those that do not."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import EpochScoring
from torch.utils._python_dispatch import TorchDispatchMode

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    pruning_curve,
)
from skspectral._training import shrinking
from skspectral._training.net import SpectralNet
from skspectral._training.shrinking import DropSilent, drop_nodes, largest_norm
from skspectral._training.silent import silent_nodes
from skspectral.nn import SpectralMLP

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WIDE = {"alpha": 1e-2, "batch_size": 50, "learning_rate_init": 0.02, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    return X, np.abs(X[:, 0]) + 0.5 * np.maximum(X[:, 1], 0) + 0.1 * rng.normal(size=400)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 2), st.floats(0.1, 10))
def test_silent_nodes_emit_nothing(seed, depth, largest):
    generator = torch.Generator().manual_seed(seed)
    module = SpectralMLP((3, *[30] * depth, 2), generator=generator, dtype=torch.float64)
    with torch.no_grad():
        for layer in module.hidden_layers:
            layer.lambda_out[::2] *= 1e-4
            layer.bias.copy_(torch.randn(30, generator=generator, dtype=torch.float64))
    x = torch.randn(500, 3, generator=generator, dtype=torch.float64)
    x *= largest / x.norm(dim=1, keepdim=True)
    silent = silent_nodes(module, largest)
    assert any(mask.any() for mask in silent)
    for layer, mask in zip(module.hidden_layers, silent, strict=True):
        x = module.activation(layer(x))
        assert (x[:, mask] == 0).all()
        assert not mask[1::2].any()


@pytest.mark.parametrize("options", [{"activation": "tanh"}, {"bias": False}])
def test_other_networks_have_no_silent_nodes(options):
    module = SpectralMLP((3, 20, 1), **options)
    with torch.no_grad():
        module.layers[0].lambda_out[3:] = 0
    assert not any(mask.any() for mask in silent_nodes(module, 1.0))


@pytest.mark.parametrize("solver", ["adam", "sgd", torch.optim.AdamW])
@pytest.mark.parametrize("eigenvalues", ["out", "out-in", "both"])
@pytest.mark.parametrize("sizes", [(40,), (40, 30)])
def test_removal_changes_nothing_but_rounding(data, solver, eigenvalues, sizes):
    X, y = data
    reg = SpectralMLPRegressor(
        sizes, eigenvalues=eigenvalues, max_iter=30, dtype="float64", shrink=False, **WIDE
    ).fit(X, y)
    if solver != "adam":
        reg.set_params(solver=solver, warm_start=True, max_iter=1, learning_rate_init=1e-3)
        reg.fit(X, y)
    net = reg.net_
    dataset = net.get_dataset(X, (y - reg.y_mean_) / reg.y_scale_)
    silent = silent_nodes(net.module_, largest_norm(dataset))
    assert sum(int(mask.sum()) for mask in silent) >= 5
    long, short = net, copy.deepcopy(net)
    drop_nodes(short, [~mask for mask in silent])
    for each in (long, short):
        each.random_state = np.random.RandomState(1)
        each.set_params(lr=1e-3)
        for _ in range(25):  # of 8 steps
            each.train_one_epoch(dataset)
    kept = [~mask for mask in silent]
    for name, parameter in short.module_.named_parameters():
        expected = dict(long.module_.named_parameters())[name].detach()
        _, layer, kind = name.split(".")
        if kind != "lambda_in" and int(layer) < len(sizes):
            expected = expected[kept[int(layer)]]
        if kind in ("phi", "weight", "lambda_in") and int(layer) > 0:
            expected = expected[..., kept[int(layer) - 1]]
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-9, atol=1e-12)
    with torch.no_grad():
        difference = short.module_(dataset.X) - long.module_(dataset.X)
    assert difference.abs().max() < 1e-9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [(60,), (40, 30)])
def test_whole_float64_fits_are_the_same(data, sizes, seed):
    X, y = data
    options = {**WIDE, "dtype": "float64", "max_iter": 250, "random_state": seed}
    whole = SpectralMLPRegressor(sizes, shrink=False, **options).fit(X, y)
    small = SpectralMLPRegressor(sizes, shrink=True, **options).fit(X, y)
    assert sum(small.module_.layer_sizes[1:-1]) < sum(sizes) / 2
    assert small.n_alive_nodes_ == whole.n_alive_nodes_
    np.testing.assert_allclose(small.predict(X), whole.predict(X), rtol=1e-9)
    losses = [reg.net_.history[:, "train_loss"] for reg in (small, whole)]
    np.testing.assert_allclose(*losses, rtol=1e-9)
    # what is left of the penalty of nodes that leave is no longer counted
    assert (np.array(small.loss_curve_) <= np.array(whole.loss_curve_) * (1 + 1e-9)).all()
    np.testing.assert_allclose(small.loss_curve_, whole.loss_curve_, rtol=0.01)


class Operations(TorchDispatchMode):
    """List what a GPU would be asked to do: no views, masks on the host, or the meta device."""

    free = ("detach", "alias", "view", "t", "transpose", "unsqueeze", "slice", "empty")

    def __init__(self):
        super().__init__()
        self.names, self.n_indices = [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        self.n_indices += name == "nonzero"
        tensors = [x for x in (result, *args) if isinstance(x, torch.Tensor)]
        elsewhere = any(x.is_meta or x.dtype == torch.bool for x in tensors)
        if name not in self.free and not elsewhere:
            self.names.append(name)
        return result


@pytest.mark.parametrize(("sizes", "most"), [((60,), 32), ((60, 30), 58)])
def test_a_drop_takes_few_operations(data, sizes, most):
    reg = SpectralMLPRegressor(sizes, max_iter=2, shrink=False, random_state=0).fit(*data)
    masks = [torch.arange(size) % 3 > 0 for size in sizes]
    with Operations() as operations:
        drop_nodes(reg.net_, masks)
    # on a GPU each of them takes some microseconds, and a read waits for all before it
    assert len(operations.names) <= most
    assert "_local_scalar_dense" not in operations.names
    assert operations.n_indices == len(sizes)  # each is copied to the device
    assert reg.module_.layer_sizes[1:-1] == tuple(int(mask.sum()) for mask in masks)


@pytest.mark.parametrize("sizes", [(60,), (40, 30)])
def test_networks_that_are_seldom_rebuilt_end_the_same(data, sizes, monkeypatch):
    X, y = data
    options = {**WIDE, "dtype": "float64", "max_iter": 250}
    rebuilt = []

    def drop(net, masks):
        rebuilt[-1] += 1
        drop_nodes(net, masks)

    monkeypatch.setattr(shrinking, "drop_nodes", drop)
    regs = []
    for share in ("cpu", "cuda"):
        rebuilt.append(0)
        worth_it = {"cpu": shrinking.WORTH_IT[share]}
        with monkeypatch.context() as patch:
            patch.setattr(shrinking, "WORTH_IT", worth_it)
            regs.append(SpectralMLPRegressor(sizes, shrink=True, **options).fit(X, y))
    often, seldom = regs
    assert rebuilt[1] < rebuilt[0]
    assert [i.tolist() for i in seldom.node_indices_] == [i.tolist() for i in often.node_indices_]
    np.testing.assert_allclose(seldom.predict(X), often.predict(X), rtol=1e-9)


@pytest.mark.parametrize("sizes", [(60,), (40, 30)])
def test_fits_with_and_without_shrinking_agree(data, sizes):
    X, y = data
    alive, scores = {}, {}
    for shrink in (False, True):
        fits = [
            SpectralMLPRegressor(
                sizes, max_iter=250, shrink=shrink, dtype="float32", **{**WIDE, "random_state": s}
            ).fit(X, y)
            for s in range(5)
        ]
        alive[shrink] = np.array([sum(reg.n_alive_nodes_) for reg in fits])
        scores[shrink] = np.array([reg.score(X, y) for reg in fits])
    assert abs(alive[True].mean() - alive[False].mean()) <= 1.5
    assert abs(scores[True].mean() - scores[False].mean()) < 0.01


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("sizes", [(4,), (30,), (12, 6)])
def test_networks_that_die_altogether_keep_a_node(data, sizes):
    X, y = data
    reg = SpectralMLPRegressor(sizes, alpha=1.0, batch_size=50, max_iter=300, dtype="float32")
    with pytest.warns(ConvergenceWarning, match="[Ee]very node died"):
        reg.fit(X, y)
    assert reg.n_alive_nodes_ == [0] * len(sizes)
    assert all(len(index) >= 1 for index in reg.node_indices_)
    np.testing.assert_allclose(reg.predict(X), y.mean(), rtol=1e-3)


def test_pruning_of_nodes_that_have_left(data):
    X, y = data
    reg = SpectralMLPRegressor(60, max_iter=200, **WIDE).fit(X, y)
    there = len(reg.node_indices_[0])
    assert there < 30
    for seed in range(5):
        curve = pruning_curve(
            reg, X, y, n_nodes=[1, 20, there, 40, 60], relevance="random", random_state=seed
        )
        assert curve.n_nodes.tolist() == sorted({1, min(20, there), there})
        assert curve.n_nodes_per_layer.ravel().tolist() == curve.n_nodes.tolist()
        assert curve.score[-1] == pytest.approx(reg.score(X, y))
    assert reg.prune(n_nodes=40).hidden_layer_sizes == (there,)


def test_numbering_stays_that_of_hidden_layer_sizes(data):
    X, y = data
    reg = SpectralMLPRegressor((60, 20), max_iter=200, shrink=True, **WIDE).fit(X, y)
    assert [len(r) for r in reg.feature_relevance_] == [60, 20]
    for relevance, index in zip(reg.feature_relevance_, reg.node_indices_, strict=True):
        gone = np.setdiff1d(np.arange(len(relevance)), index)
        assert len(gone) > 0
        assert (relevance[gone] == 0).all()
    n_first, n_second = map(len, reg.node_indices_)
    assert n_first < 30
    assert [c.shape for c in reg.coefs_] == [(4, n_first), (n_first, n_second), (n_second, 1)]
    assert reg.module_.layer_sizes == (4, n_first, n_second, 1)
    assert reg.hidden_layer_sizes == (60, 20)
    assert sum(reg.n_alive_nodes_) <= n_first + n_second
    assert reg.feature_importances_.argmax() == 0


def test_shrunken_network_trains_on(data):
    X, y = data
    reg = SpectralMLPRegressor(60, max_iter=150, shrink=True, warm_start=True, **WIDE).fit(X, y)
    n_nodes = len(reg.node_indices_[0])
    reg.fit(X, y)
    assert len(reg.node_indices_[0]) <= n_nodes < 60
    assert reg.n_iter_ == 300
    copied = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(copied.predict(X), reg.predict(X))
    reg.set_params(learning_rate_init=1e-3)
    assert reg.partial_fit(X, y).score(X, y) > 0.9
    assert len(reg.feature_relevance_[0]) == 60
    with pytest.raises(ValueError, match="`hidden_layer_sizes` was"):
        reg.set_params(hidden_layer_sizes=n_nodes).fit(X, y)


def test_best_epoch_is_restored_across_a_shrink(data):
    X, y = data
    reg = SpectralMLPRegressor(60, max_iter=150, shrink=True, early_stopping=True, tol=0.0, **WIDE)
    reg.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    best = max(reg.validation_scores_)
    assert reg.score(X[300:], y[300:]) == pytest.approx(best, abs=1e-6)
    assert len(reg.feature_relevance_[0]) == 60
    assert reg.module_.layer_sizes[1] == len(reg.node_indices_[0])


def test_callbacks_of_the_user_keep_the_network_whole(data):
    X, y = data
    scoring = EpochScoring("r2", name="r2", lower_is_better=False)
    reg = SpectralMLPRegressor(40, max_iter=60, shrink=True, callbacks=[scoring], **WIDE)
    assert len(reg.fit(X, y).node_indices_[0]) == 40
    assert "_shrink" not in dict(reg.net_.callbacks_)


def test_pruning_and_exports_of_a_shrunken_network(data):
    X, y = data
    reg = SpectralMLPRegressor((60, 20), max_iter=200, shrink=True, **WIDE).fit(X, y)
    small = reg.prune()
    assert list(small.hidden_layer_sizes) == reg.n_alive_nodes_
    assert [i.tolist() for i in small.node_indices_] == [
        list(range(n)) for n in reg.n_alive_nodes_
    ]
    np.testing.assert_allclose(reg.to_sklearn().predict(X), reg.predict(X), rtol=1e-9)
    everything = reg.prune(n_nodes=80)
    assert list(everything.hidden_layer_sizes) == [len(i) for i in reg.node_indices_]
    np.testing.assert_allclose(everything.predict(X), reg.predict(X), rtol=1e-9)
    pruner = SpectralPruner(reg, n_nodes=70).fit(X, y)
    assert pruner.n_nodes_ == list(pruner.estimator_.hidden_layer_sizes)
    assert isinstance(pruner.estimator_.net_, SpectralNet)


def test_classifier_and_sparse_input_shrink(binary):
    from scipy import sparse

    X, y = binary
    clf = SpectralMLPClassifier(40, max_iter=300, shrink=True, alpha=2e-2, random_state=0)
    wide = clf.fit(sparse.csr_matrix(X), y)
    assert len(wide.node_indices_[0]) < 40
    assert wide.score(X, y) > 0.85


@pytest.mark.usefixtures("no_fleet")
def test_epochs_of_a_single_step_are_not_all_looked_at(regression, monkeypatch):
    looks = []

    def look(self, net, share, noise):
        looks.append(net.steps_done_)

    monkeypatch.setattr(DropSilent, "_drop", look)
    SpectralMLPRegressor(4, max_iter=35, random_state=0).fit(*regression)
    assert looks == [1, 11, 21, 31, 35]  # the last one at the end

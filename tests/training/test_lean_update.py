"""The lean update trains as torch's autograd and optimiser do."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, Freezer

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training import cuda_graph
from skspectral._training.lean_update import GraphedUpdate, LeanUpdate
from skspectral._training.losses import DataTerm
from skspectral._training.net import SpectralNet
from skspectral._training.optimizers import FusedAdamSteps
from skspectral.nn import SpectralMLP

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("no_fleet"),
]


@pytest.fixture
def plain(monkeypatch):
    """Return a context in which nets take torch's autograd and optimiser."""

    def use():
        monkeypatch.setattr(SpectralNet, "_choose_update", lambda self, iterator: self.update)

    return use


SOLVERS = ["adam", "sgd", torch.optim.AdamW, functools.partial(torch.optim.Adam, amsgrad=True)]


@pytest.mark.parametrize("solver", SOLVERS, ids=["adam", "sgd", "AdamW", "amsgrad"])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("eigenvalues", "skip"), [("out", False), ("out-in", True), ("inputs", False)]
)
def test_200_steps_equal_the_plain_path(request, plain, task, solver, weighted, eigenvalues, skip):
    X, y = request.getfixturevalue(task)
    cls = SpectralMLPRegressor if task == "regression" else SpectralMLPClassifier
    weight = np.linspace(0.5, 2, len(y)) if weighted and y.ndim == 1 else None
    model = cls(
        (12, 9),
        parametrization=["spectral", "dense"],
        eigenvalues=eigenvalues,
        solver=solver,
        skip=skip,
        batch_size=32,
        max_iter=200 // -(-len(y) // 32) + 1,
        learning_rate_init=0.01,
        dtype="float64",
        random_state=0,
    )
    lean = copy.deepcopy(model).fit(X, y, sample_weight=weight)
    plain()
    expected = model.fit(X, y, sample_weight=weight)
    for ours, theirs in zip(lean.module_.parameters(), expected.module_.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(lean.loss_curve_, expected.loss_curve_, rtol=1e-9)


def test_fits_take_the_lean_update(regression, monkeypatch):
    calls = []
    call = LeanUpdate.__call__
    monkeypatch.setattr(
        LeanUpdate, "__call__", lambda self, X, y: calls.append(len(y)) or call(self, X, y)
    )
    SpectralMLPRegressor((8,), batch_size=50, max_iter=4, random_state=0).fit(*regression)
    assert calls == [50, 50, 20] * 4


def test_buffers_and_lists_are_kept_between_epochs(regression, monkeypatch):
    made = []
    init = LeanUpdate.__init__
    monkeypatch.setattr(LeanUpdate, "__init__", lambda self, *a: made.append(1) or init(self, *a))
    SpectralMLPRegressor((8,), max_iter=10, random_state=0).fit(*regression)
    assert len(made) == 1


class Meddle(Callback):
    """Replace what a step changes, between epochs."""

    def __init__(self, how):
        self.how = how

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 4:
            self.how(net)


def forget_gradients(net):
    net.module_.zero_grad()


def reload_optimizer(net):
    net.optimizer_.load_state_dict(copy.deepcopy(net.optimizer_.state_dict()))


def change_decay(net):
    for group in net.optimizer_.param_groups:
        group["weight_decay"] = 0.1


def set_frozen_eigenvalues(net):
    with torch.no_grad():
        net.module_.layers[0].lambda_in += 0.3


def add_hook(net):
    net.module_.layers[0].register_forward_hook(lambda layer, args, output: 2 * output)


def mask_gradient(net):
    net.module_.layers[1].weight.register_hook(lambda gradient: 0 * gradient)


def hook_the_way_back(net):
    net.module_.layers[1].register_full_backward_pre_hook(lambda layer, given: (given[0] / 2,))


def swap_storage(net):
    net.module_.layers[1].weight.data = net.module_.layers[1].weight.data.clamp(-0.1, 0.1)


def swap_all(net):
    parameters = list(net.module_.parameters())
    vector = torch.nn.utils.parameters_to_vector(parameters)
    torch.nn.utils.vector_to_parameters(0.9 * vector.detach(), parameters)


def set_frozen_data(net):
    net.module_.layers[0].lambda_in.data += 0.3


def hook_the_optimizer(net):
    def hook(optimizer, args, kwargs):
        net.module_.layers[1].bias.grad.zero_()

    net.optimizer_.register_step_pre_hook(hook)


def maximise(net):
    for group in net.optimizer_.param_groups:
        group["maximize"] = True


def hook_the_loss(net):
    net.criterion_.register_forward_hook(lambda criterion, args, loss: loss / 2)


def freeze_all_biases(net):
    for layer in net.module_.layers:
        layer.bias.requires_grad_(False)


CHANGES = [
    forget_gradients,
    reload_optimizer,
    change_decay,
    set_frozen_eigenvalues,
    set_frozen_data,
    add_hook,
    mask_gradient,
    hook_the_way_back,
    swap_storage,
    swap_all,
    hook_the_optimizer,
    maximise,
    hook_the_loss,
    freeze_all_biases,
]


@pytest.mark.parametrize("how", CHANGES)
def test_callbacks_may_change_anything_between_epochs(regression, plain, how):
    model = SpectralMLPRegressor(
        (8,), max_iter=8, dtype="float64", random_state=0, callbacks=[Meddle(how)]
    )
    lean = copy.deepcopy(model).fit(*regression)
    plain()
    model.fit(*regression)
    for ours, theirs in zip(lean.module_.parameters(), model.module_.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_parameters_frozen_in_the_midst_stay(regression):
    freeze = Freezer("layers.0.*", at=4)
    model = SpectralMLPRegressor((8,), max_iter=3, random_state=0, learning_rate="constant")
    early = copy.deepcopy(model).fit(*regression)
    late = model.set_params(max_iter=9, callbacks=[freeze]).fit(*regression)
    torch.testing.assert_close(early.module_.layers[0].phi, late.module_.layers[0].phi)
    assert not torch.equal(early.module_.layers[1].weight, late.module_.layers[1].weight)


def test_nothing_of_it_stays_in_the_net(regression):
    model = SpectralMLPRegressor((8,), max_iter=3, random_state=0).fit(*regression)
    assert model.net_.lean_ is None
    assert pickle.loads(pickle.dumps(model)).predict(regression[0]).shape == (120,)


class Copy(Callback):
    """Pickle and copy the net in the midst of training."""

    def on_epoch_end(self, net, **kwargs):
        copies = copy.deepcopy(net), pickle.loads(pickle.dumps(net))
        self.buffers_ = [each.lean_ is not None for each in (net, *copies)]


def test_nets_are_pickled_and_copied_in_the_midst_of_training(regression):
    reg = SpectralMLPRegressor((8,), max_iter=3, random_state=0, callbacks=[Copy()])
    reg.fit(*regression)
    assert reg.net_.callbacks_[-1][1].buffers_ == [True, False, False]


def module_and_optimizer(**options):
    module = SpectralMLP((3, 4, 1))
    parameters = [p for p in module.parameters() if p.requires_grad]
    return module, torch.optim.Adam(parameters, **{"fused": True, **options})


@pytest.mark.parametrize("option", ["amsgrad", "maximize", "capturable"])
def test_only_plain_fused_adam_is_replaced(option):
    assert FusedAdamSteps.serves(module_and_optimizer()[1])
    assert not FusedAdamSteps.serves(module_and_optimizer(**{option: True})[1])
    assert not FusedAdamSteps.serves(module_and_optimizer(fused=False)[1])


def test_hooks_and_schedulers_keep_the_optimisers_own_step():
    optimizer = module_and_optimizer()[1]
    torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    assert not FusedAdamSteps.serves(optimizer)
    optimizer = module_and_optimizer()[1]
    optimizer.register_step_post_hook(lambda *args: None)
    assert not FusedAdamSteps.serves(optimizer)


def test_optimiser_goes_on_from_the_state_of_lean_steps():
    module, optimizer = module_and_optimizer(lr=0.01)
    update = LeanUpdate(module, DataTerm("identity"), [], optimizer, 5)
    x, y = torch.randn(5, 3), torch.randn(5, 1)
    for _ in range(3):
        update(x, y)
    assert {int(state["step"]) for state in optimizer.state.values()} == {3}
    optimizer.step()
    assert {int(state["step"]) for state in optimizer.state.values()} == {4}


@pytest.fixture
def graphs(monkeypatch):
    """Stand in for CUDA graphs on the CPU: nothing happens at capture, all at replay."""
    captured = []

    def capture(work, device):
        update = captured[-1].update
        changed = [p for p in update.module.parameters() if p.requires_grad]
        changed += [t for state in update.optimizer.state.values() for t in state.values()]
        before = [tensor.detach().clone() for tensor in changed]
        results = work()
        for now, then in zip(changed, before, strict=True):
            now.detach().copy_(then)

        def replay():
            for buffer, value in zip(results, work(), strict=True):
                buffer.copy_(value.clone())

        return replay, results

    def lean_update(*arguments):
        captured.append(GraphedUpdate(LeanUpdate(*arguments), arguments[-1]))
        return captured[-1]

    monkeypatch.setattr(cuda_graph, "capture", capture)
    monkeypatch.setattr("skspectral._training.net.lean_update", lean_update)
    return captured


@pytest.mark.parametrize("weighted", [False, True])
def test_captured_updates_equal_the_plain_path(binary, graphs, plain, weighted):
    X, y = binary
    weight = np.linspace(0.5, 2, len(y)) if weighted else None
    model = SpectralMLPClassifier(
        (30,), batch_size=32, max_iter=60, alpha=0.01, dtype="float64", random_state=0, shrink=True
    )
    graphed = copy.deepcopy(model).fit(X, y, sample_weight=weight)
    assert all(each.replay is not None for each in graphs)
    assert 2 <= len(graphs) <= 8  # one for each size of the network, not one an epoch
    assert len(graphed.node_indices_[0]) < 30
    plain()
    model.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(graphed.loss_curve_, model.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(graphed.predict_proba(X), model.predict_proba(X), rtol=1e-5)


def test_where_capture_fails_updates_are_ordinary(binary, graphs, monkeypatch):
    tries = []

    def fail(work, device):
        tries.append(1)
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(cuda_graph, "capture", fail)
    with pytest.warns(RuntimeWarning, match="could not be captured"):
        clf = SpectralMLPClassifier((8,), batch_size=32, max_iter=20, random_state=0).fit(*binary)
    assert clf.score(*binary) > 0.8
    assert len(tries) == len(graphs) == 1


@pytest.mark.parametrize("n_rows", [32, 40, 64, 97, 128])
def test_whole_batches_are_captured_whatever_their_number(graphs, n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 3))
    SpectralMLPRegressor((8,), batch_size=32, max_iter=10, random_state=0).fit(X, X[:, 0])
    assert graphs[-1].replay is not None

"""Networks in a fleet train as they would alone, step for step."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, fit_many
from skspectral._training import cuda_graph, fleet, graphed_step, together
from skspectral._training.net import SpectralNet
from skspectral._training.together import finish_all

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EXACT = {"dtype": "float64", "batch_size": 32, "max_iter": 30, "learning_rate_init": 0.01}


@pytest.fixture
def alone(monkeypatch):
    """Return a function that fits in the ordinary way, without a fleet of one."""

    def fit(models, X, y, **options):
        with monkeypatch.context() as patch:
            patch.setattr(together, "LARGEST", {"cpu": 0, "cuda": 0})
            return [clone(model).fit(X, y, **options) for model in models]

    return fit


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)


def assert_same(ours, theirs, X):
    np.testing.assert_allclose(outputs(ours, X), outputs(theirs, X), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(ours.alpha_, theirs.alpha_, rtol=1e-9)
    assert ours.n_alive_nodes_ == theirs.n_alive_nodes_
    assert ours.size_settled_ == theirs.size_settled_
    assert ours.module_.layer_sizes == theirs.module_.layer_sizes
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    for ours_row, their_row in zip(ours.net_.history, theirs.net_.history, strict=True):
        assert ours_row["n_alive_nodes"] == their_row["n_alive_nodes"]
        for name in ("train_loss", "penalty", "learning_rate_sum"):
            np.testing.assert_allclose(ours_row[name], their_row[name], rtol=1e-9)


def models(task, changes, **common):
    cls = SpectralMLPRegressor if task == "regression" else SpectralMLPClassifier
    return [
        cls(**{**EXACT, **common, **change, "random_state": k}) for k, change in enumerate(changes)
    ]


CHANGES = [
    {"hidden_layer_sizes": 20},
    {"hidden_layer_sizes": 17, "alpha": 1e-3},
    {"hidden_layer_sizes": 20, "learning_rate_init": 0.003, "max_iter": 21},
]


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_members_with_a_skip_make_200_steps_as_alone(request, alone, task):
    X, y = request.getfixturevalue(task)
    wanted = models(task, CHANGES, skip=True, max_iter=60)
    for ours, theirs in zip(
        fit_many([clone(m) for m in wanted], X, y), alone(wanted, X, y), strict=True
    ):
        assert_same(ours, theirs, X)
        np.testing.assert_allclose(ours.skip_coef_, theirs.skip_coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_members_end_as_their_own_fits(request, alone, task, weighted):
    X, y = request.getfixturevalue(task)
    options = {"sample_weight": np.linspace(0.5, 2, len(y))} if weighted else {}
    wanted = models(task, CHANGES)
    for ours, theirs in zip(
        fit_many([clone(m) for m in wanted], X, y, **options),
        alone(wanted, X, y, **options),
        strict=True,
    ):
        assert_same(ours, theirs, X)


@pytest.mark.parametrize(
    "kind",
    [
        {"hidden_layer_sizes": (12, 9)},
        {"activation": "tanh", "eigenvalues": "both"},
        {"activation": "logistic", "eigenvalues": "in"},
        {"activation": "identity", "eigenvalues": "out-in"},
        {"hidden_layer_sizes": (12, 9), "eigenvalues": "inputs"},
        {"trainable": "eigenvalues"},
        {"trainable": "eigenvectors"},
        {"parametrization": "dense"},
        {"hidden_layer_sizes": (12, 9), "parametrization": ("dense", "spectral")},
        {"fit_intercept": False},
        {"hidden_layer_sizes": (12, 9), "skip": True},
        {"hidden_layer_sizes": (), "skip": True},
        {"learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2},
        {"alpha": 1e-3, "alpha_lambda": 1e-2, "shuffle": False},
        {"hidden_layer_sizes": 7, "time_limit": 1e6},
    ],
)
def test_every_kind_of_network(regression, alone, kind):
    X, y = regression
    wanted = models("regression", [{}, {"learning_rate_init": 0.003}, {}], **kind)
    for ours, theirs in zip(
        fit_many([clone(m) for m in wanted], X, y), alone(wanted, X, y), strict=True
    ):
        assert_same(ours, theirs, X)


def test_members_shrink_each_for_itself(alone):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    y = np.abs(X[:, 0]) + 0.05 * rng.normal(size=500)
    changes = [
        {"alpha": a, "hidden_layer_sizes": w} for a, w in ((0.02, 60), (0.05, 60), (1e-4, 50))
    ]
    wanted = models("regression", changes, max_iter=60)
    fleet_fits = fit_many([clone(m) for m in wanted], X, y)
    widths = [reg.module_.layer_sizes[1] for reg in fleet_fits]
    assert widths[0] < 60 > widths[1]
    for ours, theirs in zip(fleet_fits, alone(wanted, X, y), strict=True):
        assert_same(ours, theirs, X)


def test_rates_are_computed_once_for_members_of_one_clock(regression, monkeypatch):
    X, y = regression
    asked = []
    rate_at = SpectralNet.rate_at

    def counted(net, step):
        asked.append(step)
        return rate_at(net, step)

    monkeypatch.setattr(SpectralNet, "rate_at", counted)
    fit_many(models("regression", [{}] * 3, hidden_layer_sizes=6), X, y)
    assert asked == list(range(30 * 4))
    asked.clear()
    fit_many(models("regression", [{}, {"learning_rate_init": 0.003}] * 2), X, y)
    assert asked.count(7) == 2


@pytest.mark.filterwarnings("ignore:`batch_size` is 32")
def test_members_have_rows_and_batches_of_their_own(regression, alone):
    X, y = regression
    parts = [slice(None), slice(10, 97), slice(3, 25)]  # the last is smaller than a batch
    wanted = models("regression", [{}, {}, {}])
    ours = [clone(model) for model in wanted]
    finish_all([m._fit(X[part], y[part]) for m, part in zip(ours, parts, strict=True)])
    for model, plain, part in zip(ours, wanted, parts, strict=True):
        assert_same(model, alone([plain], X[part], y[part])[0], X)


@pytest.mark.parametrize("learning_rate", [1e200, 1e300])  # the second passes float64's range
def test_member_that_diverges_leaves_the_others_alone(regression, alone, learning_rate):
    X, y = regression
    wanted = models("regression", [{}, {"learning_rate_init": learning_rate}, {}])
    ours = fit_many([clone(m) for m in wanted], X, y)
    assert ours[1].n_iter_ < 30
    assert np.isfinite(ours[1].predict(X)).all()
    theirs = alone(wanted, X, y)
    for k in (0, 2):
        assert_same(ours[k], theirs[k], X)


def test_fit_goes_on_from_the_moments_of_a_fleet(regression, alone):
    X, y = regression
    wanted = models("regression", [{}, {}])
    ours, theirs = fit_many([clone(m) for m in wanted], X, y), alone(wanted, X, y)
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a.partial_fit(X, y), b.partial_fit(X, y), X)
        a, b = (m.set_params(warm_start=True).fit(X, y) for m in (a, b))
        assert_same(a, b, X)


def test_member_keeps_no_more_than_its_own_network(regression):
    X, y = regression
    first, second = fit_many(models("regression", [{}, {}]), X, y)
    for parameter in first.module_.parameters():
        assert parameter.is_contiguous()
        assert parameter.untyped_storage().nbytes() == parameter.nbytes
    before = second.predict(X)
    with torch.no_grad():
        next(first.module_.parameters()).fill_(0)
    np.testing.assert_array_equal(second.predict(X), before)
    assert len(pickle.dumps(first)) < 1.1 * len(pickle.dumps(clone(first).fit(X, y)))


def test_captured_steps_equal_ordinary_ones(regression, monkeypatch):
    X, y = regression
    wanted = models("regression", CHANGES)
    replays = []

    def capture(work, device):
        return lambda: replays.append(work()), None

    plain = fit_many([clone(m) for m in wanted], X, y)
    monkeypatch.setattr(cuda_graph, "capture", capture)
    monkeypatch.setattr(
        fleet, "fastest", lambda step, n_rows, device: graphed_step.GraphedStep(step, n_rows)
    )
    for ours, theirs in zip(fit_many(wanted, X, y), plain, strict=True):
        assert_same(ours, theirs, X)
    assert len(replays) > 50


def test_capture_that_fails_is_told_once(regression, monkeypatch):
    X, y = regression

    def capture(work, device):
        raise RuntimeError("no graphs here")

    monkeypatch.setattr(cuda_graph, "capture", capture)
    monkeypatch.setattr(
        fleet, "fastest", lambda step, n_rows, device: graphed_step.GraphedStep(step, n_rows)
    )
    with pytest.warns(RuntimeWarning, match="run one by one: no graphs here") as caught:
        (reg,) = fit_many(models("regression", [{}]), X, y)
    assert reg.n_iter_ == 30
    assert sum(w.category is RuntimeWarning for w in caught) == 1


def test_widths_that_differ_much_stand_apart(regression):
    X, y = regression
    nets = [
        SpectralMLPRegressor(width, max_iter=1).fit(X, y).net_
        for width in (1000, 200, 900, 300, 180, 100, 50)
    ]

    class Waiting:
        kind, batch = "a kind", 200

        def __init__(self, net):
            self.layer_sizes, self.dataset = net.module_.layer_sizes, self
            self.X = torch.zeros(1)
            self.place = id(self)

    waiting = [Waiting(net) for net in nets]
    assert [m.layer_sizes[1] for m in together.arrange(waiting)] == [1000, 900]
    assert [m.layer_sizes[1] for m in together.arrange(waiting[1:2] + waiting[3:-2])] == [
        300,
        200,
        180,
    ]
    # padding costs small networks less than steps of their own
    assert [m.layer_sizes[1] for m in together.arrange(waiting[-2:])] == [100, 50]

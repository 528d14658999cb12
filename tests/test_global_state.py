"""Training leaves torch as it found it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    fit_many,
    merge,
    pruning_curve,
)
from skspectral._training import device, together
from skspectral._training.device import choose_threads
from skspectral._training.lean_update import LeanUpdate
from skspectral._training.torch_state import flushes_denormals, training_state

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])


@pytest.fixture(params=[False, True], ids=["denormals kept", "denormals flushed"])
def state(request):
    """Set torch's state to something of its own, and give a function that reads it."""
    threads, flushed = torch.get_num_threads(), flushes_denormals()
    torch.set_num_threads(2)
    torch.set_flush_denormal(request.param)
    torch.manual_seed(123)
    np.random.seed(123)  # noqa: NPY002

    def read():
        return (
            torch.get_num_threads(),
            flushes_denormals(),
            torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
        )

    yield read
    torch.set_num_threads(threads)
    torch.set_flush_denormal(flushed)


class InsideError(Exception):
    """Raised from within training."""


@BOTH
def test_fit_restores_global_state(state, binary, cls):
    before = state()
    model = cls(8, max_iter=3, random_state=0, early_stopping=True).fit(*binary)
    model.predict(binary[0])
    assert state() == before


@BOTH
def test_partial_fit_restores_global_state(state, binary, cls):
    before = state()
    extra = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    cls(8, random_state=0).partial_fit(*binary, **extra)
    assert state() == before


@BOTH
def test_failed_fit_restores_global_state(state, binary, cls):
    from skorch.callbacks import Callback

    class Failing(Callback):
        def on_epoch_end(self, net, **kwargs):
            assert torch.get_num_threads() == 1
            assert flushes_denormals()
            raise InsideError

    before = state()
    with pytest.raises(InsideError):
        cls(8, max_iter=3, random_state=0, callbacks=[Failing()]).fit(*binary)
    assert state() == before


@pytest.mark.parametrize("main_ends_first", [True, False])
def test_concurrent_fits_restore_the_threads_of_each(main_ends_first):
    """The main thread and a worker overlap; each finds its own count again."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    started, release = threading.Event(), threading.Event()
    counts = {}

    def work():
        with training_state(1):
            started.set()
            release.wait(20)
            counts["inside"] = torch.get_num_threads()
        counts["after"] = torch.get_num_threads()

    worker = threading.Thread(target=work)
    try:
        if main_ends_first:
            with training_state(1):
                worker.start()
                started.wait(20)
            assert torch.get_num_threads() == 3
            release.set()
            worker.join(20)
        else:
            with training_state(1):
                worker.start()
                started.wait(20)
                release.set()
                worker.join(20)
        assert torch.get_num_threads() == 3
        assert counts == {"inside": 1, "after": 3}
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_auto_takes_threads_for_wide_networks_only(three_threads):
    wide, narrow = (8, 512, 512, 1), (8, 128, 128, 1)
    assert choose_threads("auto", wide, 200) == 2
    assert choose_threads("auto", wide, 2000) == 3
    assert choose_threads("auto", narrow, 200) == 1
    assert choose_threads("auto", narrow, 20_000) == 3
    assert choose_threads(2, narrow, 200) == 2
    assert choose_threads(None, wide, 200) is None
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(choose_threads, "auto", wide, 200).result() == 1


def test_auto_gives_threads_up_as_the_network_shrinks(three_threads, monkeypatch):
    monkeypatch.setattr(device, "AUTO_THREAD_PRODUCTS", 100 * (4 + 1) * 45)
    monkeypatch.setattr(together, "LARGEST", {"cpu": 0})  # no fleet of one
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    counts = []
    call = LeanUpdate.__call__
    monkeypatch.setattr(
        LeanUpdate,
        "__call__",
        lambda self, *args: counts.append(torch.get_num_threads()) or call(self, *args),
    )
    reg = SpectralMLPRegressor(60, batch_size=100, max_iter=200, alpha=1e-2, random_state=0)
    reg.fit(X, np.abs(X[:, 0]))
    assert len(reg.node_indices_[0]) < 30
    assert counts[0] == 2
    assert counts[-1] == 1
    assert counts == sorted(counts, reverse=True)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_concurrent_fits_find_what_serial_ones_do(three_threads, binary, backend, monkeypatch):
    monkeypatch.setattr(device, "AUTO_THREAD_PRODUCTS", 1)  # as if they were large
    grid = {"alpha": [1e-3, 1e-2], "random_state": [0, 1]}
    clf = SpectralMLPClassifier(12, max_iter=15)
    options = {"cv": 3, "refit": False, "error_score": "raise"}
    serial = GridSearchCV(clf, grid, **options).fit(*binary)
    flushed = flushes_denormals()
    with parallel_config(backend):
        together = GridSearchCV(clf, grid, n_jobs=2, **options).fit(*binary)
    scores = [search.cv_results_["mean_test_score"] for search in (serial, together)]
    np.testing.assert_array_equal(*scores)
    assert torch.get_num_threads() == 3
    assert flushes_denormals() == flushed


def test_n_threads_none_leaves_the_count():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    with training_state(None):
        assert torch.get_num_threads() == 3
    torch.set_num_threads(before)


@pytest.mark.parametrize("others", ["auto", 1])
def test_threads_of_one_network_do_not_stay_after_another(three_threads, others):
    X = np.random.default_rng(0).normal(size=(400, 4))
    options = {"batch_size": 100, "max_iter": 200, "alpha": 1e-2, "random_state": 0}
    networks = [SpectralMLPRegressor(60, n_threads=n, **options) for n in (None, others)]
    fit_many(networks, X, np.abs(X[:, 0]))
    assert all(len(reg.node_indices_[0]) < 30 for reg in networks)  # which sets threads anew
    assert torch.get_num_threads() == 3


MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "sgd"}])
def test_modes_of_the_caller_change_nothing(binary, mode, options):
    X, y = binary
    given = {"max_iter": 5, "dtype": "float32", "batch_size": 50, "random_state": 0, **options}

    def fitted():
        clf = SpectralMLPClassifier(8, **given).fit(X, y).set_params(early_stopping=False)
        return clf.partial_fit(X, y)

    usual = fitted()
    with MODES[mode]():
        inside = fitted()
        probabilities = inside.predict_proba(X)
        curve = pruning_curve(inside, X, y, n_nodes=[2, 8]).score
        assert torch.is_grad_enabled() == (mode == "autocast")
        assert torch.is_inference_mode_enabled() == (mode == "inference_mode")
        assert torch.is_autocast_enabled("cpu") == (mode == "autocast")
    np.testing.assert_array_equal(probabilities, usual.predict_proba(X))
    np.testing.assert_array_equal(curve, pruning_curve(usual, X, y, n_nodes=[2, 8]).score)
    again = [clf.partial_fit(X, y).predict_proba(X) for clf in (inside, usual)]
    np.testing.assert_array_equal(*again)


RESIZED = {
    "prune": lambda clf: clf.prune(n_nodes=4),
    "grow": lambda clf: clf.grow(16),
    "merge": lambda clf: merge([clf, clf.prune(n_nodes=4)]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", RESIZED)
def test_networks_that_are_made_in_a_mode_can_be_trained(binary, mode, name):
    X, y = binary
    clf = SpectralMLPClassifier(8, max_iter=3, dtype="float32", random_state=0).fit(X, y)
    with MODES[mode]():
        made = RESIZED[name](clf)
        inside = made.set_params(warm_start=True).fit(X, y).predict_proba(X)
    usual = RESIZED[name](clf).set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(inside, usual.predict_proba(X))
    assert not any(parameter.is_inference() for parameter in made.module_.parameters())


@pytest.mark.parametrize("options", [{"fine_tune": 2}, {"strategy": "before"}])
def test_pruner_trains_after_the_cut_in_inference_mode(binary, options):
    pruner = SpectralPruner(
        SpectralMLPClassifier(8, max_iter=3, random_state=0), n_nodes=4, **options
    )
    usual = clone(pruner).fit(*binary).predict_proba(binary[0])
    with torch.inference_mode():
        inside = clone(pruner).fit(*binary).predict_proba(binary[0])
    np.testing.assert_array_equal(inside, usual)

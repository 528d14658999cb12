"""Training leaves torch as it found it."""

import threading

import numpy as np
import pytest
import torch

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._torch_state import flushes_denormals, training_state

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


def test_threads_are_restored_when_the_last_concurrent_fit_ends():
    before = torch.get_num_threads()
    barrier = threading.Barrier(2, timeout=20)
    seen = []

    def fit(first):
        with training_state(1):
            barrier.wait()
            if not first:
                release.wait(20)
            seen.append(torch.get_num_threads())

    release = threading.Event()
    workers = [threading.Thread(target=fit, args=(first,)) for first in (True, False)]
    for worker in workers:
        worker.start()
    workers[0].join(20)
    release.set()
    workers[1].join(20)
    assert len(seen) == 2
    assert torch.get_num_threads() == before


def test_n_threads_none_leaves_the_count():
    before = torch.get_num_threads()
    with training_state(None):
        assert torch.get_num_threads() == before

"""Memory maps are read in parts, and give what the same rows in memory give."""

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.utils import gen_batches

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training import mapped_rows
from skspectral._training.batches import RowDataset, _held
from skspectral._training.mapped_rows import CHUNK_ROWS, MappedRows, chunks, read_later

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return a table of 64 MB in memory, and the same in a file."""
    X = np.random.default_rng(0).normal(size=(16_000, 500))
    path = tmp_path_factory.mktemp("mapped") / "X.npy"
    np.save(path, X)
    return X, np.load(path, mmap_mode="r")


def test_maps_are_told_by_what_lies_below_a_view(table):
    X, mapped = table
    for form in (mapped, np.asarray(mapped), mapped[10:], np.asarray(mapped)[:, ::2]):
        assert isinstance(read_later(form), MappedRows)
    for form in (X, X[::2], mapped[[1, 2]].view(np.ndarray), torch.from_numpy(X[:5]), [[1.0]]):
        assert read_later(form) is form


def test_rows_are_those_of_the_array(table):
    X, mapped = table
    rows = MappedRows(mapped)
    chosen = rows.take(np.arange(16_000) % 3 == 0).take(np.array([5, 1, 7]))
    expected = X[::3][[5, 1, 7]]
    assert chosen.shape == (3, 500)
    np.testing.assert_array_equal(chosen[:], expected)
    np.testing.assert_array_equal(chosen[np.array([2, 0])], expected[[2, 0]])
    np.testing.assert_array_equal(rows[3:6], X[3:6])


def test_chunks_cover_the_rows_and_hold_few_values():
    for shape in ((CHUNK_ROWS * 2 + 1, 3), (7, 10**7), (5, 0)):
        X = np.broadcast_to(0.0, shape)
        slices = list(chunks(X))
        assert sum(s.stop - s.start for s in slices) == shape[0]
    assert list(chunks(np.empty((50, 4)))) == list(gen_batches(50, CHUNK_ROWS))


def test_another_device_is_filled_part_by_part(table):
    X, mapped = table
    tensor = _held(MappedRows(mapped), torch.float32, "meta")
    assert (tensor.shape, tensor.dtype, tensor.device.type) == (X.shape, torch.float32, "meta")
    assert isinstance(RowDataset(mapped, dtype=torch.float32).X, MappedRows)


OPTIONS = [
    {},
    {"early_stopping": True},
    {"alpha": "auto"},
    {"alpha": "auto", "dtype": "float64", "batch_size": 1000},
]


@pytest.mark.usefixtures("no_fleet")  # none serves maps
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_fits_on_a_map_equal_those_in_memory(table, options, weighted):
    X, mapped = (form[:1500, :8] for form in table)
    weight = np.arange(1500) % 3 if weighted else None
    options = {"alpha": 1e-3, "max_iter": 3, "random_state": 0, **options}
    one, two = (
        SpectralMLPRegressor(6, **options).fit(form, X[:, 0], weight) for form in (X, mapped)
    )
    np.testing.assert_array_equal(one.predict(X), two.predict(mapped))
    np.testing.assert_array_equal(one.feature_importances_, two.feature_importances_)
    assert (one.loss_curve_, one.alpha_) == (two.loss_curve_, two.alpha_)


class Held:
    """Most memory that numpy holds during a block, in bytes; maps do not count."""

    def __enter__(self):
        tracemalloc.start()
        return self

    def __exit__(self, *args):
        self.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_map_is_never_held_whole(table, dtype, monkeypatch):
    monkeypatch.setattr(mapped_rows, "CHUNK_VALUES", 100_000)
    X, mapped = table
    y, weight = X[:, 0].copy(), np.arange(16_000) % 3
    options = {"max_iter": 1, "batch_size": 500, "dtype": dtype, "random_state": 0}
    with Held() as held:
        model = SpectralMLPRegressor(4, alpha=1e-3, **options).fit(mapped, y, weight)
        SpectralMLPRegressor(4, early_stopping=True, **options).fit(mapped, y)
        SpectralMLPRegressor(4, alpha="auto", **options).fit(
            mapped, y, X_val=mapped, y_val=y, sample_weight_val=weight
        )
        labels = y > 0
        clf = SpectralMLPClassifier(4, class_weight={False: 0.5, True: 2}, alpha=1e-3, **options)
        clf.fit(mapped, labels).partial_fit(mapped, labels)
        model.predict(mapped)
    assert held.peak < 0.5 * mapped.nbytes

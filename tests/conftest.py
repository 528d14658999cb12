"""Small seeded tables, and the real ones where they are at hand."""

import numpy as np
import pytest
from sklearn.datasets import fetch_california_housing, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer

from skspectral._training import schedule, together


@pytest.fixture
def regression():
    """Return X of shape (120, 4) and y of shape (120,)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    return X, 3 + 2 * np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.normal(size=120)


@pytest.fixture
def binary():
    """Return X of shape (150, 5) and y in {0, 1}."""
    return make_classification(150, 5, random_state=0)


@pytest.fixture
def multiclass():
    """Return X of shape (150, 5) and y of three strings."""
    X, y = make_classification(150, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    return X, np.array(["ash", "beech", "cedar"])[y]


@pytest.fixture
def multilabel():
    """Return X of shape (150, 4) and y of shape (150, 3) in {0, 1}."""
    X = np.random.default_rng(0).normal(size=(150, 4))
    return X, np.column_stack([X[:, 0] > 0, X[:, 1] > 0.3, X[:, 0] + X[:, 2] > 0]).astype(int)


@pytest.fixture
def no_fleet(monkeypatch):
    """Let small networks be trained as large ones are, which no fleet serves."""
    monkeypatch.setattr(together, "LARGEST", {"cpu": 0, "cuda": 0})


@pytest.fixture
def short_cycles(monkeypatch):
    """Let max_iter="auto" end after 420 steps at most, for tests that need no trained network."""
    for name, cycles in {"CYCLES": (60, 120, 240), "MEMBER_CYCLES": (60, 80, 120, 150)}.items():
        monkeypatch.setattr(schedule, name, cycles)
        monkeypatch.setattr(schedule, f"SMALL_TABLE_{name}", cycles)


@pytest.fixture(scope="session")
def california_raw():
    """Return train and test parts of California Housing: X, X_test, y, y_test."""
    try:
        X, y = fetch_california_housing(return_X_y=True, download_if_missing=False)
    except OSError:
        pytest.skip("California Housing is not in scikit-learn's cache (SCIKIT_LEARN_DATA)")
    return train_test_split(X, y, test_size=0.2, random_state=0)


@pytest.fixture(scope="session")
def california(california_raw):
    """Return the same with quantile-normal inputs."""
    X, X_test, y, y_test = california_raw
    scaler = QuantileTransformer(output_distribution="normal", random_state=0).fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test

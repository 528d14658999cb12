"""Columns that are not on one scale are named, once, and encoded ones are not."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    spectral_path,
)
from skspectral.preprocessing import make_tabular_preprocessor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
Y = X[:, 0] + np.abs(X[:, 1])
UNEVEN = X * [1, 1, 1e4, 100]
NAMES = ["age", "rooms", "income", "area"]
WARNS = {"expected_warning": UserWarning, "match": r"spreads of columns differ.*StandardScaler"}


def network(cls=SpectralMLPRegressor, **settings):
    return cls((4,), max_iter=2, random_state=0, **settings)


def test_warning_names_the_columns_and_what_to_do():
    frame = named(UNEVEN)
    with pytest.warns(**WARNS) as record:
        network().fit(frame, Y)
    text = str(record[0].message)
    assert "'income' has 1" in text
    assert "'area' has 1" in text
    assert text.count(" has ") == 3  # and the narrowest
    assert "make_tabular_preprocessor" in text
    assert record[0].filename == __file__
    with pytest.warns(
        **WARNS,
    ) as record:
        network().fit(UNEVEN, Y)
    assert "column 2 has 1" in str(record[0].message)


def test_warning_counts_columns_beyond_three():
    with pytest.warns(UserWarning, match="1e[+]04.* 2 others, column 5 has"):
        network().fit(np.c_[UNEVEN[:, [2] * 5], X[:, 0]], Y)


@pytest.mark.parametrize("factor", [1 / 40, 1 / 20, 20, 40])
def test_warning_comes_from_a_factor_of_thirty_on(factor, recwarn):
    even = StandardScaler().fit_transform(X) * [1, 1, factor, 1]
    if 1 / 30 < factor < 30:
        network().fit(even, Y)
    else:
        with pytest.warns(**WARNS):
            network().fit(even, Y)


def named(X):
    return pd.DataFrame(X, columns=NAMES)


CV = {"alphas": [1e-3, 1e-2], "cv": 2, "max_iter": 2}
FITS = {
    "regressor": lambda X: network().fit(X, Y),
    "classifier": lambda X: network(SpectralMLPClassifier).fit(X, Y > 0),
    "weights": lambda X: network().fit(X, Y, sample_weight=np.r_[0, np.ones(99)]),
    "early stopping": lambda X: network(early_stopping=True).fit(X, Y),
    "sparse": lambda X: network().fit(sparse.csr_matrix(X), Y),
    "warm start": lambda X: network(warm_start=True).fit(X, Y).fit(X, Y),
    "partial_fit": lambda X: network().partial_fit(X, Y).partial_fit(X, Y),
    "regressor cv": lambda X: SpectralMLPRegressorCV((4,), **CV).fit(X, Y),
    "frame in cv": lambda X: SpectralMLPRegressorCV((4,), **CV).fit(
        pd.DataFrame(X).add_prefix("x"), Y
    ),
    "classifier cv": lambda X: SpectralMLPClassifierCV((4,), **CV).fit(X, Y > 0),
    "path": lambda X: spectral_path(X, Y, estimator=network(), alphas=[1e-3, 1e-2]),
    "pruner": lambda X: SpectralPruner(network(), cv=2, fine_tune=1).fit(X, Y),
    "pruner before": lambda X: SpectralPruner(network(), strategy="before", n_nodes=2).fit(X, Y),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_every_fit_warns_once(fit):
    with pytest.warns(**WARNS) as record:
        fit(UNEVEN)
    own = [
        w for w in record if issubclass(w.category, UserWarning) and "spreads" in str(w.message)
    ]
    assert len(own) == 1
    assert own[0].filename == __file__
    fit(X)


@pytest.mark.parametrize(
    "columns",
    [
        OneHotEncoder(sparse_output=False).fit_transform(np.arange(100)[:, None]),
        np.full((100, 1), 1e6),
        1e6 + 1e-11 * X[:, :1],
        np.maximum(0, X[:, :1] - 2.2),
        load_iris().data[:100],
    ],
    ids=["one-hot", "constant", "rounding", "hat", "iris"],
)
def test_warning_leaves_out_columns_without_a_scale(columns):
    network().fit(np.c_[X, columns], Y)
    network().fit(sparse.csr_matrix(np.c_[X, columns]), Y)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_warning_needs_two_columns_that_vary(n_columns):
    network().fit(np.c_[UNEVEN[:, 2], np.ones(100)][:, :n_columns], Y)


def test_warning_includes_scales_beside_categories():
    with pytest.warns(**WARNS):
        network().fit(np.c_[UNEVEN[:, 2], X[:, 0] > 0], Y)


def test_warning_comes_before_training():
    stopped = network()
    with pytest.raises(UserWarning, match="spreads"):
        stopped.fit(UNEVEN, Y)
    assert not hasattr(stopped, "net_")


def test_columns_of_real_tables():
    folder = Path(os.environ.get("SKSPECTRAL_DATA", "nowhere"))
    if not (folder / "titanic").is_dir():
        pytest.skip("the tables are not there (SKSPECTRAL_DATA)")
    table = pd.read_csv(folder / "titanic" / "train.csv")
    y = table["Survived"]
    raw = table[["Pclass", "Age", "SibSp", "Parch", "Fare"]].fillna(0)
    with pytest.warns(UserWarning, match="'Fare' has 50"):
        network(SpectralMLPClassifier).fit(raw, y)
    columns = table[[*raw.columns, "Sex", "Embarked"]]
    network(SpectralMLPClassifier).fit(make_tabular_preprocessor().fit_transform(columns, y), y)

"""Arguments of the public interface: valid ones, and wild ones."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

WILD_ONCE_IN = 30

WILD = [-1, 0, math.nan, math.inf, 2**63, "a", None, True, [], (), 1.5, object, {}, [[1], [2, 3]]]

NOT_WILD = {
    "random_state": [None],  # Python's own global generator
    "max_iter": [2**63],  # endless training
    "n_restarts": [2**63],
    "n_seeds": [2**63],
    "n_alphas": [2**63],
    "path_max_iter": [2**63],
    "n_jobs": WILD,  # processes without number
    "time_limit": [2**63, math.inf],
}


def wild_values(name):
    """Return the wild values for a parameter, and whichever valid one if there is none."""
    left_out = NOT_WILD.get(name, ())
    return [value for value in WILD if not any(value is v for v in left_out)] or [None]


VALID = {
    "hidden_layer_sizes": [3, 1, 6, (3, 2), [4]],
    "activation": ["relu", "tanh", "logistic", "identity", "gelu", "silu"],
    "fit_intercept": [True, False],
    "skip": [False, True],
    "parametrization": ["spectral", "dense"],
    "eigenvalues": ["out", "in", "both", "out-in", "inputs"],
    "trainable": ["all", "eigenvalues", "eigenvectors"],
    "alpha": ["auto", 0, 1e-3, 1e3, 1e100],
    "alpha_factor": ["auto", 0.5, 1, 1e100, 5e-324],
    "alpha_phi": [None, 0.0, 1e-3],
    "alpha_lambda": [None, 0.0, 1e-3],
    "relevance_threshold": [0.05, 0, 0.99],
    "solver": ["adam", "sgd", torch.optim.RMSprop, torch.optim.AdamW],
    "learning_rate": ["onecycle", "constant", "adaptive", "cosine"],
    "learning_rate_init": [0.02, 1e-300, 0.5],
    "batch_size": ["auto", 1, 5, 1000],
    "max_iter": [1, 2, 3],
    "time_limit": [None, 1, 1e-9],
    "shuffle": [True, False],
    "tol": [1e-4, 0, 1e300],
    "early_stopping": [False, True],
    "validation_fraction": [0.1, 0.5],
    "n_iter_no_change": [1, 10, np.inf],
    "random_state": [0, np.random.RandomState(0)],
    "warm_start": [False, True],
    "shrink": [True, False],
    "device": ["auto", "cpu"],
    "n_members": [1],
    "n_restarts": [0],
    "noise_cv": [None],
    "dtype": ["auto", "float32", "float64"],
    "n_threads": ["auto", 1, 2],
    "callbacks": [None, ()],
    "verbose": [False, True],
    "normalize_y": [True, False],
    "class_weight": [None, "balanced"],
    "alpha_factors": [None, (1.0, 2.0)],
    "alphas": [[1e-3, 1e-2], [0.0], None],
    "cv": [2, 3],
    "scoring": [None],
    "selection": ["1se", "best"],
    "tolerance": [0.1, 0, "1se"],
    "n_jobs": [None, 1],
    "n_nodes": ["auto", 2, 0.5, 1.0],
    "strategy": ["after", "before"],
    "scope": ["global", "layer"],
    "min_nodes": [1, 2],
    "fine_tune": [0, 1],
    "n_synthetic": ["auto", 0, 5],
}
RARE = {
    "hidden_layer_sizes": [(), "auto", (100_000, 100_000, 10**9)],
    "parametrization": [["spectral", "dense"], ("dense",)],
    "solver": [torch.optim.LBFGS, torch.optim.Muon],
    "learning_rate_init": [1e3, 1e300],
    "n_members": [2, 3],
    "n_restarts": [1, 2],
    "noise_cv": [2, 3],
    "validation_fraction": [0.999, 1e-9],
    "class_weight": [{0: 1, 1: 2}, {"ash": 3}],
    "scoring": ["r2", "accuracy", "neg_log_loss", "roc_auc", "neg_mean_squared_error"],
    "tolerance": [None],
    "n_nodes": [1, 3, [2], [2, 1]],
    "min_nodes": [100],
}
"""Values that are valid for some networks or tasks alone."""


class Lot:
    """Arguments by lot, and the calls that are made with them.

    Parameters
    ----------
    seed : int
    tally : Tally
    """

    def __init__(self, seed, tally):
        self.rng, self.attempt = np.random.default_rng(seed), tally.attempt

    def below(self, n):
        return int(self.rng.integers(n))

    def once_in(self, n):
        return self.below(n) == n - 1

    def of(self, values):
        return values[self.below(len(values))]

    def some(self, *valid, wild=None):
        """Return one of the valid values, or now and then a wild one."""
        return self.of(WILD if wild is None else wild) if self.wild() else self.of(valid)

    def wild(self):
        return self.once_in(WILD_ONCE_IN)

    def keywords(self, given_once_in=3, **valid):
        """Return some of the keywords, each with one of its values or a wild one."""
        return {
            name: self.some(*values, wild=wild_values(name))
            for name, values in valid.items()
            if self.once_in(given_once_in)
        }


QUICK = {"max_iter": 2, "random_state": 0, "n_threads": 1}


def network(lot, cls, **always):
    """Return an estimator with some valid parameters, and now and then a wild one."""
    names = [name for name in cls._parameter_constraints if name in VALID]
    usual = {name: VALID[name] for name in names}
    given = {k: v for k, v in QUICK.items() if k in names} | always
    given |= lot.keywords(6, **usual)
    rare = {name: RARE[name] for name in names if name in RARE}
    given |= lot.keywords(60, **rare)
    return cls(**copy.deepcopy(given))  # a RandomState of its own


def put(value, n_rows=None):
    """Return a function that writes a value into columns, or into their first rows."""

    def change(X, column):
        column[:n_rows] = value
        return X

    return change


def scaled(factor):
    """Return a function that multiplies columns."""

    def change(X, column):
        column *= X.dtype.type(factor)
        return X

    return change


TABLES = [
    lambda X, column: X,
    lambda X, column: X.astype(np.float32),
    lambda X, column: X.astype(object),
    lambda X, column: X.astype(np.float16),
    lambda X, column: np.round(X).astype(np.int64),
    lambda X, column: X > 0,
    put(0),
    put(3.5),
    scaled(1e37),
    scaled(1e-38),
]
"""Tables that a network takes."""

FAULTY_TABLES = [
    put(math.nan),
    put(math.nan, 1),
    put(math.inf, 1),
    put(-math.inf, 1),
    scaled(1e300),
    scaled(1e-300),
    scaled(5e-324),
    lambda X, column: np.where(X > 0, "b", "a"),
    lambda X, column: np.column_stack([X.astype(object), ["a"] * len(X)]),
    lambda X, column: np.column_stack([X.astype(object), [None] * len(X)]),
    lambda X, column: X + 1j,
    lambda X, column: np.round(X).astype("datetime64[D]"),
    lambda X, column: np.round(X).astype("timedelta64[s]"),
    lambda X, column: X[:, :1].ravel(),
    lambda X, column: X[None],
    lambda X, column: np.float64(3),
    lambda X, column: np.hstack([X, X]),
    *(lambda X, column, n=n: X[:n] for n in range(4)),
    *(lambda X, column, n=n: X[:, :n] for n in range(3)),
    *(lambda X, column, value=value: value for value in WILD),
]


def named(X):
    return {f"c{i}": list(column) for i, column in enumerate(X.T)}


CONTAINERS = [
    np.asarray,
    lambda X: X.tolist(),
    lambda X: pd.DataFrame(named(X)),
    lambda X: pytest.importorskip("polars").DataFrame(named(X), strict=False),
    sparse.csr_matrix,
    sparse.coo_array,
    torch.as_tensor,
    np.asfortranarray,
]


def table(lot):
    """Return rows in a container, as they should be or, now and then, not."""
    X = lot.rng.normal(size=(lot.of([20, 20, 40, 7]), 3))
    change = lot.some(*[TABLES[0]] * 5, *TABLES, wild=FAULTY_TABLES)
    with np.errstate(over="ignore", under="ignore"):
        X = change(X, X[:, : 1 + lot.below(2)])
    try:
        return lot.of([*[np.asarray] * 5, *CONTAINERS])(X)
    except Exception:  # a container that these values do not fit into
        return X


def mixed(lot):
    """Return a table as users have them, or one that a network takes."""
    if lot.below(2):
        return table(lot)
    n = lot.some(20, 40, 7, wild=[0, 1, 2])
    x = lot.rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": np.where(x > lot.of([1, -9, 9]), np.nan, x),
            "kind": np.where(x > 0, "a", "b"),
            "flag": x > 0,
            "day": pd.Timestamp("2026-01-31") + pd.to_timedelta(np.round(x), unit="D"),
            "wait": pd.to_timedelta(np.round(x), unit="s"),
            "code": pd.Categorical(np.round(x)),
        }
    )
    return frame[lot.of([["x", "kind"], ["kind"], ["flag", "x"], ["day"], ["wait"], list(frame)])]


def n_rows(X):
    """Return the number of rows, where X has any."""
    try:
        return X.shape[0] if hasattr(X, "shape") else len(X)
    except (IndexError, TypeError):  # of a number
        return 5


TARGETS = {
    "numbers": [
        lambda y: y,
        lambda y: np.column_stack([y, -y]),
        lambda y: pd.Series(y),
        lambda y: y.tolist(),
        lambda y: y * 1e30,
        lambda y: np.round(y).astype(int),
        lambda y: np.full(len(y), 3.5),
        lambda y: torch.as_tensor(y),
    ],
    "classes": [
        lambda y: (y > 0).astype(int),
        lambda y: np.array(["ash", "beech", "cedar"])[np.digitize(y, [-0.5, 0.5])],
        lambda y: np.column_stack([y > 0, y > 0.3]).astype(int),
        lambda y: y > 0,
        lambda y: pd.Series(np.where(y > 0, "a", "b"), dtype="category"),
        lambda y: (y > 0).tolist(),
    ],
}
FAULTY_TARGETS = [
    lambda y: y[:, None],
    lambda y: np.zeros(len(y), dtype=int),
    lambda y: y * 1e300,
    lambda y: y * 1e37,
    lambda y: y * 1e-300,
    lambda y: np.where(y > 1, np.nan, y),
    lambda y: np.where(y > 1, np.inf, y),
    lambda y: np.where(y > 0, "a", None),
    lambda y: np.array([1 if v > 0 else "a" for v in y], dtype=object),
    lambda y: np.round(y).astype("datetime64[D]"),
    lambda y: sparse.csr_matrix((y > 0).astype(int)[:, None]),
    lambda y: y[:, None, None],
    lambda y: np.empty((len(y), 0)),
    lambda y: y + 1j,
    lambda y: y[1:],
    lambda y: np.append(y, 0),
    *(lambda y, value=value: value for value in WILD),
]


def kind_of(estimator):
    """Return what an estimator predicts."""
    return "classes" if "Classifier" in repr(estimator) else "numbers"


def target(lot, X, kind):
    """Return targets of a kind for the rows of X, or now and then of another."""
    y = lot.rng.normal(size=n_rows(X))
    if lot.once_in(20):
        kind = {"numbers": "classes", "classes": "numbers"}[kind]
    return lot.some(*TARGETS[kind], wild=FAULTY_TARGETS)(y)


WEIGHTS = [np.ones, np.arange, lambda n: [1.0] * n, lambda n: np.arange(n) % 2]
FAULTY_WEIGHTS = [
    np.zeros,
    lambda n: -np.ones(n),
    lambda n: np.full(n, np.nan),
    lambda n: np.full(n, np.inf),
    lambda n: np.full(n, 1e300),
    lambda n: np.full(n, 1e-300),
    lambda n: np.ones((n, 2)),
    lambda n: np.ones(n + 1),
    lambda n: np.array(["a"] * n),
    lambda n: [None] * n,
    *(lambda n, value=value: value for value in [*WILD, 2.0]),
]


def weights(lot, X):
    """Return weights of the rows of X, mostly none."""
    none = [lambda n: None] * 8
    return lot.some(*none, *WEIGHTS, wild=FAULTY_WEIGHTS)(n_rows(X))

"""Any call of the public interface ends in a clear error or a finite result.

Each argument is wild once in thirty times, so that most calls run through and most of the others
have one fault. A failure prints the seed of all that was drawn.
"""

import contextlib
import copy
import functools
import inspect
import io
import math
import os
import re
import signal
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skspectral
from skspectral import SpectralMLPClassifier as Classifier
from skspectral import SpectralMLPClassifierCV as ClassifierCV
from skspectral import SpectralMLPRegressor as Regressor
from skspectral import SpectralMLPRegressorCV as RegressorCV
from skspectral import SpectralPruner as Pruner
from skspectral import datasets, nn, preprocessing
from skspectral._training.torch_state import flushes_denormals

WILD_ONCE_IN = 30
LEAST_FINITE = 0.4
"""Share of the fits, or calls of a function, that end in a result: the fuzz reaches deep."""

# What a call may do

CLEAR = (ValueError, TypeError, NotFittedError, AttributeError, ImportError, MemoryError)
"""What a wrong argument may raise, and what is worded by hand."""

SLIPS = re.compile(
    r"'NoneType'|unsupported operand|object of type|not subscriptable|index out of range"
    r"|not iterable|not callable|not supported between|unhashable|positional argument"
    r"|unexpected keyword|truth value of|broadcast|unpack|maximum recursion"
    r"|Integers to negative|unsized object|zero-size array|empty sequence|reduction operation"
    r"|has no len|Maximum allowed dimension"
)
"""What Python and NumPy say of code that did not expect a value."""

RAW = re.compile(
    r"could not convert|invalid literal|cannot convert|must be real number|int\(\) argument"
    r"|float\(\) argument|cannot be interpreted|setting an array element|must be a real number"
    r"|can only convert|Only one-dimensional|cannot reshape|must be same length|inhomogeneous"
)
"""What they say of a value; scikit-learn passes it on, we name the argument."""

QUOTED = "must hold classes of one type"
"""The one message of ours that goes on in Python's words."""

ADDRESSED = ("builtins", "numpy", "torch", "sklearn", "skspectral")
"""Whose warnings nobody else may filter."""

OURS = str(Path(skspectral.__file__).parent) + os.sep
"""Where our lines are; not by name, which a clone's folder may have too."""


def filters_of_all():
    """Return the warnings filters but those that packages add for their own on import."""
    return [f for f in warnings.filters if f[2].__module__.split(".")[0] in ADDRESSED]


def global_state():
    """Return what no call may change."""
    return {
        "threads": torch.get_num_threads(),
        "default dtype": torch.get_default_dtype(),
        "flushed": flushes_denormals(),
        "numpy errors": np.geterr(),
        "SIGINT": signal.getsignal(signal.SIGINT),
        "filters": filters_of_all(),
        "numpy random": np.random.get_state()[1].tobytes(),  # noqa: NPY002
        "torch random": torch.random.get_rng_state().numpy().tobytes(),
        "gradients": torch.is_grad_enabled(),
    }


def fault_of_error(error, names):
    """Return why an error is not clear, or None."""
    text = str(error)
    where = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    ours = [n for n, file in enumerate(where) if file.startswith(OURS)]
    # ours, or what is called by scikit-learn at our last line
    of_scikit_learn = any("/sklearn/" in file for file in where[max(ours, default=0) :])
    if not isinstance(error, CLEAR):
        return "not an error for a wrong argument"
    if isinstance(error, (MemoryError, NotFittedError)) or QUOTED in text:
        return None
    if len(text) < 15:
        return "too short a message"
    # the first line is the message, further ones may quote the table
    named = "`" in text or "make_tabular_preprocessor" in text or "Column '" in text
    if SLIPS.search(text) or (not of_scikit_learn and not named and RAW.search(text)):
        return "an obscure message"
    if isinstance(error, AttributeError):
        public = re.search(r"'(Spectral\w+|Pipeline)'", text)
        return None if public else "an AttributeError of the code"
    if where[-1].startswith(OURS) or of_scikit_learn:
        return None
    named = re.search(rf"\b({'|'.join(names)})\b", text)
    return None if named else "an error from elsewhere that names no argument"


def line_behind():
    """Return the line that has called NumPy or torch, which are about to warn."""
    for frame in reversed(traceback.extract_stack()[:-2]):
        if not re.search(r"/(numpy|torch)/|warnings\.py|/tests/test_fuzz", frame.filename):
            own = "warnings.warn" in frame.line  # a warning of its own
            return "" if own else f"{frame.filename}:{frame.lineno}"
    return ""


def not_finite(result):
    """Tell whether there is a NaN or an infinity in numbers, however nested."""
    if isinstance(result, torch.Tensor):
        return not bool(torch.isfinite(result).all())
    if isinstance(result, (np.ndarray, float)):
        values = np.asarray(result)
        return values.dtype.kind == "f" and not np.isfinite(values).all()
    if isinstance(result, dict):
        return any(map(not_finite, result.values()))
    return isinstance(result, (list, tuple)) and any(map(not_finite, result))


def short(value):
    """Return a line for a value."""
    text = repr(value)
    if hasattr(value, "shape") and not isinstance(value, (int, float)):
        text = f"{type(value).__name__}{tuple(value.shape)} {getattr(value, 'dtype', '')} {text}"
    return " ".join(text.split())[:220]


def where_raised(error):
    """Return the last lines of a traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return [f"{frame.filename.split('/site-packages/')[-1]}:{frame.lineno}" for frame in frames]


class Lot:
    """Arguments by lot, and the calls that are made with them.

    Parameters
    ----------
    seed : int
    tally : Counter
        Calls by (name, outcome).
    """

    def __init__(self, seed, tally):
        self.rng, self.tally = np.random.default_rng(seed), tally

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

    def attempt(self, call, *args, finite=True, draws=False, **kwargs):
        """Return what a call gives, or None after a clear error; fail on all else.

        Parameters
        ----------
        call : callable or (object, name of its method or attribute)
        finite : bool
            Whether the result may hold neither NaN nor infinity.
        draws : bool
            Whether the call may draw from the global generators.
        """
        name = name_of(call)
        before, error, result, caught = global_state(), None, None, []
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *_: caught.append((message, line_behind()))
            filters = filters_of_all()
            # verbose fits print
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                try:
                    result = called(call, args, kwargs)
                except Exception as raised:
                    error = raised
            faults = ["changed the warnings filters"] if filters_of_all() != filters else []
        after = global_state()
        faults += [
            f"changed the state: {key}"
            for key, value in before.items()
            if after[key] != value and not (draws and key.endswith("random"))
        ]
        # what NumPy and torch warn of is a leak of our line
        faults += [
            f"{type(warning).__name__} from {line}: {warning}"
            for warning, line in caught
            if type(warning) in LEAKS and line.startswith(OURS)
        ]
        if error is not None:
            fault = fault_of_error(error, [*kwargs, *NAMES])
            if fault:
                said = f"{type(error).__name__}: {str(error)[:300]}"
                faults.append(f"{fault}: {said} at {where_raised(error)}")
        elif finite and not_finite(result):
            faults.append("the result is not finite")
        if faults:
            given = [*map(short, args), *(f"{k}={short(v)}" for k, v in kwargs.items())]
            of = f"{call[0]!r}: " if isinstance(call, tuple) else ""
            raise AssertionError(f"{of}{name}({', '.join(given)}): {'; '.join(faults)}")
        self.tally[name, "finite" if error is None else "error"] += 1
        return result


LEAKS = (RuntimeWarning, UserWarning, DeprecationWarning, FutureWarning)


def called(call, args, kwargs):
    """Return what a call gives."""
    if not isinstance(call, tuple):
        return call(*args, **kwargs)
    attribute = getattr(*call)
    return attribute(*args, **kwargs) if inspect.ismethod(attribute) else attribute


def name_of(call):
    """Return the name of a call, such as "SpectralMLPRegressor.fit"."""
    if not isinstance(call, tuple):
        return call.__name__
    holder, name = call
    return f"{holder.__name__ if inspect.isclass(holder) else type(holder).__name__}.{name}"


# Arguments

WILD = [-1, 0, math.nan, math.inf, 2**63, "a", None, True, [], (), 1.5, object, {}, [[1], [2, 3]]]

NOT_WILD = {
    "random_state": [None],  # Python's own global generator
    "max_iter": [2**63],  # endless training
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
    "parametrization": ["spectral", "dense"],
    "eigenvalues": ["out", "in", "both", "out-in"],
    "trainable": ["all", "eigenvalues", "eigenvectors"],
    "alpha": ["auto", 0, 1e-3, 1e3, 1e300],
    "alpha_factor": [0.5, 1, 1e300, 5e-324],
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
}
RARE = {
    "hidden_layer_sizes": [(), "auto", (100_000, 100_000, 10**9)],
    "parametrization": [["spectral", "dense"], ("dense",)],
    "solver": [torch.optim.LBFGS, torch.optim.Muon],
    "learning_rate_init": [1e3, 1e300],
    "validation_fraction": [0.999, 1e-9],
    "class_weight": [{0: 1, 1: 2}, {"ash": 3}],
    "scoring": ["r2", "accuracy", "neg_log_loss", "roc_auc", "neg_mean_squared_error"],
    "tolerance": [None],
    "n_nodes": [1, 3, [2], [2, 1]],
    "min_nodes": [100],
}
"""Values that are valid for some networks or tasks alone."""

NAMES = ["X", "y", "sample_weight", "input", *VALID]
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


# Checks: what is called

ATTRIBUTES = (
    *("coefs_", "intercepts_", "feature_importances_", "feature_relevance_", "module_"),
    *("n_alive_nodes_", "node_indices_", "loss_curve_", "n_iter_", "noise_variance_"),
    *("y_mean_", "y_scale_", "t_", "get_feature_names_out", "summary"),
)


def use(lot, model, X, y, weight):
    """Call what a fitted model offers."""
    new = table(lot) if lot.once_in(5) else X
    for name in ("predict", "predict_proba", "transform"):
        lot.attempt((model, name), new)
    lot.attempt((model, "predict_log_proba"), new, finite=False)
    # of one row, or of one class, there is no score
    lot.attempt((model, "score"), X, y, weight, finite=False)
    for name in ATTRIBUTES:
        lot.attempt((model, name))
    plain = lot.attempt((model, "to_sklearn"))
    if plain is not None:
        lot.attempt((plain, "predict"), X)
    if lot.once_in(4):
        lot.attempt((model, "to_onnx"), *lot.some((), wild=[(value,) for value in WILD[:4]]))


def fitted(lot, model, X, y, *args, **kwargs):
    """Fit, and go on only with what is fitted, but now and then."""
    return lot.attempt((model, "fit"), X, y, *args, **kwargs) is not None or lot.once_in(20)


def check_estimators(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    given = {}
    if lot.once_in(6):
        X_val = X if lot.below(2) else table(lot)
        y_val = y if X_val is X else target(lot, X_val, kind_of(cls))
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weights(lot, X_val)}
    model = network(lot, cls)
    if not fitted(lot, model, X, y, weight, **given):
        return
    use(lot, model, X, y, weight)
    step = lot.of([go_on, prune, grow, fit_again, set_callbacks])
    step(lot, model, X, y, weight)
    lot.attempt((model, "predict"), X)


def go_on(lot, model, X, y, weight):
    again = {}
    if isinstance(model, Classifier):
        again = lot.keywords(10, classes=[None, [0, 1], [1], "a", 3, [[0, 1]], [np.nan]])
    lot.attempt((model, "partial_fit"), X, y, sample_weight=weight, **again)
    if lot.wild():
        lot.attempt((model, "partial_fit"), table(lot), y)


def prune(lot, model, X, y, weight):
    small = lot.attempt((model, "prune"), **lot.keywords(2, n_nodes=[2, 3, 1, 0.5, [2]]))
    lot.attempt((model, "prune"), **lot.keywords(2, threshold=[0.05, 0, 0.5]))
    if small is not None:
        lot.attempt((small, "partial_fit"), X, y)


def grow(lot, model, X, y, weight):
    sizes = lot.some(None, 7, (7, 7), wild=[*WILD, 1, (), "auto"])
    grown = lot.attempt((model, "grow"), sizes, random_state=lot.some(0, wild=[-1, "a", []]))
    if grown is not None:
        lot.attempt((grown, "partial_fit"), X, y)


def fit_again(lot, model, X, y, weight):
    changed = network(lot, type(model), warm_start=True)
    if lot.below(2):
        changed = model.set_params(warm_start=True, alpha=lot.of([0, 1e-2, 1e3]))
    lot.attempt((changed, "fit"), X, y, weight)


def set_callbacks(lot, model, X, y, weight):
    if hasattr(model, "set_callbacks"):  # which scikit-learn has from 1.9 on
        lot.attempt((model, "set_callbacks"), lot.of(WILD))


def check_searches(lot):
    cls = lot.of([RegressorCV, ClassifierCV, Pruner])
    kind = lot.of(["numbers", "classes"]) if cls is Pruner else kind_of(cls)
    X = table(lot)
    y, weight = target(lot, X, kind), weights(lot, X)
    if cls is Pruner:
        inner = network(lot, Classifier if kind == "classes" else Regressor)
        model = network(lot, cls, estimator=lot.some(inner, wild=[*WILD, LinearRegression()]))
    else:
        model = network(lot, cls, alphas=[1e-3, 1e-2], cv=2)
    if fitted(lot, model, X, y, weight):
        use(lot, model, X, y, weight)
        if cls is not Pruner:
            lot.attempt((model, "prune"), **lot.keywords(2, n_nodes=[2, 3, 0.5]))


ROWS = np.random.default_rng(0).normal(size=(20, 3))


@functools.cache
def models():
    """Return fitted networks, fitted models with a network inside, and what is neither."""
    y = ROWS[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        networks = [
            Regressor(4, **QUICK).fit(ROWS, y),
            Regressor((3, 2), **QUICK).fit(ROWS, y),
            Regressor((3, 2), **QUICK).fit(ROWS, np.c_[y, -y]),
            Regressor(3, activation="gelu", **QUICK).fit(pd.DataFrame(named(ROWS)), y),
            Classifier(4, **QUICK).fit(ROWS, y > 0),
            Classifier(4, **QUICK).fit(ROWS, np.digitize(y, [-0.5, 0.5])),
            make_pipeline(StandardScaler(), Regressor(4, **QUICK)).fit(ROWS, y),
            make_pipeline(StandardScaler(), Classifier(4, **QUICK)).fit(ROWS, y > 0),
        ]
        searches = [
            RegressorCV(4, alphas=[1e-3, 1e-2], cv=2, **QUICK).fit(ROWS, y),
            ClassifierCV(4, alphas=[1e-3, 1e-2], cv=2, **QUICK).fit(ROWS, y > 0),
            Pruner(Regressor(4, **QUICK), cv=2).fit(ROWS, y),
        ]
        others = [
            Regressor((), **QUICK).fit(ROWS, y),
            MLPRegressor(hidden_layer_sizes=4, max_iter=2).fit(ROWS, y),
            LinearRegression().fit(ROWS, y),
        ]
    return networks, searches, [*others, Regressor(3), Classifier, BaseEstimator(), *WILD]


def any_model(lot):
    """Return a fitted network, bare or inside another model, or now and then another thing."""
    networks, searches, others = models()
    return lot.some(*networks, *searches, wild=others)


def any_network(lot):
    return lot.some(*models()[0], wild=models()[2])


def check_functions_of_models(lot):
    student, teacher = any_model(lot), any_model(lot)
    layer = lot.some(0, wild=[1, *WILD])
    lot.attempt(skspectral.match_nodes, student, teacher, layer=layer, finite=False)
    lot.attempt(skspectral.path_agreement, student, teacher, finite=False)
    lot.attempt(skspectral.path_magnitudes, student)
    lot.attempt(skspectral.n_alive_nodes_score, student, **lot.keywords(layer=[None, 0]))
    similar = lot.keywords(min_similarity=[0.95, 0, 1], layer=[0])
    lot.attempt(skspectral.n_distinct_nodes, student, **similar)
    lot.attempt(skspectral.to_sklearn, student)
    if lot.once_in(4):
        lot.attempt(skspectral.to_onnx, student, **lot.keywords(path=[None], X=[ROWS, ROWS[:1]]))


def check_paths(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    estimator = lot.some(network(lot, cls))
    val = lot.keywords(X_val=[X], y_val=[y]) if lot.once_in(20) else {}
    val = {"X_val": X, "y_val": y} if lot.once_in(4) else val
    lot.attempt(
        skspectral.spectral_path,
        X,
        y,
        estimator=estimator,
        alphas=lot.some([1e-3, 1e-2], [0], None, wild=[*WILD, [[1]], [2, 1], [np.nan], ["a"]]),
        n_alphas=lot.some(2, 3, wild=wild_values("n_alphas")),
        eps=lot.some(1e-2),
        path_max_iter=lot.some(1, 2, wild=wild_values("path_max_iter")),
        sample_weight=weight,
        **val,
        **lot.keywords(return_coefs=[True, False]),
        finite=False,
        draws=estimator is None,
    )


def check_curves(lot):
    estimator = any_network(lot)
    X = table(lot)
    y = target(lot, X, kind_of(estimator))
    lot.attempt(
        skspectral.pruning_curve,
        estimator,
        X,
        y,
        sample_weight=weights(lot, X),
        **lot.keywords(
            n_nodes=[None, 3, [2, 3], [4]],
            scope=["global", "layer"],
            relevance=["spectral", "lambda", "path", "random"],
        ),
        random_state=lot.some(0, wild=wild_values("random_state")),
        **lot.keywords(10, scoring=[None, "r2", "accuracy", "neg_log_loss"]),
        finite=False,
    )


def check_many(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    made = [network(lot, cls), cls(3, max_iter=1, random_state=0)]
    several = lot.some(made, made[:1], wild=[*WILD, [made[0]] * 2, made[0], [Regressor, 3]])
    lot.attempt(skspectral.fit_many, several, X, y, weight)
    model = lot.some(made[0], wild=[*WILD, *models()[2]])
    if model is made[0] and not fitted(lot, model, X, y, weight):
        return
    lot.attempt(
        skspectral.size_interval,
        model,
        X,
        y,
        sample_weight=weight,
        factors=lot.some((1.0, 2.0), (1.0,), wild=[*WILD, ("a",), (2.0, 1.0)]),
        n_seeds=lot.some(1, 0, wild=wild_values("n_seeds")),
        cv=lot.some(2, [], 3),
        random_state=lot.some(0, wild=wild_values("random_state")),
        finite=False,
    )


def check_modules(lot):
    dtype = lot.some(None, torch.float64, torch.float32, wild=[*WILD, torch.int64, int])
    check_layers(lot, dtype)
    generator = torch.Generator().manual_seed(0)
    mlp = lot.attempt(
        nn.SpectralMLP,
        lot.some((2, 3, 1), (2, 4, 4, 2), (2, 1), wild=[*WILD, (2,), (2, 0, 1), (2, 2**63)]),
        dtype=dtype,
        generator=lot.some(generator),
        **lot.keywords(
            activation=VALID["activation"],
            parametrization=VALID["parametrization"],
            eigenvalues=VALID["eigenvalues"],
            trainable=VALID["trainable"],
        ),
        draws=True,
    )
    if mlp is None:
        return
    sizes = mlp.layer_sizes
    masks = [[True] * (n - 1) + [n == 1] for n in sizes[1:-1]]
    masks = lot.some(masks, list(map(np.array, masks)), list(map(torch.tensor, masks)))
    for function in (nn.mask_nodes, nn.shrink):
        module = lot.some(mlp, wild=[*WILD, torch.nn.Linear(2, 2)])
        lot.attempt(function, module, lot.some(masks, wild=[*WILD, *([m] for m in WILD)]))
    lot.attempt(nn.node_relevance, lot.some(mlp))
    wider = (sizes[0], *(n + 2 for n in sizes[1:-1]), sizes[-1])
    lot.attempt(
        nn.grow,
        lot.some(mlp),
        lot.some(wider, wild=[*WILD, (2, 2**63, 1), (2, 1)]),
        generator=lot.some(generator),
        **lot.keywords(spread=[0.5, 1, 0]),
        draws=True,
    )
    x = torch.ones(4, 2, dtype=mlp.layers[0].bias.dtype)
    lot.attempt((mlp, "forward"), lot.some(x))
    lot.attempt((mlp, "last_hidden"), lot.some(x))
    lot.attempt((mlp, "set_trainable"), lot.some(*VALID["trainable"]))
    lot.attempt((mlp, "with_layers"), lot.some(list(mlp.layers)))
    lot.attempt((mlp, "reset_parameters"), lot.some(generator), gain=lot.some(1.0), draws=True)
    lot.attempt(repr, mlp)


def check_layers(lot, dtype):
    sizes = lot.some(2, wild=WILD), lot.some(3, 1)
    flags = {name: [True, False] for name in ("train_phi", "train_lambda_in", "train_lambda_out")}
    linear = lot.attempt(
        nn.SpectralLinear, *sizes, dtype=dtype, **lot.keywords(bias=[True], **flags), draws=True
    )
    if linear is not None:
        lot.attempt((linear, "forward"), lot.some(torch.ones(4, 2, dtype=linear.phi.dtype)))
        lot.attempt((linear, "to_linear"), draws=True)
        lot.attempt((linear, "set_trained"), **{k: lot.some(*v) for k, v in flags.items()})
        lot.attempt((linear, "reset_parameters"), gain=lot.some(1.0), draws=True)
        lot.attempt((linear, "extra_repr"))
        lot.attempt(nn.node_relevance, linear)
    dense = lot.some(torch.nn.Linear(2, 3))
    lot.attempt((nn.SpectralLinear, "from_linear"), dense, **lot.keywords(**flags))


def check_teachers(lot):
    lot.attempt(
        datasets.make_teacher_student,
        lot.some(20, 1),
        lot.some(3, 1),
        lot.some((4,), (3, 2), 4),
        random_state=lot.some(0, 1, wild=wild_values("random_state")),
        **lot.keywords(
            task=["regression", "classification"],
            n_classes=[2, 3],
            noise=[0.0, 0.5, 1e30],
            activation=["relu", "tanh"],
            output_weights=["auto", "glorot"],
            return_teacher=[True, False],
        ),
    )


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


def check_tables(lot):
    encoder = lot.attempt(
        preprocessing.make_tabular_preprocessor,
        **lot.keywords(
            categorical_features=["auto", [0], slice(0, 1), lambda X: [], ["c0"], [9], [True]],
            n_knots=[3, None, 24],
            n_quantiles=[10, 2],
            min_frequency=[2, 0.1, None],
        ),
    )
    if encoder is None:
        return
    X = mixed(lot)
    if lot.attempt((encoder, "fit"), X) is None:  # else a pipeline speaks for its parts
        return
    new = mixed(lot) if lot.once_in(3) else X
    lot.attempt((encoder, "transform"), new)
    lot.attempt((encoder, "get_feature_names_out"))
    model = make_pipeline(encoder, Regressor(3, **QUICK))
    if lot.attempt((model, "fit"), X, target(lot, X, "numbers")) is not None:
        lot.attempt((model, "predict"), new)


SWEEP = {
    "param_hidden_layer_sizes": [10, 50, 10, 50],
    "param_random_state": [0, 0, 1, 1],
    "split0_test_n_nodes": [8, 8, 8, 10],
}
CURVE = {"n_nodes": np.array([1, 2]), "score": np.array([0.1, 0.2])}


@functools.cache
def path():
    """Return a fitted path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skspectral.spectral_path(
            ROWS, ROWS[:, 0], estimator=Regressor(4, **QUICK), alphas=[1e-3, 1e-2]
        )


def check_displays(lot):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    wrong = [*WILD, {"a": [1]}, {"params": []}, {"n_nodes": [1, 2]}]
    ax = {"ax": lot.some(None)}
    searches = models()[1]
    results = lot.some(SWEEP, CURVE, wild=wrong)
    calls = [
        ((skspectral.RelevanceDisplay, "from_estimator"), [any_model(lot)]),
        (
            (skspectral.PathMagnitudesDisplay, "from_estimators"),
            [lot.some(models()[0][0]), any_network(lot)],
        ),
        (
            (skspectral.PruningCurveDisplay, "from_estimator"),
            [lot.some(*models()[0][:2]), ROWS, ROWS[:, 0]],
        ),
        ((skspectral.PruningCurveDisplay, "from_cv_results"), [lot.some(CURVE, wild=wrong)]),
        ((skspectral.SpectralPathDisplay, "from_estimator"), [lot.some(*searches[:2])]),
        ((skspectral.SpectralPathDisplay, "from_path"), [lot.some(path(), wild=wrong)]),
        ((skspectral.EffectiveSizeDisplay, "from_cv_results"), [lot.some(SWEEP, results)]),
    ]
    call, args = lot.of(calls)
    try:
        display = lot.attempt(call, *args, **ax)
        if display is not None:
            lot.attempt((display, "plot"), lot.some(None))
    finally:
        pyplot.close("all")


# Tests

CHECKS = {
    check_estimators: (80, "SpectralMLPRegressor SpectralMLPClassifier"),
    check_searches: (60, "SpectralMLPRegressorCV SpectralMLPClassifierCV SpectralPruner"),
    check_functions_of_models: (
        60,
        "match_nodes path_agreement path_magnitudes n_alive_nodes_score n_distinct_nodes "
        "to_sklearn to_onnx",
    ),
    check_paths: (60, "spectral_path"),
    check_curves: (90, "pruning_curve"),
    check_many: (60, "fit_many size_interval"),
    check_modules: (80, "SpectralLinear SpectralMLP grow mask_nodes node_relevance shrink"),
    check_teachers: (80, "make_teacher_student"),
    check_tables: (60, "make_tabular_preprocessor"),
    check_displays: (
        80,
        "EffectiveSizeDisplay PathMagnitudesDisplay PruningCurveDisplay RelevanceDisplay "
        "SpectralPathDisplay",
    ),
}
"""Examples in the quick run, and the public names that they call."""

SILENT = re.compile(r"set_\w+_request|get_metadata_routing")
"""Methods that scikit-learn makes."""


def entry_points(name):
    """Return what is called of a public name: a function, or the methods of a class."""
    for module in (skspectral, nn, datasets, preprocessing):
        public = getattr(module, name, None)
        if inspect.isclass(public):
            ours = [c for c in public.__mro__ if c.__module__.startswith("skspectral")]
            methods = {k for c in ours for k in vars(c) if callable(getattr(public, k))}
            methods = {k for k in methods if not k.startswith("_") and not SILENT.fullmatch(k)}
            return {f"{name}.{method}" for method in methods}
    return {name}


def test_all_public_names_are_called():
    modules = (skspectral, nn, datasets, preprocessing)
    public = {name for module in modules for name in module.__all__} - {"__version__"}
    assert {name for _, names in CHECKS.values() for name in names.split()} == public


@pytest.mark.parametrize("factor", [1, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_any_call_ends_in_a_clear_error_or_a_finite_result(
    check, factor, tmp_path, monkeypatch, record_property
):
    monkeypatch.chdir(tmp_path)  # "a" is a path, too
    n_examples, names = CHECKS[check]
    tally = Counter()

    # the same examples in each run
    @settings(
        max_examples=factor * n_examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**32 - 1))
    def check_all(seed):
        check(Lot(seed, tally))

    check_all()
    record_property("calls", sum(tally.values()))
    for name in names.split():
        calls = {call for call, _ in tally}
        assert not entry_points(name) - calls, "some of the public interface is not called"
        fits = [call for call in calls if call == f"{name}.fit"]
        fits = fits or [call for call in calls if call.split(".")[0] == name]
        n_finite, n_errors = (sum(tally[c, end] for c in fits) for end in ("finite", "error"))
        record_property(name, f"{n_finite} finite, {n_errors} errors")
        n_calls = n_finite + n_errors
        # less what chance may take from few calls
        assert n_finite / n_calls > LEAST_FINITE - n_calls**-0.5, f"{name}: few calls are deep"

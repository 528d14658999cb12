"""Any call of the public interface ends in a clear error or a finite result.

Arguments are drawn at random: mostly valid ones, some that make no sense.
"""

import contextlib
import io
import math
import os
import re
import signal
import traceback
import warnings
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
from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
)
from skspectral._training.torch_state import flushes_denormals
from skspectral.datasets import make_teacher_student
from skspectral.nn import SpectralLinear, SpectralMLP, grow, mask_nodes, node_relevance, shrink
from skspectral.preprocessing import make_tabular_preprocessor

CLEAR = (ValueError, TypeError, NotFittedError, AttributeError, ImportError, MemoryError)
"""What a wrong argument may raise, and what is worded by hand."""

SLIPS = re.compile(
    r"'NoneType'|unsupported operand|object of type|not subscriptable|index out of range"
    r"|not iterable|not callable|not supported between|unhashable|positional argument"
    r"|unexpected keyword|truth value of|inhomogeneous|broadcast|unpack|maximum recursion"
    r"|Integers to negative|unsized object|zero-size array|empty sequence|reduction operation"
)
"""What Python and numpy say of code that did not expect a value."""

RAW = re.compile(
    r"could not convert|invalid literal|cannot convert|must be real number|int\(\) argument"
    r"|float\(\) argument|cannot be interpreted|setting an array element|must be a real number"
    r"|can only convert|Only one-dimensional|cannot reshape|must be same length"
)
"""What they say of a value; scikit-learn passes it on, we name the argument."""

ADDRESSED = ("builtins", "numpy", "torch", "sklearn", "skspectral")
"""Whose warnings nobody else may filter."""

OURS = str(Path(skspectral.__file__).parent) + os.sep
"""Where our lines are; not by name, which a clone's folder may have too."""
N_CALLS = 0


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
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    own = where.startswith(OURS)
    if not isinstance(error, CLEAR):
        return f"{type(error).__name__}"
    if isinstance(error, (MemoryError, NotFittedError)):
        return None
    if len(text) < 15:
        return "too short a message"
    # the first line is the message, further ones may quote the table
    named = "`" in text or "make_tabular_preprocessor" in text
    if "must hold classes of one type" in text or "Maximum allowed dimension" in text:
        return None  # which quotes Python, or is numpy's for lack of memory
    if SLIPS.search(text) or ("/sklearn/" not in where and not named and RAW.search(text)):
        return "an obscure message"
    if isinstance(error, AttributeError):
        ours = re.search(r"'(Spectral\w+|Pipeline)'", text)
        return None if ours else "an AttributeError of the code"
    if not own and "/sklearn/" not in where and not any(name in text for name in names):
        return "an error from elsewhere that names no argument"
    return None


def line_behind():
    """Return the line that has called numpy or torch, which are about to warn."""
    for frame in reversed(traceback.extract_stack()[:-2]):
        if not re.search(r"/(numpy|torch)/|warnings\.py|/tests/test_fuzz", frame.filename):
            return f"{frame.filename}:{frame.lineno}"
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


def attempt(call, *args, draws=False, finite=True, **kwargs):
    """Return what a call gives, or None after a clear error; fail on all else."""
    global N_CALLS
    N_CALLS += 1
    before, error, result = global_state(), None, None
    caught = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *rest: caught.append((message, line_behind()))
        filters = filters_of_all()
        # what is drawn is what counts, and verbose fits print
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                result = call(*args, **kwargs)
            except Exception as raised:
                error = raised
        faults = ["changed the warnings filters"] if filters_of_all() != filters else []
    after = global_state()
    for name, value in before.items():
        if after[name] != value and not (draws and name.endswith("random")):
            faults.append(f"changed the state: {name}")
    for warning, line in caught:
        # our own warnings name a parameter; what numpy and torch warn of is a leak of our line
        leaked = type(warning) in (RuntimeWarning, UserWarning) and "`" not in str(warning)
        if leaked and line.startswith(OURS):
            faults.append(f"{type(warning).__name__} from {line}: {warning}")
    if error is not None:
        fault = fault_of_error(error, [*kwargs, *PARAMETERS])
        if fault:
            frames = [
                f"{frame.filename.split('/site-packages/')[-1]}:{frame.lineno}"
                for frame in traceback.extract_tb(error.__traceback__)[-3:]
            ]
            faults.append(f"{fault}: {type(error).__name__}: {str(error)[:300]} at {frames}")
    elif finite and not_finite(result):
        faults.append("the result is not finite")
    if faults:
        fail(call, args, kwargs, faults)
    return result


def fail(call, args, kwargs, faults):
    """Say which call went wrong."""
    given = [short(value) for value in args]
    given += [f"{name}={short(value)}" for name, value in kwargs.items()]
    raise AssertionError(f"{name_of(call)}({', '.join(given)}): {'; '.join(faults)}")


def name_of(call):
    """Return a name of the call, with the estimator's parameters."""
    if not hasattr(call, "__self__") or isinstance(call.__self__, type):
        return getattr(call, "__qualname__", repr(call))
    return f"{call.__self__!r}.{call.__name__}"


def short(value):
    """Return a line for a value."""
    kind = type(value).__name__
    if hasattr(value, "shape") and not isinstance(value, (int, float)):
        text = f"{kind}{tuple(value.shape)} {getattr(value, 'dtype', '')} {value!r}"
    else:
        text = repr(value)
    return " ".join(text.split())[:220]


# Arguments

WILD = [-1, 0, math.nan, math.inf, 2**63, "a", None, True, [], (), 1.5, object, {}, [[1], [2, 3]]]


@st.composite
def tables(draw, n=None, n_columns=None):
    """Draw rows, of any container and with any fault."""
    n = draw(st.sampled_from([20] * 6 + [40, 7, 2, 1, 0])) if n is None else n
    n_columns = draw(st.sampled_from([3] * 6 + [1, 2, 6, 0])) if n_columns is None else n_columns
    rng = np.random.default_rng(draw(st.integers(0, 50)))
    X = rng.normal(size=(n, n_columns)).astype(draw(st.sampled_from([np.float64, np.float32])))
    column = X[:, : draw(st.integers(1, 2))]  # no columns if there are none
    change = draw(st.sampled_from([None] * 60 + list(CHANGES)))
    with np.errstate(over="ignore", under="ignore"):
        X = X if change is None else CHANGES[change](X, column)
    return draw(st.sampled_from([np.asarray] * 30 + CONTAINERS))(X)


def put(value):
    """Return a function that writes a value into columns."""

    def change(X, column):
        column[...] = value
        return X

    return change


def put_once(value):
    """Return a function that writes a value into the first row."""

    def change(X, column):
        column[:1] = value
        return X

    return change


def scale(factor):
    """Return a function that multiplies columns."""

    def change(X, column):
        column *= X.dtype.type(factor)
        return X

    return change


CHANGES = {
    "zero": put(0),
    "constant": put(3.5),
    "huge": scale(1e300),
    "large": scale(1e37),
    "tiny": scale(1e-300),
    "small": scale(1e-38),
    "nan": put_once(math.nan),
    "all nan": put(math.nan),
    "inf": put_once(math.inf),
    "integers": lambda X, column: np.round(np.nan_to_num(X)).astype(np.int64),
    "booleans": lambda X, column: X > 0,
    "objects": lambda X, column: X.astype(object),
    "text": lambda X, column: np.where(X > 0, "b", "a"),
    "mixed": lambda X, column: np.column_stack([X.astype(object), ["a"] * len(X)]),
    "None": lambda X, column: np.column_stack([X.astype(object), [None] * len(X)]),
    "complex": lambda X, column: X + 1j,
    "dates": lambda X, column: np.round(X).astype("datetime64[D]"),
    "spans": lambda X, column: np.round(X).astype("timedelta64[s]"),
    "half": lambda X, column: X.astype(np.float16),
    "1d": lambda X, column: X[:, :1].ravel(),
    "3d": lambda X, column: X[None],
    "0d": lambda X, column: np.float64(3),
    "more columns": lambda X, column: np.hstack([X, X]),
}


def frame(X):
    return pd.DataFrame(X, columns=[f"c{i}" for i in range(np.shape(X)[1])])


def polars(X):
    return pytest.importorskip("polars").DataFrame(
        {f"c{i}": list(column) for i, column in enumerate(np.asarray(X).T)}
    )


def quietly(make):
    """Return a container where the values fit into it, and the values where they do not."""

    def container(X):
        try:
            return make(X)
        except Exception:
            return X

    return container


CONTAINERS = [
    lambda X: np.asarray(X).tolist(),
    quietly(frame),
    quietly(polars),
    quietly(sparse.csr_matrix),
    quietly(sparse.coo_array),
    quietly(torch.as_tensor),
    lambda X: None,
    lambda X: "a",
    lambda X: {},
]


@st.composite
def targets(draw, n):
    """Draw targets for `n` rows; of another number now and then."""
    n = max(0, n + draw(st.sampled_from([0] * 12 + [1, -1])))
    rng = np.random.default_rng(draw(st.integers(0, 50)))
    y = rng.normal(size=n)
    forms = {
        "numbers": y,
        "classes": (y > 0).astype(int),
        "three": np.array(["ash", "beech", "cedar"])[np.digitize(y, [-0.5, 0.5])],
        "labels": np.column_stack([y > 0, y > 0.3]).astype(int),
        "outputs": np.column_stack([y, -y]),
        "one column": y[:, None],
        "booleans": y > 0,
        "one class": np.zeros(n, dtype=int),
        "constant": np.full(n, 3.5),
        "huge": y * 1e300,
        "large": y * 1e37,
        "tiny": y * 1e-300,
        "nan": np.where(y > 1, np.nan, y),
        "inf": np.where(y > 1, np.inf, y),
        "objects": np.where(y > 0, "a", None),
        "mixed": np.array([1 if v > 0 else "a" for v in y], dtype=object),
        "dates": np.round(y).astype("datetime64[D]"),
        "series": pd.Series(y),
        "categories": pd.Series(np.where(y > 0, "a", "b"), dtype="category"),
        "sparse": sparse.csr_matrix((y > 0).astype(int)[:, None]),
        "3d": y[:, None, None],
        "list": y.tolist(),
        "no outputs": np.empty((n, 0)),
        "none": None,
        "text": "a",
        "dict": {},
    }
    usual = ["numbers", "classes", "three", "labels", "outputs"]
    return forms[draw(st.sampled_from(usual * 15 + list(forms)))]


@st.composite
def weights(draw, n):
    """Draw weights of rows, mostly none."""
    forms = [
        *[None] * 80,
        np.ones(n),
        np.zeros(n),
        np.arange(n),
        -np.ones(n),
        np.full(n, np.nan),
        np.full(n, np.inf),
        np.full(n, 1e300),
        np.full(n, 1e-300),
        np.ones((n, 2)),
        np.ones(n + 1),
        np.array(["a"] * n),
        [None] * n,
        2.0,
        "a",
        True,
        [],
        {},
    ]
    return draw(st.sampled_from(forms))


VALID = {
    "hidden_layer_sizes": [1, 3, 6, (3, 2), (), [4]],
    "activation": ["relu", "tanh", "logistic", "identity", "gelu", "silu"],
    "fit_intercept": [True, False],
    "parametrization": ["spectral", "dense", ["spectral", "dense"]],
    "eigenvalues": ["out", "in", "both", "out-in"],
    "trainable": ["all", "eigenvalues", "eigenvectors"],
    "alpha": ["auto", 0, 1e-3, 1e3, 1e300],
    "alpha_factor": [0.5, 1, 1e300, 5e-324],
    "alpha_phi": [None, 0.0, 1e-3],
    "alpha_lambda": [None, 0.0, 1e-3],
    "relevance_threshold": [0.05, 0, 0.99],
    "solver": ["adam", "sgd", torch.optim.RMSprop, torch.optim.LBFGS, torch.optim.Muon],
    "learning_rate": ["onecycle", "constant", "adaptive", "cosine"],
    "learning_rate_init": [0.02, 1e-300, 1e3, 1e300],
    "batch_size": ["auto", 1, 5, 1000],
    "max_iter": [1, 2, 3],
    "time_limit": [None, 1, 1e-9],
    "shuffle": [True, False],
    "tol": [1e-4, 0, 1e300],
    "early_stopping": [False, True],
    "validation_fraction": [0.1, 0.5, 0.999, 1e-9],
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
    "class_weight": [None, "balanced", {0: 1, 1: 2}, {"ash": 3}],
    "alpha_factors": [None, (1.0, 2.0)],
    "alphas": [None, [1e-3, 1e-2], [0.0]],
    "cv": [2, 3],
    "scoring": [None, "r2", "accuracy", "neg_log_loss", "roc_auc"],
    "selection": ["1se", "best"],
    "tolerance": [None, 0.1, 0, "1se"],
    "n_jobs": [None, 1],
    "n_nodes": ["auto", 1, 3, 0.5, 1.0, [2], [2, 1]],
    "strategy": ["after", "before"],
    "scope": ["global", "layer"],
    "min_nodes": [1, 2, 100],
    "fine_tune": [0, 1],
}
PARAMETERS = ["X", "y", "sample_weight", *VALID]
# Python's own global generator, endless training, processes without number
NOT_WILD = {"random_state": [None], "max_iter": [2**63], "n_jobs": WILD, "time_limit": []}


@st.composite
def parameters(draw, cls, always=()):
    """Draw some valid parameters of an estimator, and at times a wild one."""
    names = [name for name in cls._parameter_constraints if name in VALID]
    chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    required = [name for name in (*always, "max_iter", "random_state") if name in names]
    given = {name: draw(st.sampled_from(VALID[name])) for name in {*required, *chosen}}
    if "hidden_layer_sizes" in names:
        given.setdefault("hidden_layer_sizes", 4)
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(names))
        wild = [value for value in WILD if not any(value is v for v in NOT_WILD.get(name, ()))]
        if name == "max_iter":
            wild = [value for value in wild if value != 2**63]
        if wild:
            given[name] = draw(st.sampled_from(wild))
    return given


# Checks


def use(draw, model, X, y, weight):
    """Call the methods of a model, fitted or not."""
    other = draw(st.one_of(st.just(X), st.just(X), tables()))
    with_rows = ("predict", "predict_proba", "predict_log_proba", "transform")
    for name in with_rows:
        attempt(lambda name=name: getattr(model, name)(other), finite=name != "predict_log_proba")
    attempt(lambda: model.score(X, y, weight), finite=False)
    for name in [
        "coefs_",
        "intercepts_",
        "feature_importances_",
        "feature_relevance_",
        "module_",
        "n_alive_nodes_",
        "node_indices_",
        "loss_curve_",
        "n_iter_",
        "best_loss_",
        "noise_variance_",
        "y_mean_",
        "y_scale_",
        "t_",
    ]:
        attempt(lambda name=name: getattr(model, name), finite=name != "best_loss_")
    attempt(lambda: repr(model.summary()))
    attempt(lambda: model.to_sklearn().predict(X), finite=False)
    if draw(st.integers(0, 9)) == 0:
        attempt(lambda: model.to_onnx() and None)


def size(X):
    """Return the number of rows, where X has any."""
    try:
        return X.shape[0] if hasattr(X, "shape") else len(X)
    except (IndexError, TypeError):
        return 5


SIZES = st.sampled_from([*WILD, *VALID["hidden_layer_sizes"], 7, (4, 4), "auto"])
NODES = st.sampled_from([*WILD, 1, 2, 3, [2], [2, 1], [0], ["a"], 0.5])


def estimator_arguments(draw):
    cls = draw(st.sampled_from([SpectralMLPRegressor, SpectralMLPClassifier]))
    X = draw(tables())
    y, weight = draw(targets(size(X))), draw(weights(size(X)))
    model = cls(**draw(parameters(cls)))
    given = {}
    if draw(st.integers(0, 5)) == 0:
        X_val = draw(st.one_of(st.just(X), st.just(X), tables()))
        y_val = draw(st.one_of(st.just(y), targets(size(X_val))))
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": draw(weights(size(X_val)))}
    return model, X, y, weight, given


def check_estimator(draw):
    model, X, y, weight, given = estimator_arguments(draw)
    attempt(model.fit, X, y, weight, **given)
    use(draw, model, X, y, weight)
    step = draw(st.sampled_from(["partial_fit", "prune", "grow", "again", "set_callbacks"]))
    if step == "partial_fit":
        more = {"classes": draw(st.sampled_from([None, [0, 1], [1], "a", 3, [[0, 1]], [np.nan]]))}
        more = more if isinstance(model, SpectralMLPClassifier) else {}
        attempt(model.partial_fit, X, y, sample_weight=weight, **more)
        attempt(model.partial_fit, draw(tables()), y)
    elif step == "prune":
        attempt(model.prune, n_nodes=draw(NODES))
        attempt(model.prune, threshold=draw(NODES))
    elif step == "grow":
        attempt(model.grow, draw(SIZES), random_state=0)
    elif step == "again":
        cls = type(model)
        attempt(
            model.set_params(**{**draw(parameters(cls)), "warm_start": True}).fit, X, y, weight
        )
    else:
        attempt(model.set_callbacks, draw(st.sampled_from(WILD)))
    attempt(model.predict if hasattr(model, "predict") else repr, X)


def search_arguments(draw):
    classifies = draw(st.booleans())
    plain = SpectralMLPClassifier if classifies else SpectralMLPRegressor
    cls = SpectralMLPClassifierCV if classifies else SpectralMLPRegressorCV
    cls = draw(st.sampled_from([cls, SpectralPruner]))
    model = cls(**draw(parameters(cls, always=("alphas", "cv"))))
    if cls is SpectralPruner:
        inner = plain(**draw(parameters(plain)))
        model.set_params(
            estimator=draw(st.sampled_from([inner] * 6 + [*WILD, plain, LinearRegression()]))
        )
    n = draw(st.sampled_from([20, 20, 20, None]))
    X = draw(tables(n=n))
    return model, X, draw(targets(size(X))), draw(weights(size(X)))


def check_search(draw):
    model, X, y, weight = search_arguments(draw)
    attempt(model.fit, X, y, weight)
    use(draw, model, X, y, weight)
    attempt(lambda: model.prune(n_nodes=draw(NODES)))
    attempt(lambda: model.get_feature_names_out())


RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(20, 3))


def pool():
    """Return models for functions that take fitted ones, and what is none."""
    y = ROWS[:, 0]
    options = {"max_iter": 2, "random_state": 0, "n_threads": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = [
            SpectralMLPRegressor(4, **options).fit(ROWS, y),
            SpectralMLPRegressor((3, 2), **options).fit(ROWS, np.c_[y, -y]),
            SpectralMLPRegressor((), **options).fit(ROWS, y),
            SpectralMLPRegressor(3, activation="gelu", **options).fit(pd.DataFrame(ROWS), y),
            SpectralMLPClassifier(4, **options).fit(ROWS, y > 0),
            SpectralMLPClassifier(4, **options).fit(ROWS, np.digitize(y, [-0.5, 0.5])),
            SpectralMLPRegressorCV(4, alphas=[1e-3, 1e-2], cv=2, **options).fit(ROWS, y),
            SpectralPruner(SpectralMLPRegressor(4, **options), n_nodes=2).fit(ROWS, y),
            MLPRegressor(hidden_layer_sizes=4, max_iter=2).fit(ROWS, y),
            LinearRegression().fit(ROWS, y),
            make_pipeline(StandardScaler(), SpectralMLPRegressor(4, **options)).fit(ROWS, y),
            make_pipeline(StandardScaler(), SpectralMLPClassifier(4, **options)).fit(ROWS, y > 0),
        ]
    others = [SpectralMLPRegressor(3, **options), SpectralMLPClassifier, BaseEstimator(), *WILD]
    return fitted, others


def any_model(draw):
    fitted, others = MODELS
    return draw(st.sampled_from(fitted * 3 + others))


MODELS = ([], [])


def check_models(draw):
    if not MODELS[0]:
        for group, made in zip(MODELS, pool(), strict=True):
            group.extend(made)
    student, teacher = any_model(draw), any_model(draw)
    layer = draw(st.sampled_from([0, 0, 1, -1, *WILD]))
    attempt(skspectral.match_nodes, student, teacher, layer=layer, finite=False)
    attempt(skspectral.path_agreement, student, teacher, finite=False)
    attempt(skspectral.path_magnitudes, student)
    attempt(skspectral.n_alive_nodes_score, student, layer=draw(st.sampled_from([None, *WILD])))
    attempt(
        skspectral.n_distinct_nodes,
        student,
        min_similarity=draw(st.sampled_from([0.95, 0, 1, *WILD])),
        layer=layer,
    )
    attempt(skspectral.to_sklearn, student)
    if draw(st.integers(0, 3)) == 0:
        attempt(skspectral.to_onnx, student, X=draw(st.one_of(st.none(), st.just(ROWS), tables())))
        attempt(skspectral.to_onnx, student, draw(st.sampled_from(WILD[:4] + WILD[8:])))


def path_arguments(draw):
    X = draw(tables(n=draw(st.sampled_from([20, 20, None]))))
    return X, draw(targets(size(X))), draw(weights(size(X)))


def check_paths(draw):
    X, y, weight = path_arguments(draw)
    cls = draw(st.sampled_from([SpectralMLPRegressor, SpectralMLPClassifier]))
    made = cls(**{"n_threads": 1, **draw(parameters(cls))})
    estimator = draw(st.sampled_from([made] * 9 + WILD[:6] + WILD[7:]))
    wild = st.sampled_from(WILD)
    step = draw(st.sampled_from(["path", "curve", "many", "interval"]))
    if step == "path":
        val = draw(st.sampled_from([(None, None), (X, y), (X, None), (X, 3)]))
        alphas = [[1e-3, 1e-2], [0], [1e-3], None, [[1]], [2, 1], [np.nan], ["a"]]
        attempt(
            skspectral.spectral_path,
            X,
            y,
            estimator=estimator,
            alphas=draw(st.sampled_from(alphas + WILD)),
            n_alphas=draw(st.sampled_from([1, 2, 3, -1, 0, "a", None, True, [], math.nan])),
            eps=draw(st.one_of(st.just(1e-2), wild)),
            path_max_iter=draw(st.sampled_from([1, 2, 0, -1, "a", None, [], math.inf])),
            sample_weight=weight,
            X_val=val[0],
            y_val=val[1],
            return_coefs=draw(st.sampled_from([True, False, *WILD])),
            finite=False,
        )
    elif step == "curve":
        if estimator is made:
            attempt(made.fit, X, y, weight)
        attempt(
            skspectral.pruning_curve,
            estimator,
            X,
            y,
            n_nodes=draw(st.one_of(st.none(), st.none(), NODES)),
            scoring=draw(st.sampled_from([None, "r2", "accuracy", "neg_log_loss", *WILD])),
            scope=draw(st.sampled_from(["global", "layer", *WILD])),
            relevance=draw(st.sampled_from(["spectral", "random", "l2", "weights", *WILD])),
            random_state=draw(st.sampled_from([0, 0, -1, "a", []])),
            sample_weight=weight,
            finite=False,
        )
    elif step == "many":
        several = [made, cls(3, max_iter=1, random_state=0)]
        attempt(
            skspectral.fit_many,
            draw(st.sampled_from([several] * 5 + [[made], [made, made], made, *WILD])),
            X,
            y,
            weight,
        )
    else:
        attempt(
            skspectral.size_interval,
            estimator,
            X,
            y,
            sample_weight=weight,
            factors=draw(st.sampled_from([(1.0, 2.0)] * 3 + [(1.0,), ("a",), *WILD])),
            n_seeds=draw(st.sampled_from([1, 2, -1, 0, "a", None, True, [], math.nan])),
            cv=draw(st.sampled_from([2, 3, 1, *WILD])),
            random_state=draw(st.sampled_from([0, 0, -1, "a", []])),
            finite=False,
        )


def check_modules(draw):
    wild = st.sampled_from(WILD)
    # a bare layer takes what torch.nn.Linear takes, and leaves errors about it to torch
    number = st.sampled_from([1, 2, 3, -1, 0, "a", None, 1.5])
    dtype = draw(st.sampled_from([None] * 4 + [torch.float64, torch.float32, "a"]))
    linear = attempt(
        SpectralLinear, draw(number), draw(number), draw(st.booleans()), dtype=dtype, draws=True
    )
    inputs = [torch.ones(4, 2), torch.ones(2), torch.ones(0, 2), torch.ones(4, 3), *WILD]
    if linear is not None:
        attempt(linear.to_linear, draws=True)
        attempt(repr, linear)
    attempt(node_relevance, draw(st.sampled_from([linear, *WILD])))
    attempt(SpectralLinear.from_linear, draw(st.sampled_from([torch.nn.Linear(2, 3), *WILD])))
    sizes = st.sampled_from([(2, 3, 1)] * 4 + [(2, 4, 4, 2), (2, 1), (2,), (2, 0, 1), (2, "a")])
    generator = torch.Generator().manual_seed(0)
    mlp = attempt(
        SpectralMLP,
        draw(st.one_of(sizes, wild)),
        draw(st.sampled_from([*VALID["activation"], *WILD])),
        draw(st.sampled_from([*VALID["parametrization"] * 3, *WILD])),
        eigenvalues=draw(st.sampled_from([*VALID["eigenvalues"] * 3, *WILD])),
        trainable=draw(st.sampled_from([*VALID["trainable"] * 3, *WILD])),
        generator=generator,
        dtype=dtype,
    )
    module = draw(st.sampled_from([mlp] * 10 + [linear, *WILD]))
    masks = [
        [torch.tensor([True, False, True])],
        [np.array([True, True, False])],
        [[1, 0, 1]],
        [torch.zeros(3, dtype=bool)],
        [torch.ones(3)],
        [torch.ones(4, dtype=bool)],
        ["a"],
        [None],
    ]
    for function in (mask_nodes, shrink):
        attempt(function, module, draw(st.sampled_from([*masks, *masks, *WILD])))
    attempt(node_relevance, module)
    attempt(
        grow,
        module,
        draw(st.one_of(sizes, wild)),
        spread=draw(st.sampled_from([0.5, 1, *WILD])),
        generator=generator,
    )
    if mlp is not None:
        attempt(mlp.set_trainable, draw(st.sampled_from([*VALID["trainable"], *WILD])))
        attempt(lambda: mlp.last_hidden)
        attempt(repr, mlp)
        X = draw(st.sampled_from(inputs[:1]))
        attempt(mlp.double(), X.double())


def check_data(draw):
    def some(*valid):
        return draw(
            st.sampled_from([*valid * 5, *WILD]) if draw(st.booleans()) else st.just(valid[0])
        )

    attempt(
        make_teacher_student,
        some(20, 1, 0),
        some(3, 1),
        some((4,), (3, 2), 4),
        task=some("regression", "classification"),
        n_classes=some(2, 3),
        noise=some(0.0, 0.5, 1e300),
        activation=some("relu", "tanh"),
        output_weights=some("auto", "ones", "glorot"),
        random_state=draw(st.sampled_from([0, 1, -1, "a", 2**63])),
        return_teacher=some(True, False),
    )
    encoder = attempt(
        make_tabular_preprocessor,
        categorical_features=some("auto", [0], ["c0"], slice(0, 1), ["z"], [9], [True]),
        n_knots=some(3, None, 24),
        n_quantiles=some(10, 2),
        min_frequency=some(2, 0.1, None),
    )
    if encoder is not None:
        X = draw(tables().filter(lambda X: not isinstance(X, dict)))
        if attempt(encoder.fit, X) is not None:  # else a pipeline speaks for its parts
            attempt(encoder.transform, draw(st.one_of(st.just(X), tables())))
            attempt(encoder.get_feature_names_out)
        if draw(st.booleans()):
            model = make_pipeline(encoder, SpectralMLPRegressor(3, max_iter=1, random_state=0))
            attempt(model.fit, X, draw(targets(size(X))))
            attempt(model.predict, X)


def check_displays(draw):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    if not MODELS[0]:
        for group, made in zip(MODELS, pool(), strict=True):
            group.extend(made)
    model, other = any_model(draw), any_model(draw)
    wild = st.sampled_from(WILD)
    line = draw(st.sampled_from([None, {}, {"color": "red"}]))
    results = draw(st.sampled_from([*WILD, {"a": [1]}, {"params": []}, {"n_nodes": [1, 2]}]))
    kind = draw(st.integers(0, 4))
    try:
        if kind == 0:
            display = attempt(skspectral.RelevanceDisplay.from_estimator, model)
        elif kind == 1:
            display = attempt(
                skspectral.PathMagnitudesDisplay.from_estimators, model, other, line_kw=line
            )
        elif kind == 2:
            display = attempt(
                skspectral.PruningCurveDisplay.from_estimator, model, ROWS, ROWS[:, 0]
            )
            attempt(skspectral.PruningCurveDisplay.from_cv_results, results)
        elif kind == 3:
            display = attempt(skspectral.SpectralPathDisplay.from_estimator, model)
            attempt(skspectral.SpectralPathDisplay.from_path, draw(wild))
        else:
            display = attempt(skspectral.EffectiveSizeDisplay.from_cv_results, results)
        if display is not None:
            attempt(display.plot, draw(st.sampled_from([None, None, *WILD])))
    finally:
        pyplot.close("all")


EXAMPLES = {
    check_estimator: 40,
    check_search: 12,
    check_models: 25,
    check_paths: 20,
    check_modules: 60,
    check_data: 25,
    check_displays: 10,
}
"""Examples in the quick run; each makes up to forty calls."""


@pytest.mark.parametrize("factor", [1, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", EXAMPLES)
def test_any_call_ends_in_a_clear_error_or_a_finite_result(check, factor):
    # the same examples in each run
    @settings(
        max_examples=factor * EXAMPLES[check],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check_all(data):
        check(data.draw)

    check_all()

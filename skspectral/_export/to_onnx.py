"""Export of fitted networks, alone or behind preprocessing, to ONNX."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import importlib
import os
from types import NoneType

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from skspectral._export.onnx_head import append_predictions
from skspectral._export.onnx_network import NETWORKS, NetworkWithSkip
from skspectral._export.onnx_steps import STEPS, custom_converters
from skspectral._export.sklearn_mlp import make_mlp_regressor
from skspectral._export.to_sklearn import held_student, network_and_skip
from skspectral._export.write_whole import write_whole
from skspectral._tables.cleaner import TableCleaner

TENSOR_TYPES = {
    np.dtype(bool): "BooleanTensorType",
    np.dtype(np.int64): "Int64TensorType",
    np.dtype(np.float32): "FloatTensorType",
    np.dtype(np.float64): "DoubleTensorType",
    np.dtype(object): "StringTensorType",
}
"""What skl2onnx calls a column of each dtype."""
OPSETS = {"": 17, "ai.onnx.ml": 3}
"""Versions of the operators: old enough for runtimes of some years ago."""
TOLERANCE = 1e-3
"""Difference that rounding cannot explain, as a fraction of the spread of predictions."""
WITHOUT_ROWS = (
    "Give `X`, a few rows as the pipeline gets them, where columns have names or are not numbers."
)
WITH_ROWS = (
    "Give `X` as an array in place of a DataFrame where the first step takes all columns alike, "
    "as float32 where the step has no float64, as int64 or float64 where float32 is too coarse."
)
"""What to do where the converter fails, by whether rows were given."""


def to_onnx(model, path=None, *, X=None):
    """Export a fitted network, alone or at the end of a pipeline, to ONNX.

    Parameters
    ----------
    model : SpectralMLPRegressor, SpectralMLPClassifier, scikit-learn MLP or Pipeline
        Fitted; a fitted SpectralPruner, CV estimator or student of another model will do,
        too. A pipeline must end with one of these.
    path : str, path-like or None, default=None
        File to write the model to; None writes no file. A file that is there is replaced
        once the new one is complete.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), default=None
        A few rows as `model` gets them. They tell the types of the inputs, and
        the ONNX model must predict what `model` does for them. Give them for
        every pipeline: the converters of preprocessing steps have faults, and
        columns chosen by name, or not numbers, need them, unless
        :func:`~skspectral.preprocessing.make_tabular_preprocessor` is the first step.

    Returns
    -------
    :class:`onnx.ModelProto`
        Inputs: one tensor "X" of shape (n, n_features), with the dtype of `X`;
        without `X`, float if the first layer of the network is float32, else
        double. For a pipeline with a DataFrame `X`, one tensor of shape (n, 1)
        per column, of its name. Integers are int64. The network computes in
        double where what reaches it is double, else in float. Behind
        :func:`~skspectral.preprocessing.make_tabular_preprocessor` there is one input
        per column in any case: double for numbers and for time spans (in seconds), NaN
        for a missing one; strings for text and booleans, "nan", "None" or "<NA>" for a
        missing one, which onnxruntime for Python writes by itself.

        Outputs: for regressors "variable" of shape (n, n_outputs); for
        classifiers "label", of shape (n,) or (n, n_labels), and
        "probabilities", of shape (n, n_classes) or (n, n_labels).

    Raises
    ------
    ImportError
        If the packages of ``pip install "skspectral[onnx]"`` are missing.
    TypeError
        If `model` is not one of those described, or `path` is neither text nor path-like.
    ValueError
        If a step cannot be converted, the ONNX model does not run or predicts
        something else for `X`, scikit-learn does not have the activation, or ONNX
        has no type for the classes.
    NotFittedError
        If `model` is not fitted.

    Notes
    -----
    skl2onnx converts the preprocessing and the linear parts of the network. The
    output activation and the classes are written by skspectral, as the converter's
    own version loses outputs, labels and large integers. So are steps that skl2onnx
    lacks or has in part: QuantileTransformer, SplineTransformer of degree 1,
    SimpleImputer, MissingIndicator and OneHotEncoder.

    Where the pipeline raises an error for a category that it has not seen, the ONNX
    model encodes it as none of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, to_onnx
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> reg = SpectralMLPRegressor(8, alpha=1e-2, random_state=0).fit(X, np.abs(X[:, 0]))
    >>> proto = to_onnx(reg)  # doctest: +SKIP
    >>> [output.name for output in proto.graph.output]  # doctest: +SKIP
    ['variable']
    """
    if not isinstance(path, (str, os.PathLike, NoneType)):
        raise TypeError(f"`path` must be a str, a path-like object or None; got {path!r}.")
    _check_packages()
    steps, network, skip = _split(model)
    expected = None if X is None else _predictions(model, X)
    if steps and isinstance(steps[0][1], TableCleaner):
        feeds = _clean_feeds(steps.pop(0)[1], X)
    else:
        feeds = _feeds(steps, network, X)
    # a network alone has but one form
    advice = (WITHOUT_ROWS if X is None else WITH_ROWS) if steps else ""
    if steps:
        advice += " Else export the last step alone, and preprocess outside ONNX."
    linear = _linear_part(network, skip)
    proto = _convert_or_explain([*steps, ("network", linear)], feeds, advice)
    _rename_inputs(proto.graph, feeds)
    append_predictions(proto.graph, network)
    _check_predictions(proto, feeds, expected, advice)
    if path is not None:
        write_whole(path, proto.SerializeToString())
    return proto


def _check_packages():
    """Raise ImportError unless the packages that only the export needs are installed."""
    try:
        for package in ("onnx", "onnxruntime", "skl2onnx"):
            importlib.import_module(package)
    except ImportError as error:
        raise ImportError(
            f"Exporting to ONNX needs onnx, onnxruntime and skl2onnx: {error}. Install them by "
            '`pip install "skspectral[onnx]"`.'
        ) from error


def _split(model):
    """Return the preprocessing, list of (name, transformer), the scikit-learn MLP and its skip."""
    model = held_student(model)
    if isinstance(model, Pipeline):
        inner, network, skip = _split(model.steps[-1][1])
        return [*_flat(model.steps[:-1]), *inner], network, skip
    return [], *network_and_skip(model)


def _flat(steps):
    """Yield (name, transformer), those of pipelines inside pipelines included."""
    for name, step in steps:
        if isinstance(step, Pipeline):
            yield from _flat(step.steps)
        elif step not in (None, "passthrough"):  # what does nothing needs no converter
            yield name, step


def _predictions(model, X):
    """Return what is compared: numbers, or probabilities."""
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


def _clean_feeds(cleaner, X):
    """Return the inputs of a model of which a TableCleaner is the first step, as `_feeds`."""
    dates = [name for name, kind in cleaner.kinds_.items() if kind == "dates"]
    if dates:
        raise ValueError(
            f"Columns {dates} hold dates, which cannot be converted to ONNX. Replace them by "
            "numbers, such as month and weekday, and fit again; or export the last step alone."
        )
    if X is None:
        return {name: np.empty((0, 1), dtype) for name, dtype in cleaner.dtypes_.items()}
    table = cleaner.transform(X)
    return {
        name: np.asarray(table[[name]]).astype(dtype) for name, dtype in cleaner.dtypes_.items()
    }


def _feeds(steps, network, X):
    """Return the inputs of the ONNX model, dict of ndarray of shape (n, n_columns)."""
    if X is None:
        n_columns = getattr(steps[0][1] if steps else network, "n_features_in_", None)
        if n_columns is None:
            raise ValueError(
                f"Step {steps[0][0]!r} does not tell how many columns it takes. Give `X`, a few "
                "rows as the pipeline gets them."
            )
        # no rows, so nothing is compared; the dtype and the columns are what counts
        return {"X": np.empty((0, n_columns), dtype=network.coefs_[0].dtype)}
    if steps and hasattr(X, "columns"):
        return {str(c): _plain(np.asarray(X[c]).reshape(len(X), -1)) for c in X.columns}
    # ONNX has no sparse inputs; the rows are few
    return {"X": _plain(X.toarray() if sparse.issparse(X) else np.asarray(X))}


def _plain(array):
    """Return `array` with one of the dtypes that inputs have."""
    number = np.float32 if array.dtype.itemsize <= 4 else np.float64
    dtypes = {"b": np.bool_, "i": np.int64, "u": np.int64, "f": number}
    return array.astype(dtypes.get(array.dtype.kind, object))


def _linear_part(network, skip):
    """Return a regressor of the linear outputs; `append_predictions` makes classes of them."""
    if skip is not None:
        return NetworkWithSkip(network, skip)
    return make_mlp_regressor(network.coefs_, network.intercepts_, activation=network.activation)


def _convert_or_explain(steps, feeds, advice):
    """Convert preprocessing and the linear part of the network, which is the last step.

    Raises
    ------
    ValueError
        If that cannot be done; it names the step.
    """
    try:
        return _convert(steps, feeds)
    except Exception as error:  # skl2onnx and onnxruntime raise all kinds
        # the converters' messages do not name the step: convert more and more of them to find it
        failing = (i for i in range(len(steps) - 1) if _fails(steps[: i + 1], feeds))
        index = next(failing, None)
        where = "The model" if index is None else f"Step {steps[index][0]!r} of the pipeline"
        text = f"{where} cannot be converted to ONNX: {error}\n{advice}".rstrip()
        raise ValueError(text) from error


def _fails(steps, feeds):
    """Tell whether the pipeline of `steps` cannot be converted."""
    try:
        _convert(steps, feeds)
    except Exception:
        return True
    return False


def _convert(steps, feeds):
    """Return the ONNX model of the pipeline of `steps`, which onnxruntime can load."""
    import skl2onnx
    from skl2onnx.common import data_types

    inputs = [
        (name, getattr(data_types, TENSOR_TYPES[array.dtype])([None, array.shape[1]]))
        for name, array in feeds.items()
    ]
    proto = skl2onnx.convert_sklearn(
        Pipeline(steps),
        initial_types=inputs,
        target_opset=OPSETS,
        **custom_converters(STEPS | NETWORKS),
    )
    _session(proto)  # some models convert, but do not load
    return proto


def _session(proto):
    """Load an ONNX model."""
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a few rows; starting threads would take longer
    options.log_severity_level = 4  # errors are raised
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _rename_inputs(graph, names):
    """Give inputs the columns' names, of which skl2onnx makes names of variables."""
    from onnx import helper

    renamed = []
    for entry, name in zip(graph.input, names, strict=True):
        if entry.name != name:
            renamed.append(helper.make_node("Identity", [name], [entry.name]))
            entry.name = name
    # a node must come after those that it reads from
    nodes = [*renamed, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _check_predictions(proto, feeds, expected, advice):
    """Raise ValueError where the ONNX model does not run, or does not predict `expected`."""
    try:
        session = _session(proto)
        if expected is None:
            return
        got = session.run(None, feeds)[-1]  # of a classifier the probabilities, not the label
    except Exception as error:
        text = f"onnxruntime cannot run the ONNX model: {error}\n{advice}".rstrip()
        raise ValueError(text) from error
    expected = expected.reshape(got.shape)
    spread, size = np.ptp(expected, axis=0), np.abs(expected).max(axis=0)
    allowed = TOLERANCE * np.maximum(spread, 0.1 * size)  # few rows may predict much the same
    difference = np.abs(got - expected)
    if not (difference <= allowed).all():
        raise ValueError(
            "The predictions of the ONNX model for `X` differ from those of `model`, by up to "
            f"{difference.max():.2g}: the conversion of the preprocessing is wrong.\n{advice}"
        )

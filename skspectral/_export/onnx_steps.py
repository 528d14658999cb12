"""Converters of preprocessing steps that skl2onnx lacks, or has for fewer cases."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, SplineTransformer

from skspectral._tables.tree_splines import TreeSplines

MISSING = ("nan", "None", "<NA>")
"""The text that onnxruntime makes of a missing value in a column of objects."""
EDGE = 1e-7
"""Distance within which QuantileTransformer takes a value for the smallest or largest."""
# M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied
# Statistics 37(3), 1988, https://doi.org/10.2307/2347330: rational functions, highest power first
CENTRE = (
    (
        *(2509.0809287301226727, 33430.575583588128105, 67265.770927008700853),
        *(45921.953931549871457, 13731.693765509461125, 1971.5909503065514427),
        *(133.14166789178437745, 3.387132872796366608),
    ),
    (
        *(5226.495278852545925, 28729.085735721942674, 39307.89580009271061),
        *(21213.794301586595867, 5394.1960214247511077, 687.1870074920579083),
        *(42.313330701600911252, 1.0),
    ),
)
TAIL = (
    (
        *(7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177),
        *(1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055),
        *(4.6303378461565452959, 1.42343711074968357734),
    ),
    (
        *(1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966),
        *(0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494),
        *(2.05319162663775882187, 1.0),
    ),
)


def custom_converters(steps):
    """Return the options of :func:`skl2onnx.convert_sklearn` that add converters.

    Parameters
    ----------
    steps : dict of type to (callable, callable)
        Width of the output and converter of each kind of step, such as `STEPS`.
    """
    return {
        "custom_conversion_functions": {kind: write for kind, (_, write) in steps.items()},
        "custom_shape_calculators": {kind: _output(width) for kind, (width, _) in steps.items()},
    }


def _output(width):
    """Return a function that tells skl2onnx the type and width of the output."""

    def calculate(operator):
        from skl2onnx.common import data_types

        kinds = [type(variable.type) for variable in operator.inputs]
        double = data_types.DoubleTensorType
        number = double if double in kinds else data_types.FloatTensorType
        if _is_filling_text(operator):
            number = data_types.StringTensorType
        rows = operator.inputs[0].get_first_dimension()
        operator.outputs[0].type = number([rows, width(operator.raw_operator)])

    return calculate


class Writer:
    """Appends nodes and constants to an ONNX model in the making.

    Parameters
    ----------
    scope, operator, container
        As skl2onnx gives them to a converter.
    """

    def __init__(self, scope, operator, container):
        self.scope, self.operator, self.container = scope, operator, container

    def node(self, kind, *inputs, **attributes):
        """Append a node with one output; return the name of the output."""
        name = self.scope.get_unique_variable_name(kind.lower())
        self._append(kind, [self._named(entry) for entry in inputs], name, attributes)
        return name

    def end(self, name):
        """Make `name` the output, with the type that it is to have."""
        output = self.operator.outputs[0]
        number = output.type.to_onnx_type().tensor_type.elem_type
        self._append("Cast", [name], output.full_name, {"to": number})

    def double(self, name):
        """Return `name` as numbers of double precision."""
        return self.node("Cast", name, to=self._element(np.float64))

    def columns(self):
        """Return (name, skl2onnx type) of every input column, of shape (n, 1)."""
        for variable in self.operator.inputs:
            width = variable.type.shape[1]
            for i in range(width or 0):
                picked = variable.full_name
                if width > 1:
                    picked = self.node("Gather", picked, np.array([i]), axis=1)
                yield picked, variable.type

    def numbers(self):
        """Return the name of all input columns side by side, as double."""
        names = [self.double(variable.full_name) for variable in self.operator.inputs]
        return names[0] if len(names) == 1 else self.node("Concat", *names, axis=1)

    def _append(self, kind, inputs, output, attributes):
        domain = attributes.pop("op_domain", "")
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(kind, inputs, [output], op_domain=domain, name=name, **attributes)

    def _named(self, entry):
        """Return the name of a node's output or of a constant."""
        if isinstance(entry, str):
            return entry
        array = np.asarray(entry)
        name = self.scope.get_unique_variable_name("constant")
        content = array.ravel().tolist()
        self.container.add_initializer(name, self._element(array.dtype), array.shape, content)
        return name

    @staticmethod
    def _element(dtype):
        from onnx import helper

        return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _check(condition, message):
    """Raise NotImplementedError where a step has settings that no converter knows."""
    if not condition:
        raise NotImplementedError(message)


def _quantiles_width(step):
    return step.n_features_in_


def _write_quantiles(scope, operator, container):
    """Write QuantileTransformer: interpolation between quantiles, and the normal map."""
    write, step = Writer(scope, operator, container), operator.raw_operator
    x = write.numbers()
    low, high = step.quantiles_[0], step.quantiles_[-1]
    if step.output_distribution == "normal":
        at_high = write.node("Greater", write.node("Add", x, EDGE), high)
        at_low = write.node("Less", write.node("Sub", x, EDGE), low)
    else:
        at_high, at_low = write.node("Equal", x, high), write.node("Equal", x, low)
    # Values that occur often are several quantiles: the mean of the first and the last counts.
    both = write.node(
        "Add", _interpolate(write, step, x, "Less"), _interpolate(write, step, x, "LessOrEqual")
    )
    share = write.node("Mul", both, 0.5)
    share = write.node("Where", at_high, 1.0, share)
    share = write.node("Where", at_low, 0.0, share)
    if step.output_distribution == "normal":
        share = _normal_quantile(write, share)
    write.end(write.node("Where", write.node("IsNaN", x), x, share))


def _interpolate(write, step, x, comparison):
    """Append references at `x`, between the quantiles that compare so to it and those that do not.

    The number of such quantiles is found by bisection, for all columns at once.
    """
    n_quantiles, n_columns = step.quantiles_.shape
    reach = 1 << n_quantiles.bit_length()  # a power of 2 above their number
    table = np.full((n_columns, reach), np.inf)
    table[:, :n_quantiles] = step.quantiles_.T
    start = reach * np.arange(n_columns)[None]
    count = write.node("Cast", write.node("Mul", x, 0.0), to=write._element(np.int64))
    count = write.node("Mul", count, np.int64(0))  # of NaN the cast is anything
    flat = table.ravel()
    while reach > 1:
        reach //= 2
        tried = write.node("Add", count, np.int64(reach))
        place = write.node("Add", tried, start - 1)
        below = write.node(comparison, write.node("Gather", flat, place), x)
        count = write.node("Where", below, tried, count)
    left = write.node("Sub", count, np.int64(1))
    left = write.node("Max", write.node("Min", left, np.int64(n_quantiles - 2)), np.int64(0))
    place = write.node("Add", left, start)
    low = write.node("Gather", flat, place)
    high = write.node("Gather", flat, write.node("Add", place, np.int64(1)))
    part = write.node("Div", write.node("Sub", x, low), write.node("Sub", high, low))
    part = write.node("Max", write.node("Min", part, 1.0), 0.0)
    first = write.node("Gather", step.references_, left)
    last = write.node("Gather", step.references_, write.node("Add", left, np.int64(1)))
    rise = write.node("Mul", write.node("Sub", last, first), part)
    return write.node("Add", first, rise)


def _normal_quantile(write, share):
    """Append the normal quantiles of shares, which are kept from 0 and 1 as in scikit-learn."""
    least = EDGE - np.spacing(1)
    share = write.node("Max", write.node("Min", share, 1 - least), least)
    offset = write.node("Sub", share, 0.5)
    square = write.node("Mul", offset, offset)
    inner = _rational(write, write.node("Sub", 0.180625, square), CENTRE)
    inner = write.node("Mul", offset, inner)
    tail = write.node("Min", share, write.node("Sub", 1.0, share))
    root = write.node("Sqrt", write.node("Neg", write.node("Log", tail)))
    outer = _rational(write, write.node("Sub", root, 1.6), TAIL)
    outer = write.node("Mul", write.node("Sign", offset), outer)
    is_inner = write.node("LessOrEqual", write.node("Abs", offset), 0.425)
    value = write.node("Where", is_inner, inner, outer)
    return write.node("Max", write.node("Min", value, norm.ppf(1 - least)), norm.ppf(least))


def _rational(write, x, polynomials):
    """Append the ratio of two polynomials."""
    values = []
    for first, *others in polynomials:
        value = write.node("Add", write.node("Mul", x, 0.0), first)
        for coefficient in others:
            value = write.node("Add", write.node("Mul", value, x), coefficient)
        values.append(value)
    return write.node("Div", *values)


def _hats_width(step):
    return step.n_features_out_


def _write_hats(scope, operator, container):
    """Write SplineTransformer of degree 1: hat functions between knots."""
    write, step = Writer(scope, operator, container), operator.raw_operator
    write.end(_hats(write, step, write.numbers()))


def _tree_hats_width(step):
    return len(step.get_feature_names_out())


def _write_tree_hats(scope, operator, container):
    """Write TreeSplines: hat functions of some columns, each with knots of its own."""
    write, step = Writer(scope, operator, container), operator.raw_operator
    x = write.numbers()
    hats = [
        _hats(write, splines, write.node("Gather", x, np.array(columns), axis=1))
        for name, splines, columns in step.splines_.transformers_
        if name != "remainder"
    ]
    if hats:
        write.end(write.node("Concat", *hats, axis=1))
    else:
        write.end(write.node("Gather", x, np.array([], dtype=np.int64), axis=1))


def _hats(write, step, x):
    """Append the hat functions of a SplineTransformer, and return their name."""
    _check(
        step.degree == 1 and step.extrapolation == "constant",
        "Only a SplineTransformer with degree=1 and extrapolation='constant' can be converted.",
    )
    knots = np.array([spline.t[1:-1] for spline in step.bsplines_])  # without the outer two
    gaps = np.diff(knots, axis=1)
    constant = (gaps == 0).all(axis=1)  # scikit-learn gives 0 there
    _check((gaps[~constant] > 0).all(), "The knots of SplineTransformer must not be equal.")
    rise = 1 / np.where(constant[:, None], 1.0, gaps)
    # the first hat does not rise and the last does not fall
    edge = np.zeros((len(knots), 1))
    up, down = np.hstack([edge, rise]), np.hstack([rise, edge])
    at_left = np.hstack([edge + 1, 0 * rise])
    at_right = np.hstack([0 * rise, edge + 1])
    left, right = np.roll(knots, 1, axis=1), np.roll(knots, -1, axis=1)
    at_left[constant] = -1  # never above 0
    kept = slice(None) if step.include_bias else slice(None, -1)
    x = write.node("Max", write.node("Min", x, knots[:, -1]), knots[:, 0])
    x = write.node("Unsqueeze", x, np.array([2]))  # (n, columns, 1)
    rising = write.node("Mul", write.node("Sub", x, left[:, kept]), up[:, kept])
    rising = write.node("Add", rising, at_left[:, kept])
    falling = write.node("Mul", write.node("Sub", right[:, kept], x), down[:, kept])
    falling = write.node("Add", falling, at_right[:, kept])
    hats = write.node("Max", write.node("Min", rising, falling), 0.0)
    return write.node("Reshape", hats, np.array([-1, step.n_features_out_]))


def _is_filling_text(operator):
    """Tell whether an imputer has strings to fill."""
    from skl2onnx.common.data_types import StringTensorType

    is_imputer = isinstance(operator.raw_operator, SimpleImputer)
    return is_imputer and isinstance(operator.inputs[0].type, StringTensorType)


def _filled_width(step):
    return len(step.get_feature_names_out())


def _write_filled(scope, operator, container):
    """Write SimpleImputer of numbers in the precision that they have; of strings as skl2onnx."""
    if _is_filling_text(operator):
        from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer

        convert_sklearn_imputer(scope, operator, container)
        return
    write, step = Writer(scope, operator, container), operator.raw_operator
    x = write.numbers()
    missing = _missing(write, step, x)
    filling = np.asarray(step.statistics_, dtype=np.float64)
    filled = write.node("Where", missing, filling, x)
    kept = np.flatnonzero(~np.isnan(filling))  # the others have no value at all
    if step.add_indicator:
        marked = write.node("Gather", write.double(missing), step.indicator_.features_, axis=1)
        filled = write.node("Gather", filled, kept, axis=1)
        filled = write.node("Concat", filled, marked, axis=1)
    elif len(kept) < len(filling):
        filled = write.node("Gather", filled, kept, axis=1)
    write.end(filled)


def _missing(write, step, x):
    """Append which values of `x` are missing to `step`."""
    if pd.isna(step.missing_values):
        return write.node("IsNaN", x)
    return write.node("Equal", x, np.float64(step.missing_values))


def _marks_width(step):
    return len(step.features_)


def _write_marks(scope, operator, container):
    """Write MissingIndicator."""
    write, step = Writer(scope, operator, container), operator.raw_operator
    marks = write.double(_missing(write, step, write.numbers()))
    write.end(write.node("Gather", marks, step.features_.astype(np.int64), axis=1))


def _one_hot_width(step):
    return sum(_codes(step, i).shape[1] for i in range(len(step.categories_)))


def _write_one_hot(scope, operator, container):
    """Write OneHotEncoder: missing, rare and unseen categories included."""
    write, step = Writer(scope, operator, container), operator.raw_operator
    parts = [
        _one_hot_column(write, step.categories_[i], _codes(step, i), column, kind)
        for i, (column, kind) in enumerate(write.columns())
    ]
    _check(len(parts) == len(step.categories_), "The columns of OneHotEncoder must be known.")
    write.end(parts[0] if len(parts) == 1 else write.node("Concat", *parts, axis=1))


def _codes(step, index):
    """Return the output of each category, and last of an unseen one, ndarray of 0 and 1."""
    categories = step.categories_[index]
    rare = getattr(step, "infrequent_categories_", [None] * len(step.categories_))[index]
    is_rare = pd.Index(categories).isin([] if rare is None else rare)
    n_frequent = int((~is_rare).sum())
    place = np.where(is_rare, n_frequent, np.cumsum(~is_rare) - 1)
    codes = np.zeros((len(categories) + 1, n_frequent + is_rare.any()))
    codes[np.arange(len(categories)), place] = 1
    if is_rare.any() and step.handle_unknown in ("infrequent_if_exist", "warn"):
        codes[-1, n_frequent] = 1
    dropped = None if step.drop_idx_ is None else step.drop_idx_[index]
    return codes if dropped is None else np.delete(codes, place[dropped], axis=1)


def _one_hot_column(write, categories, codes, column, kind):
    """Append the codes of one column, double of shape (n, n_codes)."""
    from skl2onnx.common.data_types import StringTensorType

    listed = categories.tolist()
    missing = pd.isna(categories).tolist()
    if isinstance(kind, StringTensorType):
        places = {str(category): i for i, category in enumerate(listed) if not missing[i]}
        if any(missing):  # which may be a category by name, too
            places = dict.fromkeys(MISSING, missing.index(True)) | places
        place = write.node(
            "LabelEncoder",
            column,
            keys_strings=list(places),
            values_int64s=list(places.values()),
            default_int64=len(listed),
            op_domain="ai.onnx.ml",
        )
        return write.node("Gather", codes, write.node("Reshape", place, np.array([-1])), axis=0)
    values = np.array([0 if gone else value for value, gone in zip(listed, missing, strict=True)])
    integral = values.dtype.kind in "biu" and not any(missing)
    number = np.int64 if integral else np.float64
    x = write.node("Cast", column, to=write._element(number))
    found = write.double(write.node("Equal", x, values.astype(number)[None]))
    if any(missing):
        gone = write.double(write.node("IsNaN", x))
        marks = np.array(missing, dtype=float)[None]
        found = write.node("Where", np.array(missing)[None], write.node("Mul", gone, marks), found)
    unseen = write.node("Sub", 1.0, write.node("ReduceMax", found, axes=[1], keepdims=1))
    return write.node("MatMul", write.node("Concat", found, unseen, axis=1), codes)


STEPS = {
    QuantileTransformer: (_quantiles_width, _write_quantiles),
    SplineTransformer: (_hats_width, _write_hats),
    TreeSplines: (_tree_hats_width, _write_tree_hats),
    SimpleImputer: (_filled_width, _write_filled),
    MissingIndicator: (_marks_width, _write_marks),
    OneHotEncoder: (_one_hot_width, _write_one_hot),
}
"""Width of the output and converter of each step."""

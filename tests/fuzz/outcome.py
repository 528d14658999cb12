"""How a call may end: in a clear error, or in a finite result that leaves no trace."""

import contextlib
import inspect
import io
import os
import re
import signal
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

import skspectral
from skspectral._training.torch_state import flushes_denormals

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

NAMES = ["X", "y", "sample_weight", "input", "hidden_layer_sizes"]
"""What torch and NumPy may name of what is given by position."""

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
        if not re.search(r"/(numpy|torch)/|warnings\.py|/tests/(fuzz/|test_fuzz)", frame.filename):
            own = "warnings.warn" in frame.line  # a warning of its own
            return "" if own else f"{frame.filename}:{frame.lineno}"
    return ""


def not_finite(result):
    """Tell whether there is a NaN or an infinity in numbers or networks, however nested."""
    if isinstance(result, BaseEstimator):
        return hasattr(result, "coefs_") and not_finite([result.coefs_, result.intercepts_])
    if isinstance(result, torch.nn.Module):
        return not_finite(list(result.parameters()))
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


class Tally:
    """Calls that are made, counted by (name, outcome)."""

    def __init__(self):
        self.counts = Counter()

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
        self.counts[name, "finite" if error is None else "error"] += 1
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

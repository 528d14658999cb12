"""Parts of scikit-learn that are private or depend on its version, imported in one place."""

# SPDX-License-Identifier: BSD-3-Clause

from sklearn.base import _fit_context
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    Interval,
    Options,
    RealNotInt,
    StrOptions,
    validate_params,
)
from sklearn.utils._set_output import _get_adapter_from_container
from sklearn.utils.validation import _check_sample_weight, _num_samples

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # should it move, the HTML view lacks our caption, and nothing else
    _VisualBlock = None

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback._callback_support import callback_management_context
except ImportError:  # scikit-learn < 1.9 has no callbacks
    from contextlib import nullcontext as callback_management_context

    # A base class has to exist whatever the version, so an empty one takes its place.
    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in for scikit-learn's callback support, without any callback."""


__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "_VisualBlock",
    "_check_sample_weight",
    "_fit_context",
    "_get_adapter_from_container",
    "_num_samples",
    "_routing_enabled",
    "callback_management_context",
    "check_matplotlib_support",
    "validate_params",
]

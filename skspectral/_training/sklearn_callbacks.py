"""A private skorch callback that passes epochs on to scikit-learn's callbacks."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback

from skspectral._training.interrupts import StopTraining


class SklearnCallbacks(Callback):
    """Pass epochs on to scikit-learn's callbacks.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        That of the running fit.
    task : dict
        ``estimator``, ``X``, ``y`` and ``metadata`` of the fit, passed to the hooks.
    fitted_attributes : callable
        Returns the attributes with which a copy of the estimator predicts as the net
        does now.
    """

    def __init__(
        self, context: Any, task: dict[str, Any], fitted_attributes: Callable[[], dict[str, Any]]
    ) -> None:
        self.context = context
        self.task = task
        self.fitted_attributes = fitted_attributes
        self.epoch_: Any = None

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the task of one epoch."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(**self.task)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Close the task; stop training if a callback asks for it."""
        if self._end(self.epoch_):
            raise StopTraining

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the task of an epoch that was interrupted."""
        if self.epoch_ is not None:
            self._end(self.epoch_)

    def end_fit(self) -> None:
        """Close the task of the fit."""
        self._end(self.context)

    def _end(self, context: Any) -> bool:
        # before the call: after an interrupt in a hook skorch still calls on_train_end
        self.epoch_ = None
        return bool(
            context.call_on_fit_task_end(
                **self.task, reconstruction_attributes=self.fitted_attributes
            )
        )


def follow_fit(estimator: Any, epochs: int, given: dict[str, Any]) -> SklearnCallbacks | None:
    """Open the task of a fit for scikit-learn's callbacks; None where it has no callbacks yet.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
    epochs : int
        Planned.
    given : dict
        ``X``, ``y`` and ``metadata``, as the user passed them.
    """
    if not hasattr(estimator, "_init_callback_context"):  # scikit-learn < 1.9
        return None
    context = estimator._init_callback_context(max_subtasks=epochs)
    task = {"estimator": estimator, **given}
    context.call_on_fit_task_begin(**task)
    # a function, as a first fit has no net yet
    return SklearnCallbacks(context, task, lambda: {"net_": estimator.net_})

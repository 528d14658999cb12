"""The loss of zero outputs, by which divergence is told, without an array for it."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators.rows import Rows
from skspectral._training.comparing import loss_of_zero

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Largest(TorchDispatchMode):
    """Remember the size of the largest tensor that is made."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.size = max(self.size, result.numel())
        return result


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel", "columns"])
def test_loss_of_zero_outputs_is_that_of_the_criterion(task, weighted, request):
    X, y = request.getfixturevalue("regression" if task == "columns" else task)
    y = X if task == "columns" else y
    cls = SpectralMLPRegressor if task in ("regression", "columns") else SpectralMLPClassifier
    model = cls(4, alpha=1e-3, max_iter=1, random_state=0).fit(X, y)
    weight = np.linspace(0.5, 2, len(y)) if weighted else None
    dataset, net = model._dataset(Rows(X, y, weight)), model.net_
    zeros = torch.zeros(len(y), model.n_outputs_, dtype=net.dtype)
    expected = net.criterion_(zeros, dataset.y, dataset.sample_weight)
    assert loss_of_zero(net, dataset.y, dataset.sample_weight) == pytest.approx(
        float(expected), rel=1e-12
    )


def test_many_classes_need_no_array_of_rows_times_classes():
    n_rows, n_classes = 4000, 200
    X, y = np.random.default_rng(0).normal(size=(n_rows, 2)), np.arange(n_rows) % n_classes
    model = SpectralMLPClassifier(2, alpha=1e-3, batch_size=50, max_iter=1, random_state=0)
    with Largest() as largest:
        model.fit(X, y)
    assert largest.size <= 1024 * n_classes

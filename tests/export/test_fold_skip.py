"""A network whose skip is folded into nodes computes the same as before."""

import itertools

import numpy as np
import pytest

from skspectral._export.fold_skip import fold_skip
from skspectral._export.sklearn_mlp import make_mlp_regressor


def layers(sizes, seed=0):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(sizes))
    return [rng.normal(size=pair) for pair in pairs], [rng.normal(size=n) for _, n in pairs]


@pytest.mark.parametrize("hidden", [(), (4,), (4, 3), (4, 3, 5)])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_folded_network_computes_the_sum(hidden, n_outputs, activation):
    coefs, intercepts = layers((6, *hidden, n_outputs))
    rng = np.random.default_rng(1)
    skip, X = rng.normal(size=(6, n_outputs)), rng.normal(size=(50, 6))
    plain = make_mlp_regressor(coefs, intercepts, activation=activation)
    folded = make_mlp_regressor(
        *fold_skip(coefs, intercepts, skip, activation), activation=activation
    )
    expected = plain.predict(X).reshape(50, -1) + X @ skip
    np.testing.assert_allclose(folded.predict(X).reshape(50, -1), expected, rtol=1e-12, atol=1e-12)
    n_added = {"relu": 2, "identity": 1}[activation] * n_outputs
    assert folded.hidden_layer_sizes == tuple(n + n_added for n in hidden)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_activations_that_bend_numbers_are_refused(activation):
    coefs, intercepts = layers((2, 3, 1))
    message = rf"'relu' or 'identity' .*got '{activation}'\. Export with to_onnx.*skip=False"
    with pytest.raises(ValueError, match=message):
        fold_skip(coefs, intercepts, np.ones((2, 1)), activation)

"""scikit-learn MLPs made of weights are as good as fitted ones."""

import itertools

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.fixes import parse_version

from skspectral._export.sklearn_mlp import ACTIVATIONS, make_mlp_classifier, make_mlp_regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}


def weights(sizes, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    coefs = [rng.normal(size=(n, m)).astype(dtype) for n, m in itertools.pairwise(sizes)]
    return coefs, [rng.normal(size=m).astype(dtype) for m in sizes[1:]]


def linear_outputs(X, coefs, intercepts, activation):
    for W, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        X = FUNCTIONS[activation](X @ W + b)
    return X @ coefs[-1] + intercepts[-1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (6,), (6, 3)])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_make_mlp_regressor_computes_the_network(activation, hidden, n_outputs, regression):
    X, _ = regression
    layers = weights((4, *hidden, n_outputs))
    mlp = make_mlp_regressor(*layers, activation=activation)
    expected = linear_outputs(X, *layers, activation)
    np.testing.assert_allclose(
        mlp.predict(X), expected.ravel() if n_outputs == 1 else expected, rtol=1e-12
    )
    assert mlp.hidden_layer_sizes == hidden
    assert mlp.score(X, mlp.predict(X)) == 1


@pytest.mark.parametrize(
    ("classes", "multilabel", "n_outputs"),
    [
        (["no", "yes"], False, 1),
        ([-3, 5, 2**40], False, 3),
        ([0, 1], True, 2),
        ([0, 1, 2], True, 3),
    ],
)
def test_make_mlp_classifier_computes_probabilities(classes, multilabel, n_outputs, binary):
    X, _ = binary
    layers = weights((5, 6, n_outputs))
    mlp = make_mlp_classifier(*layers, activation="tanh", classes=classes, multilabel=multilabel)
    z = linear_outputs(X, *layers, "tanh")
    if multilabel:
        expected, labels = expit(z), (z > 0).astype(int)
    else:
        expected = softmax(np.hstack([0 * z, z]) if n_outputs == 1 else z, axis=1)
        labels = np.array(classes)[expected.argmax(axis=1)]
    np.testing.assert_allclose(mlp.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_allclose(mlp.predict_log_proba(X), np.log(expected), atol=1e-9)
    np.testing.assert_array_equal(mlp.predict(X), labels)
    np.testing.assert_array_equal(mlp.classes_, classes)
    assert mlp.score(X, labels) == 1


def tasks(regression, binary, multiclass, multilabel):
    X, y = regression
    return {
        "regression": (MLPRegressor, X, y),
        "outputs": (MLPRegressor, X, np.column_stack([y, -y])),
        "binary": (MLPClassifier, *binary),
        "multiclass": (MLPClassifier, *multiclass),
        "multilabel": (MLPClassifier, *multilabel),
    }


TASKS = ("regression", "outputs", "binary", "multiclass", "multilabel")


@pytest.fixture(params=TASKS)
def task(request, regression, binary, multiclass, multilabel):
    return tasks(regression, binary, multiclass, multilabel)[request.param]


def rebuilt(mlp, **params):
    layers = mlp.coefs_, mlp.intercepts_
    if isinstance(mlp, MLPRegressor):
        made = make_mlp_regressor(*layers, activation=mlp.activation)
    else:
        made = make_mlp_classifier(
            *layers,
            activation=mlp.activation,
            classes=mlp.classes_,
            multilabel=mlp._label_binarizer.y_type_ == "multilabel-indicator",
        )
    return made.set_params(**params)


# without momentum and shuffling, steps depend on the weights alone
STEPS = {"solver": "sgd", "momentum": 0.0, "shuffle": False, "max_iter": 3}


@pytest.mark.parametrize("params", [{}, {"warm_start": True}])
def test_rebuilt_mlp_trains_on_as_the_fitted_one(task, params):
    MLP, X, y = task
    mlp = MLP(hidden_layer_sizes=(6,), random_state=0, **STEPS).fit(X, y)
    made = rebuilt(mlp, random_state=0, **STEPS)
    for model in (mlp, made):
        model.set_params(**params)
        model.fit(X, y) if params else model.partial_fit(X, y)
    for fitted, other in zip(mlp.coefs_, made.coefs_, strict=True):
        np.testing.assert_allclose(fitted, other, rtol=1e-12)
    assert made.n_iter_ == mlp.n_iter_
    assert made.loss_ == pytest.approx(mlp.loss_)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs", "warm_start": True},
        {"solver": "adam", "warm_start": True},
        {"early_stopping": True},
        {},
    ],
)
def test_rebuilt_mlp_fits_with_every_solver(task, params):
    MLP, X, y = task
    if (
        parse_version(sklearn.__version__) < parse_version("1.8")
        and "early_stopping" in params
        and y.dtype.kind == "U"
    ):
        pytest.skip("scikit-learn < 1.8 stops early on no strings")
    mlp = MLP(hidden_layer_sizes=(6,), random_state=0, **STEPS).fit(X, y)
    made = rebuilt(mlp, random_state=0, max_iter=5, **params).fit(X, y)
    assert any((a != b).any() for a, b in zip(made.coefs_, mlp.coefs_, strict=True))
    assert made.predict(X).shape == y.shape
    assert clone(made).fit(X, y).coefs_[0].shape == made.coefs_[0].shape


def test_make_mlp_owns_its_arrays(regression):
    X, _ = regression
    coefs, intercepts = weights((4, 6, 1))
    frozen = [array.copy() for array in coefs]
    for array in frozen:
        array.flags.writeable = False
    mlp = make_mlp_regressor(frozen, intercepts, activation="relu")
    before = mlp.predict(X)
    intercepts[0][:] = 0
    np.testing.assert_array_equal(mlp.predict(X), before)
    assert all(array.flags.owndata and array.flags.writeable for array in mlp.coefs_)


def test_make_mlp_keeps_dtypes_and_names(regression):
    X, _ = regression
    layers = weights((4, 6, 1), dtype=np.float32)
    mlp = make_mlp_regressor(*layers, activation="relu", feature_names=list("abcd"))
    assert mlp.predict(pd.DataFrame(X.astype(np.float32), columns=list("abcd"))).dtype == "float32"
    with pytest.raises(ValueError, match="feature names should match"):
        mlp.predict(pd.DataFrame(X, columns=list("abce")))


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_make_mlp_refuses_activations_scikit_learn_lacks(activation):
    with pytest.raises(ValueError, match=f"identity.*got '{activation}'"):
        make_mlp_regressor(*weights((2, 3, 1)), activation=activation)


def test_make_mlp_refuses_layers_that_do_not_fit():
    coefs, intercepts = weights((2, 3, 1))
    for bad in ((coefs[::-1], intercepts), (coefs, intercepts[::-1]), (coefs, intercepts[:1])):
        with pytest.raises(ValueError, match="shape"):
            make_mlp_regressor(*bad, activation="relu")


@pytest.mark.parametrize(
    ("classes", "multilabel", "n_outputs"),
    [
        ([1, 0], False, 1),
        ([0, 0], False, 1),
        ([0], False, 1),
        ([0, 1], False, 2),
        ([0, 1, 2], False, 1),
        ([1, 2], True, 2),
        ([0], True, 1),
    ],
)
def test_make_mlp_classifier_refuses_other_classes(classes, multilabel, n_outputs):
    with pytest.raises(ValueError, match="`classes`"):
        make_mlp_classifier(
            *weights((2, n_outputs)), activation="relu", classes=classes, multilabel=multilabel
        )

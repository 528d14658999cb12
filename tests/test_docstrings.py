"""Public docstrings name every parameter, in order, and parse as numpydoc."""

import inspect

import pytest

import skspectral
from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    nn,
)

docscrape = pytest.importorskip("numpydoc.docscrape")
PUBLIC = [getattr(m, n) for m in (skspectral, nn) for n in m.__all__ if not n.startswith("__")]
METHODS = [
    getattr(cls, name)
    for cls in PUBLIC
    if inspect.isclass(cls)
    for name in (
        "fit",
        "partial_fit",
        "predict",
        "predict_proba",
        "reset_parameters",
        "from_linear",
        "prune",
        "grow",
        "summary",
        "to_sklearn",
        "to_onnx",
        "transform",
        "plot",
        "from_estimator",
        "from_cv_results",
    )
    if hasattr(cls, name)
]


def documented(obj):
    doc = docscrape.NumpyDocString(inspect.getdoc(obj))
    names = [name.strip() for p in doc["Parameters"] for name in p.name.split(",")]
    assert all(p.desc for p in doc["Parameters"]), f"{obj}: a parameter without a description"
    return names


@pytest.mark.parametrize("obj", PUBLIC, ids=lambda o: o.__name__)
def test_parameters_are_documented_in_order(obj):
    signature = [name for name in inspect.signature(obj).parameters if name != "self"]
    assert documented(obj) == signature


@pytest.mark.parametrize("obj", METHODS, ids=lambda o: o.__qualname__)
def test_methods_document_their_parameters(obj):
    doc = inspect.getdoc(obj)
    if "Parameters" in doc:
        parameters = [
            f"**{p.name}" if p.kind is p.VAR_KEYWORD else p.name
            for p in inspect.signature(obj).parameters.values()
        ]
        signature = [name for name in parameters if name not in ("self", "cls")]
        assert documented(obj) == signature
    assert doc.splitlines()[0].endswith(".")


TWINS = {
    (SpectralMLPRegressor, SpectralMLPClassifier): {
        "alpha",  # scikit-learn halves the squared error, not the cross-entropy
        "early_stopping",  # R2 or accuracy
        "validation_scores_",
        "loss_curve_",  # units of y, of the standardised target, or nats
        "coefs_",
        "intercepts_",
        "module_",
        "noise_variance_",
    },
    (SpectralMLPRegressorCV, SpectralMLPClassifierCV): {
        "scoring",  # R2 or log loss
        "eigenvalues",  # links to the network
        "estimator_",
        "coefs_",  # units of y
        "intercepts_",
    },
}
"""Estimators whose docstrings repeat each other, and the entries that must differ."""


def entries(cls):
    """Return type and text of each parameter and attribute, by name."""
    doc = docscrape.NumpyDocString(inspect.getdoc(cls))
    return {p.name: (p.type, p.desc) for p in doc["Parameters"] + doc["Attributes"]}


@pytest.mark.parametrize(("pair", "must_differ"), TWINS.items(), ids=["network", "cv"])
def test_twins_say_the_same_of_what_they_share(pair, must_differ):
    one, other = map(entries, pair)
    assert len(one.keys() & other.keys()) > 30
    differing = {name for name in one.keys() & other.keys() if one[name] != other[name]}
    assert differing == must_differ

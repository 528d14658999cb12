"""What both estimators show of the network inside."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators import summary
from skspectral._estimators.summary import network_caption

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NETWORKS = {SpectralMLPRegressor: "regression", SpectralMLPClassifier: "binary"}


@pytest.fixture(params=NETWORKS, ids=lambda network: network.__name__)
def fitted(make, request):
    return make(request.param).fit(*request.getfixturevalue(NETWORKS[request.param]))


def without_ids(html):
    """Return HTML without the numbers that scikit-learn counts up from view to view."""
    return [part.lstrip("0123456789") for part in html.split("-id-")]


def fitted_attributes(estimator):
    names = [name for name in dir(estimator) if name.endswith("_") and not name.startswith("_")]
    return {name for name in names if hasattr(estimator, name)}


def test_every_fitted_attribute_of_the_network_is_here(fitted):
    network = fitted.estimator_
    assert fitted_attributes(network) <= fitted_attributes(fitted)
    assert fitted.net_ is network.net_
    assert fitted.module_ is network.module_
    assert fitted.n_alive_nodes_ == network.n_alive_nodes_
    np.testing.assert_array_equal(fitted.coefs_[0], network.coefs_[0])
    np.testing.assert_array_equal(fitted.feature_importances_, network.feature_importances_)


def test_properties_have_docstrings(fitted):
    for name in fitted_attributes(fitted.estimator_) - set(vars(fitted)):
        assert getattr(type(fitted), name).__doc__.endswith(".")


@pytest.mark.parametrize("name", ["n_alive_nodes_", "coefs_", "classes_", "net_", "n_iter_"])
def test_unfitted_estimators_have_no_attributes_yet(make, name):
    model = make(SpectralMLPClassifier)
    assert not hasattr(model, name)
    with pytest.raises(NotFittedError):
        getattr(model, name)


def test_what_the_network_lacks_is_lacking(make, regression):
    model = make().fit(*regression)
    assert not hasattr(model, "classes_")
    with pytest.raises(AttributeError, match="classes_"):
        _ = model.classes_
    with pytest.raises(AttributeError, match="has no attribute 'coef'"):
        _ = model.coef


def test_copies_and_pickles_have_them(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.coefs_[0], fitted.coefs_[0])
    assert not fitted_attributes(clone(fitted))


def test_dir_lists_the_answer(fitted):
    assert {"summary", "alpha_", "n_alive_nodes_", "size_settled_"} <= set(dir(fitted))
    assert hasattr(fitted, "alpha_")


def test_html_shows_the_answer(fitted):
    html = fitted._repr_html_()
    assert network_caption(fitted.estimator_) in html
    assert fitted._caption() in html


def test_html_before_the_fit_is_that_of_scikit_learn(make, monkeypatch):
    model = make()
    html = model._repr_html_()
    assert "nodes left" not in html
    assert "nodes kept" not in html
    monkeypatch.setattr(summary, "_VisualBlock", None)
    assert without_ids(model._repr_html_()) == without_ids(html)


def test_summary_needs_a_fit(make):
    with pytest.raises(NotFittedError):
        make().summary()


def test_summary_is_of_what_was_fitted(fitted):
    text = fitted.summary()
    title, nodes, settled, *_ = text.splitlines()
    assert title == type(fitted).__name__
    assert nodes.split()[:4] == ["nodes", str(fitted.n_alive_nodes_[0]), "of", "8"]
    assert settled.endswith("more training would remove nodes")
    assert f"{fitted.alpha_:.3g}: " in text
    assert pickle.loads(pickle.dumps(fitted)).summary() == text


def test_html_shows_them(fitted):
    if not hasattr(fitted, "_get_fitted_attr_html"):
        pytest.skip("scikit-learn < 1.9 shows no fitted attributes")
    html = fitted._repr_html_()
    for name in ("n_alive_nodes_", "size_settled_", "feature_importances_", "cv_results_"):
        assert name in html


@pytest.mark.parametrize("network", NETWORKS)
def test_tags_are_those_of_the_network(make, network):
    tags, expected = get_tags(make(network)), get_tags(network())
    for name in ("estimator_type", "classifier_tags", "regressor_tags", "target_tags"):
        assert getattr(tags, name) == getattr(expected, name)


def test_exports_are_those_of_the_network(make, regression):
    X, y = regression
    model = make()
    for export in (model.to_sklearn, model.to_onnx):
        with pytest.raises(NotFittedError):
            export()
    model.fit(X, y)
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X))
    pytest.importorskip("onnx")
    assert model.to_onnx().graph.output[0].name == "variable"

"""hidden_layer_sizes="auto": one layer, whose width the rows of the first fit tell."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    pruning_curve,
    spectral_path,
)
from skspectral._estimators.recipe import auto_width

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2200, 3))
Y = (np.abs(X[:, 0]) > 0.7).astype(int)
FEW, MANY = 300, 2200  # rows, for 64 and 128 nodes


def make(cls=SpectralMLPRegressor, **parameters):
    return cls(**{"alpha": 0, "max_iter": 1, "random_state": 0, **parameters})


def width(model):
    return model.net_.module.hidden_layer_sizes


@BOTH
@pytest.mark.parametrize(("n_rows", "nodes"), [(3, 64), (FEW, 64), (2000, 64), (MANY, 128)])
def test_width_comes_from_the_rows(cls, n_rows, nodes):
    y = np.arange(n_rows) % 2
    model = make(cls).fit(X[:n_rows], y)
    assert width(model) == (nodes,) == (auto_width(n_rows),)
    assert len(model.feature_relevance_[0]) == nodes
    assert model.hidden_layer_sizes == "auto"  # a parameter stays as it was given


@BOTH
def test_it_is_the_default(cls):
    assert cls().hidden_layer_sizes == cls().alpha == cls().max_iter == "auto"


def test_rows_of_weight_zero_do_not_count():
    weight = (np.arange(MANY) < FEW).astype(float)
    assert width(make().fit(X, Y, sample_weight=weight)) == (64,)


def test_rows_that_are_held_out_count():
    # the width must not depend on the share that is held out
    for share in (0.1, 0.5):
        reg = make(early_stopping=True, validation_fraction=share).fit(X, Y)
        assert width(reg) == (128,)


@BOTH
def test_an_automatic_width_is_that_of_the_number(cls):
    auto, given = make(cls).fit(X, Y), make(cls, hidden_layer_sizes=128).fit(X, Y)
    np.testing.assert_array_equal(auto.coefs_[0], given.coefs_[0])


@BOTH
def test_warm_starts_keep_the_width_of_the_first_fit(cls):
    model = make(cls, warm_start=True).fit(X[:FEW], Y[:FEW])
    assert width(model.fit(X, Y)) == (64,)
    assert model.n_iter_ == 2
    assert width(model.partial_fit(X, Y)) == (64,)
    # its own width may be said, another not
    assert width(model.set_params(hidden_layer_sizes=64).fit(X, Y)) == (64,)
    with pytest.raises(ValueError, match=r"`hidden_layer_sizes` was \[64\] and is now \[128\]"):
        model.set_params(hidden_layer_sizes=128).fit(X, Y)
    model.set_params(hidden_layer_sizes="auto", warm_start=False)
    assert width(model.fit(X, Y)) == (128,)


def test_other_changes_are_still_refused_in_a_warm_start():
    reg = make(warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="`activation` was 'relu' and is now 'tanh'"):
        reg.set_params(activation="tanh").fit(X, Y)


def test_warm_starts_keep_several_layers_that_were_given():
    reg = make(hidden_layer_sizes=(6, 5), warm_start=True).fit(X, Y)
    assert width(reg.set_params(hidden_layer_sizes="auto").fit(X, Y)) == (6, 5)


@BOTH
def test_the_first_pass_sets_the_width(cls):
    classes = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    model = make(cls).partial_fit(X[:FEW], Y[:FEW], **classes)
    assert width(model) == (64,)
    assert width(model.partial_fit(X, Y)) == (64,)


@BOTH
def test_pruned_and_grown_networks_say_their_width(cls):
    model = make(cls).fit(X, Y)
    small = model.prune(n_nodes=5)
    assert tuple(small.hidden_layer_sizes) == width(small) == (5,)
    assert width(model.prune(n_nodes=0.25)) == (32,)
    wide = small.grow(20)
    assert tuple(wide.hidden_layer_sizes) == width(wide) == (20,)
    assert width(small.grow((9,)).set_params(warm_start=True).fit(X, Y)) == (9,)
    assert width(clone(small).fit(X, Y)) == (5,)
    with pytest.raises(ValueError, match="must be at least the alive nodes"):
        model.grow(20)
    assert model.hidden_layer_sizes == "auto"


def test_shrunk_networks_keep_the_numbers_of_the_start():
    y = np.abs(X[:FEW, 0])
    reg = make(alpha=0.03, max_iter=400).fit(X[:FEW], y)
    assert len(reg.node_indices_[0]) < 64
    assert len(reg.feature_relevance_[0]) == 64
    assert width(reg.grow()) == (64,)


@BOTH
def test_copies_are_equal(cls):
    model = make(cls).fit(X[:FEW], Y[:FEW])
    assert clone(model).hidden_layer_sizes == "auto"
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert width(clone(model).fit(X, Y)) == (128,)  # by the rows of its own fit


def test_paths_and_curves_take_it():
    network = make(alpha="auto", max_iter=2)
    path = spectral_path(X, Y, estimator=network, alphas=[1e-4, 1e-3], path_max_iter=1)
    assert 64 < path.n_alive_nodes[0, 0] <= 128
    curve = pruning_curve(make().fit(X, Y), X, Y)
    assert curve.n_nodes[-1] == 128


@pytest.mark.parametrize("cls", [SpectralMLPRegressorCV, SpectralMLPClassifierCV])
def test_cross_validated_paths_have_the_width_of_all_rows(cls):
    model = cls(alphas=[1e-4, 1e-3], cv=2, max_iter=2, random_state=0)
    assert model.fit(X, Y).estimator_.hidden_layer_sizes == (128,)


def test_search_compares_it_with_numbers():
    grid = {"hidden_layer_sizes": ["auto", 4, (4, 3)]}
    search = GridSearchCV(make(max_iter=3), grid, cv=2).fit(X[:FEW], Y[:FEW])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@BOTH
@pytest.mark.parametrize("value", ["foo", "Auto", "", b"auto", None, ("auto",), ("auto", 8)])
def test_other_words_are_refused(cls, value):
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        cls(hidden_layer_sizes=value).fit(X, Y)
    classes = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        cls(hidden_layer_sizes=value).partial_fit(X, Y, **classes)

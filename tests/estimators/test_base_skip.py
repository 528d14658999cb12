"""Estimators with a linear skip: linear tasks need no node, and all else works beside it."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    fit_many,
    match_nodes,
    merge,
    n_distinct_nodes,
    size_interval,
    spectral_path,
)
from skspectral._pruning.curve import count_parameters
from skspectral.datasets import make_teacher_student

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TASKS = ("regression", "outputs", "binary", "multiclass", "multilabel")
QUICK = {"skip": True, "max_iter": 30, "random_state": 0, "dtype": "float64"}


def data_of(task, request):
    if task == "outputs":
        X, y = request.getfixturevalue("regression")
        return X, np.column_stack([1e3 * y, y - 50])
    return request.getfixturevalue(task)


def fit_task(task, request, hidden_layer_sizes=(8, 5), **params):
    X, y = data_of(task, request)
    cls = SpectralMLPRegressor if task in ("regression", "outputs") else SpectralMLPClassifier
    return cls(hidden_layer_sizes, **QUICK | params).fit(X, y), X, y


def outputs(model, X):
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


@pytest.fixture(scope="module")
def linear():
    """Return a fitted regressor, its rows and the coefficients behind them."""
    rng = np.random.default_rng(0)
    X, coef = rng.normal(size=(600, 5)), rng.normal(size=5)
    y = 3 + X @ coef + 0.5 * rng.normal(size=600)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        # at 1 next to nothing of pure noise survives
        reg = SpectralMLPRegressor(skip=True, alpha_factor=1, random_state=0).fit(X, y)
    return reg, X, y, coef


def test_linear_data_need_no_node(linear):
    reg, X, y, _ = linear
    assert reg.n_alive_nodes_ == [0]
    assert reg.size_settled_ is True
    told = (
        "nodes    0 of 64 nodes left: no hidden node needed at this penalty, the network is linear"
    )
    assert told in reg.summary()
    ols = LinearRegression().fit(X, y)
    assert reg.score(X, y) == pytest.approx(ols.score(X, y), abs=1e-3)
    np.testing.assert_allclose(reg.skip_coef_[0], ols.coef_, atol=0.02)
    assert reg.noise_variance_ == pytest.approx(0.25, rel=0.15)


def test_importances_of_a_linear_network_are_those_of_its_coefficients(linear):
    reg, X, _, _ = linear
    expected = np.abs(reg.skip_coef_[0]) * X.std(axis=0)
    np.testing.assert_allclose(reg.feature_importances_, expected / expected.sum(), rtol=1e-6)


def test_a_linear_network_goes_through_everything(linear):
    reg, X, y, _ = linear
    exported = reg.to_sklearn()
    np.testing.assert_allclose(exported.predict(X), reg.predict(X), rtol=1e-8)
    np.testing.assert_allclose(reg.prune().predict(X), reg.predict(X), atol=0.02)
    assert n_distinct_nodes(reg) == 0
    assert reg.grow(16).n_alive_nodes_ != [0]
    found = size_interval(reg, X, y, n_seeds=1, cv=[], random_state=0)
    assert (found.size, found.interval, found.identified) == ([0], [(0, 0)], True)


def test_linear_classes_need_no_node():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 4))
    y = rng.random(1500) < 1 / (1 + np.exp(-2 * X[:, 0] + X[:, 1]))
    clf = SpectralMLPClassifier(skip=True, alpha_factor=1, random_state=0).fit(X, y)
    assert clf.n_alive_nodes_ == [0]
    assert clf.skip_coef_.shape == (1, 4)
    assert np.abs(clf.skip_coef_[0] - [2, -1, 0, 0]).max() < 0.3


def test_teacher_of_ten_is_found_from_a_start_of_twenty():
    data = make_teacher_student(4000, 10, 10, noise=0.05, random_state=0)
    reg = SpectralMLPRegressor(20, skip=True, random_state=0).fit(data.X, data.y)
    assert reg.n_alive_nodes_ == [10]
    assert n_distinct_nodes(reg) == 10
    # max(z, 0) = z + max(-z, 0): a node may have either sign
    matched = match_nodes(reg, data.teacher)
    assert matched.similarity.min() > 0.98


def test_signs_count_where_the_skip_cannot_make_up_for_them(request):
    deep, X, y = fit_task("regression", request)
    assert match_nodes(deep, deep).similarity.min() == pytest.approx(1)
    plain = SpectralMLPRegressor(8, max_iter=30, random_state=0).fit(X, y)
    turned = pickle.loads(pickle.dumps(plain))
    for parameter in (turned.module_.layers[0].phi, turned.module_.layers[0].bias):
        parameter.data *= -1
    assert match_nodes(plain, turned).similarity.mean() < 0.9
    shallow, _, _ = fit_task("regression", request, 8)
    turned = pickle.loads(pickle.dumps(shallow))
    for parameter in (turned.module_.layers[0].phi, turned.module_.layers[0].bias):
        parameter.data *= -1
    assert match_nodes(shallow, turned).similarity.min() == pytest.approx(1)


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("task", TASKS)
def test_to_sklearn_folds_it(task, request, activation):
    model, X, _ = fit_task(task, request, activation=activation)
    exported = model.to_sklearn()
    assert model.skip_coef_.any()
    np.testing.assert_allclose(outputs(exported, X), outputs(model, X), rtol=1e-8, atol=1e-10)


def test_float32_and_no_hidden_layer_are_folded(request):
    for sizes, dtype, rtol in (((), "float64", 1e-10), ((8,), "float32", 1e-4)):
        model, X, _ = fit_task("regression", request, sizes, dtype=dtype)
        np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=rtol)


def test_a_scale_beyond_float32_is_folded_into_the_last_layer(regression):
    X, y = regression
    model = SpectralMLPRegressor(8, **QUICK | {"dtype": "float32"}).fit(X, 1e100 * y)
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_to_sklearn_names_the_way_out_where_it_cannot_fold(request, activation):
    model, _, _ = fit_task("binary", request, activation=activation)
    with pytest.raises(ValueError, match="Export with to_onnx"):
        model.to_sklearn()
    pruner = SpectralPruner(clone(model), cv=2, random_state=0).fit(
        *request.getfixturevalue("binary")
    )
    with pytest.raises(ValueError, match="Export with to_onnx"):
        pruner.to_sklearn()


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_those_of_the_attributes(task, request):
    model, X, y = fit_task(task, request, 8)
    linear = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0) @ model.coefs_[1]
    linear = linear + model.intercepts_[1] + X @ model.skip_coef_.T
    assert model.skip_coef_.shape == (model.n_outputs_, X.shape[1])
    if task in ("regression", "outputs"):
        np.testing.assert_allclose(model.predict(X), linear.reshape(y.shape), rtol=1e-8)
    else:
        own = model.module_(torch.as_tensor(X, dtype=model.net_.dtype)).detach().numpy()
        np.testing.assert_allclose(own, linear, rtol=1e-8, atol=1e-10)


def test_without_skip_there_is_none(regression):
    reg = SpectralMLPRegressor(8, max_iter=5, random_state=0).fit(*regression)
    assert reg.skip_coef_ is None
    assert reg.module_.skip is None
    assert not any("skip" in name for name in dict(reg.module_.named_parameters()))


@pytest.mark.parametrize("way", ["hidden", "skip"])
def test_importances_add_up_the_ways(request, way):
    model, X, _ = fit_task("outputs", request, 8)
    skip, layers = model.module_.skip.weight.data, model.module_.layers
    if way == "hidden":
        skip.zero_()
        paths = np.abs(model.coefs_[0]) @ np.abs(model.coefs_[1]).sum(axis=1)
    else:
        layers[1].weight.data.zero_()
        paths = np.abs(model.skip_coef_).sum(axis=0)
    expected = paths * X.std(axis=0)
    np.testing.assert_allclose(model.feature_importances_, expected / expected.sum(), rtol=1e-8)


def test_importances_of_both_ways(request):
    model, X, _ = fit_task("outputs", request, 8)
    paths = np.abs(model.coefs_[0]) @ np.abs(model.coefs_[1]).sum(axis=1)
    expected = (paths + np.abs(model.skip_coef_).sum(axis=0)) * X.std(axis=0)
    np.testing.assert_allclose(model.feature_importances_, expected / expected.sum(), rtol=1e-8)


def test_sparse_rows_train_as_dense_ones(regression):
    X, y = regression
    X = X * (np.abs(X) > 2)  # below a tenth of the entries are left
    dense, thin = (
        SpectralMLPRegressor((8, 4), alpha=1e-3, **QUICK).fit(rows, y)
        for rows in (X, sparse.csr_matrix(X))
    )
    np.testing.assert_allclose(thin.predict(X), dense.predict(X), rtol=1e-8)
    np.testing.assert_allclose(thin.skip_coef_, dense.skip_coef_, rtol=1e-7, atol=1e-9)


def test_integer_weights_are_repeated_rows(regression):
    X, y = regression
    weight = np.arange(len(y)) % 3
    options = QUICK | {"alpha": 1e-3, "batch_size": 1000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        weighed = SpectralMLPRegressor(6, **options).fit(X, y, sample_weight=weight)
        repeated = SpectralMLPRegressor(6, **options).fit(X.repeat(weight, 0), y.repeat(weight))
    np.testing.assert_allclose(weighed.predict(X), repeated.predict(X), rtol=1e-7)


def test_shrinking_in_training_changes_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = np.abs(X[:, 0]) + X[:, 1] + 0.05 * rng.normal(size=400)
    fits = [
        SpectralMLPRegressor(60, alpha=0.02, shrink=shrink, **QUICK | {"max_iter": 300}).fit(X, y)
        for shrink in (True, False)
    ]
    assert fits[0].module_.layer_sizes[1] < 60
    assert fits[0].n_alive_nodes_ == fits[1].n_alive_nodes_
    np.testing.assert_allclose(fits[0].predict(X), fits[1].predict(X), atol=1e-5)


def test_training_goes_on(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, alpha=1e-3, **QUICK).fit(X, y)
    for model in (reg, reg.prune(), reg.grow(12)):
        before = model.skip_coef_.copy()
        model.partial_fit(X, y)
        assert (model.skip_coef_ != before).all()
        model.set_params(warm_start=True).fit(X, y)
    other = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(
        other.partial_fit(X, y).skip_coef_, reg.partial_fit(X, y).skip_coef_
    )
    with pytest.raises(ValueError, match="`skip` was True and is now False"):
        reg.set_params(skip=False, warm_start=True).fit(X, y)


def test_members_are_folded_with_the_mean_of_their_skips(regression):
    X, y = regression
    options = QUICK | {"alpha": 1e-3}
    reg = SpectralMLPRegressor(8, n_members=3, **options).fit(X, y)
    assert len(reg.member_sizes_) == 3
    np.testing.assert_allclose(reg.to_sklearn().predict(X), reg.predict(X), rtol=1e-8)
    first, second = (SpectralMLPRegressor(8, **options | {"random_state": k}) for k in (1, 2))
    first.fit(X, y), second.fit(X[:60], y[:60])
    both = merge([first, second])
    mean = (first.predict(X) + second.predict(X)) / 2
    np.testing.assert_allclose(both.predict(X), mean, rtol=1e-8)
    np.testing.assert_allclose(both.skip_coef_, (first.skip_coef_ + second.skip_coef_) / 2)


def test_estimators_with_and_without_are_not_merged(regression):
    regs = [
        SpectralMLPRegressor(4, max_iter=2, skip=skip).fit(*regression) for skip in (False, True)
    ]
    message = "same linear skip; the first has none, and the one at index 1 has one.*same `skip`"
    with pytest.raises(ValueError, match=message):
        merge(regs)


def test_paths_train_the_skip_on_where_no_node_is_left(regression):
    X, y = regression
    network = SpectralMLPRegressor(8, skip=True, max_iter=200, random_state=0)
    path = spectral_path(X, y, estimator=network, alphas=[1.0, 5.0, 20.0], path_max_iter=200)
    assert not path.n_alive_nodes[-1].any()
    assert path.train_loss[0] < path.train_loss[1] < path.train_loss[2]


def test_cross_validation_hands_it_on(linear):
    _, X, y, _ = linear
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        reg = SpectralMLPRegressorCV(
            16, skip=True, alphas=[0.01, 0.02, 0.04], cv=2, random_state=0
        ).fit(X, y)
    assert reg.n_alive_nodes_ == [0]
    assert reg.size_identified_
    assert reg.skip_coef_.shape == (1, 5)


@pytest.mark.parametrize("hidden_layer_sizes", [10, (10, 8)])
def test_restarts_keep_it(regression, hidden_layer_sizes):
    X, y = regression
    options = QUICK | {"max_iter": 100, "alpha": 1e-3}
    reg = SpectralMLPRegressor(hidden_layer_sizes, n_restarts=1, **options).fit(X, y)
    assert reg.restart_gain_ >= 0
    assert reg.skip_coef_.any()
    np.testing.assert_allclose(reg.to_sklearn().predict(X), reg.predict(X), rtol=1e-8)


def test_parameters_of_the_skip_are_counted(request):
    model, _, _ = fit_task("outputs", request, 8)
    assert count_parameters(model.module_) == (4 + 1) * 8 + (8 + 1) * 2 + 4 * 2


def test_penalty_of_the_skip_is_a_tenth(regression):
    reg = SpectralMLPRegressor(8, alpha=1e-3, **QUICK).fit(*regression)
    penalty = reg.net_.penalty
    assert penalty.coefficient("skip.weight") == pytest.approx(1e-4)
    expected = sum(
        penalty.coefficient(name) * float(p.detach().square().sum())
        for name, p in reg.module_.named_parameters()
        if p.requires_grad
    )
    assert reg.net_.history[-1]["penalty"] == pytest.approx(expected, rel=1e-6)


def test_fleet_of_both_kinds(regression):
    X, y = regression
    models = [SpectralMLPRegressor(8, alpha=1e-3, **QUICK | {"skip": s}) for s in (True, False)]
    for ours, alone in zip(fit_many([clone(m) for m in models], X, y), models, strict=True):
        np.testing.assert_allclose(ours.predict(X), alone.fit(X, y).predict(X), rtol=1e-9)

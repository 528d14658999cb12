"""The estimators: targets, weights, attributes, continuing, persistence."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.class_weight import compute_sample_weight

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators import base, rows
from skspectral.nn import node_relevance

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
MODES = [
    {"parametrization": "dense"},
    {"eigenvalues": "out"},
    {"eigenvalues": "in"},
    {"eigenvalues": "out-in"},
    {"eigenvalues": "both"},
    {"parametrization": ["dense", "spectral"], "hidden_layer_sizes": (10, 8)},
    {"trainable": "eigenvalues"},
    {"trainable": "eigenvectors"},
    {"fit_intercept": False},
    {"hidden_layer_sizes": ()},
]


def make(cls, **parameters):
    return cls(
        **{
            "hidden_layer_sizes": (10,),
            "max_iter": 60,
            "random_state": 0,
            "alpha": 1e-4,
            **parameters,
        }
    )


def forward(model, X):
    """Predict by hand from `coefs_` and `intercepts_`, relu."""
    for index, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        X = X @ w + b
        if index < len(model.coefs_) - 1:
            X = np.maximum(X, 0)
    return X


@pytest.mark.parametrize("mode", MODES)
def test_regressor_learns_in_every_mode(regression, mode):
    X, y = regression
    reg = make(SpectralMLPRegressor, max_iter=400, **mode).fit(X, y)
    least = 0.2 if mode.get("hidden_layer_sizes") == () else 0.7
    assert reg.score(X, y) > least
    np.testing.assert_allclose(forward(reg, X).ravel(), reg.predict(X), rtol=1e-9)


def test_regressor_predicts_several_outputs(regression):
    X, y = regression
    Y = np.column_stack([y, 1000 * X[:, 0] - 5, np.full(len(y), 7.0)])
    reg = make(SpectralMLPRegressor, max_iter=800).fit(X, Y)
    assert reg.predict(X).shape == (120, 3)
    assert (r2_score(Y, reg.predict(X), multioutput="raw_values")[:2] > 0.9).all()
    np.testing.assert_allclose(reg.predict(X)[:, 2], 7, atol=0.1)
    np.testing.assert_allclose(forward(reg, X), reg.predict(X), rtol=1e-9)
    np.testing.assert_allclose(reg.y_mean_, Y.mean(axis=0))
    np.testing.assert_allclose(reg.y_scale_, [Y[:, 0].std(), Y[:, 1].std(), 1])


def test_regressor_warns_of_a_column_target(regression):
    X, y = regression
    with pytest.warns(Warning, match="column-vector y"):
        reg = make(SpectralMLPRegressor).fit(X, y[:, None])
    assert reg.predict(X).shape == (120,)


@pytest.mark.parametrize(("a", "b"), [(4.0, 0.0), (1000.0, -7.0), (1e-4, 3.0)])
def test_regressor_follows_scale_and_shift_of_the_target(regression, a, b):
    X, y = regression
    reg = make(SpectralMLPRegressor, dtype="float64", alpha=1e-2)
    base = reg.fit(X, y).predict(X)
    scaled = clone(reg).fit(X, a * y + b)
    np.testing.assert_allclose(scaled.predict(X), a * base + b, rtol=1e-6)
    assert scaled.n_alive_nodes_ == reg.n_alive_nodes_


def test_regressor_without_normalisation_keeps_units(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor, normalize_y=False).fit(X, y)
    assert reg.y_mean_ == [0]
    assert reg.y_scale_ == [1]


def test_classifier_binary(binary):
    X, y = binary
    labels = np.array(["no", "yes"])[y]
    clf = make(SpectralMLPClassifier, max_iter=200).fit(X, labels)
    assert clf.score(X, labels) > 0.9
    assert list(clf.classes_) == ["no", "yes"]
    assert clf.n_outputs_ == 1
    assert clf.out_activation_ == "logistic"
    check_probabilities(clf, X, labels)


def test_classifier_multiclass(multiclass):
    X, y = multiclass
    clf = make(SpectralMLPClassifier, max_iter=200).fit(X, y)
    assert clf.score(X, y) > 0.8
    assert clf.n_outputs_ == 3
    assert clf.out_activation_ == "softmax"
    check_probabilities(clf, X, y)


def check_probabilities(clf, X, y):
    proba = clf.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), proba)
    assert (clf.classes_[proba.argmax(axis=1)] == clf.predict(X)).all()
    assert log_loss(y, proba) < 0.6


def test_classifier_multilabel(multilabel):
    X, Y = multilabel
    clf = make(SpectralMLPClassifier, max_iter=300).fit(X, Y)
    assert clf.score(X, Y) > 0.85
    assert clf.predict_proba(X).shape == Y.shape
    assert ((clf.predict_proba(X) > 0.5) == clf.predict(X)).all()
    sparse_fit = make(SpectralMLPClassifier, max_iter=300).fit(X, sparse.csr_matrix(Y))
    np.testing.assert_allclose(sparse_fit.predict_proba(X), clf.predict_proba(X))


def test_loss_is_the_documented_one(regression, binary, multiclass, multilabel):
    """One epoch at a rate of nearly nothing: the loss is that of the initial network."""
    settings = {"max_iter": 1, "learning_rate": "constant", "learning_rate_init": 1e-12}
    X, y = regression
    reg = make(SpectralMLPRegressor, **settings).fit(X, y)
    z = (reg.predict(X) - y.mean()) / y.std()
    data = np.mean((z - (y - y.mean()) / y.std()) ** 2)
    assert reg.loss_curve_[0] == pytest.approx(data + 1e-4 * squares(reg))
    for X, y in (binary, multiclass):
        clf = make(SpectralMLPClassifier, **settings).fit(X, y)
        data = log_loss(y, clf.predict_proba(X))
        assert clf.loss_curve_[0] == pytest.approx(data + 1e-4 * squares(clf))
    X, Y = multilabel
    clf = make(SpectralMLPClassifier, **settings).fit(X, Y)
    proba = clf.predict_proba(X)
    data = -np.mean(np.where(Y == 1, np.log(proba), np.log(1 - proba)))
    assert clf.loss_curve_[0] == pytest.approx(data + 1e-4 * squares(clf))


def squares(model):
    return sum(
        float(p.detach().square().sum())
        for name, p in model.module_.named_parameters()
        if p.requires_grad and not name.endswith("bias")
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_input_equals_dense(binary, container, dtype):
    X, y = binary
    X = np.where(np.abs(X) > 1, X, 0)
    settings = {"dtype": dtype, "batch_size": 40, "max_iter": 20}
    dense = make(SpectralMLPClassifier, **settings).fit(X, y)
    other = make(SpectralMLPClassifier, **settings).fit(container(X), y)
    np.testing.assert_allclose(
        other.predict_proba(container(X)), dense.predict_proba(X), rtol=1e-4
    )
    np.testing.assert_allclose(other.feature_importances_, dense.feature_importances_, rtol=1e-3)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_keep_feature_names(regression, frame):
    X, y = regression
    table = frame({f"c{j}": X[:, j] for j in range(4)})
    reg = make(SpectralMLPRegressor).fit(table, y)
    assert list(reg.feature_names_in_) == ["c0", "c1", "c2", "c3"]
    np.testing.assert_array_equal(
        reg.predict(table), make(SpectralMLPRegressor).fit(X, y).predict(X)
    )
    with pytest.raises(ValueError, match="feature names"):
        reg.predict(table[["c1", "c0", "c2", "c3"]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unusual_memory_is_read_and_left_alone(regression, tmp_path, dtype):
    X, y = regression
    X = X.astype(dtype)
    expected = make(SpectralMLPRegressor, dtype=np.dtype(dtype).name).fit(X, y).predict(X)
    read_only = X.copy()
    read_only.flags.writeable = False
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    strided = np.repeat(X, 2, axis=1)[:, ::2]
    for other in (read_only, mapped, strided, np.asfortranarray(X), X[::-1][::-1]):
        model = make(SpectralMLPRegressor, dtype=np.dtype(dtype).name).fit(other, y)
        # equal to rounding: products depend on where memory begins
        np.testing.assert_allclose(model.predict(other), expected, rtol=1e-5)
    np.testing.assert_array_equal(read_only, X)


def test_dtype_is_exact_for_small_tables_and_single_for_large():
    rng = np.random.default_rng(0)
    for n_rows, dtype in [(999, torch.float64), (1000, torch.float32)]:
        X = rng.normal(size=(n_rows, 2))
        reg = make(SpectralMLPRegressor, max_iter=1).fit(X, X[:, 0])
        assert reg.module_.layers[0].phi.dtype == dtype


@BOTH
@pytest.mark.parametrize("batch_size", [32, 200])
def test_zero_weight_equals_a_row_left_out_bitwise(binary, cls, batch_size):
    X, y = binary
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    weight[::3] = 0
    kept = weight > 0
    settings = {"batch_size": batch_size, "early_stopping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        weighted = make(cls, **settings).fit(X, y, sample_weight=weight)
        left_out = make(cls, **settings).fit(X[kept], y[kept], sample_weight=weight[kept])
    np.testing.assert_array_equal(weighted.predict(X), left_out.predict(X))
    assert weighted.loss_curve_ == left_out.loss_curve_


@BOTH
def test_full_batch_weights_equal_repeated_rows(binary, cls):
    X, y = binary
    X, y = X[:60], y[:60]
    times = np.random.default_rng(0).integers(0, 4, size=60)
    weighted = make(cls, max_iter=200).fit(X, y, sample_weight=times)
    repeated = make(cls, max_iter=200).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-6, atol=1e-9)


@BOTH
def test_scale_of_weights_does_not_matter(binary, cls):
    X, y = binary
    weight = np.linspace(1, 3, len(y))
    one, ten = (make(cls).fit(X, y, sample_weight=k * weight) for k in (1, 16))
    np.testing.assert_array_equal(one.predict(X), ten.predict(X))


def test_class_weight_equals_sample_weight(multiclass):
    X, y = multiclass
    by_class = {"ash": 1.0, "beech": 5.0, "cedar": 0.5}
    for class_weight in (by_class, "balanced"):
        weight = compute_sample_weight(class_weight, y)
        a = make(SpectralMLPClassifier, class_weight=class_weight).fit(X, y)
        b = make(SpectralMLPClassifier).fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-6)


def test_class_weight_moves_the_predictions(binary):
    X, y = binary
    shares = [
        make(SpectralMLPClassifier, class_weight={0: 1, 1: w}).fit(X, y).predict(X).mean()
        for w in (0.02, 1, 50)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_classes_come_from_all_rows(multiclass):
    X, y = multiclass
    weight = (y != "cedar").astype(float)
    clf = make(SpectralMLPClassifier).fit(X, y, sample_weight=weight)
    assert list(clf.classes_) == ["ash", "beech", "cedar"]
    assert "cedar" not in clf.predict(X)


@pytest.mark.parametrize("parametrization", ["spectral", "dense"])
def test_relevance_attributes(regression, parametrization):
    X, y = regression
    reg = make(
        SpectralMLPRegressor,
        hidden_layer_sizes=(10, 6),
        parametrization=parametrization,
        relevance_threshold=0.3,
    ).fit(X, y)
    assert [len(r) for r in reg.feature_relevance_] == [10, 6]
    for relevance, alive, coefs, module in zip(
        reg.feature_relevance_,
        reg.n_alive_nodes_,
        reg.coefs_,
        node_relevance(reg.module_),
        strict=False,
    ):
        np.testing.assert_allclose(relevance, np.linalg.norm(coefs, axis=0))
        np.testing.assert_array_equal(relevance, module.numpy())
        assert alive == (relevance > 0.3 * relevance.max()).sum()
    assert [list(i) for i in reg.node_indices_] == [list(range(10)), list(range(6))]


def test_feature_importances_follow_the_definition(regression):
    X, y = regression
    X = X * [1, 1, 1, 5]
    reg = make(SpectralMLPRegressor, hidden_layer_sizes=(10, 6)).fit(X, y)
    expected = np.abs(reg.coefs_[0]) @ np.abs(reg.coefs_[1]) @ np.abs(reg.coefs_[2])
    expected = expected.sum(axis=1) * X.std(axis=0)
    np.testing.assert_allclose(reg.feature_importances_, expected / expected.sum())


def test_feature_importances_find_the_columns_that_matter(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor, alpha=1e-2, max_iter=1500).fit(X, y)
    assert set(np.argsort(reg.feature_importances_)[-2:]) == {0, 1}
    assert reg.feature_importances_[[2, 3]].sum() < 0.1


def test_attributes_carry_scikit_learns_names(regression, binary):
    ours = make(SpectralMLPRegressor).fit(*regression)
    theirs = MLPRegressor(hidden_layer_sizes=(10,), max_iter=60, random_state=0).fit(*regression)
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert [w.shape for w in ours.coefs_] == [w.shape for w in theirs.coefs_]
    assert [b.shape for b in ours.intercepts_] == [b.shape for b in theirs.intercepts_]
    assert ours.n_iter_ == len(ours.loss_curve_) == 60
    assert ours.t_ == 60 * 120
    assert ours.best_loss_ == min(ours.loss_curve_)
    assert ours.validation_scores_ is None
    clf = make(SpectralMLPClassifier).fit(*binary)
    assert clf.out_activation_ == MLPClassifier(max_iter=5).fit(*binary).out_activation_


@BOTH
def test_equal_seeds_give_equal_networks(binary, cls):
    X, y = binary
    settings = {"batch_size": 32, "max_iter": 10}
    a, b = (make(cls, **settings).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(a.predict(X), b.predict(X))
    other = make(cls, **settings, random_state=1).fit(X, y)
    assert not np.allclose(a.coefs_[0], other.coefs_[0])


@BOTH
def test_early_stopping_restores_the_best_epoch_without_a_horizon(binary, cls):
    X, y = binary
    settings = {"learning_rate": "constant", "learning_rate_init": 0.1, "n_iter_no_change": 8}
    model = make(cls, early_stopping=True, max_iter=300, **settings)
    model.fit(X[:90], y[:90])
    scores = model.validation_scores_
    best = int(np.argmax(scores))
    assert model.n_iter_ < 300
    assert model.best_validation_score_ == scores[best]
    assert model.best_loss_ is None
    same = make(cls, early_stopping=True, max_iter=best + 1, **settings).fit(X[:90], y[:90])
    np.testing.assert_array_equal(model.predict(X), same.predict(X))


def test_early_stopping_runs_to_the_end_of_a_horizon(binary):
    X, y = binary
    clf = make(SpectralMLPClassifier, early_stopping=True, n_iter_no_change=1).fit(X, y)
    assert clf.n_iter_ == len(clf.validation_scores_) == 60


@BOTH
def test_validation_rows_given_are_scored_as_by_score(binary, cls):
    X, y = binary
    weight = np.linspace(0, 1, 50)
    model = make(cls, early_stopping=True, tol=10.0)
    model.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:], sample_weight_val=weight)
    expected = model.score(X[100:], y[100:], sample_weight=weight)
    assert model.validation_scores_[-1] == pytest.approx(expected)


def test_validation_rows_do_not_train(binary):
    X, y = binary
    fits = [
        make(SpectralMLPClassifier, early_stopping=True, tol=10.0).fit(
            X[:100], y[:100], X_val=X_val, y_val=y[100:]
        )
        for X_val in (X[100:], X[100:] + 1)
    ]
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])


@BOTH
def test_warm_start_goes_on(binary, cls):
    X, y = binary
    model = make(cls, warm_start=True, max_iter=100).fit(X, y)
    first, loss = model.coefs_[0], model.loss_curve_[-1]
    model.fit(X, y)
    assert model.n_iter_ == 200
    assert model.loss_curve_[-1] < loss
    assert not np.array_equal(first, model.coefs_[0])


def test_warm_path_only_loses_nodes(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor, hidden_layer_sizes=30, warm_start=True, max_iter=800)
    alive = []
    for alpha in (1e-3, 1e-2, 3e-2):
        alive.append(reg.set_params(alpha=alpha).fit(X, y).n_alive_nodes_[0])
    assert alive[0] > alive[1] >= alive[2] >= 1


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": (11,)},
        {"activation": "tanh"},
        {"fit_intercept": False},
        {"parametrization": "dense"},
        {"eigenvalues": "in"},
        {"trainable": "eigenvalues"},
    ],
)
def test_warm_start_refuses_another_network(regression, change):
    reg = make(SpectralMLPRegressor, warm_start=True, max_iter=2).fit(*regression)
    with pytest.raises(ValueError, match=f"`{next(iter(change))}` was"):
        reg.set_params(**change).fit(*regression)


def test_warm_start_refuses_other_data(regression, multiclass):
    X, y = regression
    reg = make(SpectralMLPRegressor, warm_start=True, max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="3 features"):
        reg.fit(X[:, :3], y)
    with pytest.raises(ValueError, match="must have 1 output, as the network; got 2"):
        reg.fit(X, np.column_stack([y, y]))
    X, y = multiclass
    clf = make(SpectralMLPClassifier, warm_start=True, max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="classes of the first fit"):
        clf.fit(X[y != "ash"], y[y != "ash"])


def test_cold_fit_forgets_the_last(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor).fit(X, y)
    expected = reg.predict(X)
    np.testing.assert_array_equal(reg.fit(X, y).predict(X), expected)


@BOTH
def test_partial_fit_learns_and_keeps_the_optimiser(binary, cls):
    X, y = binary
    model = make(cls, batch_size=32)
    extra = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    for _ in range(40):
        model.partial_fit(X, y, **extra)
    assert model.n_iter_ == 40
    assert model.size_settled_ is None
    assert model.loss_curve_[-1] < 0.7 * model.loss_curve_[0]
    step = next(iter(model.net_.optimizer_.state.values()))["step"]
    assert int(step) == 40 * 5
    assert model.net_.optimizer_.param_groups[0]["lr"] == model.learning_rate_init


def test_partial_fit_keeps_the_first_scale(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor).partial_fit(X[:60], y[:60])
    mean = reg.y_mean_.copy()
    reg.partial_fit(X[60:], 100 * y[60:])
    assert reg.y_mean_ == mean


def test_partial_fit_goes_on_after_fit(regression):
    X, y = regression
    reg = make(SpectralMLPRegressor).fit(X, y)
    before = reg.coefs_[0]
    reg.partial_fit(X, y)
    assert reg.n_iter_ == 61
    assert not np.array_equal(before, reg.coefs_[0])


def test_partial_fit_uses_weights_as_given(regression):
    X, y = regression
    rates = {"solver": "sgd", "alpha": 0, "learning_rate_init": 0.01}
    one = make(SpectralMLPRegressor, **rates).partial_fit(X, y)
    start = make(SpectralMLPRegressor, **{**rates, "learning_rate_init": 1e-300}).partial_fit(X, y)
    double = make(SpectralMLPRegressor, **rates).partial_fit(X, y, sample_weight=np.full(120, 2.0))
    phi, phi_one, phi_double = (
        model.module_.layers[0].phi.detach().numpy() for model in (start, one, double)
    )
    np.testing.assert_allclose(phi_double - phi, 2 * (phi_one - phi), rtol=1e-9, atol=1e-12)


def test_partial_fit_knows_classes_it_has_not_seen(multiclass):
    X, y = multiclass
    clf = make(SpectralMLPClassifier)
    clf.partial_fit(X[y != "ash"], y[y != "ash"], classes=np.unique(y))
    assert clf.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match="classes of the first fit"):
        clf.partial_fit(X, np.where(y == "ash", "elm", y))


@BOTH
def test_pickle_predicts_and_goes_on(binary, cls):
    X, y = binary
    model = make(cls, early_stopping=True, warm_start=True).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    np.testing.assert_array_equal(copy.fit(X, y).predict(X), model.fit(X, y).predict(X))


def test_pickle_holds_no_training_rows():
    X = np.random.default_rng(0).normal(size=(20_000, 30))
    reg = make(SpectralMLPRegressor, max_iter=1, early_stopping=True).fit(X, X[:, 0])
    assert len(pickle.dumps(reg)) < 200_000


@BOTH
def test_clone_is_unfitted_with_equal_parameters(binary, cls):
    model = make(cls, callbacks=[], parametrization=["spectral"]).fit(*binary)
    copy = clone(model)
    assert not hasattr(copy, "net_")
    assert copy.get_params() == model.get_params()


def test_a_refit_that_is_refused_leaves_the_fit_as_it_was(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, alpha=1e-3, max_iter=20, random_state=0).fit(X, y)
    before = reg.predict(X)
    with pytest.raises(ValueError, match="early_stopping=True"):
        reg.fit(X, 3 * y, X_val=X, y_val=y)
    np.testing.assert_array_equal(reg.predict(X), before)
    clf = SpectralMLPClassifier(8, alpha=1e-3, max_iter=20, random_state=0).fit(X, y > y.mean())
    with pytest.raises(ValueError, match="early_stopping=True"):
        clf.fit(X, np.digitize(y, [2, 3, 4]), X_val=X, y_val=y > y.mean())
    assert clf.classes_.tolist() == [False, True]


def test_a_first_partial_fit_that_fails_leaves_nothing(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, dtype="float32", random_state=0)
    with pytest.raises(ValueError, match="beyond float32"):
        reg.partial_fit(1e100 * X, y)
    assert not hasattr(reg, "net_")
    assert reg.partial_fit(X, y).n_iter_ == 1


def test_early_stopping_warns_of_a_size_that_has_not_settled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.abs(X[:, 0]) + 0.5 * rng.normal(size=300)
    reg = SpectralMLPRegressor([32], early_stopping=True, random_state=0)
    with pytest.warns(ConvergenceWarning, match="The size has not settled"):
        reg.fit(X, y)
    assert reg.size_settled_ is False


@pytest.mark.parametrize("shuffle", [True, False])
def test_warm_start_holds_out_the_same_rows(regression, monkeypatch, shuffle):
    held_out = []

    def split(*args, **options):
        parts = rows.hold_out(*args, **options)
        held_out.append(parts[1].y)
        return parts

    monkeypatch.setattr(base, "hold_out", split)
    options = {"max_iter": 3, "early_stopping": True, "shuffle": shuffle, "random_state": 0}
    reg = SpectralMLPRegressor(4, warm_start=True, **options)
    for _ in range(3):
        reg.fit(*regression)
    np.testing.assert_array_equal(held_out[0], held_out[1])
    np.testing.assert_array_equal(held_out[0], held_out[2])
    # a first fit without early stopping has none to repeat
    late = clone(reg).set_params(early_stopping=False).fit(*regression)
    for _ in range(2):
        late.set_params(early_stopping=True).fit(*regression)
    np.testing.assert_array_equal(held_out[3], held_out[4])
    clone(reg).set_params(random_state=1).fit(*regression)
    assert not np.array_equal(held_out[0], held_out[5])

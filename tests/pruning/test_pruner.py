"""SpectralPruner: choose a size by validation, cut, predict, transform."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, mean_pinball_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    pruning_curve,
    to_onnx,
)
from skspectral._pruning.strategies import CutFrozen, CutTrained
from skspectral._training.fleet import Fleet
from skspectral._training.member import Member

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("n_nodes", ["auto", 2])
def test_pruner_is_fitted_when_its_warning_is_raised(n_nodes, regression):
    network = SpectralMLPRegressor(8, max_iter=2, random_state=0)
    pruner = SpectralPruner(network, n_nodes=n_nodes, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            pruner.fit(*regression)
    assert pruner.predict(regression[0]).shape == regression[1].shape


@pytest.mark.parametrize("settings", [{"n_nodes": 2}, {"cv": 2}, {"cv": 2, "n_jobs": 2}])
def test_warnings_of_a_pruner_point_at_the_line_that_calls_fit(settings, regression):
    network = SpectralMLPRegressor(8, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning) as said:
        SpectralPruner(network, **settings).fit(*regression)
    assert [warning.filename for warning in said] == [__file__]


@pytest.fixture
def reg():
    return SpectralMLPRegressor(12, max_iter=150, alpha=3e-3, random_state=0)


@pytest.fixture
def clf():
    return SpectralMLPClassifier((10, 6), max_iter=100, alpha=3e-3, random_state=0)


@pytest.fixture(scope="module")
def two_kinks():
    """Return rows whose target is made of four relu nodes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    return X, np.abs(X[:, 0]) + np.abs(X[:, 1] - 0.5)


@pytest.mark.parametrize("settings", [{}, {"cv": 3}, {"tolerance": 0.01}])
def test_size_of_the_task_is_found(two_kinks, settings):
    X, y = two_kinks
    network = SpectralMLPRegressor(40, alpha=3e-3, random_state=0)
    pruner = SpectralPruner(network, random_state=0, **settings).fit(X[:500], y[:500])
    assert 3 <= pruner.n_nodes_[0] <= 8
    full = pruner.full_estimator_.score(X[500:], y[500:])
    assert pruner.score(X[500:], y[500:]) == pytest.approx(full, abs=0.02)


def test_curve_is_that_of_the_held_out_rows(reg, regression):
    X, y = regression
    pruner = SpectralPruner(reg, random_state=0).fit(X, y)
    train, test = train_test_split(
        np.arange(120), test_size=0.2, random_state=np.random.RandomState(0)
    )
    curve = pruning_curve(clone(reg).fit(X[train], y[train]), X[test], y[test])
    results = pruner.cv_results_
    np.testing.assert_allclose(results["mean_test_score"], curve.score, rtol=1e-9)
    np.testing.assert_array_equal(results["n_nodes"], curve.n_nodes)
    np.testing.assert_array_equal(results["n_parameters"], curve.n_parameters)


def test_curve_is_averaged_over_folds_at_equal_size(reg, regression):
    X, y = regression
    folds = KFold(3, shuffle=True, random_state=0)
    pruner = SpectralPruner(reg, cv=folds, scoring="neg_mean_absolute_error").fit(X, y)
    curves = [
        pruning_curve(
            clone(reg).fit(X[train], y[train]), X[test], y[test], scoring=pruner.scoring
        ).score
        for train, test in folds.split(X)
    ]
    results = pruner.cv_results_
    np.testing.assert_allclose(results["mean_test_score"], np.mean(curves, axis=0), rtol=1e-9)
    np.testing.assert_allclose(results["std_test_score"], np.std(curves, axis=0), rtol=1e-6)
    np.testing.assert_allclose(results["split1_test_score"], curves[1], rtol=1e-9)
    best, chosen = results["mean_test_score"].argmax(), results["within_tolerance"].argmax()
    differences = np.array(curves)[:, best] - np.array(curves)[:, chosen]
    assert differences.mean() <= results["margin"][chosen] + 1e-12


def test_folds_in_processes_give_equal_results(reg, regression):
    serial, parallel = (
        SpectralPruner(reg, cv=3, n_jobs=n, random_state=0).fit(*regression) for n in (None, 2)
    )
    for name, values in serial.cv_results_.items():
        np.testing.assert_allclose(values, parallel.cv_results_[name], rtol=1e-9)
    assert serial.n_nodes_ == parallel.n_nodes_


@pytest.mark.parametrize("strategy", ["after", "before"])
def test_fits_side_by_side_give_equal_results(request, multiclass, strategy, monkeypatch):
    X, y = multiclass
    weight = np.random.default_rng(0).uniform(0.1, 3, 150)
    network = SpectralMLPClassifier(8, max_iter=40, dtype="float64", alpha=3e-3, random_state=0)
    pruner = SpectralPruner(network, cv=3, strategy=strategy, fine_tune=5)
    crews = []
    run = Fleet.run
    monkeypatch.setattr(
        Fleet, "run", lambda fleet: (crews.append(len(fleet.members)), run(fleet))[1]
    )
    together = clone(pruner).fit(X, y, sample_weight=weight)
    # three folds and all rows; then what is left of these, at four sizes of every fold
    assert crews[:-1] == ([4] if strategy == "after" else [4, 12, 1])
    request.getfixturevalue("no_fleet")
    n_crews = len(crews)
    alone = clone(pruner).fit(X, y, sample_weight=weight)
    assert len(crews) == n_crews
    for name, values in alone.cv_results_.items():
        np.testing.assert_allclose(together.cv_results_[name], values, rtol=1e-7)
    assert together.n_nodes_ == alone.n_nodes_
    np.testing.assert_allclose(together.predict_proba(X), alone.predict_proba(X), rtol=1e-7)


def test_sizes_side_by_side_follow_their_own_noise(request, regression):
    network = SpectralMLPRegressor(8, max_iter=40, dtype="float64", random_state=0)
    pruner = SpectralPruner(network, cv=2, strategy="before")
    together = clone(pruner).fit(*regression).cv_results_
    request.getfixturevalue("no_fleet")
    alone = clone(pruner).fit(*regression).cv_results_
    np.testing.assert_allclose(together["mean_test_score"], alone["mean_test_score"], rtol=1e-7)


def test_errors_name_the_fold(reg, regression):
    X, y = regression

    def score(estimator, X_test, y_test):
        if y_test[0] == y[40]:
            raise RuntimeError("No score.")
        return 1.0

    with pytest.raises(RuntimeError, match="No score") as caught:
        SpectralPruner(reg, cv=KFold(3), scoring=score, tolerance=0.1).fit(X, y)
    assert caught.value.__notes__ == ["It happened in fold 1 of `cv`."]


def test_callbacks_of_scikit_learn_follow_each_fit(reg, regression):
    callback = pytest.importorskip("sklearn.callback")

    class Ended(callback.ScoringMonitor):
        def teardown(self, *args, **kwargs):
            super().teardown(*args, **kwargs)
            ended.append(self)

    ended = []
    reg.set_params(max_iter=5).set_callbacks(Ended(scoring="r2"))
    SpectralPruner(reg, cv=2, tolerance=0.1).fit(*regression)
    assert len(ended) == 3  # two folds and all rows


@pytest.mark.parametrize(
    ("n_nodes", "expected"), [(5, 5), (0.5, 8), ([3, 2], 5), (16, 16), (2, 2)]
)
def test_given_numbers_need_no_validation(clf, binary, n_nodes, expected):
    pruner = SpectralPruner(clf, n_nodes=n_nodes).fit(*binary)
    assert sum(pruner.n_nodes_) == sum(pruner.estimator_.hidden_layer_sizes) == expected
    assert not hasattr(pruner, "cv_results_")
    assert pruner.full_estimator_.hidden_layer_sizes == (10, 6)


def test_support_and_ranking_describe_the_cut(clf, binary):
    pruner = SpectralPruner(clf, n_nodes=7).fit(*binary)
    ranks = np.concatenate(pruner.node_ranking_)
    assert sorted(ranks) == list(range(1, 17))
    np.testing.assert_array_equal(np.concatenate(pruner.node_support_), ranks <= 7)
    assert [s.sum() for s in pruner.node_support_] == pruner.n_nodes_
    kept = pruner.full_estimator_.coefs_[0][:, pruner.node_support_[0]]
    np.testing.assert_array_equal(pruner.estimator_.coefs_[0], kept)


def test_min_nodes_and_scope(clf, binary):
    pruner = SpectralPruner(clf, n_nodes=8, min_nodes=4).fit(*binary)
    assert pruner.n_nodes_ == [4, 4]
    pruner = SpectralPruner(clf, tolerance=1e6, min_nodes=3).fit(*binary)
    assert pruner.n_nodes_ == [3, 3]
    pruner = SpectralPruner(clf, n_nodes=8, scope="layer").fit(*binary)
    assert pruner.n_nodes_ == [5, 3]


def test_dead_nodes_are_not_kept(regression):
    X, y = regression
    network = SpectralMLPRegressor(12, alpha=100.0, max_iter=800, random_state=0)
    pruner = SpectralPruner(network, tolerance=0.0, random_state=0).fit(X, y)
    assert pruner.n_nodes_ == [1]


def test_fine_tuning_trains_the_cut_network(reg, regression):
    X, y = regression
    cut = SpectralPruner(reg, n_nodes=3).fit(X, y)
    tuned = SpectralPruner(reg, n_nodes=3, fine_tune=100).fit(X, y)
    assert tuned.score(X, y) > cut.score(X, y)
    assert tuned.estimator_.n_iter_ == cut.estimator_.n_iter_ + 100
    assert tuned.estimator_.get_params() == {
        **reg.get_params(),
        "hidden_layer_sizes": tuned.estimator_.hidden_layer_sizes,
    }
    assert tuned.full_estimator_.n_iter_ == reg.max_iter


def test_before_training_keeps_the_largest_eigenvalues(reg, regression):
    X, y = regression
    pruner = SpectralPruner(reg, n_nodes=6, strategy="before").fit(X, y)
    full, small = pruner.full_estimator_, pruner.estimator_
    assert full.trainable == "eigenvalues"
    layer = full.module_.layers[0]
    sizes = layer.lambda_out.detach().abs().numpy()
    np.testing.assert_array_equal(pruner.node_support_[0], sizes >= np.sort(sizes)[-6])
    assert small.trainable == "all"
    assert small.module_.layers[0].phi.requires_grad
    kept = layer.phi.detach().numpy()[pruner.node_support_[0]]
    assert not np.allclose(small.module_.layers[0].phi.detach().numpy(), kept)
    assert pruner.score(X, y) > full.prune(n_nodes=6).score(X, y)
    assert pruner.score(X, y) > 0.95
    assert clone(small).fit(X, y).hidden_layer_sizes == (6,)


def test_before_training_compares_trained_networks(reg, regression):
    pruner = SpectralPruner(reg, strategy="before", random_state=0).fit(*regression)
    results = pruner.cv_results_
    assert results["n_nodes"].tolist() == [1, 2, 3, 6, 12]
    assert results["mean_test_score"].max() > 0.9
    assert pruner.n_nodes_[0] in results["n_nodes"]


@pytest.mark.parametrize("strategy", ["after", "before"])
@pytest.mark.parametrize(
    "wild", [{"hidden_layer_sizes": "b"}, {"n_members": ()}, {"n_members": "a"}, {"dtype": 3}]
)
def test_parameters_of_the_network_are_checked_first(regression, strategy, wild):
    pruner = SpectralPruner(SpectralMLPRegressor(**wild), strategy=strategy)
    (name,) = wild
    with pytest.raises(ValueError, match=f"The '{name}' parameter of SpectralMLPRegressor"):
        pruner.fit(*regression)


def test_before_training_needs_eigenvalues(regression):
    for settings in ({"parametrization": "dense"}, {"eigenvalues": "in"}):
        network = SpectralMLPRegressor(6, max_iter=10**9, **settings)
        with pytest.raises(ValueError, match="Use strategy='after'"):
            SpectralPruner(network, n_nodes=3, strategy="before").fit(*regression)


def test_transform_gives_the_last_hidden_layer(clf, binary):
    X, y = binary
    pruner = SpectralPruner(clf, n_nodes=[5, 3]).fit(X, y)
    network = pruner.estimator_
    hidden = X
    for weights, biases in list(zip(network.coefs_, network.intercepts_, strict=True))[:-1]:
        hidden = np.maximum(hidden @ weights + biases, 0)
    np.testing.assert_allclose(pruner.transform(X), hidden, rtol=1e-9)
    assert pruner.get_feature_names_out().tolist() == [f"spectralpruner{k}" for k in range(3)]
    table = clone(pruner).set_output(transform="pandas").fit_transform(pd.DataFrame(X), y)
    assert list(table.columns) == ["spectralpruner0", "spectralpruner1", "spectralpruner2"]


@pytest.mark.parametrize("options", [{"fine_tune": 200}, {"strategy": "before"}])
def test_columns_are_those_of_nodes_that_training_left(options):
    X = np.random.default_rng(0).normal(size=(300, 4))
    reg = SpectralMLPRegressor(32, alpha=0.03, max_iter=200, random_state=0)
    pruner = SpectralPruner(reg, n_nodes=16, **options).set_output(transform="pandas")
    table = pruner.fit_transform(X, np.abs(X[:, 0]))
    assert 0 < table.shape[1] < 16  # nodes died after the cut
    assert table.columns.tolist() == pruner.get_feature_names_out().tolist()


def test_pruner_predicts_as_its_network(clf, multiclass):
    X, y = multiclass
    pruner = SpectralPruner(clf, n_nodes=8).fit(X, y)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        expected = getattr(pruner.estimator_, method)(X)
        np.testing.assert_array_equal(getattr(pruner, method)(X), expected)
    assert list(pruner.classes_) == ["ash", "beech", "cedar"]
    assert pruner.score(X, y) == pruner.estimator_.score(X, y)


def test_regressor_has_no_probabilities(reg, regression):
    pruner = SpectralPruner(reg, n_nodes=4)
    assert not hasattr(pruner, "predict_proba")
    assert not hasattr(pruner.fit(*regression), "predict_proba")
    assert not hasattr(pruner, "classes_")
    assert sklearn.base.is_regressor(pruner)


def test_default_estimator_is_a_regressor(regression):
    pruner = SpectralPruner(n_nodes=4)
    assert isinstance(pruner.fit(*regression).estimator_, SpectralMLPRegressor)
    assert pruner.estimator is None


def test_pipelines_as_step_and_as_end(clf, reg, binary, regression):
    X, y = binary
    model = make_pipeline(StandardScaler(), SpectralPruner(clf, n_nodes=9), LogisticRegression())
    assert cross_val_score(model, X, y, cv=3).mean() > 0.8
    model = make_pipeline(StandardScaler(), SpectralPruner(reg, random_state=0)).fit(*regression)
    assert model.score(*regression) > 0.9


def test_grid_search_over_own_and_inner_parameters(reg, regression):
    model = make_pipeline(StandardScaler(), SpectralPruner(reg, random_state=0))
    grid = {
        "spectralpruner__tolerance": [0.0, 0.3],
        "spectralpruner__estimator__alpha": [1e-3, 10.0],
    }
    search = GridSearchCV(model, grid, cv=3).fit(*regression)
    assert search.best_params_["spectralpruner__estimator__alpha"] == 1e-3
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_frozen_estimator_is_pruned_as_it_is(reg, regression):
    X, y = regression
    fitted = clone(reg).fit(X[:80], y[:80])
    before = fitted.predict(X)
    pruner = SpectralPruner(FrozenEstimator(fitted), tolerance=0.05).fit(X[80:], y[80:])
    assert pruner.full_estimator_ is fitted
    np.testing.assert_allclose(
        pruner.cv_results_["mean_test_score"], pruning_curve(fitted, X[80:], y[80:]).score
    )
    assert pruner.n_nodes_[0] < 12
    np.testing.assert_array_equal(fitted.predict(X), before)
    assert fitted.hidden_layer_sizes == 12
    assert clone(pruner).estimator.estimator is fitted


@pytest.fixture(scope="module")
def wide_table():
    """Return rows for which "auto" is 128 nodes, while 64 are enough for most of them."""
    X = np.random.default_rng(0).normal(size=(2100, 3))
    return X, np.abs(X[:, 0])


@pytest.mark.parametrize(("n_nodes", "kept"), [(5, 5), (0.5, 64), ([100], 100)])
def test_number_of_nodes_goes_by_the_automatic_width(wide_table, n_nodes, kept):
    network = SpectralMLPRegressor(alpha=0, max_iter=2, random_state=0)
    pruner = SpectralPruner(network, n_nodes=n_nodes).fit(*wide_table)
    assert pruner.n_nodes_ == [kept]
    # a frozen network has its width, however few the rows that it is pruned with
    X, y = wide_table
    frozen = FrozenEstimator(clone(network).fit(X, y))
    assert SpectralPruner(frozen, n_nodes=n_nodes).fit(X[:100], y[:100]).n_nodes_ == [kept]


@pytest.mark.parametrize("strategy", ["after", "before"])
def test_folds_have_the_width_of_all_rows(wide_table, strategy):
    network = SpectralMLPRegressor(alpha=1e-3, max_iter=2, random_state=0)
    # the folds train on 100 to 2,000 rows, for which it would be 64
    for cv in (None, 2, PredefinedSplit(np.repeat([0, 1], [100, 2000]))):
        pruner = SpectralPruner(network, cv=cv, strategy=strategy, random_state=0)
        pruner.fit(*wide_table)
        assert pruner.cv_results_["n_nodes"][-1] == 128
        assert len(pruner.node_support_[0]) == 128
    assert network.hidden_layer_sizes == "auto"


def test_rows_of_weight_zero_do_not_widen_the_network(wide_table):
    network = SpectralMLPRegressor(alpha=0, max_iter=2, random_state=0)
    weight = (np.arange(2100) < 1500).astype(float)
    pruner = SpectralPruner(network, n_nodes=0.5).fit(*wide_table, sample_weight=weight)
    assert pruner.n_nodes_ == [32]


def test_frozen_estimator_can_be_fine_tuned_without_being_changed(reg, regression):
    X, y = regression
    fitted = clone(reg).fit(X, y)
    before = fitted.predict(X)
    pruner = SpectralPruner(FrozenEstimator(fitted), n_nodes=4, fine_tune=3).fit(X, y)
    assert pruner.estimator_.n_iter_ == fitted.n_iter_ + 3
    np.testing.assert_array_equal(fitted.predict(X), before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"cv": 3}, "`cv` must be None"), ({"strategy": "before"}, "`strategy` must be 'after'")],
)
def test_frozen_estimator_is_not_refitted(reg, regression, settings, message):
    frozen = FrozenEstimator(reg.fit(*regression))
    with pytest.raises(ValueError, match=message):
        SpectralPruner(frozen, **settings).fit(*regression)


def test_unfitted_frozen_estimator_is_refused(reg, regression):
    with pytest.raises(NotFittedError):
        SpectralPruner(FrozenEstimator(reg)).fit(*regression)


@pytest.mark.parametrize("estimator", [Ridge(), "network", make_pipeline(SpectralMLPRegressor())])
def test_other_estimators_are_refused(estimator, regression):
    with pytest.raises(TypeError, match=r"must be a SpectralMLPRegressor or .* got \w+"):
        SpectralPruner(estimator).fit(*regression)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_nodes", 0),
        ("n_nodes", 1.5),
        ("n_nodes", "some"),
        ("n_nodes", [13]),
        ("n_nodes", [3, 3]),
        ("n_nodes", 13),
        ("tolerance", -0.1),
        ("tolerance", "2se"),
        ("tolerance", None),
        ("tolerance", [0.1]),
        ("tolerance", True),
        ("scoring", "best"),
        ("cv", "folds"),
        ("strategy", "during"),
        ("scope", "network"),
        ("min_nodes", 0),
        ("fine_tune", -1),
        ("fine_tune", 0.5),
        ("random_state", "seed"),
    ],
)
def test_wrong_parameters_are_named(reg, regression, name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        SpectralPruner(reg, **{name: value}).fit(*regression)


def test_standard_error_needs_rows_or_folds(reg, regression):
    pinball = make_scorer(mean_pinball_loss, greater_is_better=False)
    with pytest.raises(ValueError, match="needs at least 2 folds"):
        SpectralPruner(reg, scoring=pinball).fit(*regression)
    for settings in ({"cv": 3}, {"tolerance": 0.01}):
        assert SpectralPruner(reg, scoring=pinball, **settings).fit(*regression).n_nodes_[0] <= 12


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("min_nodes", [1, 4])
@pytest.mark.parametrize("sizes", [(30, 3), (16, 16)])
def test_frozen_network_is_cut_to_the_size_that_was_scored(sizes, min_nodes, scope, regression):
    X, y = regression
    fitted = SpectralMLPRegressor(sizes, max_iter=60, random_state=0).fit(X, y)
    strategy = CutFrozen(fitted, scope, min_nodes)
    ranking = strategy.ranking(fitted)
    dead = sum(int((r < 1e-6 * r.max()).sum()) for r in fitted.feature_relevance_)
    for size in strategy.sizes(ranking):
        level = strategy.levels(fitted, np.array([size]))[0]
        kept = sum(mask.sum() for mask in strategy.chosen(fitted, size, level))
        assert size - dead <= kept <= size
        if scope == "global":  # the level alone gives the same, where it decides
            by_level = CutTrained(fitted, scope, min_nodes).chosen(fitted, size, level)
            assert sum(mask.sum() for mask in by_level) == kept


def test_frozen_network_must_fit_the_data(reg, regression):
    X, y = regression
    frozen = FrozenEstimator(reg.fit(X, y))
    with pytest.raises(ValueError, match="`y` must have 1 output, as the estimator; got 2"):
        SpectralPruner(frozen).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="X has 3 features"):
        SpectralPruner(frozen, n_nodes=3).fit(X[:, :3], y)


def test_failed_fit_leaves_the_one_before(reg, regression):
    X, y = regression
    pruner = SpectralPruner(reg, n_nodes=3)
    with pytest.raises(ValueError, match="got 99"):
        pruner.set_params(n_nodes=99).fit(X, y)
    with pytest.raises(NotFittedError):
        pruner.predict(X)
    before = pruner.set_params(n_nodes=3).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="got 99"):
        pruner.set_params(n_nodes=99).fit(X[:, :3], y)
    np.testing.assert_array_equal(pruner.predict(X), before)
    assert pruner.n_features_in_ == 4


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
def test_scores_for_classes_are_refused_for_numbers(scoring, regression):
    with pytest.raises(ValueError, match=f"`scoring` must suit .* got '{scoring}'"):
        SpectralPruner(SpectralMLPRegressor(max_iter=10**9), scoring=scoring).fit(*regression)


def test_scorer_without_weights_is_called_without(reg, regression):
    X, y = regression
    pruner = SpectralPruner(reg, scoring=lambda e, X, y: e.score(X, y), tolerance=0.1)
    pruner.fit(X, y, sample_weight=np.ones(120))
    assert pruner.cv_results_["mean_test_score"].max() > 0.5


def test_folds_must_hold_weight_and_be_there(reg, regression):
    X, y = regression
    weight = np.r_[np.zeros(40), np.ones(80)]
    weighted = SpectralPruner(reg, cv=3).fit(X, y, weight)
    without = SpectralPruner(reg, cv=3).fit(X[40:], y[40:])
    np.testing.assert_allclose(
        weighted.cv_results_["mean_test_score"], without.cv_results_["mean_test_score"]
    )
    with pytest.raises(ValueError, match="Fold 0 of `cv` must have rows"):
        SpectralPruner(reg, cv=KFold(3)).fit(X, y, weight)
    pruner = SpectralPruner(reg, cv=KFold(3).split(X)).fit(X, y)
    with pytest.raises(ValueError, match="A generator is used up"):
        pruner.fit(X, y)


def test_second_fit_leaves_nothing_of_the_first(reg, regression):
    pruner = SpectralPruner(reg, random_state=0).fit(*regression)
    assert not hasattr(pruner.set_params(n_nodes=3).fit(*regression), "cv_results_")


def test_scores_must_not_be_nan(reg, regression):
    with pytest.raises(ValueError, match="`scoring` gave NaN"):
        SpectralPruner(reg, cv=2, scoring=lambda *_: np.nan).fit(*regression)


def test_classes_too_rare_to_hold_out_are_told(clf, binary):
    X, y = binary
    y = np.r_[[2], y[1:]]
    with pytest.raises(ValueError, match=r"(?s)cannot hold out 20% of 150 rows.*Give `cv`"):
        SpectralPruner(clf).fit(X, y)


def test_impossible_numbers_are_refused_before_anything_is_fitted(regression):
    network = SpectralMLPRegressor(12, max_iter=10**9)
    with pytest.raises(ValueError, match="to 12, all there are"):
        SpectralPruner(network, n_nodes=13).fit(*regression)


def test_no_hidden_layer_is_refused(regression):
    with pytest.raises(ValueError, match="no hidden layer"):
        SpectralPruner(SpectralMLPRegressor((), max_iter=3)).fit(*regression)


def test_zero_weight_equals_a_row_left_out(reg, regression):
    X, y = regression
    weight = np.r_[np.ones(100), np.zeros(20)]
    weighted = SpectralPruner(reg, random_state=0).fit(X, y, sample_weight=weight)
    without = SpectralPruner(reg, random_state=0).fit(X[:100], y[:100], np.ones(100))
    np.testing.assert_array_equal(weighted.predict(X), without.predict(X))


def test_scores_of_folds_are_weighted(reg, regression):
    X, y = regression
    weight = np.random.default_rng(0).uniform(0.1, 3, 120)
    folds = KFold(3)
    pruner = SpectralPruner(reg, cv=folds).fit(X, y, sample_weight=weight)
    train, test = next(iter(folds.split(X)))
    network = clone(reg).fit(X[train], y[train], weight[train])
    assert pruner.cv_results_["split0_test_score"][-1] == pytest.approx(
        network.score(X[test], y[test], weight[test])
    )


def test_random_state_seeds_the_network_that_has_no_seed(regression):
    X, y = regression
    networks = [SpectralMLPRegressor(6, max_iter=5, random_state=s) for s in (None, 3)]
    first, second = (
        SpectralPruner(networks[0], n_nodes=4, random_state=0).fit(X, y) for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    seeded = SpectralPruner(networks[1], n_nodes=4, random_state=0).fit(X, y)
    assert seeded.estimator_.random_state == 3


def test_pickled_pruner_predicts_the_same(reg, regression):
    pruner = SpectralPruner(reg, n_nodes=4).fit(*regression)
    copy = pickle.loads(pickle.dumps(pruner))
    np.testing.assert_array_equal(copy.transform(regression[0]), pruner.transform(regression[0]))


def test_exports_are_those_of_the_pruned_network(clf, binary):
    X, y = binary
    model = make_pipeline(StandardScaler(), SpectralPruner(clf, n_nodes=8)).fit(X, y)
    mlp = model[-1].to_sklearn()
    assert sum(mlp.hidden_layer_sizes) <= 8
    np.testing.assert_allclose(
        mlp.predict_proba(model[0].transform(X)), model.predict_proba(X), rtol=1e-10
    )
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    got = session.run(["probabilities"], {"X": X})[0]
    np.testing.assert_allclose(got, model.predict_proba(X), rtol=1e-9)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_metadata_routing_brings_weights(reg, regression):
    X, y = regression
    weight = (np.arange(120) % 4 > 0).astype(float)
    kept = weight > 0
    pruner = SpectralPruner(reg.set_fit_request(sample_weight=True), cv=KFold(3))
    pruner.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(
        pruner, {}, cv=3, scoring=get_scorer("r2").set_score_request(sample_weight=True)
    ).fit(X, y, sample_weight=weight)
    # the network of the best estimator is that of the rows of positive weight
    expected = clone(reg).fit(X[kept], y[kept])
    np.testing.assert_allclose(
        search.best_estimator_.full_estimator_.predict(X), expected.predict(X)
    )


@pytest.mark.usefixtures("routing")
def test_weights_of_another_name_count(reg, regression):
    X, y = regression
    weight = np.random.default_rng(0).uniform(0, 3, 120)
    network = clone(reg).set_fit_request(sample_weight="my_weight")
    pruner = SpectralPruner(network, n_nodes=5).fit(X, y, my_weight=weight)
    expected = clone(reg).fit(X, y, weight)
    np.testing.assert_array_equal(pruner.full_estimator_.predict(X), expected.predict(X))


@pytest.mark.usefixtures("routing")
def test_scorer_gets_the_weights_or_nothing(reg, regression):
    X, y = regression
    scorer = make_scorer(mean_pinball_loss, greater_is_better=False)
    network = clone(reg).set_fit_request(sample_weight=True)
    pruner = SpectralPruner(network, cv=2, scoring=scorer.set_score_request(sample_weight="other"))
    with pytest.raises(ValueError, match="must have the same weights"):
        pruner.fit(X, y, sample_weight=np.ones(120), other=np.arange(120.0))


@pytest.mark.usefixtures("routing")
def test_metadata_routing_reaches_scorer_and_splitter(reg, regression):
    X, y = regression
    scorer = make_scorer(mean_pinball_loss, greater_is_better=False)
    pruner = SpectralPruner(
        reg.set_fit_request(sample_weight=False),
        cv=GroupKFold(3),
        scoring=scorer.set_score_request(sample_weight=True),
    )
    pruner.fit(X, y, sample_weight=np.ones(120), groups=np.arange(120) % 3)
    assert len([k for k in pruner.cv_results_ if k.startswith("split")]) == 3
    with pytest.raises(TypeError, match="unexpected argument"):
        pruner.fit(X, y, colour=np.ones(120), groups=np.arange(120) % 3)


@pytest.mark.parametrize("name", ["colour", "quiet"])
def test_unknown_keywords_are_named_before_anything_is_fitted(name, regression):
    pruner = SpectralPruner(SpectralMLPRegressor(4, max_iter=10**9))
    with pytest.raises(TypeError, match=rf"fit\(\) takes `sample_weight`.* got \['{name}'\]"):
        pruner.fit(*regression, **{name: True})


def test_validation_rows_reach_the_network(reg, regression):
    X, y = regression
    reg.set_params(early_stopping=True)
    pruner = SpectralPruner(reg, n_nodes=4).fit(X[:90], y[:90], X_val=X[90:], y_val=y[90:])
    assert pruner.full_estimator_.validation_scores_ is not None


class FailingOnFolds(Callback):
    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        if len(dataset_train) < 300 and len(net.history) == 3:
            raise RuntimeError("no more")


@pytest.mark.parametrize("strategy", ["after", "before"])
def test_an_error_while_a_fold_trains_names_it(reg, two_kinks, strategy):
    X, y = two_kinks
    reg.set_params(callbacks=[FailingOnFolds()])
    with pytest.raises(RuntimeError, match="no more") as caught:
        SpectralPruner(reg, cv=3, strategy=strategy).fit(X[:300], y[:300])
    assert caught.value.__notes__ == ["It happened in fold 0 of `cv`."]


def test_folds_compute_as_all_rows_do(regression, monkeypatch):
    X, y = np.tile(regression[0], (20, 1)), np.tile(regression[1], 20)
    rows = slice(0, 1100)  # folds of fewer than 1,000 would take float64
    dtypes = []
    begin = Member.begin
    monkeypatch.setattr(
        Member, "begin", lambda member: (dtypes.append(member.net.dtype), begin(member))[1]
    )
    pruner = SpectralPruner(SpectralMLPRegressor(8, max_iter=5, alpha=1e-3), cv=5)
    pruner.fit(X[rows], y[rows])
    assert len(dtypes) == 6
    assert set(dtypes) == {torch.float32}
    assert pruner.estimator_.dtype == "auto"

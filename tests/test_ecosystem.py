"""The estimators inside scikit-learn's own tools."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def reg():
    return SpectralMLPRegressor(10, max_iter=200, alpha=1e-3, random_state=0)


@pytest.fixture
def clf():
    return SpectralMLPClassifier(10, max_iter=200, alpha=1e-3, random_state=0)


def test_pipeline_with_pandas_output(reg, regression):
    X, y = regression
    table = pd.DataFrame(X, columns=list("abcd"))
    model = make_pipeline(StandardScaler(), reg).set_output(transform="pandas").fit(table, y)
    assert model.score(table, y) > 0.9
    assert list(model[-1].feature_names_in_) == list("abcd")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(clf, multiclass, n_jobs):
    X, y = multiclass
    grid = {"mlp__alpha": [1e-3, 30.0], "mlp__hidden_layer_sizes": [(6,), (6, 4)]}
    model = sklearn.pipeline.Pipeline([("scale", StandardScaler()), ("mlp", clf)])
    search = GridSearchCV(model, grid, cv=3, n_jobs=n_jobs).fit(X, y)
    assert search.best_params_["mlp__alpha"] == 1e-3
    assert search.score(X, y) > 0.7
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_grid_search_gives_equal_results_in_processes(reg, regression):
    grid = {"alpha": [1e-4, 1e-2]}
    scores = [
        GridSearchCV(reg, grid, cv=3, n_jobs=n).fit(*regression).cv_results_["mean_test_score"]
        for n in (1, 2)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-6)


def test_cross_val_predict(reg, clf, regression, binary):
    assert np.corrcoef(cross_val_predict(reg, *regression, cv=3), regression[1])[0, 1] > 0.9
    proba = cross_val_predict(clf, *binary, cv=3, method="predict_proba")
    assert proba.shape == (150, 2)


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss", "average_precision", "f1"])
def test_scorers(clf, binary, scoring):
    scores = cross_val_score(clf, *binary, cv=3, scoring=scoring, error_score="raise")
    assert scores.mean() > (-0.6 if scoring == "neg_log_loss" else 0.8)


def test_transformed_target(reg, regression):
    X, y = regression
    model = TransformedTargetRegressor(reg, func=np.arcsinh, inverse_func=np.sinh)
    assert model.fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibration(clf, binary, method):
    if method == "temperature" and parse_version(sklearn.__version__) < parse_version("1.8"):
        pytest.skip("scikit-learn < 1.8 does not calibrate by temperature")
    model = CalibratedClassifierCV(clf, method=method, cv=3).fit(*binary)
    assert model.score(*binary) > 0.85


def test_voting(reg, clf, regression, binary):
    assert VotingRegressor([("a", reg), ("b", Ridge())]).fit(*regression).score(*regression) > 0.7
    voting = VotingClassifier([("a", clf), ("b", LogisticRegression())], voting="soft")
    assert voting.fit(*binary).score(*binary) > 0.85


def test_stacking(reg, clf, regression, binary):
    stack = StackingRegressor([("a", reg), ("b", Ridge())], cv=3).fit(*regression)
    assert stack.score(*regression) > 0.8
    stack = StackingClassifier([("a", clf), ("b", LogisticRegression())], cv=3).fit(*binary)
    assert stack.score(*binary) > 0.85


def test_bagging(reg, clf, regression, binary):
    bag = BaggingRegressor(reg, n_estimators=3, random_state=0).fit(*regression)
    assert bag.score(*regression) > 0.8
    bag = BaggingClassifier(clf, n_estimators=3, random_state=0, n_jobs=2).fit(*binary)
    assert bag.score(*binary) > 0.85


def test_multi_output(clf, binary):
    X, y = binary
    model = MultiOutputClassifier(clf).fit(X, np.column_stack([y, 1 - y]))
    assert model.predict(X).shape == (150, 2)


def test_permutation_importance(reg, regression):
    X, y = regression
    importance = permutation_importance(reg.fit(X, y), X, y, n_repeats=3, random_state=0)
    assert set(np.argsort(importance.importances_mean)[-2:]) == {0, 1}


def test_select_from_model(reg, regression):
    X, y = regression
    selector = SelectFromModel(
        reg.set_params(alpha=1e-2, max_iter=1500), max_features=2, threshold=-np.inf
    )
    assert list(np.flatnonzero(selector.fit(X, y).get_support())) == [0, 1]


def test_rfe(reg, regression):
    selector = RFE(reg, n_features_to_select=2).fit(*regression)
    assert list(np.flatnonzero(selector.support_)) == [0, 1]


@pytest.mark.parametrize(
    "make", [SpectralPruner, lambda network: SpectralMLPRegressorCV(10, cv=3)]
)
def test_selectors_take_networks_that_choose_their_size(make, reg, regression):
    X, y = regression
    model = make(reg.set_params(alpha=1e-2))
    selector = SelectFromModel(model, max_features=2, threshold=-np.inf).fit(X, y)
    assert list(np.flatnonzero(selector.get_support())) == [0, 1]
    assert selector.transform(X).shape == (120, 2)


def test_rfecv_around_a_pruner(reg, regression):
    selector = RFECV(SpectralPruner(reg, n_nodes=6), cv=3).fit(*regression)
    assert set(np.flatnonzero(selector.support_)) >= {0, 1}
    assert selector.score(*regression) > 0.7


def test_frozen(clf, binary):
    X, y = binary
    frozen = FrozenEstimator(clf.fit(X, y)).fit(X[:10], 1 - y[:10])
    np.testing.assert_array_equal(frozen.predict(X), clf.predict(X))


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_metadata_routing_brings_weights(clf, binary):
    X, y = binary
    weight = (np.arange(150) % 3 > 0).astype(float)
    clf.set_fit_request(sample_weight=True)
    scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler().set_fit_request(sample_weight=False), clf),
        {},
        scoring=scorer,
        cv=3,
    )
    search.fit(X, y, sample_weight=weight)
    kept = weight > 0
    expected = clf.fit(StandardScaler().fit_transform(X)[kept], y[kept])
    np.testing.assert_array_equal(
        search.best_estimator_[-1].predict_proba(X), expected.predict_proba(X)
    )


@pytest.mark.usefixtures("routing")
def test_pipeline_transforms_validation_rows(clf, binary):
    X, y = binary
    clf.set_params(early_stopping=True, tol=10.0).set_fit_request(X_val=True, y_val=True)
    scaler = StandardScaler()
    model = make_pipeline(scaler, clf, transform_input=["X_val"])
    model.fit(X[:100], y[:100], X_val=X[100:] * 1, y_val=y[100:])
    expected = model.score(X[100:], y[100:])
    assert model[-1].validation_scores_[-1] == pytest.approx(expected)


callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")


def test_scikit_learn_callbacks_follow_epochs(clf, binary):
    class Counter:
        begun, ended = 0, 0

        def setup(self, estimator, context):
            self.names = []

        def teardown(self, estimator, context):
            self.torn_down = True

        def on_fit_task_begin(self, estimator, context, *, X=None):
            self.begun += 1
            self.names.append(context.task_name)

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.ended += 1
            if context.task_name == "epoch":
                self.score = fitted_estimator.score(*binary)
                return self.ended == 7
            return False

    counter = Counter()
    clf.set_callbacks(counter).fit(*binary)
    assert clf.n_iter_ == 7
    assert counter.begun == counter.ended == 8
    assert counter.names[:2] == ["fit", "epoch"]
    assert counter.torn_down
    assert counter.score == clf.score(*binary)


def test_scikit_learn_callbacks_follow_the_first_of_several_networks(clf, binary):
    X, y = binary
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clf.set_params(max_iter=5, n_members=3).set_callbacks(monitor).fit(X, y)
    assert len(clf.member_sizes_) == 3
    assert len(clf.loss_curve_) == 5
    assert 5 <= len(monitor.get_logs().data_as_pandas["accuracy"]) <= 6


def test_scikit_learn_scoring_monitor_and_progress_bar(clf, binary):
    X, y = binary
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clf.set_params(max_iter=5).set_callbacks(monitor, callback.ProgressBar()).fit(X, y)
    scores = monitor.get_logs().data_as_pandas["accuracy"]
    assert len(scores) >= 5
    assert scores.iloc[-1] == pytest.approx(clf.score(X, y))


def test_partial_fit_after_callbacks(clf, binary):
    clf.set_params(max_iter=2).set_callbacks(callback.ProgressBar()).fit(*binary)
    assert clf.partial_fit(*binary).n_iter_ == 3

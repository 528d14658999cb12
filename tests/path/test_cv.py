"""Networks whose size cross-validation chooses."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    RelevanceDisplay,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    pruning_curve,
    spectral_path,
)
from skspectral._path.penalties import fixed, following
from skspectral._path.walk import steps, visit
from skspectral._training.together import finish

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = np.abs(X[:, 0]) + 0.5 * X[:, 1] + 0.2 * RNG.normal(size=300)
LABEL = np.array(["low", "high"])[(Y > 1.2).astype(int)]
ALPHAS = [1e-3, 1e-2, 1e-1, 1.0]
SETTINGS = {"alphas": ALPHAS, "cv": 3, "max_iter": 100, "random_state": 0}


def regressor(**settings):
    return SpectralMLPRegressorCV(12, **{**SETTINGS, **settings})


def classifier(**settings):
    return SpectralMLPClassifierCV(12, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def reg():
    return regressor().fit(X, Y)


@pytest.fixture(scope="module")
def clf():
    return classifier(selection="best").fit(X, LABEL)


def test_scores_are_those_of_paths_on_the_folds(reg):
    rng = np.random.RandomState(0)
    rng.randint(np.iinfo(np.int32).max)  # the seed of the path of all rows
    for k, (train, test) in enumerate(KFold(3).split(X)):
        network = SpectralMLPRegressor(
            12, max_iter=100, random_state=rng.randint(np.iinfo(np.int32).max)
        )
        walked = steps(network, X[train], Y[train], fixed(ALPHAS))

        def look(fitted, test=test):
            return r2_score(Y[test], fitted.predict(X[test])), sum(fitted.n_alive_nodes_)

        scores, sizes = zip(*finish(visit(walked, look)), strict=True)
        np.testing.assert_allclose(reg.cv_results_[f"split{k}_test_score"], scores)
        assert reg.cv_results_[f"split{k}_n_alive_nodes"].tolist() == list(sizes)


def test_results_are_means_over_folds(reg):
    results = reg.cv_results_
    scores = np.array([results[f"split{k}_test_score"] for k in range(3)])
    sizes = np.array([results[f"split{k}_n_alive_nodes"] for k in range(3)])
    np.testing.assert_allclose(results["mean_test_score"], scores.mean(axis=0))
    np.testing.assert_allclose(results["std_test_score"], scores.std(axis=0))
    np.testing.assert_allclose(results["mean_n_alive_nodes"], sizes.mean(axis=0))
    np.testing.assert_allclose(results["std_n_alive_nodes"], sizes.std(axis=0))
    assert results["alpha"].tolist() == ALPHAS == reg.alphas_.tolist()


def test_one_standard_error_takes_the_largest_alpha_within():
    reg = regressor(alphas=np.geomspace(3e-4, 1, 7), max_iter=40).fit(X, Y)
    mean = reg.cv_results_["mean_test_score"]
    best = mean.argmax()
    within = mean >= mean[best] - reg.cv_results_["margin"]
    np.testing.assert_array_equal(reg.cv_results_["within_tolerance"], within)
    assert reg.alpha_ == reg.alphas_[within].max()
    assert clone(reg).set_params(selection="best").fit(X, Y).alpha_ == reg.alphas_[best]


def test_network_is_that_of_the_path_of_all_rows(reg):
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    network = SpectralMLPRegressor(12, max_iter=100, random_state=seed)
    path = spectral_path(
        X, Y, estimator=network, alphas=ALPHAS, path_max_iter=100, return_coefs=True
    )
    chosen = ALPHAS.index(reg.alpha_)
    np.testing.assert_allclose(reg.coefs_[0], path.coefs[chosen][0], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(reg.path_.n_alive_nodes, path.n_alive_nodes)
    assert reg.n_alive_nodes_ == path.n_alive_nodes[chosen].tolist()


def test_what_the_network_has_is_here(reg):
    network = reg.estimator_
    assert isinstance(network, SpectralMLPRegressor)
    assert reg.net_ is network.net_
    assert reg.module_ is network.module_
    assert reg.size_settled_ == network.size_settled_
    np.testing.assert_array_equal(reg.feature_relevance_[0], network.feature_relevance_[0])
    np.testing.assert_array_equal(reg.feature_importances_, network.feature_importances_)
    np.testing.assert_array_equal(reg.predict(X), network.predict(X))
    np.testing.assert_allclose(reg.to_sklearn().predict(X), reg.predict(X))
    assert reg.prune().hidden_layer_sizes == tuple(reg.n_alive_nodes_)
    assert len(pruning_curve(reg.estimator_, X, Y).score)
    with pytest.raises(AttributeError, match="has no attribute 'classes'"):
        _ = reg.classes


def test_network_can_be_fitted_again_as_a_plain_one(reg):
    network = clone(reg.estimator_)
    assert (network.alpha, network.warm_start, network.max_iter) == (reg.alpha_, False, 100)
    assert network.fit(X, Y).score(X, Y) > 0.8


def test_displays_take_it(reg):
    pytest.importorskip("matplotlib")
    display = RelevanceDisplay.from_estimator(reg)
    np.testing.assert_array_equal(display.relevance[0], reg.feature_relevance_[0])


def test_classifier_follows_the_log_loss(clf):
    rng = np.random.RandomState(0)
    rng.randint(np.iinfo(np.int32).max)
    from skspectral import SpectralMLPClassifier

    train, test = next(StratifiedKFold(3).split(X, LABEL))
    network = SpectralMLPClassifier(
        12, max_iter=100, random_state=rng.randint(np.iinfo(np.int32).max)
    )
    walked = steps(network, X[train], LABEL[train], fixed(ALPHAS))
    losses = finish(visit(walked, lambda f: log_loss(LABEL[test], f.predict_proba(X[test]))))
    np.testing.assert_allclose(-clf.cv_results_["split0_test_score"], losses)
    assert clf.classes_.tolist() == ["high", "low"]
    assert clf.score(X, LABEL) > 0.85
    assert clf.predict_proba(X).shape == (300, 2)


def test_other_scores_choose():
    assert classifier(scoring="roc_auc").fit(X, LABEL).cv_results_["mean_test_score"].max() > 0.9
    reg = regressor(scoring="neg_median_absolute_error").fit(X, Y)
    assert (reg.cv_results_["mean_test_score"] < 0).all()
    with pytest.raises(ValueError, match="must suit"):
        regressor(scoring="accuracy").fit(X, Y)


def test_factors_multiply_the_penalty_that_follows_the_noise():
    factors = [0.5, 1.0, 8.0]
    reg = regressor(alphas=None, alpha_factors=factors).fit(X, Y)
    assert reg.cv_results_["alpha_factor"].tolist() == factors
    assert reg.path_.alpha_factors.tolist() == factors
    assert reg.estimator_.alpha == "auto"
    assert reg.alpha_factor_ == reg.estimator_.alpha_factor
    assert reg.alpha_ == reg.estimator_.alpha_ == reg.alphas_[factors.index(reg.alpha_factor_)]
    assert (np.diff(reg.alphas_) > 0).all()
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    network = SpectralMLPRegressor(12, max_iter=100, random_state=seed)
    walked = steps(network, X, Y, following(factors))
    sizes = finish(visit(walked, lambda fitted: fitted.n_alive_nodes_))
    assert reg.path_.n_alive_nodes.tolist() == sizes


def test_network_is_trained_until_it_has_settled():
    """As on the folds: a size that lags behind its penalty is not reported."""
    reg = SpectralMLPRegressorCV(16, alpha_factors=[1.0, 4.0], cv=2, random_state=0).fit(X, Y)
    assert reg.size_settled_
    assert reg.path_.size_settled.all()
    assert (reg.cv_results_["share_settled"] == 1).all()
    alone = clone(reg.estimator_).set_params(random_state=1).fit(X, Y)
    assert abs(alone.n_alive_nodes_[0] - reg.n_alive_nodes_[0]) <= 1


def test_dead_network_has_the_penalty_that_was_chosen():
    """Though it is not trained on there."""
    with pytest.warns(ConvergenceWarning, match=r"at the chosen alpha=100 the network"):
        reg = regressor(alphas=[10.0, 100.0]).fit(X, Y)
    assert reg.alpha_ == reg.estimator_.alpha_ == 100
    assert "100: chosen by cross-validation" in reg.summary()
    assert f"r2 {reg.cv_results_['mean_test_score'][1]:.4g}" in reg.summary()


def test_margin_is_told_where_it_chose(reg):
    assert "margin" in reg.summary()
    assert "margin" not in regressor(selection="best").fit(X, Y).summary()


def test_dead_network_stays_at_larger_factors():
    reg = regressor(alphas=None, alpha_factors=[1.0, 100.0, 200.0]).fit(X, Y)
    assert reg.path_.n_alive_nodes[1:].sum() == 0
    assert reg.alphas_[2] == pytest.approx(2 * reg.alphas_[1])


def test_n_jobs_changes_nothing(reg):
    both = regressor(n_jobs=2).fit(X, Y)  # other networks side by side: equal to rounding
    np.testing.assert_allclose(
        both.cv_results_["mean_test_score"], reg.cv_results_["mean_test_score"], rtol=1e-9
    )
    assert both.alpha_ == reg.alpha_


def test_zero_weight_leaves_rows_out():
    weight = np.ones(300)
    weight[200:] = 0
    given = regressor().fit(X, Y, sample_weight=weight)
    left_out = regressor().fit(X[:200], Y[:200])
    np.testing.assert_array_equal(
        given.cv_results_["mean_test_score"], left_out.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(given.predict(X), left_out.predict(X))


def test_weights_weigh_the_score():
    weight = np.random.default_rng(1).uniform(0.1, 2, size=300)
    settings = {"scoring": "neg_mean_squared_error", "alphas": [100.0]}  # constants
    weighted = regressor(**settings).fit(X, Y, sample_weight=weight)
    plain = regressor(**settings).fit(X, Y)
    train, test = next(KFold(3).split(X))
    centre = np.average(Y[train], weights=weight[train])
    error = np.average((Y[test] - centre) ** 2, weights=weight[test])
    assert -weighted.cv_results_["split0_test_score"][0] == pytest.approx(error, rel=1e-2)
    error = np.mean((Y[test] - Y[train].mean()) ** 2)
    assert -plain.cv_results_["split0_test_score"][0] == pytest.approx(error, rel=1e-2)


def test_groups_reach_the_splitter():
    groups = np.arange(300) // 30
    by_group = regressor(cv=GroupKFold(2)).fit(X, Y, groups=groups)
    listed = regressor(cv=list(GroupKFold(2).split(X, Y, groups))).fit(X, Y)
    np.testing.assert_array_equal(
        by_group.cv_results_["mean_test_score"], listed.cv_results_["mean_test_score"]
    )
    with sklearn.config_context(enable_metadata_routing=True):
        routed = regressor(cv=GroupKFold(2)).fit(X, Y, groups=groups)
    assert routed.alpha_ == by_group.alpha_
    with pytest.raises(TypeError, match="`sample_weight` and `groups`; got \\['weight'\\]"):
        regressor().fit(X, Y, weight=1)


def test_data_frames_keep_their_names():
    frame = pd.DataFrame(X, columns=list("abcd"))
    reg = regressor().fit(frame, Y)
    assert reg.feature_names_in_.tolist() == reg.estimator_.feature_names_in_.tolist()
    assert reg.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(reg.predict(frame), regressor().fit(X, Y).predict(X))


def test_sparse_rows_are_taken():
    assert regressor().fit(sparse.csr_array(X), Y).score(sparse.csr_array(X), Y) > 0.8


def test_copies_and_pickles_predict_alike(reg):
    again = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(again.predict(X), reg.predict(X))
    with pytest.raises(NotFittedError):
        clone(reg).predict(X)
    assert not hasattr(clone(reg), "coefs_")


def test_grid_search_over_a_pipeline():
    model = make_pipeline(StandardScaler(), regressor(alphas=[1e-2, 1e-1], cv=2))
    search = GridSearchCV(model, {"spectralmlpregressorcv__hidden_layer_sizes": [4, (6, 3)]}, cv=2)
    assert search.fit(X, Y).score(X, Y) > 0.7


def test_auto_width_is_used():
    reg = SpectralMLPRegressorCV(**SETTINGS)
    assert reg.fit(X, Y).estimator_.hidden_layer_sizes == (64,)


def test_five_inputs_of_thirty_are_selected():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 30))
    y = np.maximum(X[:, :5] @ rng.normal(size=(5, 8)), 0).sum(axis=1)
    y = y / y.std() + 0.1 * rng.normal(size=1200)
    reg = SpectralMLPRegressorCV(
        48,
        eigenvalues="in",
        alphas=np.geomspace(3e-4, 3e-2, 8),
        cv=3,
        max_iter=100,
        random_state=0,
    )
    reg.fit(X, y)
    assert np.flatnonzero(reg.alive_features_).tolist() == [0, 1, 2, 3, 4]
    assert set(reg.feature_path_[-5:]) == {0, 1, 2, 3, 4}
    support = SelectFromModel(reg, prefit=True).get_support()
    assert np.flatnonzero(support).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_five_inputs_of_thirty_are_found_by_the_defaults(seed):
    """Nothing is told but that columns are to be chosen."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 30))
    true = np.sort(rng.choice(30, 5, replace=False))
    y = np.maximum(X[:, true] @ rng.normal(size=(5, 10)), 0) @ rng.normal(size=10)
    y = y / y.std() + 0.1 * rng.normal(size=2000)
    reg = SpectralMLPRegressorCV(48, eigenvalues="in", cv=3, random_state=seed).fit(X, y)
    importances = np.sort(reg.feature_importances_ / reg.feature_importances_.max())
    print(f"seed {seed}: {np.flatnonzero(reg.alive_features_)} of {true}, {importances[-6:]}")
    assert np.flatnonzero(reg.alive_features_).tolist() == true.tolist()
    assert sorted(reg.feature_path_[-5:]) == true.tolist()
    assert importances[-6] < 0.03 < 0.1 < importances[-5]


def test_interval_holds_the_sizes_of_folds_and_all_rows():
    reg = regressor(alphas=[1e-3, 1e-2, 2e-2, 4e-2, 1.0], tolerance=1.0, scoring=None).fit(X, Y)
    assert reg.alpha_ == 1.0  # the last: from a smaller one on
    names = [f"split{k}_n_alive_nodes" for k in range(3)]
    sizes = np.array([reg.path_.n_alive_nodes[:, 0], *(reg.cv_results_[name] for name in names)])
    sizes.sort(axis=0)
    middle = sizes[1:3, 3:]  # two of four fits; the penalties 0.04 and 1
    sizes_in_it = [*middle.ravel(), *reg.n_alive_nodes_]
    assert reg.size_interval_ == [(min(sizes_in_it), max(sizes_in_it))]


def test_full_width_identifies_nothing():
    reg = regressor(alphas=[1e-6, 1e-5, 1e-4], max_iter=20).fit(X, Y)
    assert reg.n_alive_nodes_[0] > 6
    assert not reg.size_identified_


def test_divergence_is_told():
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        regressor(learning_rate_init=1e4).fit(X, Y)


def test_fit_can_follow_another():
    frame = pd.DataFrame(X, columns=list("abcd"))
    reg = regressor().fit(frame, Y)
    with pytest.raises(ValueError, match="no hidden layer"):
        reg.set_params(hidden_layer_sizes=()).fit(X, Y)
    reg.set_params(hidden_layer_sizes=12).fit(X.tolist(), Y.tolist())
    assert not hasattr(reg, "feature_names_in_")
    np.testing.assert_array_equal(reg.predict(X), regressor().fit(X, Y).predict(X))


def test_failed_fit_leaves_the_one_before():
    reg = regressor().fit(X, Y)
    before, alphas = reg.predict(X), reg.alphas_

    def broken(network, X, y):
        raise RuntimeError("no score")

    with pytest.raises(RuntimeError, match="no score"):
        reg.set_params(scoring=broken, alphas=[1e-3, 1e-2]).fit(X, Y)
    np.testing.assert_array_equal(reg.predict(X), before)
    assert reg.alphas_ is alphas
    assert len(reg.alphas_) == len(reg.cv_results_["alpha"])


@pytest.mark.parametrize("cv", [3, KFold(3)])
def test_zero_weights_need_not_be_left_out_before(cv):
    """Rows of no weight between the others, whatever makes the folds."""
    weight = np.ones(300)
    weight[::3] = 0
    kept = np.flatnonzero(weight)
    folds = [
        (
            np.searchsorted(kept, train[weight[train] > 0]),
            np.searchsorted(kept, test[weight[test] > 0]),
        )
        for train, test in KFold(3).split(X)
    ]
    given = regressor(cv=cv).fit(X, Y, sample_weight=weight)
    left_out = regressor(cv=3 if cv == 3 else folds).fit(X[kept], Y[kept])
    np.testing.assert_allclose(
        given.cv_results_["mean_test_score"], left_out.cv_results_["mean_test_score"], rtol=1e-6
    )
    np.testing.assert_allclose(given.predict(X), left_out.predict(X), rtol=1e-6)


def test_groups_do_not_disturb_plain_folds():
    weight = np.ones(300)
    weight[200:] = 0
    reg = regressor(alphas=[1e-2, 1e-1])
    with_groups = reg.fit(X, Y, sample_weight=weight, groups=np.arange(300)).predict(X)
    np.testing.assert_array_equal(with_groups, reg.fit(X, Y, sample_weight=weight).predict(X))


def test_scores_without_weights_are_taken():
    weight = np.random.default_rng(1).uniform(0.5, 1, 300)
    clf = classifier(scoring="adjusted_rand_score", alphas=[1e-2, 1e-1])
    assert clf.fit(X, LABEL, sample_weight=weight).cv_results_["mean_test_score"].max() > 0.3


def test_constant_fold_scores_as_in_scikit_learn():
    y = np.where(np.arange(300) < 100, 0.0, Y)
    reg = regressor(cv=KFold(3), alphas=[1e-2, 1e-1]).fit(X, y)
    assert reg.cv_results_["split0_test_score"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"cv": [(np.arange(200), np.arange(0)), (np.arange(200), np.arange(200, 300))]},
            "Fold 0",
        ),
        ({"cv": [(np.arange(200), np.arange(200, 300)), (np.arange(0), np.arange(9))]}, "Fold 1"),
        ({"cv": [(np.arange(200), [k]) for k in range(200, 203)]}, "R2 needs at least 2 rows"),
        (
            {"scoring": lambda network, X, y: np.nan},
            r"NaN at every penalty, in the folds \[0, 1, 2\]",
        ),
    ],
)
def test_bad_folds_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        regressor(**{"alphas": [1e-2, 1e-1], **settings}).fit(X, Y)


def test_size_of_a_teacher_is_identified():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1500, 4))
    y = np.abs(X[:, 0]) + 0.4 * rng.normal(size=1500)
    reg = SpectralMLPRegressorCV(16, alphas=[1e-2, 2e-2, 4e-2], cv=3, max_iter=300, random_state=0)
    reg.fit(X, y)
    assert reg.n_alive_nodes_ == [2]
    assert reg.size_identified_
    assert reg.size_interval_[0][0] <= 2 <= reg.size_interval_[0][1]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"alphas": [1e-2, 1e-3]}, ValueError, "must increase"),
        ({"alphas": [-1.0]}, ValueError, "finite and >= 0"),
        ({"alphas": []}, ValueError, "at least one"),
        ({"alphas": [np.nan]}, ValueError, "finite"),
        ({"alpha_factors": [0.5]}, ValueError, "not both"),
        ({"alphas": None, "alpha_factors": []}, ValueError, "at least one"),
        ({"alphas": None, "alpha_factors": [0.0, 1.0]}, ValueError, "finite and above 0; got 0"),
        ({"alphas": None, "alpha_factors": [-1.0]}, ValueError, "above 0; got -1"),
        ({"alphas": None, "alpha_factors": [np.inf]}, ValueError, "finite"),
        ({"alphas": None, "alpha_factors": [1.0, 0.5]}, ValueError, "must increase"),
        ({"alphas": None, "alpha_factors": ["a"]}, ValueError, "must hold numbers"),
        ({"alphas": None, "alpha_factors": [[1.0]]}, ValueError, "must be a list"),
        ({"tolerance": -1.0}, ValueError, "tolerance"),
        ({"tolerance": 0.1, "selection": "best"}, ValueError, "allows nothing"),
        ({"cv": "five"}, ValueError, "cv"),
        ({"cv": 1}, ValueError, "'cv' parameter"),
        ({"cv": [(np.arange(200), np.arange(200, 300))]}, ValueError, "at least 2 folds"),
        ({"selection": "largest"}, ValueError, "selection"),
        ({"hidden_layer_sizes": "wide"}, ValueError, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": ()}, ValueError, "no hidden layer"),
    ],
)
def test_bad_settings_raise(settings, error, message):
    with pytest.raises(error, match=message):
        regressor().set_params(**settings).fit(X, Y)


def test_one_class_raises():
    with pytest.raises(ValueError, match="at least 2"):
        classifier().fit(X, np.zeros(300))


def test_warnings_tell_what_to_do():
    with pytest.warns(ConvergenceWarning, match="too narrow: 2 of 2 nodes"):
        SpectralMLPRegressorCV(2, **{**SETTINGS, "alphas": [1e-3, 1e-2]}).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="Every node died.*or selection='best'"):
        regressor(alphas=[10.0, 100.0]).fit(X, Y)

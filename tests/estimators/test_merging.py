"""merge: fitted estimators become one that predicts their mean."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, SpectralMLPRegressorCV, merge

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fits(cls, X, y, *, n=3, **parameters):
    parameters = {"hidden_layer_sizes": 12, "max_iter": 40, "alpha": 3e-3, **parameters}
    return [cls(**parameters, random_state=seed).fit(X, y) for seed in range(n)]


@pytest.mark.parametrize("sizes", [12, (12, 8), ()])
def test_merged_regressor_predicts_the_mean(regression, sizes):
    X, y = regression
    regs = fits(SpectralMLPRegressor, X, y, hidden_layer_sizes=sizes)
    whole = merge(regs)
    mean = np.mean([reg.predict(X) for reg in regs], axis=0)
    np.testing.assert_allclose(whole.predict(X), mean, rtol=1e-10)
    np.testing.assert_allclose(whole.to_sklearn().predict(X), mean, rtol=1e-8)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_merged_classifier_takes_the_mean_of_the_logits(request, task):
    X, y = request.getfixturevalue(task)
    clfs = fits(SpectralMLPClassifier, X, y)
    whole = merge(clfs)
    mean = np.mean([clf._decoded(X, lambda outputs: outputs) for clf in clfs], axis=0)
    np.testing.assert_allclose(
        whole.predict_proba(X), clfs[0]._target.probabilities(mean), atol=1e-10
    )
    np.testing.assert_array_equal(whole.classes_, clfs[0].classes_)


@pytest.mark.parametrize("eigenvalues", ["out", "in", "out-in", "both", "inputs"])
@pytest.mark.parametrize("bias", [True, False])
def test_scales_of_the_target_are_united(regression, eigenvalues, bias):
    X, y = regression
    targets = [np.column_stack([a * y + b, b * X[:, 0]]) for a, b in ((1, 5), (30, 2), (2, -9))]
    regs = [
        SpectralMLPRegressor(
            12,
            max_iter=40,
            alpha=1e-3,
            eigenvalues=eigenvalues,
            fit_intercept=bias,
            random_state=seed,
        ).fit(X, target)
        for seed, target in enumerate(targets)
    ]
    before = [[coef.copy() for coef in reg.coefs_] for reg in regs]
    whole = merge(regs)
    mean = np.mean([reg.predict(X) for reg in regs], axis=0)
    np.testing.assert_allclose(whole.predict(X), mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(whole.y_scale_, regs[0].y_scale_)
    np.testing.assert_array_equal(whole.y_mean_, regs[0].y_mean_)
    for reg, coefs in zip(regs, before, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(reg.coefs_, coefs, strict=True))


def test_merged_estimator_is_an_ordinary_one(regression):
    X, y = regression
    regs = fits(SpectralMLPRegressor, X, y, n=2)
    regs.append(clone(regs[0]).set_params(n_members=2).fit(X, y))
    whole = merge(regs)
    assert whole.n_members == 1
    nodes = sum(len(reg.coefs_[1]) for reg in regs)
    assert whole.hidden_layer_sizes == (nodes,)
    assert [len(relevance) for relevance in whole.feature_relevance_] == [nodes]
    assert not hasattr(merge(regs[::-1]), "member_sizes_")
    assert whole.alpha_ == 3e-3
    assert f"of {nodes} nodes left" in whole.summary()
    before = whole.predict(X), regs[0].predict(X)
    whole.prune(n_nodes=3).partial_fit(X, y)
    np.testing.assert_array_equal(whole.predict(X), before[0])
    whole.set_params(warm_start=True, max_iter=2).fit(X, y)
    np.testing.assert_array_equal(regs[0].predict(X), before[1])
    assert regs[0].hidden_layer_sizes == 12


def test_merged_penalty_and_noise_are_medians(regression):
    X, y = regression
    regs = fits(SpectralMLPRegressor, X, y, alpha="auto")
    whole = merge(regs)
    assert whole.alpha_ == np.median([reg.alpha_ for reg in regs])
    assert whole.noise_variance_ == np.median([reg.noise_variance_ for reg in regs])
    mixed = merge([regs[0], *fits(SpectralMLPRegressor, X, y, n=1)])
    assert mixed.noise_variance_ is None
    assert "noise" not in mixed.summary()


def test_merging_takes_the_dtype_of_the_first(regression):
    X, y = regression
    single = SpectralMLPRegressor(8, max_iter=5, dtype="float32", random_state=0).fit(X, y)
    double = SpectralMLPRegressor(8, max_iter=5, dtype="float64", random_state=1).fit(X, y)
    mean = (single.predict(X) + double.predict(X)) / 2
    for pair in ([single, double], [double, single]):
        whole = merge(pair)
        assert {coef.dtype for coef in whole.coefs_[:-1]} == {pair[0].coefs_[0].dtype}
        np.testing.assert_allclose(whole.predict(X), mean, rtol=1e-5)
        whole.partial_fit(X, y)


def test_merging_one_copies_it(regression):
    X, y = regression
    reg = fits(SpectralMLPRegressor, X, y, n=1)[0]
    whole = merge([reg])
    assert whole is not reg
    np.testing.assert_array_equal(whole.predict(X), reg.predict(X))


def test_estimators_that_differ_are_refused(regression):
    X, y = regression
    reg = fits(SpectralMLPRegressor, X, y, n=1)[0]

    def other(X=X, y=y, **parameters):
        return [reg, *fits(SpectralMLPRegressor, X, y, n=1, **parameters)]

    refused = {
        "number of columns": other(X[:, :3]),
        "number of outputs": other(y=np.column_stack([y, y])),
        "number of hidden layers": other(hidden_layer_sizes=(12, 8)),
        "activation": other(activation="tanh"),
        "eigenvalues": other(eigenvalues="in"),
        "parametrization": other(parametrization="dense"),
    }
    for what, estimators in refused.items():
        with pytest.raises(ValueError, match=f"same {what}; the first has .* index 1 has"):
            merge(estimators)


def test_other_classes_and_names_are_refused(binary, multiclass, multilabel):
    pd = pytest.importorskip("pandas")
    clf, three = (fits(SpectralMLPClassifier, *data, n=1)[0] for data in (binary, multiclass))
    X, y = binary
    letters = fits(SpectralMLPClassifier, X, np.array(["a", "b"])[y], n=1)[0]
    for other in (three, letters):
        with pytest.raises(ValueError, match="same classes"):
            merge([clf, other])
    labels, one_each = (
        fits(SpectralMLPClassifier, multilabel[0], y, n=1)[0]
        for y in (multilabel[1], multilabel[1].sum(axis=1))
    )
    with pytest.raises(ValueError, match="same kind of classes"):
        merge([labels, one_each])
    named = fits(SpectralMLPClassifier, pd.DataFrame(X, columns=list("abcde")), y, n=1)[0]
    with pytest.raises(ValueError, match="same names of columns"):
        merge([clf, named])
    assert merge([named, clone(named).fit(pd.DataFrame(X, columns=list("abcde")), y)])


def test_regressors_and_classifiers_do_not_mix(regression, binary):
    reg = fits(SpectralMLPRegressor, *regression, n=1)[0]
    clf = fits(SpectralMLPClassifier, *binary, n=1)[0]
    with pytest.raises(ValueError, match="all regressors or all classifiers"):
        merge([reg, clf])


@pytest.mark.parametrize("estimators", [[], (), None, SpectralMLPRegressor()], ids=str)
def test_merging_needs_a_list(estimators):
    with pytest.raises(ValueError, match="must be a list"):
        merge(estimators)


@pytest.mark.parametrize("other", [Ridge(), SpectralMLPRegressorCV(), "network"], ids=str)
def test_merging_refuses_other_estimators(regression, other):
    reg = fits(SpectralMLPRegressor, *regression, n=1)[0]
    with pytest.raises(TypeError, match=f"got {type(other).__name__} at index 1"):
        merge([reg, other])


def test_merging_refuses_the_same_twice_and_what_is_not_fitted(regression):
    reg = fits(SpectralMLPRegressor, *regression, n=1)[0]
    with pytest.raises(ValueError, match="one is there twice"):
        merge([reg, reg])
    with pytest.raises(NotFittedError):
        merge([reg, clone(reg)])

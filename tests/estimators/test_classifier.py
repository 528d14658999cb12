"""Weights of classes: looked up by label, checked, and equal to weights of rows."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from skspectral import SpectralMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    return SpectralMLPClassifier(8, max_iter=30, random_state=0, **parameters)


def test_class_of_weight_zero_equals_rows_left_out(multiclass):
    X, y = multiclass
    weighted = make(class_weight={"ash": 0.0}).fit(X, y)
    left_out = make().fit(X, y, sample_weight=(y != "ash").astype(float))
    np.testing.assert_array_equal(weighted.predict_proba(X), left_out.predict_proba(X))


def test_classes_without_an_entry_weigh_one(multiclass):
    X, y = multiclass
    clf = make(class_weight={"ash": 5.0})
    clf.partial_fit(X[y != "ash"], y[y != "ash"], classes=np.unique(y))
    assert clf.n_iter_ == 1


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"ash": -1.0}, "weights >= 0 of the classes"),
        ({"elm": 1.0}, "weights >= 0 of the classes"),
        ({"ash": "much"}, "weights >= 0 of the classes"),
        ({"ash": float("nan")}, "weights >= 0 of the classes"),
        ({"ash": 0.0, "beech": 0.0, "cedar": 0.0}, "no row with a positive weight"),
    ],
)
def test_bad_class_weights_are_named(multiclass, class_weight, message):
    with pytest.raises(ValueError, match=f"`class_weight`.*{message}"):
        make(class_weight=class_weight).fit(*multiclass)


def test_class_that_no_row_has_may_have_a_weight(multiclass):
    weights = {"ash": 1.0, "beech": 2.0, "cedar": 1.0}
    listed = make(class_weight={**weights, "elm": 3.0}).fit(*multiclass)
    expected = make(class_weight=weights).fit(*multiclass)
    X = multiclass[0]
    np.testing.assert_array_equal(listed.predict_proba(X), expected.predict_proba(X))


def test_dict_is_refused_for_multilabel(multilabel):
    with pytest.raises(ValueError, match="must be 'balanced' or None for multilabel"):
        make(class_weight={0: 1.0}).fit(*multilabel)
    assert make(class_weight="balanced").fit(*multilabel).score(*multilabel) > 0.4


def test_balanced_labels_with_weights_equal_repeated_rows(multilabel):
    X, y = multilabel
    times = np.random.default_rng(0).integers(0, 4, len(y))
    settings = {"class_weight": "balanced", "shuffle": False}
    weighted = make(**settings, batch_size=(times > 0).sum()).fit(X, y, sample_weight=times)
    repeated = make(**settings, batch_size=times.sum())
    repeated.fit(X.repeat(times, axis=0), y.repeat(times, axis=0))
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("class_weight", ["balanced", {"ash": 1.0, "beech": 5.0, "cedar": 2.0}])
def test_validation_rows_that_are_given_have_the_weights_of_classes(multiclass, class_weight):
    X, y = multiclass
    weights = {name: compute_sample_weight(class_weight, y)[y == name][0] for name in np.unique(y)}
    X_val, y_val = X[::3], y[::3]
    settings = {"early_stopping": True, "class_weight": class_weight}
    clf = make(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    of_rows = [weights[name] for name in y_val]
    expected = clf.score(X_val, y_val, sample_weight=of_rows)
    assert clf.best_validation_score_ == pytest.approx(expected)
    assert clf.best_validation_score_ != pytest.approx(clf.score(X_val, y_val))


def test_noise_of_validation_rows_has_the_weights_of_classes(multiclass):
    X, y = multiclass
    class_weight = {"ash": 1.0, "beech": 5.0, "cedar": 2.0}
    of_rows = np.array([class_weight[name] for name in y])
    val = {"X_val": X[::3], "y_val": y[::3]}
    clf = make(class_weight=class_weight).fit(X, y, **val)
    same = make().fit(X, y, of_rows, **val, sample_weight_val=of_rows[::3])
    assert clf.noise_variance_ == same.noise_variance_


def test_class_that_only_validation_rows_have_keeps_its_weight(multiclass):
    X, y = multiclass
    rows = np.arange(len(y))
    X_val, y_val, known = X[rows % 3 == 0], y[rows % 3 == 0], y != "ash"
    clf = make(class_weight="balanced", early_stopping=True)
    clf.fit(X, y, known * 1.0, X_val=X_val, y_val=y_val)
    balanced = dict(zip(y[known], compute_sample_weight("balanced", y[known]), strict=True))
    expected = clf.score(X_val, y_val, [balanced.get(name, 1.0) for name in y_val])
    assert clf.best_validation_score_ == pytest.approx(expected)


def test_validation_rows_without_weight_are_named(multiclass):
    X, y = multiclass
    only = y == "ash"
    with pytest.raises(ValueError, match="Validation rows: `class_weight` leaves no row"):
        make(class_weight={"ash": 0.0}).fit(X, y, X_val=X[only], y_val=y[only])


def test_summary_tells_the_weights_of_the_fit(multiclass):
    X, y = multiclass
    clf = make(class_weight="balanced", early_stopping=True).fit(X, y)
    assert "class-weighted accuracy" in clf.set_params(class_weight=None).summary()
    clf = make(early_stopping=True).fit(X, y)
    assert "class-weighted" not in clf.set_params(class_weight="balanced").summary()


def test_classes_of_partial_fit_may_be_mended_and_not_changed(binary):
    X, y = binary
    clf = make()
    with pytest.raises(ValueError, match="classes of the first fit"):
        clf.partial_fit(X, y, classes=[0, 2])
    clf.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(X, y, classes=[0, 1, 2])


def test_classes_of_multilabel_number_the_labels(multilabel):
    with pytest.raises(ValueError, match="`classes` must number the 3 labels"):
        make().partial_fit(*multilabel, classes=[0, 1])
    assert make().partial_fit(*multilabel, classes=[0, 1, 2]).n_outputs_ == 3

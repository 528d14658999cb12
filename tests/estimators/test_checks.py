"""Bad input gets an error that names what is wrong and what to do."""

import functools

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralPruner,
    pruning_curve,
    spectral_path,
)

BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)

WRONG = [
    ("hidden_layer_sizes", 0),
    ("hidden_layer_sizes", (8, 0)),
    ("hidden_layer_sizes", (8, 2.5)),
    ("hidden_layer_sizes", "wide"),
    ("hidden_layer_sizes", [[8], [8, 8]]),
    ("activation", "swish"),
    ("fit_intercept", "yes"),
    ("parametrization", "sparse"),
    ("parametrization", ["spectral", "dense"]),
    ("eigenvalues", "inner"),
    ("trainable", "biases"),
    ("alpha", -1),
    ("alpha", "automatic"),
    ("alpha_factor", 0.0),
    ("alpha_factor", "half"),
    ("alpha_phi", -0.1),
    ("alpha_lambda", -0.1),
    ("relevance_threshold", 1.0),
    ("relevance_threshold", -0.1),
    ("solver", "lbfgs"),
    ("solver", torch.optim.LBFGS),
    ("solver", torch.optim.Adam([torch.zeros(1, requires_grad=True)])),
    ("solver", len),
    ("solver", functools.partial(torch.optim.AdamW, weight_decay=0.1)),
    ("learning_rate", "invscaling"),
    ("learning_rate_init", 0),
    ("batch_size", 0),
    ("batch_size", "large"),
    ("max_iter", 0),
    ("max_iter", "forever"),
    ("shuffle", 2),
    ("tol", -1),
    ("early_stopping", None),
    ("validation_fraction", 1.0),
    ("n_iter_no_change", 0),
    ("random_state", "seed"),
    ("warm_start", "no"),
    ("device", "tpu"),
    ("device", "cuda:x"),
    ("dtype", "float16"),
    ("n_threads", 0),
    ("n_threads", "all"),
    ("callbacks", "progress"),
    ("callbacks", ["progress"]),
    ("verbose", "loud"),
]


@BOTH
@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda v: str(v)[:25])
def test_wrong_parameters_are_named(cls, name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        cls(**{name: value}).fit(X, Y)


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (SpectralMLPRegressor, "normalize_y", "yes"),
        (SpectralMLPClassifier, "class_weight", "even"),
    ],
)
def test_wrong_own_parameters_are_named(cls, name, value):
    with pytest.raises(ValueError, match=name):
        cls(**{name: value}).fit(X, Y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@BOTH
def test_missing_cuda_is_said(cls):
    with pytest.raises(ValueError, match=r"sees 0 CUDA devices here\. Use device='auto' or 'cpu'"):
        cls(device="cuda").fit(X, Y)


def bad(array, value):
    array = array.astype(float)
    array[3] = value
    return array


@BOTH
@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        (bad(X, np.nan), Y, "NaN"),
        (bad(X, np.inf), Y, "infinity"),
        (X, bad(Y, np.nan), "NaN"),
        (X, bad(Y, np.inf), "infinity"),
        (X[:0], Y[:0], "0 sample"),
        (X[:, :0], Y, "0 feature"),
        (X[:, 0], Y, "Expected 2D array"),
        (X, Y[:-1], "inconsistent numbers of samples"),
        (X, None, "requires y to be passed"),
        (X.astype(complex), Y, "Complex data not supported"),
        (np.full((40, 3), "a"), Y, "could not convert"),
        ([[1], [2, 3]], Y, "`X` must hold entries of one length; got lists of several"),
        (X, [[1], [2, 3]] * 20, "`y` must hold entries of one length; got lists of several"),
    ],
)
def test_bad_tables_are_refused(cls, rows, target, message):
    with pytest.raises(ValueError, match=message):
        cls().fit(rows, target)


@BOTH
def test_wrong_width_is_refused(cls):
    model = cls(4, max_iter=1, alpha=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 3"):
        model.predict(X[:, :2])


@BOTH
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(40, -1.0), "must not be negative"),
        (np.zeros(40), r"(weights are zero|at least one non-zero)"),
        (np.ones(39), r"(sample_weight|inconsistent)"),
        (np.full(40, np.nan), "NaN"),
        (np.ones((40, 2)), "1D array or scalar"),
        (np.inf, "must be finite; got inf"),
        (np.nan, "must be finite; got nan"),
        (np.full(40, 1e300), r"must be from 1e-12 to 1e\+12; got 1e\+300"),
        (np.full(40, 1e-300), r"must be from 1e-12 to 1e\+12; got 1e-300"),
        ("a", "must hold numbers, one for each row"),
        ([[1], [2, 3]], "must hold numbers, one for each row"),
    ],
)
def test_bad_weights_are_refused(cls, weight, message):
    with pytest.raises(ValueError, match=message):
        cls().fit(X, Y, sample_weight=weight)
    with pytest.raises(ValueError, match=message):
        cls(early_stopping=True).fit(X, Y, X_val=X, y_val=Y, sample_weight_val=weight)


def test_text_is_no_target_for_regression():
    with pytest.raises(ValueError, match="`y` must be numeric"):
        SpectralMLPRegressor().fit(X, np.array(["a", "b"])[Y])


def test_numbers_are_no_classes():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        SpectralMLPClassifier().fit(X, X[:, 0])


def test_single_class_is_refused():
    with pytest.raises(ValueError, match="number of classes must be at least 2"):
        SpectralMLPClassifier().fit(X, np.zeros(40))


def test_several_columns_of_classes_are_refused():
    with pytest.raises(ValueError, match="MultiOutputClassifier"):
        SpectralMLPClassifier().fit(X, np.column_stack([Y, Y + 1]))


def test_partial_fit_needs_classes_first():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        SpectralMLPClassifier().partial_fit(X, Y)


def test_partial_fit_refuses_unseen_classes():
    with pytest.raises(ValueError, match=r"classes of the first fit.*Name all classes"):
        SpectralMLPClassifier(4).partial_fit(X, Y, classes=[0, 2])


def test_partial_fit_refuses_balanced_weights():
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        SpectralMLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1])


@BOTH
@pytest.mark.parametrize("early_stopping", [True, False])
def test_half_a_validation_set_is_refused(cls, early_stopping):
    with pytest.raises(ValueError, match="`y_val` was not given"):
        cls(early_stopping=early_stopping).fit(X, Y, X_val=X)
    with pytest.raises(ValueError, match="`X_val` was not given"):
        cls(early_stopping=early_stopping).fit(X, Y, y_val=Y)


@BOTH
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_validation_rows_without_a_use_are_refused(cls):
    with pytest.raises(ValueError, match="set early_stopping=True or alpha='auto'"):
        cls(alpha=1e-3).fit(X, Y, X_val=X, y_val=Y)
    assert cls(max_iter=2).fit(X, Y, X_val=X, y_val=Y).validation_scores_ is None


@BOTH
def test_too_few_rows_to_hold_out_are_refused(cls):
    with pytest.raises(ValueError, match="`validation_fraction`"):
        cls(early_stopping=True).fit(X[:1], Y[:1]) if cls is SpectralMLPRegressor else cls(
            early_stopping=True
        ).fit(X[:4], Y[:4] * 0 + [0, 1, 2, 3])


@BOTH
def test_values_beyond_float32_are_refused(cls):
    with pytest.raises(ValueError, match=r"float32.*dtype='float64'"):
        cls(dtype="float32").fit(X * 1e300, Y)


@BOTH
def test_large_batch_is_cut_with_a_warning(cls):
    with pytest.warns(UserWarning, match="more than the 40 training rows"):
        model = cls(4, batch_size=100, max_iter=2, alpha=0).fit(X, Y)
    assert model.net_.batch_size == 40


@BOTH
def test_values_beyond_float32_are_refused_later_too(cls):
    model = cls(4, max_iter=1, alpha=0, dtype="float32").fit(X, Y)
    with pytest.raises(ValueError, match="beyond float32"):
        model.predict(X * 1e300)
    with pytest.raises(ValueError, match="beyond float32"):
        cls(dtype="float32", early_stopping=True).fit(X, Y, X_val=X * 1e300, y_val=Y)


def test_target_that_overflows_is_refused():
    with pytest.raises(ValueError, match=r"variance overflows\. Divide y"):
        SpectralMLPRegressor().fit(X, X[:, 0] * 1e200)


@BOTH
def test_single_validation_row_is_refused(cls):
    with pytest.raises(ValueError, match="at least 2 validation rows"):
        cls(early_stopping=True).fit(X, Y, X_val=X[:1], y_val=Y[:1])


@BOTH
def test_validation_weights_without_rows_are_refused(cls):
    with pytest.raises(ValueError, match="`sample_weight_val` weighs `X_val`"):
        cls(early_stopping=True).fit(X, Y, sample_weight_val=np.ones(5))


@BOTH
def test_partial_fit_refuses_early_stopping(cls):
    extra = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    with pytest.raises(ValueError, match="does not support early_stopping=True"):
        cls(early_stopping=True).partial_fit(X, Y, **extra)


def broken(form, place):
    """Return a matrix of shape (40, 3) with an index that points outside it."""
    Z = sparse.coo_matrix(X).asformat(form)
    if form == "bsr":
        Z = sparse.bsr_matrix(X, blocksize=(2, 1))
    if form == "coo":
        Z.col[3] = place
    elif form == "lil":
        Z.rows[3][0] = place
    else:
        Z.indices[3] = place
    return Z


UNSETTLED = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@BOTH
@UNSETTLED
@pytest.mark.parametrize("place", [10**6, -5])
@pytest.mark.parametrize("form", ["csr", "csc", "bsr", "coo", "lil"])
def test_indices_outside_a_sparse_matrix_are_refused(cls, form, place):
    model = cls(4, alpha=1e-3, max_iter=1, random_state=0).fit(X, Y)
    wrong = broken(form, place)
    for use in (
        model.predict,
        lambda Z: clone(model).fit(Z, Y),
        lambda Z: clone(model).set_params(early_stopping=True).fit(X, Y, X_val=Z, y_val=Y),
        lambda Z: SpectralPruner(clone(model)).fit(Z, Y),
        lambda Z: spectral_path(Z, Y, estimator=model, alphas=[1e-3]),
        lambda Z: pruning_curve(model, Z, Y),
    ):
        with pytest.raises(ValueError, match=r"sparse matrix of shape \(40, 3\) is not valid"):
            use(wrong)
    with pytest.raises(ValueError, match="is not valid"):
        SpectralMLPClassifier(4).fit(X, broken(form, place))


@UNSETTLED
def test_checking_leaves_a_sparse_matrix_as_it_was():
    Z = sparse.csr_matrix(X)
    Z.data, Z.indices = np.append(Z.data, 0.0), np.append(Z.indices, 0)  # longer than indptr says
    SpectralMLPRegressor(4, alpha=1e-3, max_iter=1).fit(Z, Y)
    assert len(Z.data) == len(Z.indices) == 121


@UNSETTLED
def test_entries_given_in_parts_are_summed():
    whole = sparse.csr_matrix(X)
    parts = sparse.csr_matrix(
        (np.repeat(whole.data / 2, 2), np.repeat(whole.indices, 2), 2 * whole.indptr), X.shape
    )
    one, two = (
        SpectralMLPRegressor(4, alpha=1e-3, max_iter=5, random_state=0).fit(Z, Y)
        for Z in (whole, parts)
    )
    np.testing.assert_allclose(two.feature_importances_, one.feature_importances_)
    np.testing.assert_allclose(two.predict(parts), one.predict(whole))
    assert parts.nnz == 2 * whole.nnz


TEXT = pd.DataFrame({"x": X[:, 0], "kind": ["a", "b"] * 20})
GAPS = np.where(X > 1, np.nan, X)
UNENCODED = {
    "text": TEXT,
    "gaps": GAPS,
    "sparse gaps": sparse.csr_matrix(GAPS),
    "None": pd.DataFrame(X).astype(object).where(X < 1, None),
    "NA": pd.DataFrame(X).astype(object).where(X < 1, pd.NA),
    "category": TEXT.astype({"kind": "category"}),
    "date": TEXT.assign(kind=pd.Timestamp("2026-01-31")),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("table", UNENCODED.values(), ids=UNENCODED)
@BOTH
def test_errors_of_columns_name_the_preprocessor(cls, table):
    network = cls((4,), max_iter=2, random_state=0)
    for model in (network, SpectralPruner(network)):
        with pytest.raises((ValueError, TypeError), match="make_tabular_preprocessor"):
            model.fit(table, Y)
    network.fit(X[:, : table.shape[1]], Y)
    if isinstance(table, pd.DataFrame):
        table = table.set_axis(range(table.shape[1]), axis=1)  # no names, as in fit
    with pytest.raises((ValueError, TypeError), match="make_tabular_preprocessor"):
        network.predict(table)


@pytest.mark.parametrize(
    ("columns", "target"),
    [(np.where(X > 2, np.inf, X), Y), (X + 1j, Y), (X, np.where(Y > 0, np.nan, 0.0)), (X[:5], Y)],
    ids=["infinite", "complex", "target", "length"],
)
def test_other_errors_do_not_name_it(columns, target):
    with pytest.raises(ValueError, match=r".") as info:
        SpectralMLPRegressor((4,), max_iter=2).fit(columns, target)
    assert "make_tabular_preprocessor" not in str(info.value)

"""alpha="auto": one fit, and the penalty follows the noise."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training.lean_update import lean_update
from skspectral.datasets import make_teacher_student

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])


def make(cls=SpectralMLPRegressor, **parameters):
    defaults = {"hidden_layer_sizes": 24, "max_iter": 150, "random_state": 0}
    return cls(**{**defaults, "alpha": "auto", **parameters})


@pytest.fixture(scope="module")
def teacher():
    return make_teacher_student(2000, 6, (4,), noise=0.2, random_state=0)


@pytest.fixture(scope="module")
def fitted(teacher):
    reg = SpectralMLPRegressor(64, alpha="auto", max_iter=1000, random_state=0)
    return reg.fit(teacher.X, teacher.y)


def test_one_fit_finds_the_teacher_and_its_noise(fitted, teacher):
    assert fitted.n_alive_nodes_ == [4]
    assert fitted.size_settled_
    noise = np.var(teacher.y - teacher.teacher_output)
    assert fitted.noise_variance_ == pytest.approx(noise, rel=0.1)


def test_nothing_of_pure_noise_is_left():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 10)), rng.normal(size=1500)
    reg = make(hidden_layer_sizes=64, alpha_factor=1.0, max_iter=400).fit(X, y)
    assert reg.n_alive_nodes_ == [0]
    assert reg.noise_variance_ == pytest.approx(np.var(y), rel=0.02)


def test_penalty_settles_and_is_told_for_each_epoch(fitted):
    alphas = np.array([row["alpha"] for row in fitted.net_.history])
    noise = np.array([row["noise_variance"] for row in fitted.net_.history])
    assert len(alphas) == len(noise) == fitted.n_iter_
    last = alphas[-len(alphas) // 10 :]
    np.testing.assert_allclose(last, fitted.alpha_, rtol=0.02)
    assert alphas[0] > 5 * fitted.alpha_  # it begins with the noise of a constant
    assert noise[-1] * fitted.y_scale_**2 == pytest.approx(fitted.noise_variance_)


def test_fits_are_equivariant(teacher):
    X, y = teacher.X[:600], teacher.y[:600]
    reg, moved = make(dtype="float64").fit(X, y), make(dtype="float64").fit(X, 100 - 3.0 * -y)
    np.testing.assert_allclose(moved.predict(X), 100 + 3.0 * reg.predict(X), rtol=1e-6)
    assert moved.alpha_ == pytest.approx(reg.alpha_)
    assert moved.noise_variance_ == pytest.approx(9 * reg.noise_variance_)


@BOTH
def test_rows_of_weight_two_equal_rows_repeated(cls, teacher):
    X, y = teacher.X[:60], teacher.y[:60]
    y = (y > np.median(y)).astype(int) if cls is SpectralMLPClassifier else y
    twice = np.arange(60) < 30
    # below 200 rows one batch holds all of them, so no order is drawn
    weighted = make(cls, max_iter=60).fit(X, y, sample_weight=1.0 + twice)
    repeated = make(cls, max_iter=60).fit(np.vstack([X, X[twice]]), np.concatenate([y, y[twice]]))
    assert weighted.alpha_ == pytest.approx(repeated.alpha_, rel=1e-6)
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-5, atol=1e-8)


def test_weights_of_ten_mean_ten_times_the_rows(teacher):
    X, y = teacher.X[:300], teacher.y[:300]
    reg, heavy = make().fit(X, y), make().fit(X, y, sample_weight=np.full(300, 10.0))
    assert heavy.alpha_ < 0.5 * reg.alpha_


@BOTH
def test_sparse_rows_give_the_same_penalty(cls, teacher):
    X = np.where(np.abs(teacher.X[:300]) > 0.7, teacher.X[:300], 0.0)
    y = teacher.y[:300]
    y = (y > np.median(y)).astype(int) if cls is SpectralMLPClassifier else y
    dense, thin = make(cls).fit(X, y), make(cls).fit(sparse.csr_matrix(X), y)
    assert thin.alpha_ == pytest.approx(dense.alpha_, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"parametrization": "dense"},
        *({"eigenvalues": kind} for kind in ("out", "in", "out-in", "both", "inputs")),
        {"trainable": "eigenvalues"},
        {"trainable": "eigenvectors"},
        *({"activation": name} for name in ("tanh", "logistic", "identity", "gelu", "silu")),
        {"hidden_layer_sizes": (12, 8)},
        {"solver": "sgd", "learning_rate_init": 0.01},
        {"fit_intercept": False},
    ],
)
def test_every_mode_has_a_penalty(options, teacher):
    X, y = teacher.X[:400], teacher.y[:400]
    reg = make(**options).fit(X, y)
    assert 0 < reg.alpha_ < 1
    assert np.isfinite(reg.predict(X)).all()
    assert 0 < reg.noise_variance_ <= np.var(y) * 1.001


def test_outputs_have_a_noise_each(teacher):
    y = np.column_stack([teacher.y, 5 * np.random.default_rng(0).normal(size=2000)])
    reg = make(max_iter=60).fit(teacher.X, y)
    assert reg.noise_variance_.shape == (2,)
    assert reg.noise_variance_[1] == pytest.approx(25, rel=0.1)


def test_classes_have_the_mean_squared_residual_of_the_probabilities(multiclass, multilabel):
    for X, y in (multiclass, multilabel):
        clf = make(SpectralMLPClassifier).fit(X, y)
        assert 0 < clf.noise_variance_ <= 0.25
        assert isinstance(clf.noise_variance_, float)


def test_held_out_rows_tell_the_noise_alone(teacher):
    X, y = teacher.X, teacher.y
    reg = make().fit(X[:1000], y[:1000], X_val=X[1000:], y_val=y[1000:])
    error = np.mean((reg.predict(X[1000:]) - y[1000:]) ** 2)
    assert reg.noise_variance_ == pytest.approx(error, rel=0.1)
    assert reg.validation_scores_ is None


def test_early_stopping_goes_with_it(teacher):
    reg = make(early_stopping=True).fit(teacher.X, teacher.y)
    assert len(reg.validation_scores_) == reg.n_iter_
    assert reg.best_loss_ is None


@pytest.mark.parametrize("name", ["alpha_phi", "alpha_lambda"])
def test_other_penalties_beside_it_are_refused(name, regression):
    with pytest.raises(ValueError, match=f"`{name}` must be None beside alpha='auto'"):
        make(**{name: 0.1}).fit(*regression)


@pytest.mark.parametrize("alpha", ["automatic", "", -1.0])
def test_other_penalties_are_refused(alpha, regression):
    with pytest.raises(ValueError, match="'alpha' parameter"):
        make(alpha=alpha).fit(*regression)


def test_factor_scales_the_rule_and_not_a_number(regression):
    small, large = (make(alpha_factor=f, max_iter=20).fit(*regression) for f in (0.1, 1.0))
    assert large.alpha_ > 5 * small.alpha_
    fixed = make(alpha=0.01, alpha_factor=7.0, max_iter=20).fit(*regression)
    assert fixed.alpha_ == 0.01
    assert fixed.noise_variance_ is None


def test_warm_starts_go_on_from_the_penalty_there_is(teacher):
    reg = make(warm_start=True).fit(teacher.X, teacher.y)
    before = reg.alpha_
    reg.fit(teacher.X, teacher.y)
    assert reg.net_.history[150]["alpha"] == before
    assert reg.alpha_ == pytest.approx(before, rel=0.2)
    anew = clone(reg).set_params(warm_start=False).fit(teacher.X, teacher.y)
    assert anew.net_.history[0]["alpha"] > 2 * before


def test_partial_fit_takes_the_residuals_of_rows_before_it_trains_on_them(teacher):
    reg = make(learning_rate_init=1e-2)
    alphas = []
    for start in range(0, 2000, 100):
        rows = slice(start, start + 100)
        reg.partial_fit(teacher.X[rows], teacher.y[rows])
        alphas.append(reg.alpha_)
    assert alphas[-1] < 0.3 * alphas[0]  # more rows are known, and less is noise


def test_plateaus_and_the_best_loss_go_by_the_data_term(teacher):
    reg = make(learning_rate="constant", learning_rate_init=1e-3, max_iter=300)
    reg.fit(teacher.X[:500], teacher.y[:500])
    losses = [row["train_loss"] for row in reg.net_.history]
    assert reg.best_loss_ == min(losses)


class WatchGradients(Callback):
    def on_grad_computed(self, net, **kwargs):
        pass


def test_penalty_moves_also_where_it_is_added_to_gradients(teacher):
    X, y = teacher.X[:200], teacher.y[:200]
    options = {"dtype": "float64", "max_iter": 30, "shrink": False}
    plain, watched = make(**options).fit(X, y), make(callbacks=[WatchGradients()], **options)
    watched.fit(X, y)
    assert watched.alpha_ == pytest.approx(plain.alpha_, rel=1e-6)
    np.testing.assert_allclose(watched.coefs_[0], plain.coefs_[0], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.random.default_rng(0).normal(size=(50, 3)), np.full(50, 7.0)),
        (np.ones((50, 3)), np.arange(50.0)),
    ],
)
def test_constant_target_or_columns_leave_a_constant(X, y):
    reg = make(max_iter="auto").fit(X, y)
    assert reg.n_alive_nodes_ == [0]
    np.testing.assert_allclose(reg.predict(X), y.mean(), atol=0.5)


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -7.7e-5])
def test_a_constant_is_one_whatever_its_mean_rounds_to(value, normalize_y):
    X = np.random.default_rng(0).normal(size=(70, 3))
    reg = make(max_iter="auto", normalize_y=normalize_y)
    with pytest.warns(ConvergenceWarning, match="The target is constant"):
        reg.fit(X, np.full(70, value))
    assert reg.n_alive_nodes_ == [0]
    assert reg.noise_variance_ == 0
    np.testing.assert_allclose(reg.predict(X), value, atol=1e-3)


def test_a_constant_output_beside_another_leaves_the_penalty_as_it_is():
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = np.abs(X[:, 0]) + 0.1 * np.random.default_rng(1).normal(size=300)
    alone = make().fit(X, np.c_[y, np.zeros(300)])
    beside = make().fit(X, np.c_[y, np.full(300, 0.1)])
    assert beside.alpha_ == pytest.approx(alone.alpha_, rel=1e-3)


@pytest.mark.parametrize("shape", [(30, 1), (20, 60), (2, 3)])
def test_few_columns_and_few_rows(shape):
    X = np.random.default_rng(0).normal(size=shape)
    reg = make(max_iter=50).fit(X, X[:, 0])
    assert np.isfinite(reg.predict(X)).all()
    assert np.isfinite(reg.alpha_)


def test_one_row_a_class_and_rows_of_weight_zero():
    X = np.random.default_rng(0).normal(size=(6, 3))
    clf = make(SpectralMLPClassifier, max_iter=50).fit(X[:3], ["a", "b", "c"])
    assert np.isfinite(clf.predict_proba(X)).all()
    weight = np.array([1.0, 1, 1, 1, 0, 0])
    y = X[:, 0]
    kept, weighted = make().fit(X[:4], y[:4]), make().fit(X, y, sample_weight=weight)
    assert weighted.alpha_ == kept.alpha_


def test_passes_over_rows_of_one_weight_do_not_depend_on_its_size(teacher):
    X, y = teacher.X[:200], teacher.y[:200]
    alphas = []
    for weight in (0.01, 1.0, 100.0):
        reg = make(solver="sgd").partial_fit(X, y, sample_weight=np.full(200, weight))
        # the sum of weights counts as rows, and the loss has the weights as given
        alphas.append(reg.alpha_ / weight * weight ** (2 / 3))
    np.testing.assert_allclose(alphas, alphas[0], rtol=1e-4)


def test_rows_of_a_fit_count_once_in_the_passes_after_it(teacher):
    X, y = teacher.X[:500], teacher.y[:500]
    reg = make(max_iter=300).fit(X, y)
    before = reg.alpha_
    reg.partial_fit(X, y)
    assert reg.alpha_ > 0.3 * before  # twice the rows, and no longer corrected residuals


def test_penalty_is_that_of_the_epoch_that_is_kept(teacher):
    reg = make(early_stopping=True, learning_rate="constant", learning_rate_init=0.05)
    reg.fit(teacher.X[:300], teacher.y[:300])
    best = int(np.argmax(reg.validation_scores_))
    assert best < reg.n_iter_ - 1
    assert reg.alpha_ == reg.net_.history[best]["alpha"]
    assert reg.net_.penalty.phi == reg.alpha_


class Fail(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise RuntimeError("on purpose")


def test_a_fit_that_breaks_off_stops_counting(teacher):
    X, y = teacher.X[:200], teacher.y[:200]
    reg = make(max_iter=5, warm_start=True).fit(X, y)
    with pytest.raises(RuntimeError, match="on purpose"):
        reg.set_params(callbacks=[Fail()]).fit(X, y)
    assert reg.net_.criterion_.moments is None


def test_a_moving_penalty_does_not_build_the_update_anew(teacher, monkeypatch):
    made = []

    def counted(*arguments):
        made.append(arguments)
        return lean_update(*arguments)

    monkeypatch.setattr("skspectral._training.together.LARGEST", {"cpu": 0})  # no fleet of one
    monkeypatch.setattr("skspectral._training.net.lean_update", counted)
    reg = make(shrink=False, max_iter=20).fit(teacher.X, teacher.y)
    assert len({row["alpha"] for row in reg.net_.history}) > 10
    assert len(made) == 1


@pytest.mark.parametrize("value", [0, 1])
def test_labels_that_all_rows_have_are_a_constant(value):
    X = np.random.default_rng(0).normal(size=(90, 3))
    clf = make(SpectralMLPClassifier, max_iter="auto").fit(X, np.full((90, 3), value))
    assert clf.n_alive_nodes_ == [0]
    assert clf.noise_variance_ == 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_of_one_class_takes_its_noise_from_the_residuals(dtype, weighted):
    X = np.random.default_rng(0).normal(size=(120, 3))
    weight = np.random.default_rng(1).random(120) if weighted else None
    y = (X[:, 0] > 0).astype(int)
    clf = make(SpectralMLPClassifier, dtype=dtype)
    clf.partial_fit(X, y, classes=[0, 1], sample_weight=weight)
    residuals = 1 - clf.predict_proba(X)[:, 1]
    clf.partial_fit(X, np.ones(120), sample_weight=weight)
    expected = np.average(residuals**2, weights=weight)
    assert clf.noise_variance_ == pytest.approx(expected, rel=1e-4)

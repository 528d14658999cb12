"""The penalty of a new network of several hidden layers rises from zero to the rule."""

import numpy as np
import pytest
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import ConstantLR

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training.noise import RAMP, alpha_of
from skspectral._training.schedule import cycle_ends

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RULE = 1e-4
EPOCHS = 50


@pytest.fixture
def fixed_rule(monkeypatch):
    """Let the rule say the same at all times."""
    monkeypatch.setattr("skspectral._training.noise.alpha_of", lambda *_: RULE)


def make(sizes=(6, 4), cls=SpectralMLPRegressor, **parameters):
    # 12 steps an epoch, so that each epoch has a penalty of its own
    defaults = {"batch_size": 10, "max_iter": EPOCHS, "random_state": 0}
    return cls(sizes, **{**defaults, **parameters})


def alphas(model):
    return np.array([row["alpha"] for row in model.net_.history])


@pytest.mark.usefixtures("fixed_rule")
@pytest.mark.parametrize("sizes", [(6, 4), (6, 5, 4)])
@pytest.mark.parametrize("learning_rate", ["onecycle", "cosine"])
def test_penalty_of_deep_networks_rises_linearly(regression, sizes, learning_rate):
    reg = make(sizes, learning_rate=learning_rate).fit(*regression)
    middle = (np.arange(EPOCHS) + 0.5) / EPOCHS  # of each epoch, as a share of training
    np.testing.assert_allclose(alphas(reg), RULE * np.minimum(1, middle / RAMP), rtol=1e-12)
    assert alphas(reg)[0] < 0.06 * RULE
    assert reg.alpha_ == reg.net_.penalty.phi == RULE


@pytest.mark.usefixtures("fixed_rule")
@pytest.mark.parametrize("eigenvalues", ["in", "inputs", "both"])
def test_networks_whose_columns_have_eigenvalues_have_it_too(regression, eigenvalues):
    reg = make((6,), eigenvalues=eigenvalues).fit(*regression)
    assert alphas(reg)[0] < 0.06 * RULE
    assert reg.alpha_ == RULE


@pytest.mark.usefixtures("fixed_rule")
def test_classes_have_the_ramp_too(binary):
    clf = make(cls=SpectralMLPClassifier).fit(*binary)
    assert alphas(clf)[0] < 0.06 * RULE
    assert clf.alpha_ == RULE


@pytest.mark.usefixtures("fixed_rule")
@pytest.mark.parametrize(
    "options",
    [
        {"sizes": (6,)},
        {"sizes": 6, "parametrization": "dense"},
        {"sizes": (6,), "eigenvalues": "out-in"},
        {"sizes": (6,), "eigenvalues": "in", "trainable": "eigenvectors"},
        {"sizes": (6,), "eigenvalues": "inputs", "parametrization": "dense"},
        {"learning_rate": "constant"},
        {"learning_rate": "adaptive"},
    ],
)
def test_one_layer_and_schedules_without_an_end_have_none(regression, options):
    reg = make(**options).fit(*regression)
    assert set(alphas(reg)) == {RULE}


@pytest.mark.usefixtures("fixed_rule")
def test_a_warm_start_has_none(regression):
    reg = make(warm_start=True).fit(*regression)
    first = reg.n_iter_
    reg.fit(*regression)
    assert set(alphas(reg)[first:]) == {RULE}
    grown = reg.prune().grow((6, 4)).set_params(warm_start=True).fit(*regression)
    assert grown.alpha_ == RULE
    assert set(alphas(grown)[2 * first :]) == {RULE}


@pytest.mark.usefixtures("fixed_rule")
def test_a_pass_has_none(regression):
    reg = make().partial_fit(*regression)
    assert reg.net_.penalty.phi == reg.alpha_ > 0


@pytest.mark.usefixtures("fixed_rule")
@pytest.mark.parametrize("batch_size", [10, 120])
def test_a_single_epoch_is_not_without_a_penalty(regression, batch_size):
    reg = make(max_iter=1, batch_size=batch_size).fit(*regression)
    assert alphas(reg).tolist() == [RULE]  # its middle is beyond the ramp
    assert reg.alpha_ == RULE


@pytest.mark.usefixtures("fixed_rule")
def test_a_limit_of_time_reaches_the_full_penalty(regression, monkeypatch):
    ticks = iter(range(10**9))
    monkeypatch.setattr("skspectral._training.net.time.monotonic", lambda: next(ticks) / 1000)
    reg = make(max_iter=10**6, time_limit=0.5).fit(*regression)
    seen = alphas(reg)
    assert reg.n_iter_ < 100  # of a million
    assert seen[0] < 0.1 * RULE
    assert (np.diff(seen) >= 0).all()
    assert reg.alpha_ == seen[-1] == RULE
    assert np.mean(seen == RULE) == pytest.approx(1 - RAMP, abs=0.05)


@pytest.mark.usefixtures("fixed_rule")
def test_cycles_do_not_end_while_it_rises(regression):
    X, y = regression
    reg = make((6, 4), max_iter="auto", batch_size="auto").fit(X, y)
    ends = cycle_ends(len(X), len(X))
    assert reg.n_iter_ in ends
    assert reg.n_iter_ >= RAMP * ends[-1]
    assert reg.alpha_ == RULE


@pytest.mark.usefixtures("fixed_rule")
def test_a_scheduler_of_the_user_has_it_over_the_planned_epochs(regression):
    reg = make(callbacks=[LRScheduler(ConstantLR, factor=1.0)]).fit(*regression)
    assert alphas(reg)[0] < 0.06 * RULE
    assert reg.alpha_ == RULE


@pytest.mark.parametrize("sizes", [(6,), (6, 4)])
def test_the_last_penalty_is_the_rule_for_the_noise_there_is(regression, sizes, monkeypatch):
    said = []

    def heard(*arguments):
        said.append(alpha_of(*arguments))
        return said[-1]

    monkeypatch.setattr("skspectral._training.noise.alpha_of", heard)
    reg = make(sizes).fit(*regression)
    assert len(said) == EPOCHS + 1
    assert reg.alpha_ == said[-1]
    below = alphas(reg) < said[:-1]
    assert below.sum() == (0 if len(sizes) == 1 else round(RAMP * EPOCHS))
    assert not below[round(RAMP * EPOCHS) :].any()


def test_early_stopping_keeps_no_epoch_of_the_rise(regression, monkeypatch):
    scores = iter(np.linspace(1, 0, EPOCHS))  # the first epochs seem to be the best
    monkeypatch.setattr("skspectral._training.stopping.r2_score", lambda *_, **__: next(scores))
    reg = make(early_stopping=True).fit(*regression)
    first = int(np.ceil(RAMP * EPOCHS))  # the first epoch that ends with the whole penalty
    assert reg.best_validation_score_ == 1  # all of them are recorded
    assert reg.alpha_ == alphas(reg)[first - 1]
    flat = make((6,), early_stopping=True)
    scores = iter(np.linspace(1, 0, EPOCHS))
    assert flat.fit(*regression).alpha_ == alphas(flat)[0]

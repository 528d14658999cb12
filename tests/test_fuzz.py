"""Any call of the public interface ends in a clear error or a finite result.

Each argument is wild once in thirty times, so that most calls run through and most of the others
have one fault. A failure prints the seed of all that was drawn.
"""

import copy
import functools
import inspect
import math
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from fuzz.arguments import (
    QUICK,
    VALID,
    WILD,
    Lot,
    kind_of,
    mixed,
    named,
    network,
    table,
    target,
    weights,
    wild_values,
)
from fuzz.outcome import Tally
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skspectral
from skspectral import SpectralMLPClassifier as Classifier
from skspectral import SpectralMLPClassifierCV as ClassifierCV
from skspectral import SpectralMLPRegressor as Regressor
from skspectral import SpectralMLPRegressorCV as RegressorCV
from skspectral import SpectralPruner as Pruner
from skspectral import SpectralStudentClassifier as StudentClassifier
from skspectral import SpectralStudentRegressor as StudentRegressor
from skspectral import datasets, nn, preprocessing

LEAST_FINITE = 0.4
"""Share of the fits, or calls of a function, that end in a result: the fuzz reaches deep."""

ATTRIBUTES = (
    *(
        "coefs_",
        "intercepts_",
        "skip_coef_",
        "feature_importances_",
        "alive_features_",
        "feature_relevance_",
        "module_",
    ),
    *("n_alive_nodes_", "node_indices_", "loss_curve_", "n_iter_", "noise_variance_"),
    *("y_mean_", "y_scale_", "t_", "get_feature_names_out", "summary"),
)


def use(lot, model, X, y, weight):
    """Call what a fitted model offers."""
    new = table(lot) if lot.once_in(5) else X
    for name in ("predict", "predict_proba", "transform"):
        lot.attempt((model, name), new)
    lot.attempt((model, "predict_log_proba"), new, finite=False)
    # of one row, or of one class, there is no score
    lot.attempt((model, "score"), X, y, weight, finite=False)
    for name in ATTRIBUTES:
        lot.attempt((model, name))
    plain = lot.attempt((model, "to_sklearn"))
    if plain is not None:
        lot.attempt((plain, "predict"), X)
    if lot.once_in(4):
        lot.attempt((model, "to_onnx"), *lot.some((), wild=[(value,) for value in WILD[:4]]))


def fitted(lot, model, X, y, *args, **kwargs):
    """Fit, and go on only with what is fitted, but now and then."""
    return lot.attempt((model, "fit"), X, y, *args, **kwargs) is not None or lot.once_in(20)


def check_estimators(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    given = {}
    if lot.once_in(6):
        X_val = X if lot.below(2) else table(lot)
        y_val = y if X_val is X else target(lot, X_val, kind_of(cls))
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weights(lot, X_val)}
    model = network(lot, cls)
    if not fitted(lot, model, X, y, weight, **given):
        return
    use(lot, model, X, y, weight)
    step = lot.of([go_on, prune, grow, fit_again, set_callbacks])
    step(lot, model, X, y, weight)
    lot.attempt((model, "predict"), X)


def go_on(lot, model, X, y, weight):
    again = {}
    if isinstance(model, Classifier):
        again = lot.keywords(10, classes=[None, [0, 1], [1], "a", 3, [[0, 1]], [np.nan]])
    lot.attempt((model, "partial_fit"), X, y, sample_weight=weight, **again)
    if lot.wild():
        lot.attempt((model, "partial_fit"), table(lot), y)


def prune(lot, model, X, y, weight):
    small = lot.attempt((model, "prune"), **lot.keywords(2, n_nodes=[2, 3, 1, 0.5, [2]]))
    lot.attempt((model, "prune"), **lot.keywords(2, threshold=[0.05, 0, 0.5]))
    if small is not None:
        lot.attempt((small, "partial_fit"), X, y)


def grow(lot, model, X, y, weight):
    sizes = lot.some(None, 7, (7, 7), wild=[*WILD, 1, (), "auto"])
    grown = lot.attempt((model, "grow"), sizes, random_state=lot.some(0, wild=[-1, "a", []]))
    if grown is not None:
        lot.attempt((grown, "partial_fit"), X, y)


def fit_again(lot, model, X, y, weight):
    changed = network(lot, type(model), warm_start=True)
    if lot.below(2):
        changed = model.set_params(warm_start=True, alpha=lot.of([0, 1e-2, 1e3]))
    lot.attempt((changed, "fit"), X, y, weight)


def set_callbacks(lot, model, X, y, weight):
    if hasattr(model, "set_callbacks"):  # which scikit-learn has from 1.9 on
        lot.attempt((model, "set_callbacks"), lot.of(WILD))


def check_searches(lot):
    cls = lot.of([RegressorCV, ClassifierCV, Pruner])
    kind = lot.of(["numbers", "classes"]) if cls is Pruner else kind_of(cls)
    X = table(lot)
    y, weight = target(lot, X, kind), weights(lot, X)
    if cls is Pruner:
        inner = network(lot, Classifier if kind == "classes" else Regressor)
        model = network(lot, cls, estimator=lot.some(inner, wild=[*WILD, LinearRegression()]))
    else:
        model = network(lot, cls, alphas=[1e-3, 1e-2], cv=2)
    if fitted(lot, model, X, y, weight):
        use(lot, model, X, y, weight)
        if cls is not Pruner:
            lot.attempt((model, "prune"), **lot.keywords(2, n_nodes=[2, 3, 0.5]))


def check_students(lot):
    cls = lot.of([StudentRegressor, StudentClassifier])
    kind = kind_of(cls)
    X = table(lot)
    y, weight = target(lot, X, kind), weights(lot, X)
    teacher = GaussianNB() if kind == "classes" else LinearRegression()
    student_class = Classifier if kind == "classes" else Regressor
    plain, student = student_class(4, **QUICK), network(lot, student_class)
    model = network(
        lot,
        cls,
        teacher=lot.some(teacher, wild=[*WILD, StandardScaler()]),
        student=lot.some(plain, student, make_pipeline(StandardScaler(), student), wild=WILD[1:]),
        cv=3,
    )
    more = {"X_unlabelled": X if lot.below(2) else table(lot)} if lot.once_in(6) else {}
    if fitted(lot, model, X, y, weight, **more):
        use(lot, model, X, y, weight)
        lot.attempt((model, "prune"), **lot.keywords(2, n_nodes=[2, 3, 1, 0.5, [2]]))


ROWS = np.random.default_rng(0).normal(size=(20, 3))


@functools.cache
def models():
    """Return fitted networks, fitted models with a network inside, and what is neither."""
    y = ROWS[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        networks = [
            Regressor(4, **QUICK).fit(ROWS, y),
            Regressor((3, 2), **QUICK).fit(ROWS, y),
            Regressor((3, 2), **QUICK).fit(ROWS, np.c_[y, -y]),
            Regressor(3, activation="gelu", **QUICK).fit(pd.DataFrame(named(ROWS)), y),
            Classifier(4, **QUICK).fit(ROWS, y > 0),
            Classifier(4, **QUICK).fit(ROWS, np.digitize(y, [-0.5, 0.5])),
            make_pipeline(StandardScaler(), Regressor(4, **QUICK)).fit(ROWS, y),
            make_pipeline(StandardScaler(), Classifier(4, **QUICK)).fit(ROWS, y > 0),
        ]
        searches = [
            RegressorCV(4, alphas=[1e-3, 1e-2], cv=2, **QUICK).fit(ROWS, y),
            ClassifierCV(4, alphas=[1e-3, 1e-2], cv=2, **QUICK).fit(ROWS, y > 0),
            Pruner(Regressor(4, **QUICK), cv=2).fit(ROWS, y),
            StudentRegressor(LinearRegression(), Regressor(4, **QUICK), cv=3).fit(ROWS, y),
        ]
        others = [
            Regressor((), **QUICK).fit(ROWS, y),
            MLPRegressor(hidden_layer_sizes=4, max_iter=2).fit(ROWS, y),
            LinearRegression().fit(ROWS, y),
        ]
    return networks, searches, [*others, Regressor(3), Classifier, BaseEstimator(), *WILD]


def any_model(lot):
    """Return a fitted network, bare or inside another model, or now and then another thing."""
    networks, searches, others = models()
    return lot.some(*networks, *searches, wild=others)


def any_network(lot):
    return lot.some(*models()[0], wild=models()[2])


def check_functions_of_models(lot):
    student, teacher = any_model(lot), any_model(lot)
    layer = lot.some(0, wild=[1, *WILD])
    lot.attempt(skspectral.match_nodes, student, teacher, layer=layer, finite=False)
    lot.attempt(skspectral.path_agreement, student, teacher, finite=False)
    lot.attempt(skspectral.path_magnitudes, student)
    lot.attempt(skspectral.n_alive_nodes_score, student, **lot.keywords(layer=[None, 0]))
    similar = lot.keywords(min_similarity=[0.95, 0, 1], layer=[0])
    lot.attempt(skspectral.n_distinct_nodes, student, **similar)
    lot.attempt(skspectral.to_sklearn, student)
    fitted_one = lot.of(models()[0][:6])
    pairs = [[fitted_one, copy.deepcopy(fitted_one)], [fitted_one]]
    lot.attempt(
        skspectral.merge, lot.some(*pairs, wild=[*WILD, [fitted_one] * 2, [student, teacher]])
    )
    if lot.once_in(4):
        lot.attempt(skspectral.to_onnx, student, **lot.keywords(path=[None], X=[ROWS, ROWS[:1]]))


def check_paths(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    estimator = lot.some(network(lot, cls))
    val = lot.keywords(X_val=[X], y_val=[y]) if lot.once_in(20) else {}
    val = {"X_val": X, "y_val": y} if lot.once_in(4) else val
    lot.attempt(
        skspectral.spectral_path,
        X,
        y,
        estimator=estimator,
        alphas=lot.some([1e-3, 1e-2], [0], None, wild=[*WILD, [[1]], [2, 1], [np.nan], ["a"]]),
        n_alphas=lot.some(2, 3, wild=wild_values("n_alphas")),
        eps=lot.some(1e-2),
        path_max_iter=lot.some(1, 2, wild=wild_values("path_max_iter")),
        sample_weight=weight,
        **val,
        **lot.keywords(return_coefs=[True, False]),
        finite=False,
        draws=estimator is None,
    )


def check_curves(lot):
    estimator = any_network(lot)
    X = table(lot)
    y = target(lot, X, kind_of(estimator))
    lot.attempt(
        skspectral.pruning_curve,
        estimator,
        X,
        y,
        sample_weight=weights(lot, X),
        **lot.keywords(
            n_nodes=[None, 3, [2, 3], [4]],
            scope=["global", "layer"],
            relevance=["spectral", "lambda", "path", "random"],
        ),
        random_state=lot.some(0, wild=wild_values("random_state")),
        **lot.keywords(10, scoring=[None, "r2", "accuracy", "neg_log_loss"]),
        finite=False,
    )


def check_many(lot):
    cls = lot.of([Regressor, Classifier])
    X = table(lot)
    y, weight = target(lot, X, kind_of(cls)), weights(lot, X)
    made = [network(lot, cls), cls(3, max_iter=1, random_state=0)]
    several = lot.some(made, made[:1], wild=[*WILD, [made[0]] * 2, made[0], [Regressor, 3]])
    lot.attempt(skspectral.fit_many, several, X, y, weight)
    model = lot.some(made[0], wild=[*WILD, *models()[2]])
    if model is made[0] and not fitted(lot, model, X, y, weight):
        return
    lot.attempt(
        skspectral.size_interval,
        model,
        X,
        y,
        sample_weight=weight,
        factors=lot.some((1.0, 2.0), (1.0,), wild=[*WILD, ("a",), (2.0, 1.0)]),
        n_seeds=lot.some(1, 0, wild=wild_values("n_seeds")),
        cv=lot.some(2, [], 3),
        random_state=lot.some(0, wild=wild_values("random_state")),
        finite=False,
    )


def check_modules(lot):
    dtype = lot.some(None, torch.float64, torch.float32, wild=[*WILD, torch.int64, int])
    check_layers(lot, dtype)
    generator = torch.Generator().manual_seed(0)
    mlp = lot.attempt(
        nn.SpectralMLP,
        lot.some((2, 3, 1), (2, 4, 4, 2), (2, 1), wild=[*WILD, (2,), (2, 0, 1), (2, 2**63)]),
        dtype=dtype,
        generator=lot.some(generator),
        **lot.keywords(
            activation=VALID["activation"],
            parametrization=VALID["parametrization"],
            eigenvalues=VALID["eigenvalues"],
            trainable=VALID["trainable"],
            skip=VALID["skip"],
        ),
        draws=True,
    )
    if mlp is None:
        return
    sizes = mlp.layer_sizes
    masks = [[True] * (n - 1) + [n == 1] for n in sizes[1:-1]]
    masks = lot.some(masks, list(map(np.array, masks)), list(map(torch.tensor, masks)))
    for function in (nn.mask_nodes, nn.shrink):
        module = lot.some(mlp, wild=[*WILD, torch.nn.Linear(2, 2)])
        lot.attempt(function, module, lot.some(masks, wild=[*WILD, *([m] for m in WILD)]))
    lot.attempt(nn.node_relevance, lot.some(mlp))
    wider = (sizes[0], *(n + 2 for n in sizes[1:-1]), sizes[-1])
    lot.attempt(
        nn.grow,
        lot.some(mlp),
        lot.some(wider, wild=[*WILD, (2, 2**63, 1), (2, 1)]),
        generator=lot.some(generator),
        **lot.keywords(spread=[0.5, 1, 0]),
        draws=True,
    )
    x = torch.ones(4, 2, dtype=mlp.layers[0].bias.dtype)
    lot.attempt((mlp, "forward"), lot.some(x), finite=False)  # as what goes in
    lot.attempt((mlp, "last_hidden"), lot.some(x), finite=False)
    lot.attempt((mlp, "set_trainable"), lot.some(*VALID["trainable"]))
    lot.attempt((mlp, "with_layers"), lot.some(list(mlp.layers)))
    lot.attempt(
        nn.merge, lot.some([mlp, mlp], [mlp], wild=[*WILD, [mlp, nn.SpectralLinear(2, 1)]])
    )
    lot.attempt((mlp, "reset_parameters"), lot.some(generator), gain=lot.some(1.0), draws=True)
    lot.attempt(repr, mlp)


def check_layers(lot, dtype):
    sizes = lot.some(2, wild=WILD), lot.some(3, 1)
    flags = {name: [True, False] for name in ("train_phi", "train_lambda_in", "train_lambda_out")}
    parts = {"decomposition": [None, None, "qr", "svd"], "rank": [None, None, 1, 2]}
    linear = lot.attempt(
        nn.SpectralLinear,
        *sizes,
        dtype=dtype,
        **lot.keywords(bias=[True], **flags, **parts),
        draws=True,
    )
    if linear is not None:
        lot.attempt((linear, "forward"), lot.some(torch.ones(4, 2, dtype=linear.phi.dtype)))
        lot.attempt((linear, "to_linear"), draws=True)
        lot.attempt((linear, "set_trained"), **{k: lot.some(*v) for k, v in flags.items()})
        lot.attempt((linear, "reset_parameters"), gain=lot.some(1.0), draws=True)
        lot.attempt((linear, "reset_eigenvalues"))
        lot.attempt((linear, "extra_repr"))
        lot.attempt(nn.node_relevance, linear)
    dense = lot.some(torch.nn.Linear(2, 3))
    lot.attempt((nn.SpectralLinear, "from_linear"), dense, **lot.keywords(**flags))


def existing_module(lot):
    """Return a module as torch users have them, with three outputs or one."""
    n_outputs, layers = lot.of([3, 1]), torch.nn
    modules = [
        [layers.Linear(3, 4), layers.ReLU(), layers.Linear(4, n_outputs)],
        [layers.Linear(3, 4), layers.Tanh(), layers.Linear(4, 2), layers.Linear(2, n_outputs)],
        [
            layers.Unflatten(1, (1, 3)),
            layers.Conv1d(1, 4, 2),
            layers.Flatten(),
            layers.Linear(8, 2),
            layers.ReLU(),
            layers.Linear(2, n_outputs),
        ],
    ]
    return torch.nn.Sequential(*lot.of(modules)), n_outputs


def check_existing_modules(lot):
    with torch.random.fork_rng():
        module, n_outputs = existing_module(lot)
    others = [*WILD, torch.nn.ReLU(), torch.nn.LSTM(2, 2), torch.nn.Linear(2, 2)]
    lot.attempt(
        nn.reparametrize,
        lot.some(module, wild=others),
        **lot.keywords(exclude=[None, (), ["0"], ["3", "1"], [""], ["a"]]),
    )
    alphas = lot.some(0.1, 0, 1, wild=WILD)
    lot.attempt(nn.penalty, lot.some(module, wild=others), alphas)
    y, loss = torch.as_tensor(ROWS[:, :n_outputs]).float(), "squared_error"
    if n_outputs == 3 and lot.below(2):
        y, loss = torch.arange(20) % 3, "cross_entropy"
    found = lot.attempt(
        nn.penalty_alpha,
        lot.some(module, wild=others),
        lot.some(torch.as_tensor(ROWS).float(), wild=[*WILD, ROWS]),
        lot.some(y, wild=[*WILD, y[:3], y.double() * math.nan, torch.ones(20, 7)]),
        loss=lot.some(loss, wild=[*WILD, "cross_entropy", "binary_cross_entropy"]),
        **lot.keywords(
            5,
            activation=VALID["activation"],
            factor=[1, 0, 0.5],
            noise_variance=[None, 0.1, torch.eye(n_outputs), 0],
            n_rows=[None, 100, 1],
        ),
    )
    assert found is None or found >= 0
    relevances = lot.attempt(nn.node_relevance, module)
    masks = [relevance > 0.5 * relevance.max() for relevance in relevances]
    for function in (nn.mask_nodes, nn.shrink):
        lot.attempt(function, lot.some(module, wild=others), lot.some(masks, wild=WILD))
    lot.attempt(nn.fold, lot.some(module, wild=others))


def check_teachers(lot):
    lot.attempt(
        datasets.make_teacher_student,
        lot.some(20, 1),
        lot.some(3, 1),
        lot.some((4,), (3, 2), 4),
        random_state=lot.some(0, 1, wild=wild_values("random_state")),
        **lot.keywords(
            task=["regression", "classification"],
            n_classes=[2, 3],
            noise=[0.0, 0.5, 1e30],
            activation=["relu", "tanh"],
            output_weights=["auto", "glorot"],
            return_teacher=[True, False],
        ),
    )


def check_tables(lot):
    encoder = lot.attempt(
        preprocessing.make_tabular_preprocessor,
        **lot.keywords(
            categorical_features=["auto", [0], slice(0, 1), lambda X: [], ["c0"], [9], [True]],
            knots=["tree", "even"],
            n_knots=[3, None, 24],
            n_quantiles=[10, 2],
            min_frequency=[2, 0.1, None],
        ),
    )
    if encoder is None:
        return
    X = mixed(lot)
    y = target(lot, X, lot.of(["numbers", "classes"]))
    if lot.attempt((encoder, "fit"), X, y) is None:  # else a pipeline speaks for its parts
        return
    new = mixed(lot) if lot.once_in(3) else X
    lot.attempt((encoder, "transform"), new)
    made = lot.attempt((encoder, "get_feature_names_out"))
    shares = np.ones(0 if made is None else len(made))
    lot.attempt(
        skspectral.group_importances,
        lot.some(encoder, encoder.steps[-1][1], wild=[*WILD, StandardScaler(), GaussianNB()]),
        lot.some(shares, wild=[*WILD, shares[:-1], [np.nan]]),
    )
    model = make_pipeline(encoder, Regressor(3, **QUICK))
    if lot.attempt((model, "fit"), X, target(lot, X, "numbers")) is not None:
        lot.attempt((model, "predict"), new)


SWEEP = {
    "param_hidden_layer_sizes": [10, 50, 10, 50],
    "param_random_state": [0, 0, 1, 1],
    "split0_test_n_nodes": [8, 8, 8, 10],
}
CURVE = {"n_nodes": np.array([1, 2]), "score": np.array([0.1, 0.2])}


@functools.cache
def path():
    """Return a fitted path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skspectral.spectral_path(
            ROWS, ROWS[:, 0], estimator=Regressor(4, **QUICK), alphas=[1e-3, 1e-2]
        )


def check_displays(lot):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    wrong = [*WILD, {"a": [1]}, {"params": []}, {"n_nodes": [1, 2]}]
    ax = {"ax": lot.some(None)}
    searches = models()[1]
    results = lot.some(SWEEP, CURVE, wild=wrong)
    calls = [
        ((skspectral.RelevanceDisplay, "from_estimator"), [any_model(lot)]),
        (
            (skspectral.PathMagnitudesDisplay, "from_estimators"),
            [lot.some(models()[0][0]), any_network(lot)],
        ),
        (
            (skspectral.PruningCurveDisplay, "from_estimator"),
            [lot.some(*models()[0][:2]), ROWS, ROWS[:, 0]],
        ),
        ((skspectral.PruningCurveDisplay, "from_cv_results"), [lot.some(CURVE, wild=wrong)]),
        ((skspectral.SpectralPathDisplay, "from_estimator"), [lot.some(*searches[:2])]),
        (
            (skspectral.FidelityDisplay, "from_estimator"),
            [lot.some(searches[3], wild=wrong), ROWS, ROWS[:, 0]],
        ),
        ((skspectral.SpectralPathDisplay, "from_path"), [lot.some(path(), wild=wrong)]),
        ((skspectral.EffectiveSizeDisplay, "from_cv_results"), [lot.some(SWEEP, results)]),
        ((skspectral.NodesDisplay, "from_estimator"), [any_model(lot), lot.some(ROWS)]),
        ((skspectral.NetworkDisplay, "from_estimator"), [any_model(lot), lot.some(None, ROWS)]),
        ((skspectral.TrainingDisplay, "from_estimator"), [any_model(lot)]),
    ]
    call, args = lot.of(calls)
    if call[0] in (skspectral.NodesDisplay, skspectral.NetworkDisplay):
        ax |= lot.keywords(
            feature_names=[None, ["a", "b", "c"]],
            max_nodes=[1, 20],
            **{"max_columns" if call[0] is skspectral.NodesDisplay else "max_inputs": [1, 12]},
        )
    try:
        display = lot.attempt(call, *args, **ax)
        if display is not None:
            lot.attempt((display, "plot"), lot.some(None))
        if hasattr(display, "plot_column"):
            lot.attempt((display, "plot_column"), lot.some(display.responses[0].name))
    finally:
        pyplot.close("all")


# Tests

CHECKS = {
    check_estimators: (80, "SpectralMLPRegressor SpectralMLPClassifier"),
    check_searches: (60, "SpectralMLPRegressorCV SpectralMLPClassifierCV SpectralPruner"),
    check_students: (120, "SpectralStudentRegressor SpectralStudentClassifier"),
    check_functions_of_models: (
        60,
        "match_nodes path_agreement path_magnitudes n_alive_nodes_score n_distinct_nodes "
        "to_sklearn to_onnx merge",
    ),
    check_paths: (60, "spectral_path"),
    check_curves: (90, "pruning_curve"),
    check_many: (60, "fit_many size_interval"),
    check_modules: (80, "SpectralLinear SpectralMLP grow mask_nodes merge node_relevance shrink"),
    check_existing_modules: (80, "reparametrize fold penalty penalty_alpha"),
    check_teachers: (80, "make_teacher_student"),
    check_tables: (60, "make_tabular_preprocessor group_importances"),
    check_displays: (
        120,
        "EffectiveSizeDisplay FidelityDisplay NetworkDisplay NodesDisplay PathMagnitudesDisplay "
        "PruningCurveDisplay RelevanceDisplay SpectralPathDisplay TrainingDisplay",
    ),
}
"""Examples in the quick run, and the public names that they call."""

SILENT = re.compile(r"set_\w+_request|get_metadata_routing")
"""Methods that scikit-learn makes."""


def entry_points(name):
    """Return what is called of a public name: a function, or the methods of a class."""
    for module in (skspectral, nn, datasets, preprocessing):
        public = getattr(module, name, None)
        if inspect.isclass(public):
            ours = [c for c in public.__mro__ if c.__module__.startswith("skspectral")]
            methods = {k for c in ours for k in vars(c) if callable(getattr(public, k))}
            methods = {k for k in methods if not k.startswith("_") and not SILENT.fullmatch(k)}
            return {f"{name}.{method}" for method in methods}
    return {name}


def test_all_public_names_are_called():
    modules = (skspectral, nn, datasets, preprocessing)
    public = {name for module in modules for name in module.__all__} - {"__version__"}
    assert {name for _, names in CHECKS.values() for name in names.split()} == public


@pytest.mark.parametrize("factor", [1, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_any_call_ends_in_a_clear_error_or_a_finite_result(
    check, factor, tmp_path, monkeypatch, record_property
):
    monkeypatch.chdir(tmp_path)  # "a" is a path, too
    n_examples, names = CHECKS[check]
    tally = Tally()

    # the same examples in each run
    @settings(
        max_examples=factor * n_examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**32 - 1))
    def check_all(seed):
        check(Lot(seed, tally))

    check_all()
    record_property("calls", tally.counts.total())
    for name in names.split():
        calls = {call for call, _ in tally.counts}
        assert not entry_points(name) - calls, "some of the public interface is not called"
        fits = [call for call in calls if call == f"{name}.fit"]
        fits = fits or [call for call in calls if call.split(".")[0] == name]
        n_finite, n_errors = (
            sum(tally.counts[c, end] for c in fits) for end in ("finite", "error")
        )
        record_property(name, f"{n_finite} finite, {n_errors} errors")
        n_calls = n_finite + n_errors
        # less what chance may take from few calls
        assert n_finite / n_calls > LEAST_FINITE - n_calls**-0.5, f"{name}: few calls are deep"

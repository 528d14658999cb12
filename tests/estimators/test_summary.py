"""`summary` of both estimators, and the caption of their HTML view."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators import summary as module
from skspectral._estimators.summary import (
    aligned,
    network_caption,
    nodes_text,
    noise_text,
    settled_caption,
    settled_text,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
YES, NO = "yes, trained long enough for this penalty", "no, more training would remove nodes"


def make(hidden=24, cls=SpectralMLPRegressor, **parameters):
    return cls(hidden, **{"max_iter": 20, "random_state": 0, **parameters})


def lines(estimator):
    """Return the text behind each label."""
    title, *rows = estimator.summary().splitlines()
    assert title == type(estimator).__name__
    return dict(row.split(None, 1) for row in rows)


def caption(estimator):
    """Return what stands below the name in the HTML view, None if nothing does."""
    html = estimator._repr_html_()
    before, found, after = html.partition('<div class="caption">')
    assert type(estimator).__name__ in before
    return after.partition("<")[0] if found else None


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    return X, 5 + 10 * np.abs(X[:, 0]) + 3 * rng.normal(size=300)


@pytest.fixture(scope="module")
def fitted(table):
    return SpectralMLPRegressor(random_state=0).fit(*table)


def test_lines_say_what_the_attributes_hold(fitted, table):
    told = lines(fitted)
    assert list(told) == ["nodes", "settled", "alpha", "noise"]
    assert fitted.size_settled_
    assert told["nodes"] == f"{fitted.n_alive_nodes_[0]} of 64 nodes left"
    assert told["settled"] == YES
    assert told["alpha"] == f"{fitted.alpha_:.3g}: follows the noise, times alpha_factor=0.5"
    share = 100 * fitted.noise_variance_ / np.var(table[1])
    expected = f"{fitted.noise_variance_:.3g}: {share:.3g} % of the variance of the target"
    assert told["noise"] == expected


def test_texts_stand_in_one_column(fitted):
    _, *rows = fitted.summary().splitlines()
    assert {len(row) - len(row.split(None, 1)[1]) for row in rows} == {len("settled") + 2}
    assert aligned("Name", [("a", "x"), ("long", "y")]) == "Name\na     x\nlong  y"


def test_a_size_is_nodes_left_and_no_more(fitted):
    text = fitted.summary()
    assert "nodes left" in text
    for word in ("needs", "trust", "right", "identified", "interval"):
        assert word not in text


def test_settled_means_trained_long_enough_for_this_penalty():
    assert settled_text(True, [3]) == YES
    assert settled_text(False, [3]) == NO
    assert settled_text(None, [3]) == "not judged"
    # more training cannot remove what is gone
    assert settled_text(False, [0, 0]) == "no nodes left to judge"
    captions = [settled_caption(settled) for settled in (True, False, None)]
    assert captions == ["settled", "not settled", "settling not judged"]


def test_training_that_was_too_short_is_told(table):
    short = make().fit(*table)
    assert short.size_settled_ is False
    assert lines(short)["settled"] == NO
    assert caption(short) == f"{short.n_alive_nodes_[0]} of 24 nodes left, not settled"


def test_each_hidden_layer_has_its_number(table):
    reg = make((12, 9)).fit(*table)
    first, second = reg.n_alive_nodes_
    assert lines(reg)["nodes"] == f"{first}, {second} of 12, 9 nodes left"
    assert nodes_text([20, 18], (256, 256)) == "20, 18 of 256, 256 nodes left"
    assert nodes_text([1], (1,), "kept") == "1 of 1 nodes kept"


@pytest.mark.parametrize(
    ("alpha", "expected"), [("auto", "0: no hidden nodes to penalise"), (0.1, "0.1: given")]
)
def test_networks_without_hidden_layers(alpha, expected, table):
    told = lines(make((), alpha=alpha).fit(*table))
    assert told == {"nodes": "no hidden layers", "settled": "not judged", "alpha": expected}


def test_networks_of_which_every_node_died(table):
    dead = make(alpha=10.0, max_iter=200).fit(*table)
    assert dead.n_alive_nodes_ == [0]
    told = lines(dead)
    assert told["nodes"].startswith("0 of 24 nodes left: every node died")
    assert told["settled"] == "no nodes left to judge"
    assert caption(dead) == told["nodes"]


@BOTH
def test_a_penalty_that_was_given_has_no_noise(cls, table):
    X, y = table
    y = (y > np.median(y)).astype(int) if cls is SpectralMLPClassifier else y
    told = lines(make(cls=cls, alpha=0.01).fit(X, y))
    assert told["alpha"] == "0.01: given"
    assert "noise" not in told


def test_penalties_of_the_factors_are_told_where_they_differ(table):
    parts = make(alpha=0.01, alpha_phi=0.02).fit(*table)
    assert lines(parts)["alpha"] == "0.01: given; eigenvectors 0.02, eigenvalues 0.01"


def test_noise_of_classes_has_no_share_of_a_variance(multiclass):
    clf = make(cls=SpectralMLPClassifier).fit(*multiclass)
    expected = f"{clf.noise_variance_:.3g}: mean squared residual of the probabilities"
    assert lines(clf)["noise"] == expected


def test_each_output_has_its_noise(table):
    X, y = table
    y = np.column_stack([y, 100 * X[:, 1]])
    reg = make(max_iter=100).fit(X, y)
    first, second = reg.noise_variance_
    shares = 100 * reg.noise_variance_ / np.var(y, axis=0)
    expected = (
        f"{first:.3g}, {second:.3g}: {shares[0]:.3g} %, {shares[1]:.3g} % of the variance of "
        "each output"
    )
    assert lines(reg)["noise"] == expected


def test_many_outputs_are_told_as_a_range():
    text = noise_text(np.arange(1.0, 7.0), np.full(6, 10.0))
    assert text == "1 to 6: 10 to 60 % of the variance of each output"


@pytest.mark.parametrize("variance", [None, 0.0, np.array([1.0, 0.0])])
def test_no_share_of_a_variance_that_is_not_known_or_zero(variance):
    assert "%" not in noise_text(np.ones(np.size(variance)), variance)


@pytest.mark.parametrize("parameters", [{"normalize_y": False}, {"early_stopping": True}])
def test_share_is_of_the_rows_that_were_trained_on(parameters, table):
    reg = make(max_iter=100, **parameters).fit(*table)
    share = float(lines(reg)["noise"].split()[1])
    assert share == pytest.approx(100 * reg.noise_variance_ / np.var(table[1]), rel=0.2)
    assert share < 100


def test_weights_count_in_the_share(table):
    X, y = table
    weight = (np.arange(len(y)) < 150).astype(float) + 1e-9
    told = lines(make(max_iter=100).fit(X, y, sample_weight=weight))["noise"]
    noise, share = float(told.split(":")[0]), float(told.split()[1])
    assert 100 * noise / share == pytest.approx(np.var(y[:150]), rel=0.01)


def test_a_constant_target_has_no_noise(table):
    X, y = table
    reg = make().fit(X, np.full_like(y, 7.0))
    assert reg.noise_variance_ == 0.0
    assert lines(reg)["noise"] == "0"


@BOTH
def test_early_stopping_has_a_score(cls, table):
    X, y = table
    y = (y > np.median(y)).astype(int) if cls is SpectralMLPClassifier else y
    model = make(cls=cls, early_stopping=True).fit(X, y)
    name = "accuracy" if cls is SpectralMLPClassifier else "r2"
    expected = f"{name} {model.best_validation_score_:.3f} on the validation rows"
    assert lines(model)["score"].startswith(expected)


@BOTH
def test_partial_fit_is_not_judged(cls, table):
    X, y = table
    y = (y > np.median(y)).astype(int) if cls is SpectralMLPClassifier else y
    classes = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    model = make(cls=cls).partial_fit(X, y, **classes).partial_fit(X, y)
    told = lines(model)
    assert told["nodes"] == f"{model.n_alive_nodes_[0]} of 24 nodes left"
    assert told["settled"] == "not judged"
    assert told["noise"].startswith(f"{model.noise_variance_:.3g}: ")


def test_dense_networks_are_not_judged(table):
    told = lines(make(parametrization="dense").fit(*table))
    assert told["settled"] == "not judged"


def test_copies_of_another_size_are_not_judged(fitted):
    n_left = fitted.n_alive_nodes_[0]
    cut = fitted.prune(n_nodes=1)
    assert cut.size_settled_ is None
    assert lines(cut)["nodes"] == "1 of 1 nodes left"
    assert lines(cut)["settled"] == lines(fitted.grow())["settled"] == "not judged"
    assert lines(cut)["noise"] == lines(fitted)["noise"]
    # nothing that lived has gone, so the judgement stays
    assert lines(fitted.prune())["settled"] == YES
    assert lines(fitted.prune())["nodes"] == f"{n_left} of {n_left} nodes left"


def test_pickles_say_the_same(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert again.summary() == fitted.summary()
    assert caption(again) == caption(fitted)


def test_pickles_from_before_the_variance_was_kept_lack_the_share(fitted):
    old = copy.copy(fitted)
    del old._target_variance
    assert lines(old)["noise"] == f"{fitted.noise_variance_:.3g}"


def test_summary_changes_nothing(fitted, table):
    state, predicted = set(vars(fitted)), fitted.predict(table[0])
    assert fitted.summary() == fitted.summary()
    fitted._repr_html_()
    assert set(vars(fitted)) == state
    np.testing.assert_array_equal(fitted.predict(table[0]), predicted)


@BOTH
def test_before_the_fit_there_is_nothing_to_say(cls, fitted):
    for unfitted in (cls(), clone(fitted)):
        with pytest.raises(NotFittedError):
            unfitted.summary()
        assert caption(unfitted) is None
        assert not hasattr(unfitted, "_sk_visual_block_")


def test_dir_lists_summary_and_attributes(fitted):
    names = {"summary", "n_alive_nodes_", "size_settled_", "alpha_", "noise_variance_"}
    assert names <= set(dir(fitted))


def test_html_shows_the_answer(fitted):
    expected = f"{fitted.n_alive_nodes_[0]} of 64 nodes left, settled"
    assert caption(fitted) == network_caption(fitted) == expected
    assert expected in fitted._repr_mimebundle_()["text/html"]
    assert expected not in repr(fitted)


def test_html_of_pipelines_and_searches_shows_it(table):
    pipeline = make_pipeline(StandardScaler(), make())
    search = GridSearchCV(pipeline, {"spectralmlpregressor__alpha": [0.1]}, cv=2)
    assert "nodes left" not in search._repr_html_()
    search.fit(*table)
    expected = network_caption(search.best_estimator_[-1])
    assert expected in search.best_estimator_._repr_html_()
    assert expected in search._repr_html_()


def test_html_is_otherwise_that_of_scikit_learn(fitted, monkeypatch):
    html = fitted._repr_html_()
    monkeypatch.setattr(module, "_VisualBlock", None)
    plain = fitted._repr_html_()
    assert "nodes left" not in plain
    added = f'<div class="caption">{network_caption(fitted)}</div>'
    assert without_ids(html.replace(added, "")) == without_ids(plain)


def test_html_never_raises(fitted, monkeypatch):
    broken = copy.copy(fitted)
    broken.net_ = SimpleNamespace()
    with pytest.raises(AttributeError):
        broken.summary()
    # that of the parameters alone: fitted attributes come from the net, too
    assert "SpectralMLPRegressor" in broken._repr_html_()
    monkeypatch.setattr(module, "network_caption", None)
    assert caption(fitted) is None


def without_ids(html):
    """Return HTML without the numbers that scikit-learn counts up from view to view."""
    return [part.lstrip("0123456789") for part in html.split("-id-")]

"""What a fit shows while it runs."""

import re

import pytest

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    fit_many,
    size_interval,
    spectral_path,
)
from skspectral._training import progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(data, **settings):
    options = {"max_iter": 40, "verbose": 1, "random_state": 0, **settings}
    return SpectralMLPRegressor((8, 4), **options).fit(*data)


def test_ten_lines_where_nobody_watches(regression, capsys):
    reg = fit(regression)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    pattern = r"epoch (\d+)/40, loss (\S+), alive nodes (\d+) \+ (\d+), \d+ s left"
    found = [re.fullmatch(pattern, line) for line in lines]
    assert [int(line[1]) for line in found] == list(range(4, 41, 4))
    for line in found:
        assert float(line[2]) == pytest.approx(reg.loss_curve_[int(line[1]) - 1], rel=1e-3)
    assert [int(found[-1][k]) for k in (3, 4)] == reg.n_alive_nodes_


def test_line_after_a_long_silence(regression, capsys, monkeypatch):
    monkeypatch.setattr(progress, "MOST_SILENCE", 0.0)
    fit(regression, max_iter=30)
    assert len(capsys.readouterr().out.splitlines()) == 30


def test_bar_in_a_terminal(regression, capsys, monkeypatch):
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    fit(regression, max_iter=7)
    shown = capsys.readouterr()
    assert not shown.out
    assert re.search(r"7/7 \[.*loss \S+, alive nodes \d \+ \d", shown.err)


def test_fit_that_stops_early_shows_what_it_did(binary, capsys):
    clf = SpectralMLPClassifier(
        4, max_iter=2000, time_limit=0.3, verbose=True, random_state=0, learning_rate="constant"
    )
    clf.fit(*binary)
    assert clf.n_iter_ < 2000
    assert len(capsys.readouterr().out.splitlines()) <= 10


def test_no_more_time_is_left_than_the_limit(regression, capsys, monkeypatch):
    monkeypatch.setattr(progress, "MOST_SILENCE", 0.0)
    fit(regression, max_iter=1_000_000, time_limit=0.3)
    left = re.findall(r"(\d+) s left", capsys.readouterr().out)
    assert max(map(int, left)) == 0


def test_silence_is_the_default(regression, capsys):
    fit(regression, verbose=0)
    shown = capsys.readouterr()
    assert not shown.out + shown.err


def test_network_without_hidden_nodes_shows_progress(regression, capsys):
    SpectralMLPRegressor((), max_iter=10, verbose=1).fit(*regression)
    assert "alive nodes 0" in capsys.readouterr().out


def test_progress_changes_nothing(regression, capsys):
    shown, silent = fit(regression), fit(regression, verbose=0)
    assert shown.loss_curve_ == silent.loss_curve_
    assert [name for name, _ in shown.net_.callbacks_] == [
        name for name, _ in silent.net_.callbacks_
    ]


JOINT = r"(\d+) of (\d+) networks in training, alive nodes (\d+)( to \d+)?, \d+ s left"


def network(**settings):
    return SpectralMLPRegressor(8, max_iter=20, random_state=0, verbose=1).set_params(**settings)


def test_one_display_for_a_fleet(regression, capsys):
    # two that differ in their last epoch, one that no fleet serves, and one that is silent
    networks = [network(), network(max_iter=10), network(solver="sgd"), network(verbose=0)]
    fit_many(networks, *regression)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    found = [re.fullmatch(JOINT, line) for line in lines]
    assert {line[2] for line in found} == {"4"}
    assert int(found[-1][1]) < max(int(line[1]) for line in found)
    assert not any("part" in name for each in networks for name, _ in each.net_.callbacks_)


def test_one_bar_for_a_fleet(regression, capsys, monkeypatch):
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    fit_many([network(), network(random_state=1)], *regression)
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.count("\n") == 1  # a second bar would take a second line
    assert re.search(r"40/40 \[.*2 of 2 networks in training, alive nodes \d", shown.err)


LOOPS = {
    "folds": lambda X, y: SpectralMLPRegressorCV(8, max_iter=20, cv=2, verbose=1).fit(X, y),
    "pruner": lambda X, y: SpectralPruner(network(verbose=0), cv=2, verbose=1).fit(X, y),
    "pruned network": lambda X, y: SpectralPruner(network(), cv=2).fit(X, y),
    "before": lambda X, y: SpectralPruner(
        network(verbose=0), cv=2, strategy="before", verbose=1
    ).fit(X, y),
    "interval": lambda X, y: size_interval(
        network(verbose=0).fit(X, y).set_params(verbose=1), X, y, n_seeds=1
    ),
    "paths": lambda X, y: spectral_path(
        X, y, estimator=[network(), network(random_state=1)], alphas=[1e-3, 1e-2]
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_loops_of_fits_show_one_display(regression, capsys, loop):
    LOOPS[loop](*regression)
    lines = capsys.readouterr().out.splitlines()
    assert 5 <= len(lines) <= 10
    assert all(re.fullmatch(JOINT, line) for line in lines)


def test_joint_progress_changes_nothing(regression, capsys):
    shown, silent = (
        fit_many([network(random_state=seed, verbose=v) for seed in (0, 1)], *regression)
        for v in (1, 0)
    )
    for one, other in zip(shown, silent, strict=True):
        assert one.loss_curve_ == other.loss_curve_
        assert [name for name, _ in one.net_.callbacks_] == [
            name for name, _ in other.net_.callbacks_
        ]

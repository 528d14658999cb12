"""What a fit shows while it runs."""

import re

import pytest

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
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

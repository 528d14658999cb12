"""The reproduction: a user's own file, and what counts as found."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SCRIPT = BENCHMARKS / "reproduction" / "plateau_real_data.py"


def run(path, out):
    options = ["--features", path, "--out", out, "--widths", "4", "8", "--seeds", "0"]
    return subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False
    )


def test_features_of_a_user_are_measured_once(tmp_path):
    """A synthetic file of the form that features of a ResNet50 would have."""
    rng = np.random.default_rng(0)
    X, path, out = rng.normal(size=(90, 12)), tmp_path / "features.npz", tmp_path / "rows.csv"
    y = X[:, :3].argmax(axis=1)
    np.savez(path, X_train=X[:60], y_train=y[:60], X_test=X[60:], y_test=y[60:])
    for _ in range(2):  # the second run finds all rows there
        done = run(path, out)
        assert done.returncode == 0, done.stderr
        rows = pd.read_csv(out)
        assert rows["table"].unique().tolist() == ["features"]
        assert rows["width"].tolist() == [4, 4, 8, 8]
        assert rows["parametrization"].tolist() == ["spectral", "dense"] * 2
        assert (rows["alive"] <= rows["width"]).all()
        assert rows["train_score"].min() > 0.8


@pytest.mark.parametrize("content", ["arrays", "text"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "features.npz"
    if content == "arrays":
        np.savez(path, X=np.ones(3))
    else:
        path.write_text("none")
    done = run(path, tmp_path / "rows.csv")
    assert done.returncode != 0
    assert "must hold the arrays" in done.stderr or "must be a file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def size_recovery(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the script sets it where it is not
    return importlib.import_module("size_recovery")


@pytest.mark.parametrize(
    ("sizes", "teacher", "found"),
    [
        ([20], 20, True),
        ([21], 20, True),
        ([22], 20, False),
        ([20, 18], 20, False),
        ([42, 38], 40, True),
        ([4], 5, True),
        ([3], 5, False),
    ],
)
def test_found_is_within_a_node_or_a_twentieth(size_recovery, sizes, teacher, found):
    assert size_recovery.is_found(sizes, teacher) is found

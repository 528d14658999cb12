"""The penalty that scores and sizes on folds speak for."""

import numpy as np
import pytest

from skspectral._path.fold_paths import FoldPath
from skspectral._path.penalty_choice import SHRINKAGE, choose_penalty

PENALTIES = {"alpha": np.array([1.0, 2.0, 4.0, 8.0])}
SIZES = np.array([[9], [3], [3], [1]])


def paths(*scores):
    return [FoldPath(np.array(score), SIZES, np.ones(4, dtype=bool)) for score in scores]


def test_what_all_folds_lose_is_not_within():
    """Folds differ by 0.4, but each loses 0.3 at the largest penalty."""
    both = paths([0.7, 0.8, 0.8, 0.5], [0.3, 0.4, 0.4, 0.1])
    choice = choose_penalty(PENALTIES, both, "1se")
    assert choice.index == 2
    assert choice.cv_results["within_tolerance"].tolist() == [True, True, True, False]
    np.testing.assert_allclose(choice.cv_results["margin"], SHRINKAGE * 0.2)


def test_what_one_fold_loses_is_within():
    both = paths([0.8, 0.8, 0.8, 0.8], [0.8, 0.8, 0.79, 0.5])
    choice = choose_penalty(PENALTIES, both, "1se")
    assert choice.index == 3
    assert choose_penalty(PENALTIES, both, "best").index == 0


def test_nan_is_passed_over():
    both = paths([0.8, 0.7, 0.6, np.nan], [0.9, 0.7, 0.6, 0.9])
    assert choose_penalty(PENALTIES, both, "1se").index == 0
    with pytest.raises(ValueError, match=r"NaN at every penalty, in the folds \[1\]"):
        choose_penalty(PENALTIES, paths([0.8] * 4, [np.nan] * 4), "1se")


def test_sizes_are_listed_for_all_layers_together():
    sizes = np.array([[4, 5], [2, 1], [1, 1], [1, 1]])
    settled = np.array([True, True, False, False])
    both = [
        FoldPath(np.arange(4.0), sizes, settled),
        FoldPath(np.arange(4.0), sizes + 1, ~settled | settled),
    ]
    results = choose_penalty(PENALTIES, both, "best").cv_results
    assert results["mean_n_alive_nodes"].tolist() == [10, 4, 3, 3]
    assert results["std_n_alive_nodes"].tolist() == [1] * 4
    assert results["split1_n_alive_nodes"].tolist() == [11, 5, 4, 4]
    assert results["share_settled"].tolist() == [1, 1, 0.5, 0.5]


def test_tolerance_takes_the_place_of_the_standard_error():
    both = paths([0.9, 0.86, 0.84, 0.5], [0.7, 0.68, 0.64, 0.1])
    for tolerance, index in ((0.0, 0), (0.029, 0), (0.031, 1), (0.07, 2), (1.0, 3)):
        choice = choose_penalty(PENALTIES, both, "1se", tolerance)
        assert choice.index == index
        assert choice.cv_results["margin"].tolist() == [tolerance] * 4

"""The size that curves on folds speak for."""

import numpy as np
import pytest
from scipy import stats

from skspectral._pruning.choice import choose_size, margins
from skspectral._pruning.fold_curves import FoldCurve

SIZES = np.array([1, 2, 3])


def curve(scores, row_scores=None, levels=(0.5, 0.2, 0.1), weight=None):
    rows = None if row_scores is None else np.array(row_scores)
    return FoldCurve(SIZES, 5 * SIZES, np.array(scores), rows, weight, np.array(levels))


def test_smallest_size_within_a_number_is_chosen():
    curves = [curve([0.1, 0.7, 0.8]), curve([0.3, 0.9, 0.8], levels=(0.5, 0.8, 0.1))]
    choice = choose_size(curves, 0.05)
    assert choice.n_nodes == 2
    assert choice.level == pytest.approx(0.4)  # the geometric mean of the folds'
    results = choice.cv_results
    assert results["n_nodes"].tolist() == [1, 2, 3]
    assert results["n_parameters"].tolist() == [5, 10, 15]
    np.testing.assert_allclose(results["mean_test_score"], [0.2, 0.8, 0.8])
    assert results["within_tolerance"].tolist() == [False, True, True]
    assert results["margin"].tolist() == [0.05] * 3


def test_one_standard_error_is_over_folds_or_over_the_rows_of_one():
    rows = np.random.default_rng(0).normal(size=(3, 40)) + SIZES[:, None]
    one = curve(rows.mean(axis=1), rows)
    np.testing.assert_allclose(margins([one], "1se")[:2], stats.sem(rows[2] - rows[:2], axis=1))
    curves = [curve([0.1, 0.6, 0.8]), curve([0.3, 0.9, 0.8])]
    np.testing.assert_allclose(margins(curves, "1se")[:2], [0.1, 0.15])


def test_some_size_must_have_a_score():
    with pytest.raises(ValueError, match=r"NaN at every size, in the folds \[0\]"):
        choose_size([curve([np.nan] * 3), curve([0.0] * 3)], 0.1)

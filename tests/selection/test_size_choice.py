"""The smallest size within a margin of the best."""

import numpy as np
import pytest
from scipy import stats

from skspectral._selection.size_choice import (
    IMMATERIAL,
    fold_margins,
    row_margins,
    smallest_within,
)


def test_margin_over_folds_is_the_standard_error_of_paired_differences():
    scores = np.random.default_rng(0).normal(size=(5, 4))
    margins = fold_margins(scores, best=2)
    differences = scores[:, [2]] - scores
    expected = stats.sem(differences, axis=0)
    np.testing.assert_allclose(np.delete(margins, 2), np.delete(expected, 2))
    assert margins[2] == pytest.approx(IMMATERIAL * stats.sem(scores[:, 2]))


def test_margin_over_rows_is_the_standard_error_of_paired_differences():
    rows = np.random.default_rng(0).normal(size=(3, 50))
    expected = stats.sem(rows[0] - rows, axis=1)[1:]
    np.testing.assert_allclose(row_margins(rows, None, 0)[1:], expected)
    np.testing.assert_allclose(row_margins(rows, np.full(50, 7.0), 0)[1:], expected)


def test_rows_of_zero_weight_do_not_count():
    rows = np.random.default_rng(0).normal(size=(3, 50))
    rows[:, 40:] += 1000 * rows[:, 40:]
    weight = np.r_[np.ones(40), np.zeros(10)]
    np.testing.assert_allclose(row_margins(rows, weight, 0), row_margins(rows[:, :40], None, 0))


@pytest.mark.parametrize("noise", [-1e-9, 1e-9])
def test_one_fold_alone_does_not_outvote_the_others(noise):
    scores = np.array([[0.75, 0.75, 0.75], [0.70, 0.75, 0.74], [0.76, 0.76, 0.76]])
    scores[1, 0] += noise
    mean = scores.mean(axis=0)
    assert smallest_within(mean, fold_margins(scores, 1))[1].all()


def test_what_is_common_to_all_rows_is_not_significant():
    best = np.random.default_rng(0).normal(size=200)
    rows = np.array([best - 1e-6, best - 1.0, best])
    margins = row_margins(rows, None, 2)
    assert smallest_within(rows.mean(axis=1), margins)[0] == 0
    assert not smallest_within(rows.mean(axis=1), margins)[1][1]


@pytest.mark.parametrize(
    ("score", "margin", "chosen"),
    [
        ([1.0, 2.0, 3.0, 3.0], 0.0, 2),
        ([1.0, 2.0, 3.0, 2.9], 1.0, 1),
        ([np.nan, 2.0, 3.0], 1.0, 1),
        ([3.0, 2.0, 1.0], 0.0, 0),
        ([1.0, 2.0, 3.0], np.array([5.0, 0.0, 0.0]), 0),
        ([1.0, 2.0, 3.0], np.array([0.0, np.nan, np.nan]), 2),
    ],
)
def test_smallest_within_margin(score, margin, chosen):
    index, within = smallest_within(np.array(score), margin)
    assert index == chosen
    assert within[chosen]
    assert not within[:chosen].any()

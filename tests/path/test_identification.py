"""The rule by which a size counts as that of the task."""

import numpy as np
import pytest

from skspectral._path.identification import (
    around,
    is_crowded,
    size_range,
    spans_enough,
    stays,
)


@pytest.mark.parametrize(
    ("penalties", "chosen", "expected"),
    [
        ([1, 2, 4, 8, 16], 1, (1, 4)),  # from the chosen one to four times that
        ([1, 2, 4, 8, 16], 0, (0, 3)),
        ([1, 2, 4, 8, 16], 3, (2, 5)),  # the grid ends: from as far below as it must
        ([1, 2, 4, 8, 16], 4, (2, 5)),
        ([1, 3, 9, 27], 1, (1, 4)),  # 9 is not four times 3, 27 is
        ([1, 2, 3], 1, (0, 3)),  # too narrow: all of it
        ([0, 1, 2], 1, (0, 3)),
        ([0, 1, 2, 4], 3, (1, 4)),  # nothing is a multiple of 0
        ([5], 0, (0, 1)),
    ],
)
def test_penalties_around_the_chosen_one(penalties, chosen, expected):
    found = around(np.array(penalties, dtype=float), chosen)
    assert (found.start, found.stop) == expected


def test_span_is_four_up_to_rounding():
    assert spans_enough(np.geomspace(1e-4, 4e-4, 3))
    assert not spans_enough(np.array([1.0, 3.9]))
    assert not spans_enough(np.array([0.0, 1.0]))


def test_range_is_of_the_medians_at_each_penalty():
    """By hand: three fits at two penalties, two layers."""
    sizes = np.array([[[20, 5], [18, 4]], [[22, 4], [17, 4]], [[40, 9], [19, 1]]])
    # medians 22 and 18 in the first layer, 5 and 4 in the second
    assert size_range(sizes, [20, 5]) == [(18, 22), (4, 5)]
    assert size_range(sizes, [25, 2]) == [(18, 25), (2, 5)]  # the reported size is inside
    # of two fits both count
    assert size_range(sizes[:2], [20, 5]) == [(17, 22), (4, 5)]


def test_size_that_may_be_none_is_not_identified():
    assert not stays([(0, 1)], [1])
    assert stays([(1, 2)], [1])
    assert not stays([(0, 0)], [0])


@pytest.mark.parametrize(
    ("interval", "reported", "expected"),
    [
        ([(4, 6)], [5], True),  # one node is always allowed
        ([(5, 7)], [5], False),
        ([(18, 22)], [20], True),  # a tenth
        ([(18, 23)], [20], False),
        ([(17, 20)], [20], False),
        ([(18, 22), (9, 11)], [20, 10], True),
        ([(18, 22), (8, 11)], [20, 10], False),  # every layer
    ],
)
def test_sizes_stay_within_a_tenth_or_one_node(interval, reported, expected):
    assert stays(interval, reported) is expected


def test_more_than_half_of_the_width_is_crowded():
    assert not is_crowded([8, 4], [16, 8])
    assert is_crowded([8, 5], [16, 8])

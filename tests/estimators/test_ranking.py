"""Rankings are one order over all layers, whose beginnings are networks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skspectral._estimators.ranking import (
    check_n_nodes,
    first_nodes,
    masks_of,
    node_priorities,
    places,
    rank_nodes,
)

RELEVANCES = st.lists(
    st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=12).map(np.array),
    min_size=1,
    max_size=3,
)


def everywhere(relevances):
    return [np.ones(len(relevance), dtype=bool) for relevance in relevances]


@given(RELEVANCES, st.sampled_from(["global", "layer"]), st.integers(1, 5), st.randoms())
def test_ranks_are_one_order_that_never_empties_a_layer(relevances, scope, min_nodes, random):
    present = everywhere(relevances)
    for there, relevance in zip(present, relevances, strict=True):  # removed nodes count as zero
        gone = random.sample(range(len(there)), random.randrange(len(there)))
        there[gone], relevance[gone] = False, 0.0
    ranking = rank_nodes(relevances, present, scope, min_nodes)
    total = sum(len(r) for r in relevances)
    assert sorted(np.concatenate(ranking)) == list(range(1, total + 1))
    least = sum(min(min_nodes, there.sum()) for there in present)
    for size in range(least, total + 1):
        masks = first_nodes(ranking, size)
        assert sum(mask.sum() for mask in masks) == size
        n_kept = sum((mask & there).sum() for mask, there in zip(masks, present, strict=True))
        assert n_kept == min(size, sum(there.sum() for there in present))
        for mask, relevance, there in zip(masks, relevances, present, strict=True):
            assert (mask & there).sum() >= min(min_nodes, there.sum())
            if not mask[there].all():
                assert relevance[mask & there].min() >= relevance[~mask].max()


@pytest.mark.parametrize(
    ("relevance", "expected"),
    [
        ([1.0, 3.0, 3.0, 2.0, 3.0], [4, 0, 1, 3, 2]),  # of equals the first comes first
        ([0.0, -0.0, 0.0], [0, 1, 2]),
        ([7.0], [0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_break_ties_in_order_of_appearance(relevance, expected, dtype):
    relevance = np.array(relevance, dtype=dtype)
    found = places(relevance, *everywhere([relevance]))
    assert found.tolist() == expected
    assert found.dtype == int


def test_removed_nodes_come_after_those_without_relevance():
    assert places(np.zeros(3), np.array([False, True, True])).tolist() == [2, 0, 1]


def test_collapsed_layers_have_no_priority():
    relevances = [np.zeros(3), np.array([2.0, 1.0])]
    priorities = node_priorities(relevances, everywhere(relevances), "global")
    assert [p.tolist() for p in priorities] == [[0.0, 0.0, 0.0], [1.0, 0.5]]


def test_global_scope_compares_shares_of_the_layer_maximum():
    relevances = [np.array([10.0, 6.0, 1.0]), np.array([0.5, 0.4])]
    ranking = rank_nodes(relevances, everywhere(relevances))
    assert [r.tolist() for r in ranking] == [[1, 4, 5], [2, 3]]


def test_layer_scope_takes_equal_shares():
    relevances = [np.arange(1.0, 9.0), np.array([1e-9, 1.0])]
    ranking = rank_nodes(relevances, everywhere(relevances), scope="layer")
    kept = [int(mask.sum()) for mask in first_nodes(ranking, 5)]
    assert kept == [4, 1]


def test_masks_of_a_list_take_the_best_of_each_layer():
    relevances = [np.array([3.0, 1.0, 2.0]), np.array([0.1, 5.0])]
    ranking = rank_nodes(relevances, everywhere(relevances))
    assert [m.tolist() for m in masks_of([2, 1], ranking)] == [[True, False, True], [False, True]]


@pytest.mark.parametrize(
    ("n_nodes", "expected"),
    [(5, 5), (np.int64(5), 5), (0.5, 6), (1.0, 12), (1e-9, 2), ([8, 1], [8, 1]), ((2, 3), [2, 3])],
)
def test_n_nodes_is_a_number_a_share_or_a_list(n_nodes, expected):
    assert check_n_nodes(n_nodes, (8, 4)) == expected


@pytest.mark.parametrize(
    ("n_nodes", "message"),
    [
        (13, r"from 2 \(layers keep 1\) to 12, all there are in \[8, 4\]; got 13"),
        (1, "got 1"),
        (0, "got 0"),
        (-3, "got -3"),
        (1.5, "at most 1"),
        (0.0, "above 0"),
        (float("nan"), "above 0"),
        ([4], "one integer per hidden layer"),
        ([9, 1], "one integer per hidden layer"),
        ([4, 0], "one integer per hidden layer"),
        ([4, 0.5], "one integer per hidden layer"),
    ],
)
def test_impossible_n_nodes_are_refused(n_nodes, message):
    with pytest.raises(ValueError, match=message):
        check_n_nodes(n_nodes, (8, 4))


@pytest.mark.parametrize("n_nodes", [True, None, "many"])
def test_n_nodes_of_another_kind_are_refused(n_nodes):
    with pytest.raises(TypeError, match="an integer, a fraction"):
        check_n_nodes(n_nodes, (8, 4))


def test_min_nodes_bound_what_can_be_asked_for():
    with pytest.raises(ValueError, match=r"from 6 \(layers keep 3\)"):
        check_n_nodes(5, (8, 4), min_nodes=3)
    with pytest.raises(ValueError, match="each from 3"):
        check_n_nodes([8, 2], (8, 4), min_nodes=3)

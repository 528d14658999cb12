"""What is told of a network that is not what was asked for."""

import pytest
from sklearn.utils import Bunch

from skspectral._path.complaints import complaints_about

GOOD = {"alpha": 0.1, "hidden_layer_sizes": (12, 8), "n_alive_nodes_": [3, 4]}


def network(**changes):
    return Bunch(**{**GOOD, "size_settled_": True, **changes})


def test_nothing_is_wrong_with_a_settled_small_network():
    assert complaints_about(network(), "1se") == []
    assert complaints_about(network(size_settled_=None), "1se") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_alive_nodes_": [7, 4]}, "7 of 12 nodes"),
        ({"n_alive_nodes_": [7, 8]}, "7 of 12 and 8 of 8 nodes"),
        ({"hidden_layer_sizes": 4, "n_alive_nodes_": [3]}, "3 of 4 nodes"),
        ({"n_alive_nodes_": [0, 0]}, "or selection='best'"),
        ({"size_settled_": False}, "at alpha=0.1 more training"),
    ],
)
def test_each_fault_is_told(changes, message):
    (complaint,) = complaints_about(network(**changes), "1se")
    assert message in complaint


def test_other_selection_is_not_advised_where_it_was_taken():
    (complaint,) = complaints_about(network(n_alive_nodes_=[0, 0], size_settled_=False), "best")
    assert "selection" not in complaint

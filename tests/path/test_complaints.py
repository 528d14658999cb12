"""What is told of a network that is not what was asked for."""

import pytest
from sklearn.utils import Bunch

from skspectral._path.complaints import complaints_about

ADVICE = "give smaller `alphas`, or selection='best'"
GOOD = {"alpha_": 0.1, "hidden_layer_sizes": (12, 8), "n_alive_nodes_": [3, 4]}


def network(**changes):
    return Bunch(**{**GOOD, "size_settled_": True, "skip": False, **changes})


def test_nothing_is_wrong_with_a_settled_small_network():
    assert complaints_about(network(), ADVICE) == []
    assert complaints_about(network(size_settled_=None), ADVICE) == []
    assert complaints_about(network(n_alive_nodes_=[0, 0], skip=True), ADVICE) == []


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
    (complaint,) = complaints_about(network(**changes), ADVICE)
    assert message in complaint

"""Orders of rows that several networks have in common."""

import numpy as np
import pytest
import torch

from skspectral._training.batches import RowBatches, RowDataset
from skspectral._training.orders import CommonOrders, OrdersFollowed

X = torch.zeros(50, 2)


def test_every_network_sees_the_same_orders_at_its_own_pace():
    orders = CommonOrders(0)
    first, second = OrdersFollowed(orders), OrdersFollowed(orders)
    ahead = [first.next_order(50, X) for _ in range(3)]
    behind = [second.next_order(50, X) for _ in range(3)]
    for a, b in zip(ahead, behind, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(ahead[0], ahead[1])
    assert ahead[0].sort().values.tolist() == list(range(50))


def test_networks_in_step_are_given_one_object():
    orders = CommonOrders(0)
    followed = [OrdersFollowed(orders) for _ in range(3)]
    for _ in range(2):
        drawn = {id(one.next_order(50, X)) for one in followed}
        assert len(drawn) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_sets_the_orders(seed):
    draw = [OrdersFollowed(CommonOrders(s)).next_order(50, X) for s in (seed, seed, seed + 1)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])


def test_batches_follow_them():
    dataset = RowDataset(np.arange(50.0)[:, None], torch.zeros(50))
    orders = CommonOrders(0)
    ours, theirs = (
        [rows for rows, _ in RowBatches(dataset, 20, OrdersFollowed(orders))] for _ in range(2)
    )
    assert [len(rows) for rows in ours] == [20, 20, 10]
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert next(iter(RowBatches(dataset, 50, OrdersFollowed(orders))))[0][0] == 0  # one batch

"""Which images each step sees."""

from __future__ import annotations

import torch

from ganbench.training.batches import DataOrder

CPU = torch.device("cpu")


def test_each_epoch_shows_each_image_once_across_batches():
    order = DataOrder(10, seed=3, device=CPU)
    shown = torch.cat([order.indices(start, 4) for start in range(0, 40, 4)])
    for epoch in shown.split(10):
        assert sorted(epoch.tolist()) == list(range(10))
    assert shown[:10].tolist() != shown[10:20].tolist()


def test_a_batch_larger_than_the_dataset_goes_on_with_the_next_epochs():
    order = DataOrder(3, seed=0, device=CPU)
    counts = torch.bincount(order.indices(0, 9))
    assert counts.tolist() == [3, 3, 3]


def test_the_order_follows_from_the_seed_and_the_position_alone():
    first = DataOrder(50, seed=1, device=CPU)
    for start in range(0, 200, 8):
        first.indices(start, 8)
    assert torch.equal(first.indices(200, 8), DataOrder(50, 1, CPU).indices(200, 8))
    assert not torch.equal(
        DataOrder(50, 2, CPU).indices(0, 50), DataOrder(50, 1, CPU).indices(0, 50)
    )

"""MIND against optimal assignments along each direction, and what it sees."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.mind import mind


def cloud(count: int, seed: int, entries: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((count, entries)))


@pytest.mark.parametrize("entries", [1, 5])
def test_it_is_the_cost_of_the_best_assignment_along_each_direction(entries):
    real, fake = cloud(25, 0, entries), 0.5 * cloud(25, 1, entries) + 1
    stream = torch.Generator().manual_seed(3)
    directions = torch.randn(1000, entries, generator=stream, dtype=torch.float64).numpy()
    total = 0.0
    for direction in directions:
        along = direction / np.linalg.norm(direction)
        costs = np.subtract.outer(real.numpy() @ along, fake.numpy() @ along) ** 2
        total += costs[linear_sum_assignment(costs)].mean()
    assert mind(real, fake, seed=3) == pytest.approx(3 * entries * total / 1000, rel=1e-9)


def test_a_shift_costs_three_times_its_squared_length():
    real = cloud(50, 0, 20)
    shift = torch.zeros(20, dtype=torch.float64)
    shift[3] = 2.0
    assert mind(real, real + shift) == pytest.approx(3 * 4.0, rel=0.15)


def test_the_order_of_images_does_not_matter_and_the_same_images_are_at_0():
    real, fake = cloud(70, 0), cloud(70, 1)
    order = torch.from_numpy(np.random.default_rng(2).permutation(70))
    assert mind(real, real[order]) == pytest.approx(0, abs=1e-20)
    assert mind(real, fake[order]) == pytest.approx(mind(real, fake), rel=1e-12)
    assert mind(real, fake) > 0


def test_it_sees_another_shape_of_equal_mean_and_covariance():
    real = cloud(2000, 0, 2)
    values = cloud(2000, 1, 2).sign()
    centred = values - values.mean(dim=0)
    whitened = centred @ torch.linalg.inv(torch.linalg.cholesky(centred.T.cov())).T
    root = torch.linalg.cholesky(real.T.cov())
    fake = whitened @ root.T + real.mean(dim=0)
    assert fid(Statistics.of(real), Statistics.of(fake)) < 1e-6
    assert mind(real, fake) > 20 * mind(real, cloud(2000, 4, 2))


def test_float32_features_give_the_same_in_several_parts():
    real, fake = cloud(2100, 0, 3).float(), cloud(2100, 1, 3).float()
    assert mind(real, fake) == pytest.approx(mind(real.double(), fake.double()), rel=1e-12)


def test_unequal_counts_and_widths_are_refused():
    with pytest.raises(ValueError, match="there are 20 and 30: choose equally many"):
        mind(cloud(20, 0), cloud(30, 1))
    with pytest.raises(ValueError, match="both must come from one backbone"):
        mind(cloud(20, 0), cloud(20, 1, 2))

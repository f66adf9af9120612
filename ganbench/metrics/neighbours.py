"""Precision, recall, density and coverage: who lies in whose neighbourhood.

All take equally many real and generated images, at most `NEIGHBOUR_LIMIT` of each, since the
scores depend on the counts. Distances are Euclidean, in float64, and computed in blocks of
`_BLOCK` images, so that besides the features no more than about 200 MB are needed for 10,000 images
of a kind: a block of distances takes 40 MB, and torch-fidelity holds a few copies of one. Smaller
blocks are no slower; larger ones are, since they leave the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch_fidelity.metric_prc import (
    KEY_METRIC_PRECISION,
    KEY_METRIC_RECALL,
    prc_features_to_metric,
)

from ganbench.metrics.arrays import check_pair, choose

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "NEIGHBOUR_LIMIT",
    "density_coverage",
    "equal_counts",
    "nearest_distance",
    "nearest_others",
    "precision_recall",
]

NEIGHBOUR_LIMIT = 10_000
_BLOCK = 500


def equal_counts(
    real: Tensor, fake: Tensor, *, seed: int, limit: int = NEIGHBOUR_LIMIT
) -> tuple[Tensor, Tensor]:
    """Choose equally many rows of both: as many as the smaller has, at most `limit`.

    Returns:
        Two float64 matrices of equal shape, at most 164 MB each at 2,048 entries.
    """
    count = min(len(real), len(fake), limit)
    return choose(real, count, seed).double(), choose(fake, count, seed + 1).double()


def nearest_others(points: Tensor, k: int, block: int = _BLOCK) -> Tensor:
    """Distances from each point to its k nearest other points.

    Args:
        points: float64 (n, entries), with n above k.
        k: 1 for the nearest other point.
        block: Points at a time.

    Returns:
        float64 (n, k), the nearest first.
    """
    # A point is its own nearest; topk takes a sixth of kthvalue's time.
    parts = [
        torch.cdist(part, points).topk(k + 1, largest=False).values[:, 1:]
        for part in torch.split(points, block)
    ]
    return torch.cat(parts)


def nearest_distance(points: Tensor, others: Tensor, block: int = _BLOCK) -> Tensor:
    """Distance from each point to the nearest of the others.

    Args:
        points: float64 (n, entries).
        others: (m, entries), of any floating type.
        block: Others at a time.

    Returns:
        float64 (n,).
    """
    best = torch.full((len(points),), torch.inf, dtype=torch.float64)
    for part in torch.split(others, block):
        best = torch.minimum(best, torch.cdist(points, part.double()).amin(dim=1))
    return best


def precision_recall(
    real: Tensor, fake: Tensor, k: int = 3, block: int = _BLOCK
) -> tuple[float, float] | None:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991), 0 to 1.

    Precision is the share of generated images within the distance of a real image to its k-th
    nearest other real image; recall is the same with the roles exchanged. Higher is better. One
    good image repeated has full precision and no recall; outliers widen the neighbourhoods.

    Args:
        real: float64 (n, entries).
        fake: float64 (n, entries).
        k: Neighbours that make a neighbourhood.
        block: Images at a time.

    Returns:
        None for k images or fewer.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    if min(len(real), len(fake)) <= k:
        return None
    # torch-fidelity's convention: the first features are the generated ones.
    values = prc_features_to_metric(
        fake, real, prc_neighborhood=k, prc_batch_size=block, save_cpu_ram=True, verbose=False
    )
    return float(values[KEY_METRIC_PRECISION]), float(values[KEY_METRIC_RECALL])


def density_coverage(
    real: Tensor,
    fake: Tensor,
    k: int = 5,
    block: int = _BLOCK,
    *,
    real_nearest: Tensor | None = None,
) -> tuple[float, float] | None:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797).

    Density counts the neighbourhoods of real images that a generated image lies in, divided by k:
    from 0, about 1 for real images, more where images crowd. Coverage is the share of real images
    whose neighbourhood holds a generated image: 0 to 1, about 1 - 2**-k for real images, higher
    is better. Neighbourhoods of generated images are not used, so generated outliers do no harm.

    Args:
        real: float64 (n, entries).
        fake: float64 (m, entries).
        k: Neighbours that make a neighbourhood.
        block: Generated images at a time.
        real_nearest: `nearest_others` of `real` with k or more, where it is known.

    Returns:
        None for k real images or fewer.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    if len(real) <= k:
        return None
    if real_nearest is None:
        real_nearest = nearest_others(real, k, block)
    radii = real_nearest[:, k - 1]
    covered = torch.zeros(len(real), dtype=torch.bool)
    hits = 0
    for part in torch.split(fake, block):
        inside = torch.cdist(part, real) <= radii
        covered |= inside.any(dim=0)
        hits += int(inside.count_nonzero())
    return hits / (k * len(fake)), float(covered.double().mean())

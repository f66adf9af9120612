"""Monge inception distance (MIND): features compared along random directions.

Berthet et al. 2026, arXiv:2605.06797. Along one direction, the optimal transport between equally
many points pairs them in the order of their projections; the distance is the mean of its cost over
random directions. Projections are sorted in blocks of directions, which need about 50 MB at a time
for 10,000 images of each kind, whatever the length of a feature vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from ganbench.scoring.metrics.checks import check_pair

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

__all__ = ["mind"]

_DIRECTIONS = 1000
_AT_ONCE = 100  # directions
_ROWS = 2000  # images that are made float64 at a time
_SCALE = 3  # by which the paper multiplies, besides the length of a feature vector


def mind(real: Tensor, fake: Tensor, *, seed: int = 0) -> float:
    """3 times the length of a feature vector, times the mean squared sliced Wasserstein distance.

    In squared units of the features, from 0; lower is better. Where the distributions differ by a
    shift alone, it is three times the squared length of the shift, and FID that squared length.
    It sees any difference of two distributions, not only of means and covariances. It falls as more
    images are compared, so only equal counts can be compared.

    Args:
        real: Features (n, entries).
        fake: Features (n, entries), equally many.
        seed: Chooses the 1,000 directions, uniformly among all.

    Raises:
        ValueError: The features cannot be used, or there are not equally many of both.
    """
    check_pair(real, fake)
    if len(real) != len(fake):
        raise ValueError(
            f"MIND pairs real and generated images, but there are {len(real)} and {len(fake)}: "
            "choose equally many of both"
        )
    entries, generator = real.shape[1], torch.Generator().manual_seed(seed)
    directions = torch.randn(_DIRECTIONS, entries, generator=generator, dtype=torch.float64)
    total = sum(
        float(np.square(_sorted_projections(real, some) - _sorted_projections(fake, some)).sum())
        for some in F.normalize(directions, dim=1).split(_AT_ONCE)
    )
    return _SCALE * entries * total / (_DIRECTIONS * len(real))


def _sorted_projections(points: Tensor, directions: Tensor) -> npt.NDArray[np.float64]:
    """Of shape (directions, points), each row in ascending order."""
    projections = torch.cat([directions @ part.double().T for part in points.split(_ROWS)], dim=1)
    rows: npt.NDArray[np.float64] = projections.numpy()
    rows.sort(axis=1)  # in place, and in a fraction of the time of torch's sort
    return rows

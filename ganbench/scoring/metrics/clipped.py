"""Clipped Density and Clipped Coverage: shares of good images that outliers do not raise.

Salvy et al. 2025, arXiv:2507.01761. Neighbourhoods are those of `neighbours`, in which a point on
the border is inside. One image adds to a score at most what an image among real ones is expected to
add, and both scores are set so that real images are at 1 and a share of bad images lowers them by
that share.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ganbench.scoring.metrics.checks import check_pair
from ganbench.scoring.metrics.constants import DENSITY_K
from ganbench.scoring.metrics.neighbours import inside, nearest_others

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.metrics.neighbours import Inside

__all__ = ["clipped_density_coverage", "clipped_radii", "expected_coverage"]

_MAY_BE_EQUAL = 1e-6  # relative difference of distances below which a tie is looked into
_ROUNDING = 1e-9  # relative difference of one distance, computed from either end


def clipped_density_coverage(
    real: Tensor,
    fake: Tensor,
    k: int = DENSITY_K,
    *,
    real_nearest: Tensor | None = None,
    real_rows: Tensor | None = None,
    counts: tuple[Inside, Inside] | None = None,
) -> tuple[float, float] | None:
    """Clipped Density and Clipped Coverage, both from 0 to 1; higher is better.

    Clipped Density counts the neighbourhoods of real images that a generated image lies in, at most
    k, over what real images reach among themselves. The neighbourhood of a real image reaches to
    its k-th nearest other one, but no further than half of all do: real outliers have no wide one.

    Clipped Coverage counts the generated images in the whole neighbourhood of each real image, at
    most k; it is the share of good images that would cover the real ones as well, as
    `expected_coverage` has it. So it reaches 1 already where the images cover a little more than
    real ones do on average, and crowded images do not make up for empty neighbourhoods.

    Args:
        real: (n, entries) of any floating type.
        fake: (m, entries) of any floating type.
        k: Neighbours that make a neighbourhood.
        real_nearest: `nearest_others` of `real` with k or more, where it is known.
        real_rows: The rows of the real images at these distances, of one more than k where there
            are so many; they spare the distances between real images.
        counts: `inside` of these images, within the k-th of `real_nearest` and within
            `clipped_radii`, where it is known.

    Returns:
        None for k real images or fewer.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    if len(real) <= k:
        return None
    if real_nearest is None:
        real_nearest = nearest_others(real, k)
    radii = clipped_radii(real_nearest, k)
    whole, clipped = counts or inside(real, fake, real_nearest[:, k - 1], radii)

    # Density, over that of the real images
    if real_rows is None:
        (among_real,) = inside(real, real, radii)
        hits = among_real.per_point - 1  # each lies in its own neighbourhood too
    else:
        hits = _hits_among(real, radii, real_nearest, real_rows, k)
    usual = hits.clamp(max=k).double().mean()
    density = float(clipped.per_point.clamp(max=k).double().mean() / usual)

    # Coverage, as the share of good images that is expected to reach it
    covered = float(whole.per_centre.clamp(max=k).double().mean()) / k
    expected = expected_coverage(len(real), len(fake), k)
    coverage = int((expected < covered).sum()) / len(expected)
    return min(1.0, density), coverage


def _hits_among(real: Tensor, radii: Tensor, nearest: Tensor, rows: Tensor, k: int) -> Tensor:
    """How many neighbourhoods of other real images each lies in, from lists of the nearest.

    A list is not complete where the next image is as far as the k-th, or another one is equal; the
    distances from such images are computed.
    """
    border = nearest[:, k - 1]
    is_open = nearest[:, 0] == 0
    if nearest.shape[1] > k:
        is_open |= nearest[:, k] <= border * (1 + _MAY_BE_EQUAL)
    is_inside = (nearest[:, :k] <= radii[:, None] * (1 + _ROUNDING)) & ~is_open[:, None]
    hits = torch.bincount(rows[:, :k][is_inside], minlength=len(real))
    if is_open.any():
        (others,) = inside(real[is_open], real, radii[is_open])
        hits += others.per_point - is_open.long()
    return hits


def clipped_radii(nearest: Tensor, k: int = DENSITY_K) -> Tensor:
    """Radii of the neighbourhoods of Clipped Density: float64 (n,), at most their median.

    Args:
        nearest: `nearest_others` of the real images with k or more.
        k: Neighbours that make a neighbourhood.
    """
    radii = nearest[:, k - 1]
    return radii.clamp(max=radii.quantile(0.5))


def expected_coverage(real: int, fake: int, k: int = DENSITY_K) -> Tensor:
    """What images of the real distribution cover on average: float64 (fake + 1,), by their number.

    The probability that a new image lies in the neighbourhood of a real one, which reaches to the
    k-th nearest of the other `real - 1`, is distributed as Beta(k, real - k) for any continuous
    distribution. So the number of `good` images in it, of which at most k count, is beta-binomial.

    Args:
        real: Real images, more than k.
        fake: The most images that may be good.
        k: Neighbours that make a neighbourhood.

    Returns:
        At place `good`: the mean of min(images in a neighbourhood, k) / k, which grows with it.
    """
    good = torch.arange(fake + 1, dtype=torch.float64)
    missing = torch.zeros_like(good)  # of the k images in a neighbourhood
    for count in range(k):
        some = good >= count
        rest = good[some] - count
        log_ways = torch.lgamma(good[some] + 1) - torch.lgamma(rest + 1) - math.lgamma(count + 1)
        log_share = _log_beta(k + count, real - k + rest) - _log_beta(
            k, torch.tensor(float(real - k), dtype=torch.float64)
        )
        missing[some] += (k - count) * torch.exp(log_ways + log_share)
    return 1 - missing / k


def _log_beta(first: float, second: Tensor) -> Tensor:
    """Logarithm of the beta function."""
    return math.lgamma(first) + torch.lgamma(second) - torch.lgamma(first + second)

"""Precision, recall, density and coverage, from nearest neighbours.

All take equally many real and generated images, at most `NEIGHBOUR_LIMIT` of each, since the
scores depend on the counts. Distances are Euclidean, in float64, and computed in blocks of
`_BLOCK` images: for 10,000 images of 2,048 entries one copy of the features in float64 (164 MB) and
about 100 MB are needed at a time.

One rule for ties: what lies on the border of a neighbourhood is inside it. A distance comes from
large products whose rounding must not decide that, so squared distances are compared up to
`TOLERANCE` times the squared lengths of both points: equal points are at distance 0, and a point
counts as inside up to a millionth of its length beyond the border. Rounding is at least a hundred
times smaller, and features that float32 can tell apart differ by more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.scoring.metrics.checks import check_pair, choose
from ganbench.scoring.metrics.constants import DENSITY_K

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "NEIGHBOUR_LIMIT",
    "PRECISION_K",
    "TOLERANCE",
    "Inside",
    "density_coverage",
    "equal_counts",
    "inside",
    "nearest",
    "nearest_distance",
    "nearest_others",
    "precision_recall",
]

NEIGHBOUR_LIMIT = 10_000
TOLERANCE = 1e-12
"""Of squared distances, as a share of the squared lengths of both points."""

_KEPT = 1 - TOLERANCE  # of squared lengths
PRECISION_K = 3
_BLOCK = 500
_MOST_IN_BYTE = 255


def equal_counts(
    real: Tensor, fake: Tensor, *, seed: int, limit: int = NEIGHBOUR_LIMIT
) -> tuple[Tensor, Tensor]:
    """Choose equally many rows of both: as many as the smaller has, at most `limit`."""
    count = min(len(real), len(fake), limit)
    return choose(real, count, seed), choose(fake, count, seed + 1)


class _Distances:
    """Squared distances from some points to a block of others at a time, in float64.

    `torch.cdist` finds the same ones, but copies all points for each block. Here the squared
    lengths are two more entries of each vector, so that one product gives the distances.
    """

    def __init__(self, points: Tensor) -> None:
        self.squares = torch.cat([_squared_lengths(part) for part in points.split(_BLOCK)])
        rows, entries = points.shape
        self._extended = torch.empty(rows, entries + 2, dtype=torch.float64)
        self._extended[:, :entries] = points
        self._extended[:, entries] = _KEPT * self.squares
        self._extended[:, entries + 1] = 1
        self._kept = torch.empty(0, dtype=torch.float64)  # as new memory costs as much as a product

    def lowered(self, others: Tensor) -> Tensor:
        """Squared distances less the tolerance: float64 of shape (others, points).

        Where one is at most a squared radius, the other point is in the neighbourhood. The next
        call overwrites them.
        """
        rows, entries = others.shape
        extended = torch.empty(rows, entries + 2, dtype=torch.float64)
        torch.mul(others.double(), -2, out=extended[:, :entries])
        extended[:, entries] = 1
        extended[:, entries + 1] = _KEPT * _squared_lengths(others)
        if len(self._kept) < rows:
            self._kept = torch.empty(rows, len(self._extended), dtype=torch.float64)
        return torch.mm(extended, self._extended.T, out=self._kept[:rows])

    def nearest(self, others: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Distances of others to their nearest points, 0 within the tolerance, and which these are.

        Returns:
            float64 and int64 of shape (others, count), the nearest first.
        """
        values, rows = self.lowered(others).topk(count, largest=False)
        squares = self.squares[rows] + _squared_lengths(others)[:, None]
        distances, order = _distances(values, squares).sort(dim=1, stable=True)
        return distances, rows.gather(1, order)


def _squared_lengths(points: Tensor) -> Tensor:
    return points.double().square().sum(dim=1)


def _distances(lowered: Tensor, squares: Tensor) -> Tensor:
    """Distances, from squared ones less the tolerance and the sums of both squared lengths."""
    return torch.where(lowered <= 0, 0.0, lowered + TOLERANCE * squares).sqrt()


def nearest_others(points: Tensor, k: int, block: int = _BLOCK) -> Tensor:
    """Distances from each point to its k nearest other points.

    Args:
        points: (n, entries) of any floating type, with n above k.
        k: 1 for the nearest other point.
        block: Points at a time.

    Returns:
        float64 (n, k), the nearest first.
    """
    return nearest(points, k, block)[0]


def nearest(points: Tensor, k: int, block: int = _BLOCK) -> tuple[Tensor, Tensor]:
    """`nearest_others`, and which points they are.

    Returns:
        Distances, float64 (n, k), and rows, int64 (n, k). Where others are equal to a point, its
        own row may stand in place of one of them.
    """
    distances = _Distances(points)
    # A point is its own nearest; topk takes a sixth of kthvalue's time.
    parts = [distances.nearest(part, k + 1) for part in torch.split(points, block)]
    values, rows = (torch.cat([part[place][:, 1:] for part in parts]) for place in (0, 1))
    return values, rows


def nearest_distance(points: Tensor, others: Tensor, block: int = _BLOCK) -> Tensor:
    """Distance from each point to the nearest of the others.

    Args:
        points: (n, entries) of any floating type.
        others: (m, entries) of any floating type.
        block: Others at a time.

    Returns:
        float64 (n,).
    """
    distances = _Distances(points)
    best = torch.full((len(points),), torch.inf, dtype=torch.float64)
    squares = torch.zeros_like(best)
    for part in torch.split(others, block):
        values, rows = distances.lowered(part).min(dim=0)
        is_nearer = values < best
        best[is_nearer] = values[is_nearer]
        squares[is_nearer] = _squared_lengths(part)[rows[is_nearer]]
    return _distances(best, distances.squares + squares)


@dataclass(frozen=True)
class Inside:
    """How many points lie in neighbourhoods.

    Attributes:
        per_point: int64 (m,), the neighbourhoods that each point lies in.
        per_centre: int64 (n,), the points in the neighbourhood of each centre.
    """

    per_point: Tensor
    per_centre: Tensor


def inside(
    centres: Tensor,
    points: Tensor,
    *radii: Tensor,
    point_radii: Tensor | None = None,
    block: int = _BLOCK,
) -> tuple[Inside, ...]:
    """Count which points lie in the neighbourhoods of centres, for several sizes of these at once.

    Args:
        centres: (n, entries) of any floating type.
        points: (m, entries) of any floating type.
        radii: float64 (n,) each.
        point_radii: float64 (m,): also count which centres lie in neighbourhoods of points.
        block: Points at a time.

    Returns:
        One count for each of `radii`; then one of neighbourhoods of points, if asked for.
    """
    squares: list[Tensor] = [some.square() for some in radii]
    if point_radii is not None:
        squares.append(point_radii.square()[:, None])
    per_point: list[list[Tensor]] = [[] for _ in squares]
    per_centre = [torch.zeros(len(centres), dtype=torch.int64) for _ in squares]
    distances = _Distances(centres)
    for start in range(0, len(points), block):
        rows = slice(start, start + block)
        squared = distances.lowered(points[rows])
        for place, square in enumerate(squares):
            within = squared <= (square if square.ndim == 1 else square[rows])
            of_points, of_centres = _counts(within)
            per_point[place].append(of_points)
            per_centre[place] += of_centres
    return tuple(
        Inside(torch.cat(parts), counts)
        for parts, counts in zip(per_point, per_centre, strict=True)
    )


def _counts(within: Tensor) -> tuple[Tensor, Tensor]:
    """How many are true in each row, and in each column: int64; in a thirtieth of torch's time."""
    truths = within.numpy()
    in_rows = np.array([np.count_nonzero(row) for row in truths], dtype=np.int64)
    in_columns = np.zeros(truths.shape[1], dtype=np.int64)
    for start in range(0, len(truths), _MOST_IN_BYTE):
        some = truths[start : start + _MOST_IN_BYTE].view(np.uint8)
        in_columns += np.add.reduce(some, axis=0, dtype=np.uint8)
    return torch.from_numpy(in_rows), torch.from_numpy(in_columns)


def precision_recall(
    real: Tensor,
    fake: Tensor,
    k: int = PRECISION_K,
    block: int = _BLOCK,
    *,
    real_nearest: Tensor | None = None,
    fake_nearest: Tensor | None = None,
    counts: tuple[Inside, Inside] | None = None,
) -> tuple[float, float] | None:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991), 0 to 1.

    Precision is the share of generated images within the distance of a real image to its k-th
    nearest other real image; recall is the same with the roles exchanged. Higher is better. One
    good image repeated has full precision and no recall; outliers widen the neighbourhoods.

    The same numbers as torch-fidelity's, which the tests compare with.

    Args:
        real: (n, entries) of any floating type.
        fake: (m, entries) of any floating type.
        k: Neighbours that make a neighbourhood.
        block: Images at a time.
        real_nearest: `nearest_others` of `real` with k or more, where it is known.
        fake_nearest: The same of `fake`.
        counts: `inside` of these images within the k-th of both, where it is known.

    Returns:
        None for k images or fewer.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    if min(len(real), len(fake)) <= k:
        return None
    if counts is None:
        real_radii, fake_radii = (
            (nearest_others(images, k, block) if known is None else known)[:, k - 1]
            for images, known in ((real, real_nearest), (fake, fake_nearest))
        )
        near_real, near_fake = inside(real, fake, real_radii, point_radii=fake_radii, block=block)
    else:
        near_real, near_fake = counts
    precise, recalled = near_real.per_point > 0, near_fake.per_centre > 0
    return float(precise.double().mean()), float(recalled.double().mean())


def density_coverage(
    real: Tensor,
    fake: Tensor,
    k: int = DENSITY_K,
    block: int = _BLOCK,
    *,
    real_nearest: Tensor | None = None,
    counts: Inside | None = None,
) -> tuple[float, float] | None:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797).

    Density counts the neighbourhoods of real images that a generated image lies in, divided by k:
    from 0, about 1 for real images, more where images crowd. Coverage is the share of real images
    whose neighbourhood holds a generated image: 0 to 1, about 1 - 2**-k for real images, higher
    is better. Neighbourhoods of generated images are not used, so generated outliers do no harm.

    Args:
        real: (n, entries) of any floating type.
        fake: (m, entries) of any floating type.
        k: Neighbours that make a neighbourhood.
        block: Generated images at a time.
        real_nearest: `nearest_others` of `real` with k or more, where it is known.
        counts: `inside` of these images, within the k-th of `real_nearest`, where it is known.

    Returns:
        None for k real images or fewer.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    if len(real) <= k:
        return None
    if counts is None:
        if real_nearest is None:
            real_nearest = nearest_others(real, k, block)
        (counts,) = inside(real, fake, real_nearest[:, k - 1], block=block)
    hits = int(counts.per_point.sum())
    return hits / (k * len(fake)), float((counts.per_centre > 0).double().mean())

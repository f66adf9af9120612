"""FID, extrapolated to infinitely many generated images.

Chong and Forsyth 2020, arXiv:1911.07023. FID is biased upwards by an amount that depends on the
generator and falls as 1/n, so that it can rank generators wrongly. A line through the scores at
several n, against 1/n, meets the axis at the score without that bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganbench.scoring.metrics.checks import check_matrix, choose
from ganbench.scoring.metrics.fid import Statistics, fid

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fid_infinity"]

_POINTS = 10
_IMAGES_PER_ENTRY = 10


def fid_infinity(
    real: Statistics, fake: Tensor, *, seed: int = 0, points: int = _POINTS
) -> float | None:
    """Extrapolate FID to infinitely many generated images; lower is better.

    The points lie at equal distances of 1/n, from a tenth of the images (but no fewer than two per
    entry of the features, below which the bias is no line) up to all; each has images of its own
    choice. The bias of a finite number of real images stays in the score. By chance it may be
    slightly below 0. With fewer than ten images per entry the line is fitted to so short a piece,
    and so far from where it is read, that the score is noise.

    Args:
        real: Statistics of the real features.
        fake: Features of the generated images, (images, entries).
        seed: Decides which images make each point.
        points: Scores that the line is fitted to.

    Returns:
        None for fewer than ten times as many images as the features have entries, or fewer than 20.

    Raises:
        ValueError: The features cannot be used.
    """
    check_matrix("generated features", fake)
    count, entries = fake.shape
    if count < max(_IMAGES_PER_ENTRY * entries, 2 * points):
        return None
    smallest = max(count // 10, 2 * entries)
    inverse = np.linspace(1 / smallest, 1 / count, points)
    counts = np.rint(1 / inverse).astype(int)
    scores = [
        fid(real, Statistics.of(choose(fake, int(some), seed + index)))
        for index, some in enumerate(counts)
    ]
    return float(np.polynomial.Polynomial.fit(1 / counts, scores, 1)(0.0))

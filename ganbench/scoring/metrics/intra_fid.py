"""FID within each class, of images that were drawn by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.scoring.metrics.checks import check_labels, check_pair
from ganbench.scoring.metrics.fid import Statistics, fid

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fid_by_class", "intra_fid"]


def fid_by_class(
    real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor
) -> dict[int, float]:
    """FID of each class for which there are enough images.

    Enough are more than the features have entries, of both kinds: fewer span less than the space,
    and the distance says more about their number than about the images.

    Args:
        real: float32 (images, entries), features of real images.
        real_labels: int64 (images,), their classes.
        fake: float32 (images, entries), features of generated images.
        fake_labels: int64 (images,), the class that each was drawn for.

    Returns:
        The distance by class.

    Raises:
        ValueError: Features are no finite matrices of one width, or labels do not fit them.
    """
    check_pair(real, fake)
    classes = 1 + int(max(real_labels.max(), fake_labels.max()))
    check_labels("real labels", real_labels, count=len(real), classes=classes)
    check_labels("labels of generated images", fake_labels, count=len(fake), classes=classes)
    distances = {}
    for label in range(classes):
        parts = real[real_labels == label], fake[fake_labels == label]
        if min(map(len, parts)) > real.shape[1]:
            distances[label] = fid(*(Statistics.of(part) for part in parts))
    return distances


def intra_fid(distances: dict[int, float], classes: int) -> float | None:
    """Mean of the distances of all classes (Miyato and Koyama 2018, arXiv:1802.05637).

    Args:
        distances: From `fid_by_class`.
        classes: How many there are; None is returned where one of them has no distance.
    """
    if len(distances) < classes:
        return None
    return sum(distances.values()) / classes

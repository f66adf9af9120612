"""Diversity of generated images: spread within classes, and Vendi score.

Spreads are summed in blocks, which need a copy of one class at a time and 70 MB at 2,048 entries;
the Vendi score needs a float64 copy of the features and a matrix of the smaller of their two sizes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ganbench.scoring.metrics.checks import check_labels, check_matrix, check_pair

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["class_diversity", "vendi"]

_BLOCK = 2048


def class_diversity(
    real: Tensor,
    real_labels: Tensor,
    fake: Tensor,
    fake_labels: Tensor,
    covered: Tensor,
    inside: Tensor | None = None,
) -> float | None:
    """Spread within classes relative to real images, from 0 to 1; higher is better.

    For each class the root of the trace of the covariance of the generated features that are
    named so, over the same of the real features of that class; the mean of it over all classes.
    About 1 for real held-out images, 0 for one image repeated. A class that is not covered, or of
    fewer than two generated images, counts 0. The ratio of a class is at most 1: one class that
    scatters too widely must not make up for another that is missing, and too wide a spread is for
    precision and density to see.

    Args:
        real: Features (images, entries).
        real_labels: Class of each real image.
        fake: Features (images, entries).
        fake_labels: Class that the classifier names for each generated image.
        covered: bool (classes,), as by `Modes.covered`.
        inside: bool (images,), which generated images are in the distribution of the real ones;
            others have no part in the spread of a class. None for all.

    Returns:
        None where no class has two real images that differ.

    Raises:
        ValueError: Features or labels cannot be used.
    """
    check_pair(real, fake)
    check_labels("real labels", real_labels, count=len(real), classes=len(covered))
    check_labels("generated labels", fake_labels, count=len(fake), classes=len(covered))
    ratios = []
    for label, is_covered in enumerate(covered.tolist()):
        real_spread = _spread(real[real_labels == label])
        if real_spread > 0:
            rows = fake_labels == label if inside is None else (fake_labels == label) & inside
            fake_spread = _spread(fake[rows]) if is_covered else 0.0
            ratios.append(min(1.0, fake_spread / real_spread))
    return sum(ratios) / len(ratios) if ratios else None


def _spread(features: Tensor) -> float:
    if len(features) < 2:  # noqa: PLR2004 - a variance needs two
        return 0.0
    parts = torch.split(features, _BLOCK)
    mean = torch.stack([part.sum(dim=0, dtype=torch.float64) for part in parts]).sum(dim=0)
    mean /= len(features)
    squares = sum(float((part.double() - mean).square().sum()) for part in parts)
    return math.sqrt(squares / (len(features) - 1))


def vendi(features: Tensor) -> float:
    """Vendi score: the effective number of unlike images (Friedman and Dieng 2022).

    The exponential of the entropy of the eigenvalues of the images' similarities, which are the
    cosines of their features (arXiv:2210.02410). From 1 (one image repeated) to the number of
    images or of entries; higher is more various. Noise is various too: it knows no real images.

    Args:
        features: (images, entries).

    Raises:
        ValueError: The features are no finite matrix.
    """
    check_matrix("features", features)
    points = features.to(torch.float64, copy=True)
    F.normalize(points, dim=1, out=points)
    # Both products have the same eigenvalues but for zeros; the smaller one is quicker.
    kernel = points.T @ points if len(points) > points.shape[1] else points @ points.T
    values = torch.linalg.eigvalsh(kernel).clamp(min=0)
    total = values.sum()
    return float(torch.special.entr(values / total).sum().exp()) if total > 0 else 1.0

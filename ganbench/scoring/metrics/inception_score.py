"""Inception score (Salimans et al. 2016, arXiv:1606.03498)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.scoring.metrics.checks import check_matrix

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["inception_score"]

_MOST_SPLITS = 10
_SMALLEST_SPLIT = 500


def inception_score(logits: Tensor, *, seed: int = 0) -> float:
    """Exponential of the mean KL divergence of an image's classes from those of all images.

    From 1 to the number of classes; higher is better. High where inception is sure of each image
    and its answers vary. It never sees the real images, and means little for images unlike
    ImageNet's. The mean over 10 splits, or over fewer so that each has at least 500 images: a
    small split pulls the score down.

    Args:
        logits: Inception's, before the softmax, (images, classes).
        seed: Decides the order in which images are dealt to the splits.

    Raises:
        ValueError: The logits are no finite matrix.
    """
    # Takes seconds to load, and only scores of inception need it
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    check_matrix("inception logits", logits)
    splits = min(_MOST_SPLITS, max(1, len(logits) // _SMALLEST_SPLIT))
    values = isc_features_to_metric(logits, splits=splits, shuffle=True, rng_seed=seed)
    return float(values[KEY_METRIC_ISC_MEAN])

"""Kernel inception distance (Bińkowski et al. 2018, arXiv:1801.01401), by torch-fidelity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch_fidelity.metric_kid import (
    KEY_METRIC_KID_MEAN,
    KEY_METRIC_KID_STD,
    kid_features_to_metric,
)

from ganbench.metrics.arrays import check_pair

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["kid", "subset_size"]

_SUBSETS = 100
_LARGEST_SUBSET = 1000
_SMALLEST_SUBSET = 2


def subset_size(real_count: int, fake_count: int) -> int:
    """Images of each kind in a subset: 1,000, or half of the smaller count where that is less.

    With all of them in each subset, the subsets would not differ and their spread say nothing.
    """
    return min(_LARGEST_SUBSET, min(real_count, fake_count) // 2)


def kid(real: Tensor, fake: Tensor, *, seed: int = 0) -> tuple[float, float] | None:
    """Squared maximum mean discrepancy with the kernel (x @ y / entries + 1)**3.

    The estimator has no bias, so that the count of images does not shift it as it does FID; it may
    fall slightly below 0. Lower is better.

    Args:
        real: Features (n, entries).
        fake: Features (m, entries).
        seed: Chooses the 100 subsets.

    Returns:
        The mean over the subsets and the standard deviation over them. The standard error of the
        mean is smaller, by about the root of the subset's share of the images. None for fewer than
        four images of a kind.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    size = subset_size(len(real), len(fake))
    if size < _SMALLEST_SUBSET:
        return None
    values = kid_features_to_metric(
        fake.double(),
        real.double(),
        kid_subsets=_SUBSETS,
        kid_subset_size=size,
        rng_seed=seed,
        verbose=False,
    )
    return float(values[KEY_METRIC_KID_MEAN]), float(values[KEY_METRIC_KID_STD])

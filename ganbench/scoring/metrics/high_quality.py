"""Modes and high quality of points, by PacGAN's protocol.

A point is of high quality if it is near a centre of the mixture that the data are of, and a mode is
found if at least one such point lies there (Srivastava et al. 2017, arXiv:1705.07761; Lin et al.
2018, arXiv:1712.04086).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["scores_of_modes"]

_NOT_OF_POINTS = (
    "modes_covered_strict",
    "kid",
    "kid_standard_error",
    "fid_infinity",
    "vendi",
    "memorisation",
    "inception_score",
)
"""Scores that say little of points: a rule for shares where one point finds a mode, kernels and
angles of coordinates, and distances to so many training points that all new ones are near some."""


def scores_of_modes(modes: Tensor, is_high: Tensor, total: int) -> dict[str, float | None]:
    """Scores of generated points that differ from those of images, and None for those without use.

    Args:
        modes: The nearest mode of each point, int64 of shape (n,).
        is_high: Which points are of high quality, bool of shape (n,).
        total: Number of modes.

    Returns:
        `modes_covered`, the modes with a point of high quality, of `modes_total`; `high_quality`,
        the share of such points; `mode_kl`, the KL divergence in nats of the histogram of modes
        among them from the uniform one, log(total) where there are none, as for a single mode;
        `mode_entropy`, the entropy of that histogram, 0 where there are none.
    """
    counts = torch.bincount(modes[is_high], minlength=total).double()
    found = int((counts > 0).sum())
    shares = counts / counts.sum().clamp(min=1)
    entropy = float(torch.special.entr(shares).sum())
    return {
        **dict.fromkeys(_NOT_OF_POINTS),
        "modes_covered": found,
        "modes_total": total,
        "high_quality": float(is_high.double().mean()),
        "mode_kl": max(0.0, math.log(total) - entropy),
        "mode_entropy": entropy,
    }

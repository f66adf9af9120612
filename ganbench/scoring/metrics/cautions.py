"""What makes the scores of a generator misleading, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.metrics.modes import Modes

__all__ = ["cautions"]

_FLAT = 1e-6  # variance over squared length, from which on features hardly vary
_FAR = 100.0  # times as far out as any real image
_MOSTLY = 0.5
_BLOCK = 4096


def cautions(real: Tensor, fake: Tensor, modes: Modes, things: str = "images") -> tuple[str, ...]:
    """Say where scores do not mean what they seem to.

    Args:
        real: Features of real images, (n, entries).
        fake: Features of generated images, (m, entries).
        modes: The class histograms of both.
        things: What was generated, in the plural.

    Returns:
        Sentences without a full stop, none where nothing is amiss.
    """
    said = []
    centre, spread = _spread(real)
    _, fake_spread = _spread(fake)
    if spread:
        far = _largest_distance(fake, centre) / _largest_distance(real, centre)
    if not spread:
        said.append(
            f"the real {things} are all but equal to the backbone, so that FID, KID and the scores "
            "of neighbours say nothing of the generator"
        )
    elif far > _FAR:
        said.append(
            f"features of generated {things} lie up to {far:,.0f} times as far out as those of any "
            f"real one, so that FID and KID say that the {things} are unlike the data, not how much"
        )
    if not fake_spread:
        said.append(f"the generated {things} are all but equal to the backbone")
    if modes.outside > _MOSTLY:
        share = 1 - float(modes.fake.sum())
        said.append(
            f"{share:.0%} of the generated {things} are outside the distribution of the real ones, "
            "so that they show no class"
        )
    return tuple(said)


def _spread(features: Tensor) -> tuple[Tensor, float]:
    """Mean, and total variance; 0 where that is nothing beside the squared length."""
    parts = features.split(_BLOCK)
    mean = torch.stack([part.sum(dim=0, dtype=torch.float64) for part in parts]).sum(0)
    mean /= len(features)
    variance = sum(float((part.double() - mean).square().sum()) for part in parts) / len(features)
    return mean, variance if variance > _FLAT * float(mean.square().sum()) else 0.0


def _largest_distance(features: Tensor, centre: Tensor) -> float:
    parts = features.split(_BLOCK)
    return max(float((part.double() - centre).norm(dim=1).max()) for part in parts)

"""What describes points: they are their own features, and the mixture that they are of names modes.

Nothing is trained, loaded or cached. The mode of a point is the nearest centre; its distance is
Mahalanobis's, over the one below which a point is of high quality, so that the points of high
quality are those in the distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.data.points import mixture_of

if TYPE_CHECKING:
    from ganbench.data.dataset import Dataset
    from ganbench.data.points import Mixture

__all__ = ["ModesOfPoints", "NearestMode"]


class NearestMode(nn.Module):
    """Names the mode of a point, and says how far it is from it.

    Args:
        mixture: What the points are of.
    """

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        self.mixture = mixture

    def describe(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map points (n, dimensions) to themselves, one-hot modes (n, modes), distances (n, 1)."""
        distances, modes = self.mixture.nearest(points)
        named = F.one_hot(modes, len(self.mixture.centres)).float()
        return points.float(), named, (distances / self.mixture.threshold)[:, None]


@dataclass(frozen=True)
class ModesOfPoints:
    """What stands in the place of a classifier.

    Attributes:
        network: Names the mode of a point.
        accuracy: Share of the held-out points whose nearest centre is that of their mode.
        hash: Of the mixture, and of the rules by which its points are scored.
    """

    network: NearestMode
    accuracy: float
    hash: str

    @classmethod
    def of(cls, dataset: Dataset) -> ModesOfPoints:
        """The modes of a dataset of points."""
        network, test = NearestMode(mixture_of(dataset.spec.name)), dataset.test
        named = network.mixture.nearest(test.images)[1]
        accuracy = float((named == test.labels).to(torch.float64).mean())
        return cls(network, accuracy, network.mixture.hash)

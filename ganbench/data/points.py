"""Mixtures of Gaussians whose modes are known: points that are drawn once, and are always the same.

The ring and the grid are those of PacGAN (Lin et al. 2018, arXiv:1712.04086), which has them from
VEEGAN (Srivastava et al. 2017, arXiv:1705.07761): 8 modes on a circle of radius 1 with a standard
deviation of 0.01, and 25 modes at {-4, -2, 0, 2, 4}² with 0.05. All modes are equally likely.

`gauss1200` follows the same papers as far as they say how: ten modes in 1,200 dimensions, of which
700 carry N(0, 1) around the mode's centre while the others are 0 throughout, as pixels at the edge
of an image. They leave open where the centres lie and how many points there are. Here the centres
have entries of -2 and 2 by chance in the 700 dimensions, which puts them about 75 apart, so that
no point in the middle between two modes is of high quality, and there are 20,000 points, where the
other two have PacGAN's 100,000.

A point is of high quality if its Mahalanobis distance to the nearest centre is below 3. In two
dimensions 98.9% of a mode's own points are. In 700 dimensions none are: they lie about 26 away. So
`gauss1200` has the distance below which as large a share of a mode's own points lies, 28.1; in the
500 dimensions without variance a deviation counts as in the others, as in PacGAN's code.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.data.dataset import Dataset, Split
from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec

__all__ = ["VERSION", "Mixture", "load_points", "mixture_of"]

VERSION = 1  # raised whenever a mixture or its points change

_SEED = 0
_CARRYING = 700
_HIGH_QUALITY = 3.0
_HIGH_DIMENSIONAL = 28.078  # the root of the 98.889% quantile of chi squared with 700 degrees


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians of equal weight and equal, diagonal covariance.

    Attributes:
        centres: float32 of shape (modes, dimensions).
        deviations: float32 of shape (dimensions,), standard deviations of the points; may be 0.
        threshold: Mahalanobis distance to the nearest centre below which a point is of high
            quality.
    """

    centres: Tensor
    deviations: Tensor
    threshold: float = _HIGH_QUALITY

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Mahalanobis distance to the nearest centre, and which one it is.

        Dimensions without variance count with the largest standard deviation of the others.

        Args:
            points: float32 of shape (n, dimensions), on any device.

        Returns:
            float32 (n,) and int64 (n,).
        """
        scale = torch.where(self.deviations > 0, self.deviations, self.deviations.max())
        scale = scale.to(points.device, torch.float64)
        centres = self.centres.to(points.device, torch.float64)
        # the subtraction first, so that two nearby numbers do not lose their difference to a square
        differences = ((points.double() - centre) / scale for centre in centres)
        distances = torch.stack([difference.norm(dim=1) for difference in differences], dim=1)
        nearest = distances.min(dim=1)
        return nearest.values.float(), nearest.indices

    def draw(self, count: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw points and the modes that they belong to: float32 (count, dimensions), int64."""
        labels = torch.randint(len(self.centres), (count,), generator=stream)
        points = torch.randn(count, self.centres.shape[1], generator=stream)
        return points.mul_(self.deviations).add_(self.centres[labels]), labels

    @property
    def hash(self) -> str:
        """A short name for all that decides which points are of high quality."""
        digest = hashlib.sha256(f"{VERSION} {self.threshold}".encode())
        for values in (self.centres, self.deviations):
            digest.update(values.contiguous().numpy().data)
        return digest.hexdigest()[:16]


@cache
def mixture_of(name: str) -> Mixture:
    """The mixture behind a dataset: `ring8`, `grid25` or `gauss1200`.

    Raises:
        KeyError: There is none of that name.
    """
    return {"ring8": _ring, "grid25": _grid, "gauss1200": _high_dimensional}[name]()


def load_points(spec: DatasetSpec) -> Dataset:
    """Draw the points of a dataset: fixed ones to train on, and held-out ones."""
    mixture = mixture_of(spec.name)
    splits = (
        Split(*mixture.draw(count, generator(_SEED, f"{spec.name} {part}")))
        for part, count in (("train", spec.train_count), ("test", spec.test_count))
    )
    return Dataset.of(spec, *splits)


def _ring() -> Mixture:
    angles = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    centres = torch.stack([angles.cos(), angles.sin()], dim=1).round(decimals=9).float()
    return Mixture(centres, torch.full((2,), 0.01))


def _grid() -> Mixture:
    places = torch.arange(-4.0, 5.0, 2.0)
    return Mixture(torch.cartesian_prod(places, places), torch.full((2,), 0.05))


def _high_dimensional() -> Mixture:
    signs = torch.randint(2, (10, _CARRYING), generator=generator(_SEED, "gauss1200 centres"))
    centres = torch.zeros(10, 1200)
    centres[:, :_CARRYING] = signs.float().mul_(4).sub_(2)
    deviations = torch.zeros(1200)
    deviations[:_CARRYING] = 1.0
    return Mixture(centres, deviations, _HIGH_DIMENSIONAL)

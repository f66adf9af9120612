"""The networks of PacGAN's experiments on points (Lin et al. 2018, arXiv:1712.04086).

The generator has four hidden layers with BatchNorm and ReLU, the discriminator three of maxout
units (Goodfellow et al. 2013, arXiv:1302.4389); both end linearly, and weights begin from
N(0, 0.02).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from ganbench.variant.networks.initial import initialise_dcgan
from ganbench.variant.networks.layers import normalised, vector_normalisation

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.networks.layers import Normalisation
    from ganbench.variant.recipe import Recipe

__all__ = ["Maxout", "points_discriminator", "points_features", "points_generator"]

_TIMES = 4  # units of a hidden layer per unit of a recipe's width, as in networks.mlp
_GENERATOR_LAYERS = 4
_DISCRIMINATOR_LAYERS = 3
_PIECES = 5


class Maxout(nn.Module):
    """A linear layer with several outputs per unit, of which each unit gives the largest.

    Args:
        before: Entries of the input.
        units: Entries of the output.
        pieces: Linear functions per unit.
        norm: `"spectral"` holds the largest singular value of the weight at 1; all else leaves it.
    """

    def __init__(
        self, before: int, units: int, pieces: int = _PIECES, norm: Normalisation = "none"
    ) -> None:
        super().__init__()
        self.pieces = pieces
        linear = nn.Linear(before, units * pieces)
        initialise_dcgan(linear)
        self.linear = normalised(linear, norm)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (batch, before) to (batch, units)."""
        largest: Tensor = self.linear(vectors).unflatten(1, (-1, self.pieces)).amax(2)
        return largest


def points_generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Four hidden layers of four times `generator_width` units with BatchNorm and ReLU.

    Args:
        recipe: Gives `latent_dim` and `generator_width`, which is 100 for PacGAN's 400 units.
        dataset: Gives the dimensions of a point.
    """
    width, before = _TIMES * recipe.generator_width, recipe.latent_dim
    layers: list[nn.Module] = []
    for _ in range(_GENERATOR_LAYERS):
        layers += [nn.Linear(before, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
        before = width
    return initialise_dcgan(nn.Sequential(*layers, nn.Linear(width, dataset.channels)), norms=False)


def points_features(
    recipe: Recipe, dataset: DatasetSpec, norm: Normalisation = "none"
) -> tuple[nn.Sequential, int]:
    """Three hidden layers of four times `discriminator_width` maxout units with 5 pieces each.

    Args:
        recipe: Gives `discriminator_width`, which is 50 for PacGAN's 200 units.
        dataset: Gives the dimensions of a point, or of a pack of points.
        norm: What normalises the layers: only `"batch"` and `"layer"` add some of their own.

    Returns:
        The layers, and the entries of the vector that they end with.
    """
    width, before = _TIMES * recipe.discriminator_width, dataset.channels
    layers: list[nn.Module] = []
    for _ in range(_DISCRIMINATOR_LAYERS):
        layers += [Maxout(before, width, norm=norm), *vector_normalisation(width, norm)]
        before = width
    return nn.Sequential(*layers), width


def points_discriminator(
    recipe: Recipe, dataset: DatasetSpec, norm: Normalisation = "none"
) -> nn.Module:
    """`points_features`, and one logit."""
    body, width = points_features(recipe, dataset, norm)
    last = nn.Linear(width, 1)
    initialise_dcgan(last)
    return nn.Sequential(body, normalised(last, norm))

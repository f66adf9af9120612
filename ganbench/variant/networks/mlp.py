"""Fully connected networks for images of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ganbench.variant.networks.layers import normalised, vector_normalisation

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.networks.layers import Normalisation
    from ganbench.variant.recipe import Recipe

__all__ = ["mlp_features", "mlp_generator"]

_TIMES = 4  # units of a hidden layer per channel that a convolutional network would begin with
_HIDDEN = 2


def mlp_generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Two hidden layers of four times `generator_width` units with BatchNorm and ReLU, then tanh.

    Args:
        recipe: Gives `latent_dim`, `image_size` (any) and `generator_width`.
        dataset: Gives the channels of the image.
    """
    shape = (dataset.channels, recipe.image_size, recipe.image_size)
    width, before = _TIMES * recipe.generator_width, recipe.latent_dim
    layers: list[nn.Module] = []
    for _ in range(_HIDDEN):
        layers += [nn.Linear(before, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
        before = width
    pixels = dataset.channels * recipe.image_size**2
    return nn.Sequential(*layers, nn.Linear(width, pixels), nn.Tanh(), nn.Unflatten(1, shape))


def mlp_features(
    recipe: Recipe, dataset: DatasetSpec, norm: Normalisation = "none"
) -> tuple[nn.Sequential, int]:
    """Two hidden layers of four times `discriminator_width` units with LeakyReLU(0.2).

    Args:
        recipe: Gives `image_size` (any) and `discriminator_width`.
        dataset: Gives the channels of the image, or of the pack of images.
        norm: What normalises the layers; BatchNorm and LayerNorm stand in the second, as a DCGAN
            has none in its first.

    Returns:
        The layers, and the entries of the vector that they end with.
    """
    width, before = (
        _TIMES * recipe.discriminator_width,
        dataset.channels * recipe.image_size**2,
    )
    layers: list[nn.Module] = [nn.Flatten()]
    for index in range(_HIDDEN):
        layers.append(normalised(nn.Linear(before, width), norm))
        if index > 0:
            layers += vector_normalisation(width, norm)
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before = width
    return nn.Sequential(*layers), width

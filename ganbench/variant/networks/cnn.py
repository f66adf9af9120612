"""SNGAN's convolutional networks (Miyato et al. 2018, arXiv:1802.05957, table 3)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torch import nn

from ganbench.variant.networks.initial import initialise_dcgan
from ganbench.variant.networks.layers import convolutional_blocks, normalisation, normalised

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.networks.layers import Normalisation
    from ganbench.variant.recipe import Recipe

__all__ = ["cnn_features", "cnn_generator"]

_WIDEST = 8  # times the narrowest width
_SLOPE = 0.1


def cnn_generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A linear layer to 4×4, transposed convolutions, a 3×3 convolution; weights from N(0, 0.02).

    Args:
        recipe: Gives `latent_dim`, `image_size` (a power of two of at least 8) and
            `generator_width`, the channels at full size; the others double from there, up to eight
            times.
        dataset: Gives the channels of the image.

    Raises:
        UsageError: The image size does not fit.
    """
    blocks = convolutional_blocks(recipe.image_size)
    widths = [
        recipe.generator_width * min(2**power, _WIDEST) for power in reversed(range(blocks + 1))
    ]
    layers: list[nn.Module] = [
        nn.Linear(recipe.latent_dim, 16 * widths[0]),
        nn.Unflatten(1, (widths[0], 4, 4)),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(inplace=True),
    ]
    for before, after in itertools.pairwise(widths):
        layers += [
            nn.ConvTranspose2d(before, after, 4, 2, 1),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    layers += [nn.Conv2d(widths[-1], dataset.channels, 3, 1, 1), nn.Tanh()]
    return initialise_dcgan(nn.Sequential(*layers), norms=False)


def cnn_features(
    recipe: Recipe, dataset: DatasetSpec, norm: Normalisation
) -> tuple[nn.Sequential, int]:
    """3×3 convolutions of stride 1 and 4×4 ones of stride 2 in turn, to a vector per image.

    Weights are from N(0, 0.02), drawn before a spectral norm reads them.

    Args:
        recipe: Gives `image_size` and `discriminator_width`, the channels at full size; they double
            with each halving, up to eight times.
        dataset: Gives the channels of the image.
        norm: What normalises the layers.

    Returns:
        The layers, and the entries of the vector.
    """
    blocks = convolutional_blocks(recipe.image_size)
    width = recipe.discriminator_width
    layers: list[nn.Module] = [
        normalised(initialise_dcgan(nn.Conv2d(dataset.channels, width, 3, 1, 1)), norm),
        nn.LeakyReLU(_SLOPE, inplace=True),
    ]
    for block in range(blocks):
        after = recipe.discriminator_width * min(2 ** (block + 1), _WIDEST)
        for convolution in (nn.Conv2d(width, after, 4, 2, 1), nn.Conv2d(after, after, 3, 1, 1)):
            layers += [
                normalised(initialise_dcgan(convolution), norm),
                *normalisation(after, norm),
                nn.LeakyReLU(_SLOPE, inplace=True),
            ]
        width = after
    features = nn.Sequential(*layers, nn.Flatten())
    return features, 16 * width

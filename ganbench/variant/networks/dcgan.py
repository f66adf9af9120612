"""The DCGAN's networks: strided and transposed convolutions (Radford et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ganbench.variant.networks.layers import convolutional_blocks, normalisation, normalised

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.networks.layers import Normalisation
    from ganbench.variant.recipe import Recipe

__all__ = [
    "dcgan_discriminator",
    "dcgan_features",
    "dcgan_generator",
]


def dcgan_generator(
    recipe: Recipe,
    dataset: DatasetSpec,
    *,
    condition_size: int = 0,
    bias: bool = False,
    activation_first: bool = False,
) -> nn.Module:
    """Transposed convolutions from 1×1 to the image (Radford et al. 2016, arXiv:1511.06434).

    At 64×64 the widths are 8, 4, 2 and 1 times `recipe.generator_width`; each doubling of the size
    adds a block at the narrow end.

    Args:
        recipe: Gives `latent_dim`, `image_size` (a power of two of at least 8) and
            `generator_width`, the channels of the last hidden layer.
        dataset: Gives the channels of the image.
        condition_size: Entries by which the input is longer than the latent.
        bias: Whether the convolutions have biases.
        activation_first: ReLU before BatchNorm, and no BatchNorm in the first block.

    Raises:
        UsageError: The image size does not fit.
    """
    latent_dim = recipe.latent_dim + condition_size
    blocks = convolutional_blocks(recipe.image_size)
    widths = [recipe.generator_width * 2**power for power in reversed(range(blocks))]
    layers: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1, 1))]
    for index, (before, after) in enumerate(zip([latent_dim, *widths], widths, strict=False)):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers.append(nn.ConvTranspose2d(before, after, 4, stride, padding, bias=bias))
        if not activation_first:
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        elif index == 0:
            layers += [nn.ReLU(inplace=True)]
        else:
            layers += [nn.ReLU(inplace=True), nn.BatchNorm2d(after)]
    layers += [nn.ConvTranspose2d(widths[-1], dataset.channels, 4, 2, 1, bias=bias), nn.Tanh()]
    return nn.Sequential(*layers)


def dcgan_features(
    recipe: Recipe, dataset: DatasetSpec, *, bias: bool = False, norm: Normalisation = "batch"
) -> tuple[nn.Sequential, int]:
    """Strided convolutions from the image to a 4×4 map, as in `dcgan_discriminator`.

    Returns:
        The layers, and the number of channels of the map that they end with.
    """
    blocks = convolutional_blocks(recipe.image_size)
    width = recipe.discriminator_width
    widths = [dataset.channels, *(width * 2**power for power in range(blocks))]
    layers: list[nn.Module] = []
    for index in range(blocks):
        convolution = nn.Conv2d(widths[index], widths[index + 1], 4, 2, 1, bias=bias)
        layers.append(normalised(convolution, norm))
        if index > 0:
            layers += normalisation(widths[index + 1], norm)
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*layers), widths[-1]


def dcgan_discriminator(
    recipe: Recipe, dataset: DatasetSpec, *, bias: bool = False, norm: Normalisation = "batch"
) -> nn.Module:
    """Strided convolutions, LeakyReLU(0.2), BatchNorm from the second on, then one logit.

    At 64×64 the widths are 1, 2, 4 and 8 times `recipe.discriminator_width`.

    Args:
        recipe: Gives `image_size` (a power of two of at least 8) and `discriminator_width`.
        dataset: Gives the channels of the image.
        bias: Whether the convolutions have biases.
        norm: What stands in for BatchNorm.

    Raises:
        UsageError: The image size does not fit.
    """
    features, wide = dcgan_features(recipe, dataset, bias=bias, norm=norm)
    last = normalised(nn.Conv2d(wide, 1, 4, 1, 0, bias=bias), norm)
    return nn.Sequential(*features, last, nn.Flatten())

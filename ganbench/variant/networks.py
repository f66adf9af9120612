"""Networks that several variants share, as functions of the recipe and the dataset.

Generators map latents of shape (batch, latent_dim) to images in [-1, 1] of shape
(batch, channels, image_size, image_size); discriminators map such images to logits of shape
(batch, 1). There is no sigmoid at the end: the losses work on logits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.recipe import Recipe

__all__ = [
    "ConditionalGenerator",
    "ProjectionDiscriminator",
    "convolutional_blocks",
    "dcgan_discriminator",
    "dcgan_features",
    "dcgan_generator",
    "initialise_dcgan",
]

_SMALLEST_CONVOLUTIONAL_SIZE = 32


def convolutional_blocks(image_size: int) -> int:
    """Number of halvings between `image_size` and the 4×4 map at the narrow end.

    Raises:
        UsageError: `image_size` is not a power of two of at least 32.
    """
    if image_size < _SMALLEST_CONVOLUTIONAL_SIZE or image_size & (image_size - 1):
        raise UsageError(
            f"image_size={image_size} does not fit a convolutional variant: "
            "give a power of two of at least 32, for example --set image_size=64"
        )
    return image_size.bit_length() - 3


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
        recipe: Gives `latent_dim`, `image_size` (a power of two of at least 32) and
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
    recipe: Recipe, dataset: DatasetSpec, *, bias: bool = False
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
        layers.append(nn.Conv2d(widths[index], widths[index + 1], 4, 2, 1, bias=bias))
        if index > 0:
            layers.append(nn.BatchNorm2d(widths[index + 1]))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*layers), widths[-1]


def dcgan_discriminator(recipe: Recipe, dataset: DatasetSpec, *, bias: bool = False) -> nn.Module:
    """Strided convolutions, LeakyReLU(0.2), BatchNorm from the second on, then one logit.

    At 64×64 the widths are 1, 2, 4 and 8 times `recipe.discriminator_width`.

    Raises:
        UsageError: The image size does not fit.
    """
    features, wide = dcgan_features(recipe, dataset, bias=bias)
    return nn.Sequential(*features, nn.Conv2d(wide, 1, 4, 1, 0, bias=bias), nn.Flatten())


class ConditionalGenerator(nn.Module):
    """A generator that takes a condition beside its latent, by joining the two vectors.

    `generator` is any network whose latent is as long as both together.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Map (batch, latent_dim) and (batch, condition_size) to images."""
        images: Tensor = self.generator(torch.cat([latent, condition], dim=1))
        return images


class ProjectionDiscriminator(nn.Module):
    """A discriminator that projects the condition onto its features (Miyato and Koyama 2018).

    The logit is that of the image alone plus the inner product of the features, averaged over the
    map where the paper sums them, with a linear map of the condition (arXiv:1802.05637).

    Args:
        features: Maps images to a (batch, wide, 4, 4) map.
        wide: Channels of that map.
        condition_size: Entries of the condition.
    """

    def __init__(self, features: nn.Module, wide: int, condition_size: int) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Conv2d(wide, 1, 4, 1, 0, bias=False)
        self.projection = nn.Linear(condition_size, wide, bias=False)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """Map images and (batch, condition_size) to logits of shape (batch, 1)."""
        features = self.features(images)
        unconditional = self.head(features).flatten(1)
        projected = (features.mean(dim=(2, 3)) * self.projection(condition)).sum(1, keepdim=True)
        logits: Tensor = unconditional + projected
        return logits


def initialise_dcgan(network: nn.Module) -> nn.Module:
    """Draw weights as the DCGAN paper does: N(0, 0.02), BatchNorm scales N(1, 0.02), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return network

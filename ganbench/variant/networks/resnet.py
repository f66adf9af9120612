"""SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957, table 4), also by class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.variant.networks.conditional import ConditionalBatchNorm
from ganbench.variant.networks.initial import initialise_xavier
from ganbench.variant.networks.layers import convolutional_blocks, normalisation, normalised

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.networks.layers import Normalisation
    from ganbench.variant.recipe import Recipe

__all__ = ["ResNetFeatures", "ResNetGenerator"]

_FLAT_BLOCKS = 2  # of the discriminator, after those that halve the size


class _Norm(nn.Module):
    """BatchNorm, by class where there are classes."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = ConditionalBatchNorm(channels, classes) if classes else nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        normal: Tensor = self.norm(maps) if labels is None else self.norm(maps, labels)
        return normal


class _UpBlock(nn.Module):
    """Doubles the size: BatchNorm, ReLU, nearest neighbours, two 3×3 convolutions, a shortcut."""

    def __init__(self, before: int, after: int, classes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([_Norm(before, classes), _Norm(after, classes)])
        self.convolutions = nn.ModuleList(
            initialise_xavier(nn.Conv2d(channels, after, 3, 1, 1), math.sqrt(2))
            for channels in (before, after)
        )
        self.shortcut = initialise_xavier(nn.Conv2d(before, after, 1), 1.0)

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        residual = F.interpolate(F.relu(self.norms[0](maps, labels)), scale_factor=2.0)
        residual = self.convolutions[0](residual)
        residual = self.convolutions[1](F.relu(self.norms[1](residual, labels)))
        summed: Tensor = residual + self.shortcut(F.interpolate(maps, scale_factor=2.0))
        return summed


class ResNetGenerator(nn.Module):
    """Latents, and classes where there are some, to images.

    A linear layer to 4×4, a residual block per doubling, BatchNorm, ReLU, a 3×3 convolution, tanh.

    Args:
        recipe: Gives `latent_dim`, `image_size` (a power of two of at least 8) and
            `generator_width`, the channels of all blocks.
        dataset: Gives the channels of the image.
        classes: Number of classes for conditional BatchNorm; 0 is without.

    Raises:
        UsageError: The image size does not fit.
    """

    def __init__(self, recipe: Recipe, dataset: DatasetSpec, *, classes: int = 0) -> None:
        super().__init__()
        width = recipe.generator_width
        self.first = initialise_xavier(nn.Linear(recipe.latent_dim, 16 * width), 1.0)
        self.blocks = nn.ModuleList(
            _UpBlock(width, width, classes) for _ in range(convolutional_blocks(recipe.image_size))
        )
        self.norm = nn.BatchNorm2d(width)
        self.last = initialise_xavier(nn.Conv2d(width, dataset.channels, 3, 1, 1), 1.0)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (batch, latent_dim) and int64 classes (batch,) to images in [-1, 1]."""
        maps = self.first(latents).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            maps = block(maps, labels)
        images: Tensor = self.last(F.relu(self.norm(maps))).tanh()
        return images


class _DownBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut, halved by averages where wanted."""

    def __init__(
        self, before: int, after: int, norm: Normalisation, *, halves: bool, is_first: bool = False
    ) -> None:
        super().__init__()
        self.halves, self.is_first = halves, is_first
        self.norms = nn.ModuleList(
            nn.Sequential(*normalisation(channels, norm)) for channels in (before, after)
        )
        self.convolutions = nn.ModuleList(
            normalised(initialise_xavier(nn.Conv2d(channels, after, 3, 1, 1), math.sqrt(2)), norm)
            for channels in (before, after)
        )
        is_needed = halves or before != after
        self.shortcut = (
            normalised(initialise_xavier(nn.Conv2d(before, after, 1), 1.0), norm)
            if is_needed
            else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        residual = maps if self.is_first else F.relu(self.norms[0](maps))
        residual = self.convolutions[0](residual)
        residual = self.convolutions[1](F.relu(self.norms[1](residual)))
        if self.halves:
            residual = F.avg_pool2d(residual, 2)
        shortcut: Tensor = maps
        if self.is_first:  # halved first, as there is little in it yet
            maps = F.avg_pool2d(maps, 2)
        if self.shortcut is not None:
            shortcut = self.shortcut(maps)
        if self.halves and not self.is_first:
            shortcut = F.avg_pool2d(shortcut, 2)
        summed: Tensor = residual + shortcut
        return summed


class ResNetFeatures(nn.Module):
    """Residual blocks from the image to a vector: halved down to 8×8, two more blocks, a pool.

    Args:
        recipe: Gives `image_size` (a power of two of at least 8) and `discriminator_width`, the
            channels of all blocks.
        dataset: Gives the channels of the image.
        norm: What normalises the layers.
        pool: `"sum"` as in SNGAN, or `"mean"` as in WGAN-GP.

    Raises:
        UsageError: The image size does not fit.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: DatasetSpec,
        norm: Normalisation,
        pool: Literal["sum", "mean"],
    ) -> None:
        super().__init__()
        halvings = max(1, convolutional_blocks(recipe.image_size) - 1)
        width = recipe.discriminator_width
        blocks = [_DownBlock(dataset.channels, width, norm, halves=True, is_first=True)]
        blocks += [_DownBlock(width, width, norm, halves=True) for _ in range(halvings - 1)]
        blocks += [_DownBlock(width, width, norm, halves=False) for _ in range(_FLAT_BLOCKS)]
        self.blocks = nn.Sequential(*blocks)
        self.pool = pool

    def forward(self, images: Tensor) -> Tensor:
        """Map images to vectors of shape (batch, discriminator_width)."""
        maps = F.relu(self.blocks(images)).flatten(2)
        return maps.sum(2) if self.pool == "sum" else maps.mean(2)

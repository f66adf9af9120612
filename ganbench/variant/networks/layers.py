"""Parts of networks: how often a size is halved, and what normalises a discriminator."""

from __future__ import annotations

from typing import Literal, TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganbench.errors import UsageError

__all__ = [
    "Normalisation",
    "convolutional_blocks",
    "normalisation",
    "normalised",
    "vector_normalisation",
]

Normalisation = Literal["batch", "spectral", "layer", "none"]
"""What normalises a discriminator: BatchNorm, spectral normalisation of its weights (Miyato et al.
2018, arXiv:1802.05957), LayerNorm, which goes with a penalty of each image, or nothing."""

_SMALLEST_SIZE = 8
_Layer = TypeVar("_Layer", bound=nn.Module)


def convolutional_blocks(image_size: int) -> int:
    """Number of halvings between `image_size` and the 4×4 map at the narrow end.

    Raises:
        UsageError: `image_size` is not a power of two of at least 8.
    """
    if image_size < _SMALLEST_SIZE or image_size & (image_size - 1):
        raise UsageError(
            f"image_size={image_size} does not fit a convolutional network: "
            "give a power of two of at least 8, for example --set image_size=64"
        )
    return image_size.bit_length() - 3


def normalised(layer: _Layer, norm: Normalisation) -> _Layer:
    """A layer, its largest singular value held at 1 where the norm is spectral."""
    if norm == "spectral":
        spectral_norm(layer)  # in place
    return layer


def normalisation(channels: int, norm: Normalisation) -> list[nn.Module]:
    """The layers that normalise a map of some channels: none for `spectral` and `none`."""
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    return [nn.GroupNorm(1, channels)] if norm == "layer" else []


def vector_normalisation(entries: int, norm: Normalisation) -> list[nn.Module]:
    """The layers that normalise vectors of some entries: none for `spectral` and `none`."""
    if norm == "batch":
        return [nn.BatchNorm1d(entries)]
    return [nn.LayerNorm(entries)] if norm == "layer" else []

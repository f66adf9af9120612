"""Faults of pixels: noise, blur and lost contrast, on uint8 images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torchvision.transforms.v2 import functional as F

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["add_noise", "blur", "lose_contrast"]

_REACH = 3  # standard deviations of a Gaussian that its kernel spans


def add_noise(images: Tensor, deviation: float, random: torch.Generator) -> Tensor:
    """Add independent Gaussian noise to each pixel and channel; what leaves 0..255 is cut off.

    Args:
        images: uint8 of shape (n, channels, height, width).
        deviation: Standard deviation, in grey values.
        random: Generator of the noise.
    """
    noise = torch.randn(images.shape, generator=random)
    return (images + deviation * noise).round_().clamp_(0, 255).to(torch.uint8)


def blur(images: Tensor, share: float) -> Tensor:
    """Blur with a Gaussian; the edges are mirrored.

    Args:
        images: uint8 of shape (n, channels, height, width).
        share: Standard deviation, as a share of the image's width.
    """
    width = min(images.shape[-2:])
    sigma = share * width
    radius = min(math.ceil(_REACH * sigma), width - 1)
    blurred: Tensor = F.gaussian_blur(images, [2 * radius + 1] * 2, [sigma] * 2)
    return blurred


def lose_contrast(images: Tensor, lost: float) -> Tensor:
    """Draw each image's pixels towards its mean grey.

    Args:
        images: uint8 of shape (n, channels, height, width).
        lost: Share of the contrast that is lost, 0 to 1.
    """
    flat: Tensor = F.adjust_contrast(images, 1 - lost)
    return flat

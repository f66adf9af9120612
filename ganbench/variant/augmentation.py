"""Augmentation of all that a discriminator sees, differentiable (DiffAugment)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Augmentation", "color", "cutout", "flip", "per_image", "shifted", "translation"]


def per_image(images: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), one per image, that broadcast over it: (n, 1, 1, 1)."""
    shape = (len(images), *[1] * (images.dim() - 1))
    return torch.rand(shape, dtype=images.dtype, device=images.device)


def color(images: Tensor) -> Tensor:
    """Change brightness, saturation and contrast of each image by chance."""
    images = images + (per_image(images) - 0.5)
    mean = images.mean(dim=1, keepdim=True)
    images = (images - mean) * (per_image(images) * 2) + mean
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * (per_image(images) + 0.5) + mean


def translation(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Shift each image by up to a share of its size each way; what comes in is 0."""
    height, width = images.shape[2:]
    most = (int(height * ratio + 0.5), int(width * ratio + 0.5))
    return shifted(images, most, edges="constant")


def shifted(
    images: Tensor, most: tuple[int, int], *, edges: Literal["constant", "reflect"]
) -> Tensor:
    """Shift each image by chance, by up to some rows and some columns each way.

    Args:
        images: Of shape (n, channels, height, width).
        most: The rows and the columns.
        edges: Whether zeros come in, or the image reflected.
    """
    rows, columns = most
    padded = F.pad(images, [columns, columns, rows, rows], mode=edges)
    for dim, reach in ((2, rows), (3, columns)):
        size = images.shape[dim]
        shape = [1, 1, 1, 1]
        shape[dim] = size
        places = torch.arange(size, device=images.device).view(shape)
        shifts = torch.randint(0, 2 * reach + 1, (len(images), 1, 1, 1), device=images.device)
        wanted = list(padded.shape)
        wanted[dim] = size
        padded = padded.gather(dim, (places + shifts).expand(wanted))
    return padded


def cutout(images: Tensor, ratio: float = 0.5) -> Tensor:
    """Set a square of a share of the size to 0, at a place that is chosen for each image."""
    count, _, height, width = images.shape
    inside = []
    for dim, size in ((2, height), (3, width)):
        length = int(size * ratio + 0.5)
        shape = [1, 1, 1, 1]
        shape[dim] = size
        places = torch.arange(size, device=images.device).view(shape)
        centre = torch.randint(0, size + (1 - length % 2), (count, 1, 1, 1), device=images.device)
        first = centre - length // 2
        inside.append((places >= first) & (places < first + length))
    return images * (~(inside[0] & inside[1])).to(images.dtype)


def flip(images: Tensor) -> Tensor:
    """Mirror half of the images, by chance."""
    return torch.where(per_image(images) < 0.5, images.flip(3), images)  # noqa: PLR2004 - half


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
    "flip": flip,
}


class Augmentation(nn.Module):
    """Augments real and generated images alike (Zhao et al. 2020, arXiv:2006.10738).

    Args:
        policy: Names of the functions of this module, separated by commas, in their order.
    """

    def __init__(self, policy: str) -> None:
        super().__init__()
        self.functions = [_FUNCTIONS[name] for name in policy.split(",") if name]

    def forward(self, images: Tensor) -> Tensor:
        """Change images (n, channels, height, width) by chance."""
        for function in self.functions:
            images = function(images)
        return images

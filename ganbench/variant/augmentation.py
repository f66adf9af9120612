"""Augmentation of all that a discriminator sees, differentiable (DiffAugment)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Augmentation", "color", "cutout", "flip", "translation"]


def _per_image(images: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), one per image: (n, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, dtype=images.dtype, device=images.device)


def color(images: Tensor) -> Tensor:
    """Change brightness, saturation and contrast of each image by chance."""
    images = images + (_per_image(images) - 0.5)
    mean = images.mean(dim=1, keepdim=True)
    images = (images - mean) * (_per_image(images) * 2) + mean
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * (_per_image(images) + 0.5) + mean


def translation(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Shift each image by up to a share of its size each way; what comes in is 0."""
    count, _, height, width = images.shape
    rows = _shifts(images, height, ratio).view(count, 1, 1, 1)
    columns = _shifts(images, width, ratio).view(count, 1, 1, 1)
    moved = _moved(images, rows, dim=2)
    return _moved(moved, columns, dim=3)


def _shifts(images: Tensor, size: int, ratio: float) -> Tensor:
    most = int(size * ratio + 0.5)
    return torch.randint(-most, most + 1, (len(images),), device=images.device)


def _moved(images: Tensor, shift: Tensor, dim: int) -> Tensor:
    """Shift each image along one dimension, filled up with zeros."""
    size = images.shape[dim]
    shape = [1, 1, 1, 1]
    shape[dim] = size
    places = torch.arange(size, device=images.device).view(shape) + shift + 1
    padded = F.pad(images, [1, 1, 0, 0] if dim == 3 else [0, 0, 1, 1])  # noqa: PLR2004 - columns
    places = places.clamp(0, size + 1).expand_as(images)
    return padded.gather(dim, places)


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
    return torch.where(_per_image(images) < 0.5, images.flip(3), images)  # noqa: PLR2004 - half


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

"""The way of images to a recipe's size and back, on which nothing is lost.

Variants train at sizes of their own and are scored at the dataset's. A way that blurred would
charge its own loss to every variant that is not of the dataset's size. So small enlargements are
borders, which are cropped again (28 to 32 pixels, as the field has MNIST), and larger ones are
bilinear, which is a linear and injective map: least squares invert it.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ganbench.data.dataset import change_size, resize

__all__ = ["bring_back", "bring_to"]

_PADDED_BELOW = 1.5
"""Enlargements below this factor are borders. Least squares would amplify what a generator gets
wrong there: for 28 to 32 pixels by up to 2.3, from a factor of 1.5 on by at most 1.23, and from 2
on not at all."""


def bring_to(images: Tensor, size: int) -> Tensor:
    """Bring stored images to the size of a recipe.

    Enlarged by less than half, they get a border that repeats their edge; enlarged by more, they
    are interpolated bilinearly. Reduced, they are antialiased, and lose what the size cannot hold.

    Args:
        images: uint8 of shape (n, channels, height, height).
        size: Height and width wanted, in pixels.

    Returns:
        uint8 of shape (n, channels, size, size) on the same device, in channels-last memory;
        `images` itself where the size fits already.
    """
    stored = images.shape[-1]
    if not _is_padded(stored, size):
        return resize(images, size)
    before, after = _border(stored, size)
    rows = torch.arange(-before, stored + after, device=images.device).clamp_(0, stored - 1)
    padded = images.index_select(2, rows).index_select(3, rows)
    return padded.contiguous(memory_format=torch.channels_last)


def bring_back(images: Tensor, stored: int) -> Tensor:
    """Bring images from the size of a recipe to that of the stored ones.

    The inverse of `bring_to`: what it has enlarged comes back as it was, within one grey value
    where it had to round. Images smaller than the stored ones are enlarged bilinearly.

    Args:
        images: uint8 of shape (n, channels, height, height).
        stored: Height and width of the stored images, in pixels.

    Returns:
        uint8 of shape (n, channels, stored, stored) on the same device; `images` itself where the
        size fits already.
    """
    size = images.shape[-1]
    if size <= stored:
        return resize(images, stored)
    if _is_padded(stored, size):
        before, _ = _border(stored, size)
        return images[:, :, before : before + stored, before : before + stored]
    if images.device.type == "mps":  # it knows no float64
        return bring_back(images.cpu(), stored).to(images.device)
    inverse = _inverse(stored, size).to(images.device)
    return change_size(images, stored, lambda part: inverse @ part.to(inverse.dtype) @ inverse.T)


def _is_padded(stored: int, size: int) -> bool:
    return stored < size < _PADDED_BELOW * stored


def _border(stored: int, size: int) -> tuple[int, int]:
    """Pixels of the border before and after the image, which lies in the middle."""
    before = (size - stored) // 2
    return before, size - stored - before


@cache
def _inverse(stored: int, size: int) -> Tensor:
    """The least-squares inverse of the enlargement of a column of pixels, float64 (stored, size).

    Its columns come from torch's own interpolation, so that it inverts what `resize` does.
    """
    columns = torch.eye(stored, dtype=torch.float64)[None, None]
    enlargement = F.interpolate(columns, (size, stored), mode="bilinear", antialias=True)[0, 0]
    inverse: Tensor = torch.linalg.pinv(enlargement)
    return inverse

"""A dataset that has been read: images, labels and a fingerprint of both."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ganbench.data import mapping

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "Dataset",
    "Progress",
    "Split",
    "as_in_memory",
    "change_size",
    "fingerprint",
    "ignore_progress",
    "resize",
]

Progress = Callable[[str, int, int], None]
"""`report(text, done, total)`: what is being done, and how far it is; a total of 0 is unknown."""

_RESIZE_BYTES = 1 << 26  # of float32 work space for one batch
_BYTES_PER_FLOAT = 4
_HASHED_BYTES = 1 << 24  # at once


def ignore_progress(_text: str, _done: int, _total: int) -> None:
    """Ignore progress: the default where nobody watches."""


@dataclass(frozen=True)
class Split:
    """One part of a dataset.

    Attributes:
        images: uint8 of shape (n, channels, height, width), in channels-last memory; of a dataset
            of points, float32 of shape (n, dimensions).
        labels: int64 of shape (n,), indices into the class names.
        file: The file that the images are mapped from; None where they are in memory.
    """

    images: Tensor
    labels: Tensor
    file: mmap.mmap | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.labels)

    def release(self) -> None:
        """Give the memory of mapped images back to the system, which reads them again if used."""
        mapping.release(self.file)


@dataclass(frozen=True)
class Dataset:
    """A dataset that has been read.

    Attributes:
        spec: What was known of it before.
        train: The split that generators learn from and are compared with.
        test: Held-out images of the same kind.
        fingerprint: Hash of the images and labels of both splits.
    """

    spec: DatasetSpec
    train: Split
    test: Split
    fingerprint: str

    @classmethod
    def of(cls, spec: DatasetSpec, train: Split, test: Split) -> Dataset:
        """Join two splits and fingerprint them."""
        return cls(spec, train, test, fingerprint(train, test))


def fingerprint(*splits: Split, block_bytes: int = _HASHED_BYTES) -> str:
    """Hash shapes, images and labels to 16 hexadecimal digits, however they lie in memory.

    Args:
        splits: Images and labels.
        block_bytes: Images hashed at once, in bytes, so that few mapped ones are in memory.
    """
    digest = hashlib.sha256()
    for split in splits:
        pixels = as_in_memory(split.images)
        digest.update(f"{tuple(pixels.shape)}".encode())
        for block in pixels.split(max(1, block_bytes // max(1, pixels[0].numel()))):
            digest.update(block.contiguous().numpy().data)
            split.release()
        digest.update(split.labels.contiguous().numpy().data)
    return digest.hexdigest()[:16]


def as_in_memory(images: Tensor) -> Tensor:
    """A view of images as they lie in memory, (n, height, width, channels); points as they are."""
    return images.permute(0, 2, 3, 1) if images.dim() == 4 else images  # noqa: PLR2004 - NCHW


def resize(images: Tensor, size: int, *, work_bytes: int = _RESIZE_BYTES) -> Tensor:
    """Resize images to a square, bilinear and antialiased, rounded to whole grey values.

    The work is done in batches, so that memory stays bounded; every image is computed alone, so
    that the result does not depend on the batch. Works on any device.

    Args:
        images: uint8 of shape (n, channels, height, width).
        size: Height and width wanted, in pixels.
        work_bytes: Most float32 work space of one batch, in bytes.

    Returns:
        uint8 of shape (n, channels, size, size) on the same device, in channels-last memory;
        `images` itself where the size fits already.
    """
    if images.shape[2:] == (size, size):
        return images
    if images.device.type == "mps":  # before torch 2.7 it could not antialias
        return resize(images.cpu(), size, work_bytes=work_bytes).to(images.device)
    return change_size(
        images,
        size,
        lambda part: F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True),
        work_bytes,
    )


def change_size(
    images: Tensor, size: int, change: Callable[[Tensor], Tensor], work_bytes: int = _RESIZE_BYTES
) -> Tensor:
    """Change the size of images batch by batch, and round to whole grey values.

    Args:
        images: uint8 of shape (n, channels, height, width).
        size: Height and width that `change` gives, in pixels.
        change: Maps a batch of them to floating-point images of that size, each alone.
        work_bytes: Most float32 work space of one batch, in bytes.

    Returns:
        uint8 of shape (n, channels, size, size) on the same device, in channels-last memory.
    """
    count, channels, height, width = images.shape
    resized = torch.empty(
        (count, channels, size, size),
        dtype=torch.uint8,
        device=images.device,
        memory_format=torch.channels_last,
    )
    floats_per_image = channels * max(height * width, size * size)
    batch = max(1, work_bytes // (_BYTES_PER_FLOAT * floats_per_image))
    for start in range(0, count, batch):
        part = change(images[start : start + batch])
        resized[start : start + batch] = part.round_().clamp_(0, 255)
    return resized

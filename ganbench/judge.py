"""The network that names the class of an image: small enough to be trained on two cores."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["JudgeNetwork", "exact", "weights_hash"]

_LARGEST_MAP = 16  # pixels; the first layer divides larger images
_CHUNK = 500  # images converted at once


def _block(before: int, after: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    """Adds a block to what goes into it (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = _block(width, width, 3, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        summed: Tensor = maps + self.block(maps)
        return summed


class JudgeNetwork(nn.Module):
    """Patches of the image, two halvings with a residual block between, a mean, a linear layer.

    Images of shape (n, channels, size, size) hold grey values from 0 to 255, as uint8 or floats;
    they are normalised inside.

    Args:
        channels: 1 or 3.
        size: Height and width of the images, in pixels.
        classes: Number of classes.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((1, channels, 1, 1), 127.5))
        self.register_buffer("deviation", torch.full((1, channels, 1, 1), 127.5))
        width = 32 if channels == 1 else 64
        stride = 1
        while size > _LARGEST_MAP * stride:
            stride *= 2
        kernel, padding = (3, 1) if stride == 1 else (2 * stride, stride // 2)
        self.body = nn.Sequential(
            _block(channels, width, kernel, stride, padding),
            _block(width, 2 * width, 3, 2, 1),
            _Residual(2 * width),
            _block(2 * width, 4 * width, 3, 2, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(4 * width, classes)

    def normalise_like(self, images: Tensor) -> None:
        """Take mean and standard deviation of each channel from uint8 images."""
        sums = torch.zeros(2, images.shape[1], dtype=torch.float64)
        for part in images.split(_CHUNK):
            values = part.double()
            sums += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
        mean, square = sums * images.shape[1] / images.numel()
        self.mean.copy_(mean.view_as(self.mean))
        deviation = (square - mean.square()).clamp_min(0).sqrt()
        self.deviation.copy_(deviation.clamp_min(1.0).view_as(self.mean))

    def features(self, images: Tensor) -> Tensor:
        """Map images to float32 features of shape (n, d)."""
        normalised = (images.float() - self.mean) / self.deviation
        vectors: Tensor = self.body(normalised.contiguous(memory_format=torch.channels_last))
        return vectors

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits of shape (n, classes)."""
        logits: Tensor = self.head(self.features(images))
        return logits


def weights_hash(network: nn.Module) -> str:
    """Hash names, shapes and values of all weights and buffers to 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, values in sorted(network.state_dict().items()):
        digest.update(f"{name}{tuple(values.shape)}{values.dtype}".encode())
        digest.update(values.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]


def exact() -> AbstractContextManager[None]:
    """A context in which CUDA's convolutions give the same result each time, in full float32.

    By default they round to 10 bits of mantissa and choose the algorithm by the batch.
    """
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags

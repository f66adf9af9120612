"""A small CNN that names the class of an image, and says how far the image is from the data.

Its features are also the backbone for images that are unlike ImageNet's.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.data.cache import UNREADABLE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import BinaryIO

__all__ = [
    "VERSION",
    "Classifier",
    "ClassifierNetwork",
    "Description",
    "exact",
    "read_classifier",
    "round_weights",
    "weights_hash",
    "write_classifier",
]

VERSION = 2  # of the architecture and its training: part of the cache's key

_LARGEST_MAP = 16  # pixels; the first layer divides larger images
_QUARTERS = 4  # of the maps in the middle of the network
_LARGE = 1024  # numbers; an array of more is stored as float16
_DAMAGE = (*UNREADABLE, ValueError, zipfile.BadZipFile)


class Description(NamedTuple):
    """What the network says of n images.

    Attributes:
        vectors: float32 of shape (n, d), the features that the classes are named from.
        probabilities: float32 of shape (n, classes).
        distances: float32 of shape (n, 1), as `Features.distances`.
    """

    vectors: Tensor
    probabilities: Tensor
    distances: Tensor


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


class ClassifierNetwork(nn.Module):
    """Patches of the image, two halvings with a residual block between, a mean, a linear layer.

    Images of shape (n, channels, size, size) hold grey values from 0 to 255, as uint8 or floats;
    they are normalised inside.

    How far an image is from the data is the Mahalanobis distance of its features from the mean of
    its class, under a covariance that all classes share (Lee et al. 2018, arXiv:1807.03888). The
    features are those of two depths: the residual block's maps, averaged over each quarter of the
    image, and the last ones, averaged over all of it. The last alone hardly see that the parts of
    an image have changed places; the first layers see noise that nobody would.

    Args:
        channels: 1 or 3.
        size: Height and width of the images, in pixels.
        classes: Number of classes.
    """

    mean: Tensor
    deviation: Tensor
    class_means: Tensor
    whitening: Tensor
    threshold: Tensor

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
        # Until they are fitted, no image is far from the data
        entries = _QUARTERS * 2 * width + 4 * width
        self.register_buffer("class_means", torch.zeros(classes, entries))
        self.register_buffer("whitening", torch.zeros(entries, entries))
        self.register_buffer("threshold", torch.tensor(torch.inf))

    def depths(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images to the features of two depths, float32 (n, d), and the last ones of them."""
        normalised = (images.float() - self.mean) / self.deviation
        middle = self.body[:3](normalised.contiguous(memory_format=torch.channels_last))
        vectors = self.body[3:](middle)
        quarters = F.adaptive_avg_pool2d(middle, 2).flatten(1)
        return torch.cat([quarters, vectors], dim=1), vectors

    def describe(self, images: Tensor) -> Description:
        """Map images to features, probabilities and distances, in one pass."""
        both, vectors = self.depths(images)
        probabilities = self.head(vectors).softmax(1)
        distances = self.distances(both, probabilities.argmax(1)) / self.threshold
        return Description(vectors, probabilities, distances[:, None])

    def distances(self, depths: Tensor, classes: Tensor) -> Tensor:
        """Mahalanobis distances (n,) of features of two depths from the means of their classes."""
        distances: Tensor = ((depths - self.class_means[classes]) @ self.whitening).norm(dim=1)
        return distances

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits of shape (n, classes)."""
        normalised = (images.float() - self.mean) / self.deviation
        vectors = self.body(normalised.contiguous(memory_format=torch.channels_last))
        logits: Tensor = self.head(vectors)
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


@dataclass(frozen=True)
class Classifier:
    """A trained classifier.

    Attributes:
        network: In evaluation mode, on the device it was asked for.
        accuracy: Share of the test split that it classifies correctly, in [0, 1].
        kept: Share of the half of the test split that the threshold was not fitted on which is in
            the distribution, in [0, 1]: about 0.99.
        hash: Of its weights.
    """

    network: ClassifierNetwork
    accuracy: float
    kept: float
    hash: str


def round_weights(network: nn.Module) -> None:
    """Round all large arrays of a network to float16, as a file holds them."""
    with torch.no_grad():
        for values in network.state_dict().values():
            if values.numel() > _LARGE:
                values.copy_(values.half())


def write_classifier(
    file: Path | BinaryIO, network: ClassifierNetwork, accuracy: float, kept: float
) -> None:
    """Write weights, accuracy and what is known of the distances as a compressed .npz file."""
    arrays = {
        name: (values.half() if values.numel() > _LARGE else values).contiguous().numpy()
        for name, values in network.state_dict().items()
    }
    np.savez_compressed(file, accuracy=accuracy, kept=kept, **arrays)


def read_classifier(path: Path, network: ClassifierNetwork) -> Classifier | None:
    """Fill a network from a file; None where there is no usable file of such a network."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            state = {name: torch.from_numpy(np.array(stored[name])) for name in stored.files}
        accuracy, kept = (float(state.pop(name)) for name in ("accuracy", "kept"))
        network.load_state_dict(state)  # float16 becomes float32
    except _DAMAGE:
        return None
    network.to(memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
    return Classifier(network, accuracy, kept, weights_hash(network))

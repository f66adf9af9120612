"""A small CNN that names the class of an image, trained once per dataset.

Its features are also the backbone for images that are unlike ImageNet's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.data.cache import UNREADABLE, whole
from ganbench.data.dataset import Progress, ignore_progress, resize
from ganbench.data.resized import training_split
from ganbench.machine.memory import release_host_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ganbench.data.dataset import Dataset, Split
    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "Classifier",
    "ClassifierNetwork",
    "augment",
    "exact",
    "obtain_classifier",
    "weights_hash",
]

VERSION = 1  # of the architecture and its training: part of the cache's key

_SEED = 0
_BATCH = 128
_EVALUATION_BATCH = 500
_LARGEST_SHIFT = 2  # pixels
_LARGEST_RATE = 5e-3
_WEIGHT_DECAY = 0.05
_FEWEST_STEPS = 60
_MOST_EPOCHS = 24
_MOST_IMAGES = {1: 180_000, 3: 300_000}  # seen in training, by channels
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


class ClassifierNetwork(nn.Module):
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

    def normalise_like(self, images: Tensor, release: Callable[[], object] = lambda: None) -> None:
        """Take mean and standard deviation of each channel from uint8 images.

        Args:
            images: Of shape (n, channels, size, size).
            release: Called after each part of them, to drop what is mapped from memory.
        """
        sums = torch.zeros(2, images.shape[1], dtype=torch.float64)
        for part in images.split(_CHUNK):
            values = part.double()
            sums += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
            release()
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


@dataclass(frozen=True)
class Classifier:
    """A trained classifier.

    Attributes:
        network: In evaluation mode, on the device it was asked for.
        accuracy: Share of the test split that it classifies correctly, in [0, 1].
        hash: Of its weights.
    """

    network: ClassifierNetwork
    accuracy: float
    hash: str


def obtain_classifier(
    dataset: Dataset,
    device: torch.device,
    cache_root: Path,
    report: Progress = ignore_progress,
    *,
    most_images: int | None = None,
) -> Classifier:
    """Read the classifier of a dataset from the cache, or train it.

    It is trained at the dataset's native size, with a fixed seed and generators of its own: the
    global random state is not touched. The cache's key is the dataset's fingerprint.

    Args:
        dataset: Its training split is learnt, its test split gives the accuracy.
        device: Where to train, and where the network is left.
        cache_root: Its folder `classifiers` holds one file per dataset.
        report: Called with the progress of the training, and with the accuracy at its end.
        most_images: Images seen in training at most; if left out, 180,000 grey or 300,000 colour
            ones. Another number is another classifier, which the cache keeps apart.

    Raises:
        DataError: The cache cannot be written.
    """
    brief = "" if most_images is None else f"-{most_images}"
    path = cache_root / "classifiers" / f"{dataset.fingerprint}-{VERSION}{brief}.pt"
    network = _untrained(dataset.spec, device)
    accuracy = _read(path, network)
    if accuracy is None:
        network = _untrained(dataset.spec, device)  # a damaged file may have been read half
        with exact():
            accuracy = _train(network, dataset, device, cache_root, report, most_images)
        with whole(path) as temporary:
            torch.save({"weights": network.state_dict(), "accuracy": accuracy}, temporary)
    network.eval().requires_grad_(requires_grad=False)
    return Classifier(network, accuracy, weights_hash(network))


def _untrained(spec: DatasetSpec, device: torch.device) -> ClassifierNetwork:
    """Build the network with initial weights that are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_SEED)  # torch.manual_seed would reach other devices
        network = ClassifierNetwork(spec.channels, spec.native_size, len(spec.class_names))
    network.to(device).to(memory_format=torch.channels_last)
    return network


def _read(path: Path, network: ClassifierNetwork) -> float | None:
    """Fill the network from a file and return its accuracy; None where there is no usable one."""
    try:
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(stored["weights"])
        return float(stored["accuracy"])
    except UNREADABLE:
        return None


def _train(
    network: ClassifierNetwork,
    dataset: Dataset,
    device: torch.device,
    cache_root: Path,
    report: Progress,
    most_images: int | None,
) -> float:
    """Train on the training split; return the accuracy on the test split, in [0, 1].

    AdamW under one cycle of the learning rate (Smith and Topin 2018, arXiv:1708.07120). Colour
    images are mirrored and shifted; digits would become other digits.
    """
    name, size, colour = dataset.spec.name, dataset.spec.native_size, dataset.spec.channels > 1
    split = training_split(dataset, size, cache_root, report)
    images = split.images
    network.normalise_like(images, split.release)

    # --- as many steps as epochs and images allow
    count = len(images)
    batch = min(_BATCH, count)
    most = min(most_images or _MOST_IMAGES[dataset.spec.channels], _MOST_EPOCHS * count)
    steps = max(_FEWEST_STEPS, most // batch)
    optimizer = torch.optim.AdamW(network.parameters(), _LARGEST_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LARGEST_RATE, total_steps=steps, pct_start=0.25
    )
    generator = torch.Generator().manual_seed(_SEED)
    rows = _batches(count, batch, generator)

    # --- the training itself
    network.train()
    for step in range(steps):
        chosen = next(rows)
        part, labels = images[chosen], dataset.train.labels[chosen].to(device)
        part = (augment(part, generator) if colour else part).to(device)
        loss = F.cross_entropy(network(part), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 10 == 0:
            split.release()
            report(f"training the classifier of {name}", step, steps)

    accuracy = _accuracy(network, dataset.test, size, device)
    release_host_memory()
    report(f"the classifier of {name} names {accuracy:.1%} of the test images", steps, steps)
    return accuracy


def _batches(count: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Give the rows of one batch after another, each epoch in a new order, without end."""
    while True:
        order = torch.randperm(count, generator=generator)
        yield from order[: count - count % batch].split(batch)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images, and shift each by up to two pixels with mirrored edges.

    Args:
        images: uint8 of shape (n, channels, height, width).
        generator: Decides which images are mirrored, and how far each is shifted.

    Returns:
        float32 of the same shape.
    """
    count, _, height, width = images.shape
    mirrored = torch.rand(count, 1, 1, 1, generator=generator) < 0.5  # noqa: PLR2004 - half
    images = torch.where(mirrored, images.flip(3), images)
    padded = F.pad(images.float(), [_LARGEST_SHIFT] * 4, mode="reflect")
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(2 * _LARGEST_SHIFT + 1, (2, count), generator=generator)
    return windows[torch.arange(count), :, down, right]


@torch.inference_mode()
def _accuracy(network: ClassifierNetwork, split: Split, size: int, device: torch.device) -> float:
    """Share of images that the network classifies correctly."""
    network.eval()
    right = 0
    for start in range(0, len(split), _EVALUATION_BATCH):
        rows = slice(start, start + _EVALUATION_BATCH)
        named = network(resize(split.images[rows], size).to(device)).argmax(1).cpu()
        right += int((named == split.labels[rows]).sum())
        split.release()
    return right / max(1, len(split))

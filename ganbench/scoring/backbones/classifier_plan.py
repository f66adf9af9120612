"""What a classifier is trained on: how many images, and which, part by part.

Images come in the order that the training needs, so that no more than one part of a large dataset
has to be in memory, and through the standard input of the process that trains.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from torch import Tensor

    from ganbench.data.dataset import Dataset, Split

    Part = tuple[Tensor, Tensor]

__all__ = [
    "TrainingPlan",
    "batch_and_steps",
    "batch_and_steps_of",
    "channel_statistics",
    "parts",
    "receive",
    "send",
]

_SEED = 0
_BATCH = 128
_SUMMED_VALUES = 1 << 22  # at once: as whole numbers of eight bytes
_CHUNK = 500  # images that are only looked at
_FEWEST_STEPS = 60
_MOST_EPOCHS = 24
_MOST_IMAGES = {1: 180_000, 3: 300_000}  # seen in training, by channels
_GAUSSIAN_IMAGES = 20_000  # of the training split that the Gaussians are fitted to, at most


@dataclass(frozen=True)
class TrainingPlan:
    """All that a training depends on besides the images.

    Attributes:
        channels: 1 or 3.
        size: Height and width at which images are classified, in pixels.
        classes: Number of classes.
        mean: Of each channel, in grey values.
        deviation: Of each channel, in grey values.
        batch: Images per step.
        steps: Training steps.
        fitted: Parts of the training split that the Gaussians are fitted to.
    """

    channels: int
    size: int
    classes: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    batch: int
    steps: int
    fitted: int

    @classmethod
    def of(cls, dataset: Dataset, most_images: int | None = None) -> Self:
        """Plan as many steps as epochs and images allow.

        Args:
            dataset: What is learnt.
            most_images: Images seen in training at most; if left out, 180,000 grey or 300,000
                colour ones.
        """
        spec, count = dataset.spec, len(dataset.train)
        batch, steps = batch_and_steps(dataset, most_images)
        mean, deviation = channel_statistics(dataset.train)
        return cls(
            channels=spec.channels,
            size=spec.native_size,
            classes=len(spec.class_names),
            mean=mean,
            deviation=deviation,
            batch=batch,
            steps=steps,
            fitted=len(_fitted_rows(count)),
        )


def batch_and_steps(dataset: Dataset, most_images: int | None = None) -> tuple[int, int]:
    """Images of a batch, and the number of steps; as `TrainingPlan.of`, but reads no images."""
    return batch_and_steps_of(len(dataset.train), dataset.spec.channels, most_images)


def batch_and_steps_of(
    count: int, channels: int, most_images: int | None = None
) -> tuple[int, int]:
    """As `batch_and_steps`, of so many training images with so many channels."""
    batch = min(_BATCH, count)
    most = min(most_images or _MOST_IMAGES[channels], _MOST_EPOCHS * count)
    return batch, max(_FEWEST_STEPS, most // batch)


def channel_statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 images, the latter at least 1.

    Whole numbers are summed, so that no order of the sums shows in the last bits.
    """
    channels = split.images.shape[1]
    sums = torch.zeros(2, channels, dtype=torch.int64)
    for part in split.images.split(max(1, _SUMMED_VALUES // split.images[0].numel())):
        values = part.long()
        sums += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
        split.release()
    count = split.images.numel() // channels
    means = [total / count for total in sums[0].tolist()]
    squares = [total / count for total in sums[1].tolist()]
    pairs = zip(squares, means, strict=True)
    return tuple(means), tuple(max(1.0, square - mean**2) ** 0.5 for square, mean in pairs)


def _fitted_rows(count: int) -> list[slice]:
    """Evenly spaced rows of the training split that the Gaussians are fitted to, in parts."""
    every = -(-count // _GAUSSIAN_IMAGES)
    return [
        slice(start, start + _CHUNK * every, every) for start in range(0, count, _CHUNK * every)
    ]


def parts(dataset: Dataset, plan: TrainingPlan, report: Callable[[int], None]) -> Iterator[Part]:
    """Give all images that a training asks for, part by part: uint8 images, and labels.

    First a batch for each step, each epoch in a new order; then some of the training split as it
    is, for the Gaussians; then the whole test split.

    Args:
        dataset: Where they are.
        plan: How many.
        report: Called with the number of steps for which batches were taken.
    """
    generator = torch.Generator().manual_seed(_SEED)
    order = _batches(len(dataset.train), plan.batch, generator)
    for step, rows in enumerate(islice(order, plan.steps)):
        yield dataset.train.images[rows], dataset.train.labels[rows]
        dataset.train.release()
        if step % 10 == 0:
            report(step)
    for some in _fitted_rows(len(dataset.train)):
        yield dataset.train.images[some], dataset.train.labels[some]
        dataset.train.release()
    for start in range(0, len(dataset.test), _CHUNK):
        some = slice(start, start + _CHUNK)
        yield dataset.test.images[some], dataset.test.labels[some]
        dataset.test.release()


def _batches(count: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Give the rows of one batch after another, each epoch in a new order, without end."""
    while True:
        order = torch.randperm(count, generator=generator)
        yield from order[: count - count % batch].split(batch)


def send(plan: TrainingPlan, given: Iterator[Part], pipe: IO[bytes]) -> None:
    """Write a plan and its images to the process that runs this module.

    Raises:
        OSError: The process has ended.
    """
    pipe.write(json.dumps(asdict(plan)).encode() + b"\n")
    for images, labels in given:
        pixels = images.permute(0, 2, 3, 1).contiguous()
        pipe.write(json.dumps(pixels.shape).encode() + b"\n")
        pipe.write(pixels.numpy().data)
        pipe.write(labels.cpu().contiguous().numpy().data)
    pipe.close()


def receive(pipe: IO[bytes]) -> Iterator[Part]:
    """Read the images that `send` writes, to the end."""
    while line := pipe.readline():
        shape = json.loads(line)
        pixels = np.frombuffer(bytearray(pipe.read(math.prod(shape))), np.uint8)
        labels = np.frombuffer(bytearray(pipe.read(shape[0] * 8)), np.int64)
        images = torch.from_numpy(pixels).view(shape).permute(0, 3, 1, 2)
        yield images, torch.from_numpy(labels)

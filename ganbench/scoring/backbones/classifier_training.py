"""How a classifier is trained; run as a module, the far end of a process of its own.

What decides the weights is here: the initial ones, the order of the images, the optimizer, and the
Gaussians that say how far an image is from the data. Images come in parts, in the order that the
training needs, so that no more than one part of a large dataset has to be in memory.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor
from torch.nn import functional as F

from ganbench.data.dataset import resize
from ganbench.scoring.backbones.classifier_network import (
    Classifier,
    ClassifierNetwork,
    round_weights,
    weights_hash,
    write_classifier,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from ganbench.data.dataset import Dataset, Split

    Part = tuple[Tensor, Tensor]

__all__ = ["KEPT", "TrainingPlan", "augment", "channel_statistics", "parts", "send", "train"]

KEPT = 0.99
"""Share of held-out real images within the threshold of the distances."""

_SEED = 0
_BATCH = 128
_CHUNK = 500  # images that are only looked at
_LARGEST_SHIFT = 2  # pixels
_LARGEST_RATE = 5e-3
_WEIGHT_DECAY = 0.05
_FEWEST_STEPS = 60
_MOST_EPOCHS = 24
_MOST_IMAGES = {1: 180_000, 3: 300_000}  # seen in training, by channels
_GAUSSIAN_IMAGES = 20_000  # of the training split that the Gaussians are fitted to, at most
_SMALLEST_VARIANCE = 1e-6  # of features, which are about 1; for classes of one image


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
        batch = min(_BATCH, count)
        most = min(most_images or _MOST_IMAGES[spec.channels], _MOST_EPOCHS * count)
        mean, deviation = channel_statistics(dataset.train)
        return cls(
            channels=spec.channels,
            size=spec.native_size,
            classes=len(spec.class_names),
            mean=mean,
            deviation=deviation,
            batch=batch,
            steps=max(_FEWEST_STEPS, most // batch),
            fitted=len(_fitted_rows(count)),
        )


def channel_statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 images, the latter at least 1.

    Whole numbers are summed, so that no order of the sums shows in the last bits.
    """
    channels = split.images.shape[1]
    sums = torch.zeros(2, channels, dtype=torch.int64)
    for part in split.images.split(_CHUNK):
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
        if step % 10 == 0:
            dataset.train.release()
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


def train(plan: TrainingPlan, given: Iterator[Part]) -> Classifier:
    """Train on the CPU, with random numbers of its own.

    AdamW under one cycle of the learning rate (Smith and Topin 2018, arXiv:1708.07120). Colour
    images are mirrored and shifted; digits would become other digits.

    Args:
        plan: What to train.
        given: The images, as `parts` gives them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_SEED)  # torch.manual_seed would reach other devices
        network = ClassifierNetwork(plan.channels, plan.size, plan.classes)
    network.to(memory_format=torch.channels_last)
    network.mean.copy_(torch.tensor(plan.mean).view_as(network.mean))
    network.deviation.copy_(torch.tensor(plan.deviation).view_as(network.mean))
    optimizer = torch.optim.AdamW(network.parameters(), _LARGEST_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LARGEST_RATE, total_steps=plan.steps, pct_start=0.25
    )
    generator = torch.Generator().manual_seed(_SEED)
    network.train()
    for stored, labels in islice(given, plan.steps):
        images = resize(stored, plan.size)
        shown = augment(images, generator) if plan.channels > 1 else images
        loss = F.cross_entropy(network(shown), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    network.eval().requires_grad_(requires_grad=False)
    round_weights(network)
    _fit_gaussians(network, islice(given, plan.fitted), plan.size)
    round_weights(network)
    accuracy, kept = _fit_threshold(network, given, plan.size)
    return Classifier(network, accuracy, kept, weights_hash(network))


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
def _fit_gaussians(network: ClassifierNetwork, given: Iterator[Part], size: int) -> None:
    """Fit a mean to each class, and to all the covariance around them (Ledoit and Wolf 2004).

    The covariance is shrunk towards a round one, as images may be fewer than features. A class
    without images has the mean of all.
    """
    seen = [(network.depths(resize(images, size))[0].double(), labels) for images, labels in given]
    features, labels = (torch.cat(column) for column in zip(*seen, strict=True))
    means = features.mean(0).repeat(len(network.class_means), 1)
    for label in labels.unique().tolist():
        means[label] = features[labels == label].mean(0)
    covariance, _ = ledoit_wolf((features - means[labels]).numpy(), assume_centered=True)
    round_part = _SMALLEST_VARIANCE * np.eye(len(covariance))
    precision = torch.linalg.inv(torch.from_numpy(covariance + round_part))
    network.class_means.copy_(means)
    network.whitening.copy_(torch.linalg.cholesky(precision))


@torch.inference_mode()
def _fit_threshold(
    network: ClassifierNetwork, given: Iterator[Part], size: int
) -> tuple[float, float]:
    """Fit the threshold to every second image; return accuracy and the share of the others kept."""
    right, distances = [torch.zeros(0)], [torch.zeros(0)]
    for images, labels in given:
        depths, vectors = network.depths(resize(images, size))
        named = network.head(vectors).argmax(1)
        right.append((named == labels).float())
        distances.append(network.distances(depths, named))
    of_all = torch.cat(distances)
    if len(of_all):
        network.threshold.copy_(of_all[::2].quantile(KEPT).clamp_min(torch.finfo().tiny))
    others = of_all[1::2] if len(of_all) > 1 else of_all
    shares = torch.cat(right), (others <= network.threshold).float()
    accuracy, kept = (float(share.double().mean()) if len(share) else 0.0 for share in shares)
    return accuracy, kept


# --- at both ends of a process's standard input


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


def _received(pipe: IO[bytes]) -> Iterator[Part]:
    """Read the images that `send` writes, to the end."""
    while line := pipe.readline():
        shape = json.loads(line)
        pixels = np.frombuffer(bytearray(pipe.read(math.prod(shape))), np.uint8)
        labels = np.frombuffer(bytearray(pipe.read(shape[0] * 8)), np.int64)
        images = torch.from_numpy(pixels).view(shape).permute(0, 3, 1, 2)
        yield images, torch.from_numpy(labels)


def _main() -> None:
    """Train what comes through the standard input, and write it to the file that is named."""
    pipe = sys.stdin.buffer
    plan = TrainingPlan(**json.loads(pipe.readline()))
    torch.set_num_threads(1)
    classifier = train(plan, _received(pipe))
    with open(sys.argv[1], "wb") as file:  # noqa: PTH123 - numpy would add an ending to a name
        write_classifier(file, classifier.network, classifier.accuracy, classifier.kept)


if __name__ == "__main__":
    _main()

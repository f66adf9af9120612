"""How a classifier is trained; run as a module, the far end of a process of its own.

What decides the weights is here: the initial ones, the optimizer, and the Gaussians that say how
far an image is from the data.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING

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
from ganbench.scoring.backbones.classifier_plan import TrainingPlan, receive
from ganbench.scoring.metrics.modes import EXPECTED_OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.scoring.backbones.classifier_plan import Part

__all__ = ["augment", "train"]

_SEED = 0
_LARGEST_SHIFT = 2  # pixels
_LARGEST_RATE = 5e-3
_WEIGHT_DECAY = 0.05
_SMALLEST_VARIANCE = 1e-6  # of features, which are about 1; for classes of one image


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
        network.threshold.copy_(
            of_all[::2].quantile(1 - EXPECTED_OUTSIDE).clamp_min(torch.finfo().tiny)
        )
    others = of_all[1::2] if len(of_all) > 1 else of_all
    shares = torch.cat(right), (others <= network.threshold).float()
    accuracy, kept = (float(share.double().mean()) if len(share) else 0.0 for share in shares)
    return accuracy, kept


def _main() -> None:
    """Train what comes through the standard input, and write it to the file that is named."""
    pipe = sys.stdin.buffer
    plan = TrainingPlan(**json.loads(pipe.readline()))
    torch.set_num_threads(1)
    classifier = train(plan, receive(pipe))
    with open(sys.argv[1], "wb") as file:  # noqa: PTH123 - numpy would add an ending to a name
        write_classifier(file, classifier.network, classifier.accuracy, classifier.kept)


if __name__ == "__main__":
    _main()

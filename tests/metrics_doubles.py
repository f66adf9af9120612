"""Features whose classes are known: clusters drawn at random, and real handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

CLASSES = 10


@dataclass(frozen=True)
class LabelledFeatures:
    """Stands for `ganbench.scoring.backbones.backbone.Features`, with the labels beside them."""

    vectors: torch.Tensor
    probabilities: torch.Tensor
    labels: torch.Tensor
    logits: torch.Tensor | None = None
    distances: torch.Tensor | None = None

    @property
    def inside(self) -> torch.Tensor:
        if self.distances is None:
            return torch.ones(len(self.labels), dtype=torch.bool)
        return self.distances[:, 0] <= 1

    def __getitem__(self, rows) -> LabelledFeatures:
        return replace(
            self,
            vectors=self.vectors[rows],
            probabilities=self.probabilities[rows],
            labels=self.labels[rows],
        )

    def repeat(self, row: int, count: int) -> LabelledFeatures:
        """The features of a generator that draws one image again and again."""
        return self[torch.full((count,), row)]


def clusters(
    count: int, seed: int, *, classes: int = CLASSES, entries: int = 16
) -> LabelledFeatures:
    """Balanced classes as Gaussian clusters far apart, which the classifier names correctly.

    The centres are positive, as the features of networks are.
    """
    centres = abs(np.random.default_rng(99).standard_normal((classes, entries))) * 12
    random = np.random.default_rng(seed)
    labels = torch.arange(count) % classes
    vectors = centres[labels.numpy()] + random.standard_normal((count, entries))
    return LabelledFeatures(torch.from_numpy(vectors).float(), certain(labels, classes), labels)


def certain(
    labels: torch.Tensor, classes: int = CLASSES, probability: float = 0.91
) -> torch.Tensor:
    """Probabilities of a classifier that gives each label the same one."""
    rest = (1 - probability) / (classes - 1) if classes > 1 else 0.0
    one_hot = torch.nn.functional.one_hot(labels, classes).float()
    return one_hot * (probability - rest) + rest


@cache
def digits() -> tuple[LabelledFeatures, LabelledFeatures]:
    """Pixels of real digits: a training split and a held-out one, named by nearest neighbours."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(pixels))
    train, held_out = order[:900], order[900:]
    nearest = KNeighborsClassifier(5).fit(pixels[train], labels[train])
    first, second = (
        LabelledFeatures(
            torch.from_numpy(pixels[rows]).float(),
            torch.from_numpy(nearest.predict_proba(pixels[rows])).float(),
            torch.from_numpy(labels[rows]).long(),
        )
        for rows in (train, held_out)
    )
    return first, second

"""The splits of a self-test: real images, a pool, and held-out images.

All three come from the dataset's training split, stratified by class, and no image is in two of
them. The classifier has learnt that whole split, so it knows all three equally well: an image drawn
from the pool differs from a real one by chance alone, and so does a held-out one. That makes the
control fair. In a run the generated and held-out images are new to the classifier; a generator of
its own, which draws from the test split, shows what that changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganbench.data.dataset import Dataset, Split
from ganbench.errors import DataError, UsageError
from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MOST_IMAGES", "Splits", "choose_count", "divide"]

MOST_IMAGES = 1000
_FEWEST_IMAGES = 20
_HELD_OUT = 5  # images of the pool for each held-out one


@dataclass(frozen=True)
class Splits:
    """Chosen images, and which part each of them belongs to.

    Attributes:
        dataset: All of them, as its training split; its test split is what it was.
        real: int64, the rows that generators are compared with.
        pool: int64, the rows that generators draw from; each class has `count` or more.
        held_out: int64, rows that no generator draws: what memorisation is measured against.
        unseen: int64, rows of the dataset's test split, new to the classifier; empty where it is
            small.
        count: Images of every generator.
    """

    dataset: Dataset
    real: Tensor
    pool: Tensor
    held_out: Tensor
    unseen: Tensor
    count: int

    @property
    def labels(self) -> Tensor:
        """Class of each chosen image."""
        return self.dataset.train.labels

    @property
    def classes(self) -> list[int]:
        """The classes that occur."""
        return [int(label) for label in self.labels[self.pool].unique()]

    def part(self, rows: Tensor) -> Split:
        """Some of the images, with their labels."""
        return Split(self.dataset.train.images[rows], self.labels[rows])


def choose_count(dataset: Dataset, asked: int | None) -> int:
    """Images of every generator: as many as the smallest class allows, or as asked for.

    Raises:
        DataError: The dataset has one class, or a class is too small.
        UsageError: More were asked for than there are.
    """
    sizes = torch.bincount(dataset.train.labels, minlength=len(dataset.spec.class_names))
    present = sizes[sizes > 0]
    if len(present) < 2:  # noqa: PLR2004 - one cannot vanish
        raise DataError(
            f"{dataset.spec.name} has images of {len(present)} class: the self-test lets classes "
            "vanish and needs two or more"
        )
    smallest = int(present.min())
    most = _HELD_OUT * smallest // (2 * _HELD_OUT + 1)
    if most < _FEWEST_IMAGES:
        name = dataset.spec.class_names[int((sizes == smallest).nonzero()[0])]
        least = -(-_FEWEST_IMAGES * (2 * _HELD_OUT + 1) // _HELD_OUT)
        raise DataError(
            f"class {name} of {dataset.spec.name} has {smallest} training images: the self-test "
            f"divides each class into three parts and needs at least {least}; add images or leave "
            "the class out"
        )
    if asked is None:
        return min(MOST_IMAGES, most)
    if not _FEWEST_IMAGES <= asked <= most:
        raise UsageError(
            f"--images {asked} cannot be: {dataset.spec.name} allows {_FEWEST_IMAGES} to {most} "
            f"(its smallest class has {smallest} training images for three splits)"
        )
    return asked


def divide(dataset: Dataset, count: int, draws: int) -> Splits:
    """Choose images in the classes' own proportions, no more than `count` a generator needs.

    Args:
        dataset: What to choose from.
        count: Images of every generator, from `choose_count`.
        draws: Number of draws of distinct images wanted from the test split, where it is large
            enough.
    """
    random = generator(0, "self-test sides")  # another key would choose other images
    labels = dataset.train.labels.cpu()
    sizes = torch.bincount(labels)
    smallest = int(sizes[sizes > 0].min())
    parts: tuple[list[Tensor], ...] = ([], [], [])
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=random)]
        share = len(rows) * count // smallest
        for part, some in zip(
            parts, rows.split([share, share, len(rows) - 2 * share]), strict=True
        ):
            part.append(some[: max(1, share // _HELD_OUT)] if part is parts[-1] else some)
    real, pool, held_out = (torch.cat(part) for part in parts)

    order = torch.randperm(len(dataset.test), generator=random)
    unseen = order[: draws * count] if len(order) >= count else order[:0]
    chosen = torch.cat([real, pool, held_out])
    images = torch.cat([dataset.train.images[chosen], dataset.test.images[unseen]])
    known = torch.cat([labels[chosen], dataset.test.labels.cpu()[unseen]])
    lengths = [len(real), len(pool), len(held_out), len(unseen)]
    places = torch.arange(len(known)).split(lengths)  # of the four parts, one after the other
    joined = Dataset.of(dataset.spec, Split(images, known), dataset.test)
    return Splits(joined, places[0], places[1], places[2], places[3], count)

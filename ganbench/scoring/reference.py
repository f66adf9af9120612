"""The real side of a comparison: what is known of the real images, and scores against them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ganbench.data.cache import UNREADABLE, is_intact, say_damaged, whole
from ganbench.data.catalogue import TRIANGLES, short_dataset
from ganbench.data.dataset import ignore_progress
from ganbench.data.kinds import IMAGES, StoredForm, form_of
from ganbench.scoring.backbones.backbone import Backbone, Features, cached_file, real_features
from ganbench.scoring.backbones.channels import joint_probabilities
from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.metrics.catalogue import POINTS_BACKBONE
from ganbench.scoring.metrics.fid import Statistics
from ganbench.scoring.metrics.manifold import MANIFOLD_IMAGES, manifold_precision_recall
from ganbench.scoring.metrics.neighbours import NEIGHBOUR_LIMIT
from ganbench.scoring.metrics.real_side import RealSide
from ganbench.scoring.protocol import MODES_BY_ARGMAX, MODES_BY_SHARE, Noise, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from ganbench.data.dataset import Dataset, Progress
    from ganbench.scoring.metrics.all_scores import AllScores

__all__ = ["FAKE_COUNT", "STACKED_COUNT", "Noise", "Reference", "part_of"]

_Kept = TypeVar("_Kept", Statistics, RealSide)

FAKE_COUNT = IMAGES.most_fakes
STACKED_COUNT = 26_000
"""Images that a generator of stacked digits draws, as published tables have it: 26 a mode."""


@dataclass(frozen=True)
class Reference:
    """The real side of a comparison, the same for every run on a dataset.

    Attributes:
        dataset: The images.
        backbone: What describes them.
        real: Features of the training split.
        held_out: Features of the test split.
        statistics: Mean and covariance of `real`.
        limit: The most images of a generator that are scored; None for as many as is usual.
        cache_root: Where what is found out of the real images is kept; None for nowhere.
    """

    dataset: Dataset
    backbone: Backbone
    real: Features
    held_out: Features
    statistics: Statistics
    limit: int | None = None
    cache_root: Path | None = None

    @classmethod
    def of(
        cls, dataset: Dataset, backbone: Backbone, cache_root: Path, report: Progress
    ) -> Reference:
        """Describe the real images, or read from the cache what is known of them.

        Raises:
            DataError: The cache cannot be written.
        """
        real, held_out = (
            real_features(backbone, dataset, cache_root, report, split)
            for split in ("train", "test")
        )
        if backbone.name == POINTS_BACKBONE:
            return cls(dataset, backbone, real, held_out, Statistics.of(real.vectors))
        file = cached_file(backbone, dataset, cache_root, "statistics")
        statistics = _cached(file, Statistics, lambda: Statistics.of(real.vectors))
        return cls(dataset, backbone, real, held_out, statistics, cache_root=cache_root)

    @property
    def fake_count(self) -> int:
        """Images that a generator has to draw: 10,000, or fewer for a small dataset.

        2,500 points, 26,000 of stacked digits; and never more than `limit`.
        """
        count = STACKED_COUNT if self.backbone.stacked else self.form.most_fakes
        usual = min(count, len(self.dataset.train.labels))
        return usual if self.limit is None else min(usual, self.limit)

    @property
    def form(self) -> StoredForm:
        """How the data are stored."""
        return form_of(self.dataset.spec)

    @property
    def stored_size(self) -> int:
        """Height and width of the stored images, in pixels; of points, their dimensions."""
        return int(self.dataset.train.images.shape[-1])

    def features_of(self, images: Tensor, report: Progress = ignore_progress) -> Features:
        """Features of generated images, which are brought to the size of the stored ones first.

        Args:
            images: uint8 of shape (n, channels, size, size), or points.
            report: Called with the progress.
        """
        return self.backbone.extract(self.form.from_size(images, self.stored_size), report)

    def manifold_scores(self, images: Tensor) -> dict[str, float]:
        """Precision and recall on the manifold of triangles; empty for other datasets.

        Args:
            images: Generated ones, uint8 of shape (n, channels, size, size).
        """
        if self.dataset.spec.name != TRIANGLES:
            return {}
        returned = self.form.from_size(images[:MANIFOLD_IMAGES], self.stored_size)
        precision, recall = manifold_precision_recall(returned)
        return {"manifold_precision": precision, "manifold_recall": recall}

    def class_probabilities(self, features: Features) -> Tensor:
        """The probability of each class of the dataset, float32 (n, classes)."""
        known = features.probabilities
        return joint_probabilities(known) if self.backbone.stacked else known

    def score(self, fake: Features, seed: int) -> AllScores:
        """Compute every score that needs no more than the features of generated images.

        Args:
            fake: Their features, by this backbone.
            seed: Decides which images are chosen where a score looks at some of them.
        """
        return score(
            self.real,
            replace(fake, probabilities=self.class_probabilities(fake)),
            real_labels=self.dataset.train.labels,
            real_side=self._real_side(len(fake.vectors), seed),
            held_out=None if self.backbone.name == POINTS_BACKBONE else self.held_out,
            seed=seed,
            backbone=self.backbone.name,
            real_statistics=self.statistics,
            modes_by_argmax=self.backbone.stacked,
        )

    def _real_side(self, fake_count: int, seed: int) -> RealSide | None:
        """What is the same for all generators of a seed, from the cache where it is there."""
        if self.cache_root is None or self.backbone.name == POINTS_BACKBONE:
            return None
        return _cached(
            cached_file(
                self.backbone, self.dataset, self.cache_root, f"beside-{fake_count}-seed-{seed}"
            ),
            RealSide,
            lambda: RealSide.of(
                self.real.vectors, fake_count, self.held_out.vectors, seed=seed, has_kid=True
            ),
        )

    def protocol(self, noise: Noise = "all") -> Protocol:
        """All that the scores depend on besides the generator."""
        real_count = len(self.real.vectors)
        fake_count = len(part_of(range(self.fake_count), noise))
        protocol = Protocol(
            dataset=short_dataset(self.dataset.spec.name),
            dataset_fingerprint=self.dataset.fingerprint,
            real_split="train",
            real_count=real_count,
            fake_count=fake_count,
            neighbour_count=min(NEIGHBOUR_LIMIT, real_count, fake_count),
            backbone=self.backbone.name,
            backbone_hash=self.backbone.hash,
            classifier_hash=self.backbone.classifier.hash,
            classifier_accuracy=self.backbone.classifier.accuracy,
            resolution=self.backbone.resolution,
            modes_rule=MODES_BY_ARGMAX if self.backbone.stacked else MODES_BY_SHARE,
        )
        return protocol if self.form.kind == "image" else replace(protocol, resize="none")


def _cached(file: Path, kind: type[_Kept], make: Callable[[], _Kept]) -> _Kept:
    """Read what an earlier process has stored, or make and store it."""
    try:
        if is_intact(file):
            return kind.load(file)
    except UNREADABLE as error:
        say_damaged(file, type(error).__name__)
    made = make()
    with whole(file, sealed=True) as temporary:
        made.save(temporary)
    return made


def part_of(rows: Any, noise: Noise) -> Any:
    """The rows of one half, or all."""
    middle = len(rows) // 2
    return {"all": rows, "choosing": rows[:middle], "reporting": rows[middle : 2 * middle]}[noise]

"""Scoring a trained generator: draw, extract features, compute every score."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import torch

from ganbench.data.cache import UNREADABLE, is_intact, say_damaged, whole
from ganbench.data.catalogue import TRIANGLES, short_dataset
from ganbench.data.dataset import ignore_progress
from ganbench.data.kinds import IMAGES, StoredForm, form_of
from ganbench.machine.memory import release_host_memory
from ganbench.machine.random_streams import generator
from ganbench.scoring import draw
from ganbench.scoring.backbones.backbone import Backbone, Features, cached_file, real_features
from ganbench.scoring.backbones.channels import joint_probabilities
from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.metrics.catalogue import POINTS_BACKBONE
from ganbench.scoring.metrics.constants import PROMPT_IMAGE_LIMIT, images_per_prompt
from ganbench.scoring.metrics.fid import Statistics
from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid
from ganbench.scoring.metrics.manifold import MANIFOLD_IMAGES, manifold_precision_recall
from ganbench.scoring.metrics.neighbours import NEIGHBOUR_LIMIT
from ganbench.scoring.metrics.prompt_alignment import prompt_alignment
from ganbench.scoring.protocol import MODES_BY_ARGMAX, MODES_BY_SHARE, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from ganbench.data.dataset import Dataset, Progress
    from ganbench.machine.device import Device
    from ganbench.scoring.metrics.all_scores import AllScores
    from ganbench.training.session import Session

__all__ = ["FAKE_COUNT", "STACKED_COUNT", "Evaluation", "Noise", "Reference", "evaluate"]

FAKE_COUNT = IMAGES.most_fakes
STACKED_COUNT = 26_000
"""Images that a generator of stacked digits draws, as published tables have it: 26 a mode."""

Noise = Literal["all", "choosing", "reporting"]
"""Which latents images are drawn from: all of them, or one of two halves that share none. What is
chosen by its score on the one half is reported by its score on the other."""


@dataclass(frozen=True)
class Reference:
    """The real side of a comparison, the same for every run on a dataset.

    Attributes:
        dataset: The images.
        backbone: What describes them.
        real: Features of the training split.
        held_out: Features of the test split.
        statistics: Mean and covariance of `real`.
    """

    dataset: Dataset
    backbone: Backbone
    real: Features
    held_out: Features
    statistics: Statistics

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
        try:
            statistics = Statistics.load(file) if is_intact(file) else None
        except UNREADABLE as error:
            say_damaged(file, type(error).__name__)
            statistics = None
        if statistics is None:
            statistics = Statistics.of(real.vectors)
            with whole(file, sealed=True) as temporary:
                statistics.save(temporary)
        return cls(dataset, backbone, real, held_out, statistics)

    @property
    def fake_count(self) -> int:
        """Images that a generator has to draw: 10,000, or fewer for a small dataset.

        2,500 points, 26,000 of stacked digits.
        """
        count = STACKED_COUNT if self.backbone.stacked else self.form.most_fakes
        return min(count, len(self.dataset.train.labels))

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
            held_out=None if self.backbone.name == POINTS_BACKBONE else self.held_out,
            seed=seed,
            backbone=self.backbone.name,
            real_statistics=self.statistics,
            modes_by_argmax=self.backbone.stacked,
        )

    def protocol(self, noise: Noise = "all") -> Protocol:
        """All that the scores depend on besides the generator."""
        real_count = len(self.real.vectors)
        fake_count = len(_part(range(self.fake_count), noise))
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


@dataclass(frozen=True)
class Evaluation:
    """Scores of one generator, and what they depend on.

    Attributes:
        scores: By name.
        class_histogram: Share of each class among real and generated images.
        protocol: What the scores depend on.
        sample_images_per_second: Images drawn per second.
        class_scores: By class, `fid` within it and `alignment`, the share of images drawn for it
            that the classifier gives to it; for variants that draw by class or caption.
        notes: Where the scores do not mean what they seem to, in sentences.
    """

    scores: dict[str, float | None]
    class_histogram: dict[str, dict[str, float]]
    protocol: Protocol
    sample_images_per_second: float
    class_scores: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def evaluate(
    session: Session,
    reference: Reference,
    device: Device,
    report: Callable[[str, int, int], None],
    noise: Noise = "all",
) -> Evaluation:
    """Score the generator of a session. The same seed gives each variant the same noise.

    Args:
        session: A trained run.
        reference: The real side.
        device: Where the networks are.
        report: Called with the progress.
        noise: Which latents to draw from.
    """
    state, seed = session.state, session.seed
    session.train.release()
    release_host_memory()
    count = reference.fake_count
    latent = _part(draw.latents(state, count, seed, "evaluation latents"), noise)
    conditions = labels = None
    if state.takes_condition and session.conditions is not None:
        labels = _part(_labels(reference.dataset, count, seed), noise)
        conditions = session.conditions.cpu()[labels]

    # Drawing, with its speed
    drawing, total = "drawing images to score", len(latent)
    report(drawing, 0, total)
    first = slice(draw.BATCH_SIZE)
    draw.draw(state, device, latent[first], None if conditions is None else conditions[first])
    device.synchronize()
    begun = time.perf_counter()
    images = draw.draw(
        state, device, latent, conditions, lambda done: report(drawing, min(done, total - 1), total)
    )
    device.synchronize()
    rate = total / (time.perf_counter() - begun)
    report(drawing, total, total)
    release_host_memory()

    # Scores
    fake = reference.features_of(images, report)
    manifold = reference.manifold_scores(images)
    del images
    release_host_memory()
    report("computing scores", 0, 0)
    computed = reference.score(fake, seed)
    report("computing scores", 1, 1)
    alignments = _alignments(session, reference, device, noise)
    distances: dict[int, float] = {}
    if labels is not None:
        real_labels = reference.dataset.train.labels.cpu()
        distances = fid_by_class(reference.real.vectors, real_labels, fake.vectors, labels)
    names = reference.dataset.spec.class_names
    scores = {
        **computed.scores,
        **manifold,
        "prompt_alignment": alignments[0] if alignments else None,
        "intra_fid": intra_fid(distances, len(names)),
    }
    return Evaluation(
        scores=scores,
        class_scores=_class_scores(names, distances, alignments[1:]),
        class_histogram=_named(computed.class_histogram, reference.dataset.spec.class_names),
        protocol=reference.protocol(noise),
        sample_images_per_second=rate,
        notes=computed.notes,
    )


def _labels(dataset: Dataset, count: int, seed: int) -> Tensor:
    """Classes to draw, in the proportions of the training split."""
    labels = dataset.train.labels.cpu()
    chosen = torch.randperm(len(labels), generator=generator(seed, "evaluation labels"))
    return labels[chosen[:count]]


def _part(rows: Any, noise: Noise) -> Any:
    """The rows of one half, or all."""
    middle = len(rows) // 2
    return {"all": rows, "choosing": rows[:middle], "reporting": rows[middle : 2 * middle]}[noise]


def _alignments(
    session: Session, reference: Reference, device: Device, noise: Noise
) -> list[float]:
    """Share of the images drawn for a class that are of it: of all, and of each class in order.

    Empty for a variant that does not draw by class or caption.
    """
    state = session.state
    if state.condition is None or not (state.takes_condition or state.condition.use == "latent"):
        return []
    spec = reference.dataset.spec
    conditions = state.conditions(spec)
    each = images_per_prompt(PROMPT_IMAGE_LIMIT, reference.fake_count, len(spec.captions))
    drawn = [
        _part(
            draw.draw_prompt(state, device, caption, each, session.seed)
            if conditions is None
            else draw.draw_class(state, device, conditions[label], each, session.seed),
            noise,
        )
        for label, caption in enumerate(spec.captions)
    ]
    count = len(drawn[0])
    features = reference.features_of(torch.cat(drawn))
    wanted, inside = torch.arange(len(drawn)).repeat_interleave(count), features.inside
    probabilities = reference.class_probabilities(features)
    rows = [slice(None), *(slice(start, start + count) for start in range(0, len(wanted), count))]
    return [prompt_alignment(probabilities[some], wanted[some], inside[some]) for some in rows]


def _class_scores(
    names: tuple[str, ...], distances: dict[int, float], alignments: list[float]
) -> dict[str, dict[str, float]]:
    """The scores of each class that has some, by its name."""
    scores: dict[str, dict[str, float]] = {}
    for label, distance in distances.items():
        scores.setdefault(names[label], {})["fid"] = distance
    for label, alignment in enumerate(alignments):
        scores.setdefault(names[label], {})["alignment"] = alignment
    return scores


def _named(histogram: dict[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    return {
        side: {names[int(index)]: share for index, share in shares.items()}
        for side, shares in histogram.items()
    }

"""Scoring a trained generator: draw, extract features once, and compute every score from them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ganbench import sample
from ganbench.data.catalogue import short_dataset
from ganbench.features import Backbone, Features
from ganbench.metrics.alignment import prompt_alignment
from ganbench.metrics.fid import Statistics
from ganbench.metrics.neighbours import NEIGHBOUR_LIMIT
from ganbench.metrics.panel import score
from ganbench.result import Protocol
from ganbench.streams import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ganbench.data.dataset import Dataset
    from ganbench.device import Device
    from ganbench.metrics.panel import Panel
    from ganbench.session import Session

__all__ = ["FAKE_COUNT", "Evaluation", "Reference", "evaluate"]

FAKE_COUNT = 10_000
_PROMPT_IMAGES = 1000


@dataclass(frozen=True)
class Reference:
    """The real side of a comparison, the same for every run on a dataset.

    Attributes:
        dataset: The images.
        backbone: What describes them.
        real: Features of the training split.
        held_out: Features of the test split.
    """

    dataset: Dataset
    backbone: Backbone
    real: Features
    held_out: Features

    @cached_property
    def statistics(self) -> Statistics:
        """Mean and covariance of the real features, computed once."""
        return Statistics.of(self.real.vectors)

    @property
    def fake_count(self) -> int:
        """Images that a generator has to draw: 10,000, or fewer for a small dataset."""
        return min(FAKE_COUNT, len(self.dataset.train.labels))

    def score(self, fake: Features, seed: int) -> Panel:
        """Compute every score that needs no more than the features of generated images.

        Args:
            fake: Their features, by this backbone.
            seed: Decides which images are chosen where a score looks at some of them.
        """
        return score(
            self.real,
            fake,
            real_labels=self.dataset.train.labels,
            held_out=self.held_out,
            seed=seed,
            backbone=self.backbone.name,
            real_statistics=self.statistics,
        )

    def protocol(self, *, ema: bool) -> Protocol:
        """All that the scores depend on besides the generator."""
        real_count = len(self.real.vectors)
        return Protocol(
            dataset=short_dataset(self.dataset.spec.name),
            dataset_fingerprint=self.dataset.fingerprint,
            real_split="train",
            real_count=real_count,
            fake_count=self.fake_count,
            neighbour_count=min(NEIGHBOUR_LIMIT, real_count, self.fake_count),
            backbone=self.backbone.name,
            backbone_hash=self.backbone.hash,
            judge_hash=self.backbone.judge.hash,
            judge_accuracy=self.backbone.judge.accuracy,
            resolution=self.backbone.resolution,
            ema=ema,
        )


@dataclass(frozen=True)
class Evaluation:
    """Scores of one generator, and what they depend on."""

    scores: dict[str, float | None]
    class_histogram: dict[str, dict[str, float]]
    protocol: Protocol
    sample_images_per_second: float


def evaluate(
    session: Session,
    reference: Reference,
    device: Device,
    report: Callable[[str, int, int], None],
) -> Evaluation:
    """Score the generator of a session. The same seed gives each variant the same noise.

    Args:
        session: A trained run.
        reference: The real side.
        device: Where the networks are.
        report: Told how far the work is.
    """
    state, seed = session.state, session.seed
    count = reference.fake_count
    latent = sample.latents(state, count, seed, "evaluation latents")
    conditions = None
    if state.takes_condition and session.conditions is not None:
        conditions = session.conditions.cpu()[_labels(reference.dataset, count, seed)]

    # Drawing, with its speed
    report("drawing images to score", 0, 2)
    first = slice(sample.BATCH_SIZE)
    sample.draw(state, device, latent[first], None if conditions is None else conditions[first])
    device.synchronize()
    begun = time.perf_counter()
    images = sample.draw(state, device, latent, conditions)
    device.synchronize()
    rate = count / (time.perf_counter() - begun)
    report("drawing images to score", 2, 2)

    # Scores
    fake = reference.backbone.extract(images, report)
    panel = reference.score(fake, seed)
    scores = {**panel.scores, "prompt_alignment": _alignment(session, reference, device)}
    return Evaluation(
        scores=scores,
        class_histogram=_named(panel.class_histogram, reference.dataset.spec.class_names),
        protocol=reference.protocol(ema=state.average is not None),
        sample_images_per_second=rate,
    )


def _labels(dataset: Dataset, count: int, seed: int) -> Tensor:
    """Classes to draw, in the proportions of the training split."""
    labels = dataset.train.labels.cpu()
    chosen = torch.randperm(len(labels), generator=generator(seed, "evaluation labels"))
    return labels[chosen[:count]]


def _alignment(session: Session, reference: Reference, device: Device) -> float | None:
    """Share of the images drawn from a class's caption that are of that class."""
    state = session.state
    if state.condition is None:
        return None
    captions = reference.dataset.spec.captions
    each = max(1, min(_PROMPT_IMAGES, reference.fake_count) // len(captions))
    drawn = [sample.draw_prompt(state, device, caption, each, session.seed) for caption in captions]
    wanted = torch.arange(len(captions)).repeat_interleave(each)
    judged = reference.backbone.extract(torch.cat(drawn))
    return prompt_alignment(judged.probabilities, wanted)


def _named(histogram: dict[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    return {
        side: {names[int(index)]: share for index, share in shares.items()}
        for side, shares in histogram.items()
    }

"""Scoring a trained generator: draw, extract features, compute every score."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from ganbench.machine.memory import release_host_memory
from ganbench.machine.random_streams import generator
from ganbench.scoring import draw
from ganbench.scoring.metrics.constants import PROMPT_IMAGE_LIMIT, images_per_prompt
from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid
from ganbench.scoring.metrics.prompt_alignment import prompt_alignment
from ganbench.scoring.protocol import Protocol
from ganbench.scoring.reference import Noise, Reference, part_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ganbench.data.dataset import Dataset
    from ganbench.machine.device import Device
    from ganbench.training.session import Session

__all__ = ["Evaluation", "evaluate"]


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
    latent = part_of(draw.latents(state, count, seed, "evaluation latents"), noise)
    conditions = labels = None
    if state.takes_condition and session.conditions is not None:
        labels = part_of(_labels(reference.dataset, count, seed), noise)
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
        part_of(
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

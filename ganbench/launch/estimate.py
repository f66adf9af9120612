"""What the runs of a plan will take, measured by a few real steps where no earlier run tells."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch

from ganbench.data.dataset import Split
from ganbench.data.kinds import form_of
from ganbench.data.noise import noise_dataset
from ganbench.launch.failures import from_variant, variant_code
from ganbench.launch.resources import build_session
from ganbench.launch.timings import Cost, read_cost
from ganbench.machine.memory import release_host_memory
from ganbench.scoring import draw
from ganbench.scoring.backbones.backbone import Features
from ganbench.scoring.backbones.classifier_network import ClassifierNetwork
from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.reference import STACKED_COUNT
from ganbench.training.loop import train
from ganbench.training.session import MEASURED_AT_FIRST
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device
    from ganbench.training.session import Session
    from ganbench.variant.definition import DatasetSpec

__all__ = ["estimate"]

_SECONDS = Budget(1.5, "s")
_FEWEST_STEPS = 4
_NEVER = Budget(1e12, "steps")
_IMAGES = 250
_INCEPTION_TIMES = 40  # what InceptionV3 at 299 pixels takes of the classifier's time at 32
# Rows of features that are scored, to see how scores grow with them: of few there are parts that
# grow no further, and of vectors of Inception's length many would take minutes
_ROWS, _ROWS_OF_LONG = (3000, 6000), (500, 1500)
_VECTOR = {"inception": 2048, "efficientnet": 1280}
_CLASSIFIER_VECTOR = 128


@dataclass(frozen=True)
class _Counts:
    """How many images are scored: generated ones, and real ones that they are compared with."""

    fakes: int
    reals: int


def estimate(job: Job, device: Device, cache_root: Path, backbone: str, display: Display) -> Cost:
    """What a job takes: as an earlier run of this machine says, or else by a few real steps.

    The steps are real, the images are noise of the dataset's shape, so that nothing is downloaded.

    Args:
        job: What would be done.
        device: What would train it.
        cache_root: Where earlier timings are.
        backbone: What would describe its images.
        display: Where the progress is shown.

    Raises:
        VariantFailure: The variant's code or a step raised something.
    """
    known = read_cost(cache_root, job, device.name)
    if known is not None:
        return known
    display.update(f"{job.variant}: a few steps", 0, 0)
    dataset = noise_dataset(job.spec, job.image_size)
    images = form_of(job.spec).at_size(dataset.train.images, job.image_size).to(device.torch)
    device.reset_peak_memory()
    with variant_code(job):
        labels = dataset.train.labels.to(device.torch)
        session = build_session(job, Split(images, labels), device)
        session.steps = MEASURED_AT_FIRST  # earlier steps are all measured for the history
        step_seconds = _step_seconds(job, session)
        device.note_memory()
        memory = device.peak_memory_bytes()
        drawing = _drawing_seconds(session)
    display.update(f"{job.variant}: a few steps", 1, 1)
    del session, images
    release_host_memory()
    counts = _counts(job.spec)
    display.update("scores of a few features", 0, 0)
    scoring = _scoring_seconds(job.spec, backbone, device, counts)
    display.update("scores of a few features", 1, 1)
    return Cost(
        step_seconds, drawing * counts.fakes + scoring, memory, "a few steps", is_measured=True
    )


def _counts(spec: DatasetSpec) -> _Counts:
    most = STACKED_COUNT if spec.name.startswith("stacked-") else form_of(spec).most_fakes
    return _Counts(min(most, spec.train_count), spec.train_count)


def _step_seconds(job: Job, session: Session) -> float:
    for budget in (_SECONDS, Budget(MEASURED_AT_FIRST + _FEWEST_STEPS, "steps")):
        for _ in from_variant(job, train(session, budget, _NEVER)):
            pass
    done = session.steps - MEASURED_AT_FIRST
    return session.clock.timing(session.images_a_step).median or session.clock.seconds / done


def _drawing_seconds(session: Session) -> float:
    """Of one image."""
    state, device = session.state, session.device
    latent = draw.latents(state, _IMAGES, session.seed, "evaluation latents")
    conditions = None
    if session.conditions is not None:
        conditions = draw.in_turn(session.conditions.cpu(), _IMAGES)
    draw.draw(state, device, latent[:2], None if conditions is None else conditions[:2])
    device.synchronize()
    begun = time.perf_counter()
    draw.draw(state, device, latent, conditions)
    device.synchronize()
    return (time.perf_counter() - begun) / _IMAGES


def _scoring_seconds(spec: DatasetSpec, backbone: str, device: Device, counts: _Counts) -> float:
    """Of features and scores; those of the real images are kept in the cache after the first."""
    if spec.kind == "points":
        width, each = spec.channels, 0.0
    else:
        width = _VECTOR.get(backbone, _CLASSIFIER_VECTOR)
        each = _feature_seconds(spec, device)
        if backbone in _VECTOR:
            each += _INCEPTION_TIMES * each * (32 / max(spec.native_size, 1)) ** 2
    most = _ROWS_OF_LONG if backbone in _VECTOR else _ROWS
    few, more = (min(rows, counts.fakes) for rows in most)
    seconds = [_score_seconds(rows, width, len(spec.class_names)) for rows in (few, more)]
    pairs = [2 * rows**2 for rows in (few, more)]
    growth = max(0.0, seconds[1] - seconds[0]) / max(1, pairs[1] - pairs[0])
    wanted = counts.fakes * (counts.fakes + min(counts.reals, 2 * counts.fakes))
    return each * counts.fakes + seconds[1] + growth * max(0, wanted - pairs[1])


@torch.inference_mode()
def _feature_seconds(spec: DatasetSpec, device: Device) -> float:
    """Of one image, by a classifier that knows nothing yet."""
    network = ClassifierNetwork(spec.channels, spec.native_size, len(spec.class_names)).eval()
    network.to(device.torch)
    images = torch.zeros(_IMAGES, spec.channels, spec.native_size, spec.native_size)
    images = images.to(device.torch)
    network(images[:2])
    device.synchronize()
    begun = time.perf_counter()
    network(images)
    device.synchronize()
    return (time.perf_counter() - begun) / _IMAGES


@cache  # the variants of a plan share a dataset
def _score_seconds(rows: int, width: int, classes: int) -> float:
    generator = torch.Generator().manual_seed(0)
    real, fake = (
        Features(
            torch.randn(rows, width, generator=generator),
            torch.rand(rows, classes, generator=generator),
        )
        for _ in range(2)
    )
    begun = time.perf_counter()
    score(
        real,
        fake,
        real_labels=torch.arange(rows) % classes,
        held_out=real,
        backbone="classifier",
    )
    return time.perf_counter() - begun

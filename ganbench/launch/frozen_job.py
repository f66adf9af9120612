"""A job without training: images or a generator made elsewhere, scored as runs are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ganbench.errors import ContractError
from ganbench.experiment.frozen import opened
from ganbench.experiment.result import NO_BUDGET
from ganbench.experiment.store import writing
from ganbench.fakes.scored import FEWEST, score_source
from ganbench.machine.whole_files import whole
from ganbench.scoring.pictures import pictures_of

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.experiment.result import RunResult
    from ganbench.launch.resources import Resources

__all__ = ["check_frozen", "score_frozen"]


def check_frozen(job: Job, resources: Resources) -> None:
    """See that a job's images fit its dataset, by a few of them, before anything is trained.

    Raises:
        UsageError: They do not fit, or cannot be read.
    """
    source = opened(job.frozen)
    source.take(resources.dataset(job), FEWEST, job.seed)


def score_frozen(job: Job, resources: Resources, folder: Path, basis: RunResult) -> RunResult:
    """Score a job's images; the record has no speed, as nothing was trained.

    Args:
        job: What to score.
        resources: Where, and with what.
        folder: Of the run that is not finished, which gets a grid of samples.
        basis: The record to be filled.

    Raises:
        ContractError: The files are no longer what they were when the job was planned.
        UsageError: They do not fit the dataset, or the folder cannot be written.
    """
    source = opened(job.frozen)
    report = resources.display.report
    if source.hash(report) != job.source_hash:
        raise ContractError(
            f"{job.frozen} has changed since the command began: give it again, "
            "with another --out or with --fresh"
        )
    reference = resources.reference(job)
    scored = score_source(
        source, reference, seed=job.seed, cache_root=resources.cache_root, report=report
    )
    for note in scored.notes:
        resources.display.say(f"{job.id}: {note}")
    pictures = pictures_of(job.spec)
    count = min(pictures.count, scored.images)
    images = source.take(reference.dataset, count, job.seed).images
    samples = folder / "samples"
    with writing(samples):
        samples.mkdir(exist_ok=True)
        real = reference.dataset.train.images[:count].cpu()
        with whole(samples / "step-0000000.png") as temporary:
            pictures.at_step(real, images, 0).save(temporary)
    return replace(
        basis,
        status="ok",
        variant_title=job.title,
        budget=NO_BUDGET,
        scores=scored.scores,
        class_histogram=scored.class_histogram,
        class_scores=scored.class_scores,
        references=scored.references,
        notes=(*basis.notes, *scored.notes),
        backbone=scored.protocol.backbone,
        protocol=scored.protocol.hash,
        protocol_fields=asdict(scored.protocol),
    )

"""Reading what jobs need before any of them trains, so that what is missing is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench import data
from ganbench.launch.frozen_job import check_frozen
from ganbench.scoring.backbones.backbone import foreseen_backbone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.launch.resources import Resources

__all__ = ["check_obtainable", "prepare"]


def check_obtainable(
    jobs: Sequence[Job], context: CommandContext, display: Display
) -> dict[str, str]:
    """See within seconds that datasets and weights are there, or could be downloaded.

    What would be downloaded is said; nothing is read whole, downloaded or written.

    Args:
        jobs: Those of a plan.
        context: Where to look.
        display: Where that is said.

    Returns:
        By dataset, the backbone that its images will be described by.

    Raises:
        UsageError: A dataset or the weights of a backbone can neither be found nor be downloaded.
    """
    backbones: dict[str, str] = {}
    lines: list[str] = []
    for job in {job.spec.name: job for job in jobs}.values():  # a plan asks for one backbone
        lines.append(data.check_obtainable(job.spec.name, context.data_root))
        backbones[job.spec.name], weights = foreseen_backbone(
            job.backbone, job.spec, context.cache_root, context.inception_weights
        )
        lines.append(weights)
    for line in dict.fromkeys(filter(None, lines)):  # datasets share the backbone's
        display.say(line)
    return backbones


def prepare(jobs: Sequence[Job], resources: Resources, *, side_by_side: bool = False) -> None:
    """Read datasets and weights that may be missing.

    What can be computed without fail, such as a classifier, waits until a run has been trained.
    But runs side by side have all of it in the cache before, as each would compute it for itself.

    Args:
        jobs: Those that are not finished.
        resources: Where to look, and what to show.
        side_by_side: Whether several of them run at a time.

    Raises:
        UsageError: A dataset or a weights file is not there or cannot be read, or the cache cannot
            be written.
    """
    for job in jobs:
        resources.prepare(job)
        if job.frozen:
            check_frozen(job, resources)
        if side_by_side:
            resources.reference(job)
        if side_by_side and not job.frozen:
            resources.training_split(job)

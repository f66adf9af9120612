"""Reading what jobs need before any of them trains, so that what is missing is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.launch.frozen_job import check_frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.resources import Resources

__all__ = ["prepare"]


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

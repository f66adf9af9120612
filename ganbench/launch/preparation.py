"""Preparing a dataset on the machine of a run, by one process for all that want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filelock import FileLock

from ganbench.launch import process_pool
from ganbench.launch.tasks import PreparationTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.launch.tasks import Task

__all__ = ["prepare_once"]

_prepared: set[tuple[str, str, int]] = set()  # datasets, by this process


def prepare_once(
    job: Job,
    context: CommandContext,
    display: Display,
    threads: int | None,
    placed: Callable[[Task], Task] = lambda task: task,
) -> None:
    """Have in the cache what runs side by side would each compute for themselves.

    A classifier may have to be trained, and features of all real images be extracted. The first
    process that needs them does it while the others wait, and they find them in the cache.

    Args:
        job: About to be done.
        context: Names the cache.
        display: Where progress is shown.
        threads: Of the run, on which the last digits of features depend; None for all.
        placed: Gives what is done in place of a task, such as the same on some card.

    Raises:
        UsageError: A dataset or a weights file is missing, or the cache cannot be written.
        Stopped: The process was asked to stop.
    """
    dataset = (job.spec.name, job.backbone, job.image_size)
    if dataset in _prepared:
        return
    context.cache_root.mkdir(parents=True, exist_ok=True)
    task = PreparationTask((job,), context, side_by_side=True, threads=threads)
    with FileLock(context.cache_root / "preparing.lock"):
        process_pool.carry_out([placed(task)], display)
    _prepared.add(dataset)

"""Where jobs run: one after the other in this process, or side by side in several.

A job is told by its record alone and its result by its folder, so that another place to run jobs
needs nothing else.
"""

from __future__ import annotations

import datetime
import itertools
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ganbench.errors import GanbenchError, UsageError
from ganbench.progress import Display
from ganbench.result import SCHEMA
from ganbench.run import run_job
from ganbench.store import ResultsFolder
from ganbench.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.device import Device
    from ganbench.plan import Job, Plan
    from ganbench.store import StoredRun

__all__ = ["check_folder", "choose_folder", "launch", "plan_record", "prepare"]


def choose_folder(out: Path | None, plan: Plan, device: str) -> ResultsFolder:
    """The folder that was named, or the first one of today that is new or holds this very plan."""
    if out is not None:
        return ResultsFolder(out)
    stem = f"{datetime.datetime.now().astimezone():%Y-%m-%d}_{device}_{plan.topic}"
    wanted = [job.id for job in plan.jobs]
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    folders = (ResultsFolder(Path("results") / name) for name in names)
    return next(
        folder for folder in folders if not folder.path.exists() or _planned(folder) == wanted
    )


def _planned(folder: ResultsFolder) -> list[str]:
    """Names of the runs that the plan in a folder asks for; none where there is no plan."""
    stored = folder.read_plan() or {}
    return [row["run_id"] for row in stored.get("jobs", [])]


def plan_record(plan: Plan, device: Device, command: str) -> dict[str, Any]:
    """What the results folder says of the plan."""
    return {
        "schema": SCHEMA,
        "title": f"{', '.join(dict.fromkeys(job.variant for job in plan.jobs))} on {plan.topic}",
        "command": command,
        "created": f"{datetime.datetime.now().astimezone():%Y-%m-%d}",
        "device": device.kind,
        "device_name": device.name,
        "device_reason": device.reason,
        "notes": list(dict.fromkeys(note for job in plan.jobs for note in job.notes)),
        "jobs": [
            {
                "run_id": job.id,
                "variant": job.variant,
                "dataset": job.spec.name,
                "seed": job.seed,
                "budget": str(job.budget),
            }
            for job in plan.jobs
        ],
    }


def check_folder(folder: ResultsFolder, plan: Plan, *, fresh: bool) -> None:
    """See that a plan can use a results folder; nothing in it is changed.

    Raises:
        UsageError: The folder cannot be written, is no results folder, or holds other runs.
    """
    wanted = {job.id for job in plan.jobs}
    others = [] if fresh else [name for name in _planned(folder) if name not in wanted]
    foreign = folder.path.is_dir() and not folder.plan_file.exists() and any(folder.path.iterdir())
    if foreign:
        raise UsageError(
            f"{folder.path} is not empty and holds no results of ganbench: "
            "give another folder with --out"
        )
    if others:
        raise UsageError(
            f"{folder.path} holds runs of another plan ({', '.join(others[:3])}"
            f"{', …' if len(others) > 3 else ''}): give another folder with --out, "  # noqa: PLR2004 - three names are enough
            "or --fresh to start over"
        )
    folder.prepare()


def prepare(plan: Plan, workshop: Workshop, *, fresh: bool) -> None:
    """Read all datasets, their features and their images at the sizes that will be trained.

    What is missing is said before training, and processes side by side find it all in the cache.

    Runs that are finished need none, unless all is done afresh.

    Raises:
        UsageError: A dataset or a weights file is not there or cannot be read.
    """
    for job in plan.jobs:
        if fresh or workshop.folder.find(job.id) is None:
            workshop.reference(job)
            workshop.training_split(job)


def launch(plan: Plan, workshop: Workshop, *, jobs: int = 1) -> list[StoredRun]:
    """Do all jobs of a plan that are not done yet; a failing one does not stop the others.

    Args:
        plan: What to do.
        workshop: What the jobs share.
        jobs: Runs side by side, each with its share of the processors.

    Returns:
        The stored runs, in the order of the plan.

    Raises:
        UsageError: A dataset is not there.
    """
    waiting = []
    for job in plan.jobs:
        found = workshop.folder.find(job.id)
        if found is not None and found.result.status in ("ok", "diverged"):
            workshop.display.say(f"{job.id}: kept, it was finished before")
        else:
            waiting.append(job)
    if jobs > 1 and len(waiting) > 1:
        _side_by_side(waiting, workshop, jobs)
    else:
        for job in waiting:
            _tell(workshop.display.say, run_job(job, workshop))
    done = [workshop.folder.find(job.id) for job in plan.jobs]
    return [run for run in done if run is not None]


def _tell(say: Callable[[str], None], run: StoredRun) -> None:
    result = run.result
    rate = f"{result.images_per_second:,.0f} images/s" if result.images_per_second else "not timed"
    reason = f": {result.reason}" if result.reason else ""
    say(f"{result.run_id}: {result.status}{reason} · {result.steps:,} steps · {rate}")


@dataclass(frozen=True)
class _Errand:
    """A job and the places it needs, as they travel to another process."""

    job: Job
    folder: Path
    data_root: Path
    cache_root: Path
    device: str
    inception_weights: Path | None
    command: str
    threads: int


def _run_elsewhere(errand: _Errand) -> str:
    """Do one job in a process of its own."""
    import torch

    from ganbench.device import choose

    torch.set_num_threads(errand.threads)
    workshop = Workshop(
        folder=ResultsFolder(errand.folder),
        device=choose(errand.device),
        data_root=errand.data_root,
        cache_root=errand.cache_root,
        display=Display(Console(file=open(os.devnull, "w", encoding="utf-8"))),  # noqa: SIM115, PTH123 - as long as the process
        inception_weights=errand.inception_weights,
        command=errand.command,
    )
    return run_job(errand.job, workshop).result.run_id


def _side_by_side(waiting: list[Job], workshop: Workshop, jobs: int) -> None:
    threads = max(1, (os.cpu_count() or 1) // jobs)
    display = workshop.display
    display.say(f"{jobs} runs side by side, {threads} thread(s) each: their throughput is shared")
    errands = [
        _Errand(
            job=job,
            folder=workshop.folder.path.resolve(),
            data_root=workshop.data_root,
            cache_root=workshop.cache_root,
            device=str(workshop.device.torch),
            inception_weights=workshop.inception_weights,
            command=workshop.command,
            threads=threads,
        )
        for job in waiting
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = [pool.submit(_run_elsewhere, errand) for errand in errands]
        try:
            for number, future in enumerate(as_completed(futures), 1):
                run = workshop.folder.find(future.result())
                display.update("runs", number, len(futures))
                if run is not None:
                    _tell(display.say, run)
        except BrokenProcessPool as error:
            raise GanbenchError(
                "a run's process was ended from outside, perhaps for want of memory: the same "
                "command goes on, and a smaller --jobs needs less"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has begun stops by itself
            raise

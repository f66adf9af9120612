"""Where jobs run: one after the other in this process, or side by side in several.

A job is told by its record alone and its result by its folder, so that another place to run jobs
needs nothing else.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError
from ganbench.experiment.result import SCHEMA
from ganbench.experiment.store import ResultsFolder, first_dated_folder, today
from ganbench.launch.process_pool import side_by_side
from ganbench.launch.retime import time_alone
from ganbench.launch.run_job import run_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.experiment.plan import Plan
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.resources import Resources
    from ganbench.machine.device import Device

__all__ = ["check_folder", "choose_folder", "launch", "plan_record", "prepare"]


def choose_folder(out: Path | None, plan: Plan, device: str) -> ResultsFolder:
    """The folder that was named, or the first one of today that is new or holds this very plan."""
    if out is not None:
        return ResultsFolder(out)
    wanted = [job.id for job in plan.jobs]
    path = first_dated_folder(
        f"{device}_{plan.topic}", lambda path: _planned(ResultsFolder(path)) == wanted
    )
    return ResultsFolder(path)


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
        "created": today(),
        "device": device.kind,
        "device_name": device.name,
        "device_reason": device.reason,
        "notes": list(plan.notes),
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
            f"{', …' if len(others) > 3 else ''}), as a flag, a number or a variant's file "  # noqa: PLR2004 - three names are enough
            "is not what it was then: give another folder with --out, "
            "or --fresh to start over"
        )
    folder.prepare()


def prepare(plan: Plan, resources: Resources, *, fresh: bool, jobs: int = 1) -> None:
    """Read what may be missing, so that it is said before training.

    What can be computed without fail, such as a judge, waits until a run has been trained; but
    runs side by side find all of it, as each would compute it for itself. Runs that are finished
    need nothing, unless all is done afresh.

    Raises:
        UsageError: A dataset or a weights file is not there or cannot be read, or the cache cannot
            be written.
    """
    waiting = [job for job in plan.jobs if fresh or resources.folder.find(job.id) is None]
    for job in waiting:
        resources.prepare(job)
        if jobs > 1 and len(waiting) > 1:
            resources.reference(job)
            resources.training_split(job)


def launch(
    plan: Plan, resources: Resources, *, jobs: int = 1, exclusive_timing: bool = False
) -> list[StoredRun]:
    """Do all jobs of a plan that are not done yet; a failing one does not stop the others.

    Args:
        plan: What to do.
        resources: What the jobs share.
        jobs: Runs side by side, each with its share of the processors.
        exclusive_timing: Whether to measure the speeds of those runs again at the end, each alone.

    Returns:
        The stored runs, in the order of the plan.

    Raises:
        UsageError: A dataset is not there.
    """
    waiting = []
    for job in plan.jobs:
        found = resources.folder.find(job.id)
        if found is not None and found.result.status in ("ok", "diverged"):
            resources.display.say(f"{job.id}: kept, it was finished before")
        else:
            waiting.append(job)
    tell = partial(_tell, resources.display.say)
    if jobs > 1 and len(waiting) > 1:
        side_by_side(waiting, resources, jobs, tell)
    else:
        for job in waiting:
            tell(run_job(job, resources))
    if exclusive_timing:
        _time_alone(plan, resources, jobs)
    done = [resources.folder.find(job.id) for job in plan.jobs]
    return [run for run in done if run is not None]


def _time_alone(plan: Plan, resources: Resources, jobs: int) -> None:
    """Measure again what is marked as shared; an earlier command may have left some of it."""
    found = [(job, resources.folder.find(job.id)) for job in plan.jobs]
    shared = [(job, run) for job, run in found if run is not None and run.result.timing_shared]
    if not shared:
        why = "each run has the machine for itself" if jobs == 1 else "no speed is shared"
        resources.display.say(f"--exclusive-timing changes nothing: {why}")
    for job, run in shared:
        result = time_alone(job, run, resources).result
        if not result.timing_shared:
            rate = f"{result.images_per_second:,.0f} images/s"
            resources.display.say(f"{result.run_id}: {rate} alone")


def _tell(say: Callable[[str], None], run: StoredRun) -> None:
    result = run.result
    rate = f"{result.images_per_second:,.0f} images/s" if result.images_per_second else "not timed"
    reason = f": {result.reason}" if result.reason else ""
    shared = " (shared)" if result.timing_shared else ""
    say(f"{result.run_id}: {result.status}{reason} · {result.steps:,} steps · {rate}{shared}")

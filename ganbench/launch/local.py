"""Running the jobs of a plan in a results folder, by the launcher that was chosen.

A job is described by its record alone and its result by its folder, so that another place to run
jobs needs nothing else.
"""

from __future__ import annotations

import glob
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError, UsageError
from ganbench.experiment.conditions import conditions
from ganbench.experiment.extension import (
    KnownBudgets,
    differences,
    earlier_run,
    under_smaller_budgets,
    variant_record,
)
from ganbench.experiment.lock import is_empty
from ganbench.experiment.looks import read_looks
from ganbench.experiment.result import SCHEMA
from ganbench.experiment.store import ResultsFolder, first_dated_folder, today
from ganbench.launch import process_pool
from ganbench.launch.local_launcher import LocalLauncher, share_of_threads
from ganbench.launch.tasks import PreparationTask, TimingTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.looks import Looks
    from ganbench.experiment.plan import Job, Plan
    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.context import CommandContext
    from ganbench.launch.launcher import Launcher
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device

__all__ = [
    "check_folder",
    "choose_folder",
    "conditions_of_jobs",
    "finished",
    "launch",
    "plan_record",
    "prepare",
    "smaller_budget_in",
]

_FINISHED = ("ok", "diverged")


def choose_folder(
    out: Path | None,
    plan: Plan,
    device: str,
    looks: Looks | None = None,
    *,
    is_new: bool = False,
) -> ResultsFolder:
    """The folder that was named, or the first one of today that is new or holds this very plan.

    Where seeds are added as needed, a plan holds the runs that were asked for so far. With
    `is_new`, one that holds this plan is passed over.
    """
    if out is not None:
        return ResultsFolder(out)
    wanted = [job.id for job in plan.jobs]

    def holds_this(path: Path) -> bool:
        if is_new:
            return False
        folder = ResultsFolder(path)
        planned, stored = _planned(folder), read_looks(folder)
        if looks is None or stored is None:
            return looks is stored and planned == wanted
        return stored.plan == looks.plan and bool(planned) and set(planned) <= set(wanted)

    return ResultsFolder(first_dated_folder(f"{device}_{plan.topic}", holds_this))


def smaller_budget_in(chosen: ResultsFolder, plan: Plan) -> Path | None:
    """Another folder of today whose runs, begun or only planned, are these after less; or None.

    Args:
        chosen: The folder that the plan will use, by `choose_folder` without a name.
        plan: What is to be done.
    """
    if chosen.path.exists():
        return None
    stem = re.sub(r"-\d+$", "", chosen.path.name)
    others = sorted(chosen.path.parent.glob(f"{glob.escape(stem)}*"), reverse=True)
    for path in others:
        folder = ResultsFolder(path)
        with suppress(GanbenchError):  # a damaged plan is no offer
            there = {*_planned(folder), *(run.name for run in folder.run_paths())}
            known = KnownBudgets(folder)
            smaller = (under_smaller_budgets(folder, job, known) for job in plan.jobs)
            if all(not there.isdisjoint(names) for names in smaller) and any(
                earlier_run(folder, job, known) for job in plan.jobs
            ):
                return path
    return None


def _planned(folder: ResultsFolder) -> list[str]:
    """Names of the runs that the plan in a folder asks for; none where there is no plan."""
    stored = folder.read_plan() or {}
    return [row["run_id"] for row in stored.get("jobs") or ()]


def finished(plan: Plan, folder: ResultsFolder) -> frozenset[str]:
    """Names of the runs of a plan that are done in a folder and would be kept."""
    stored = ((job.id, folder.find_readable(job.id)) for job in plan.jobs)
    return frozenset(
        name for name, run in stored if run is not None and run.result.status in _FINISHED
    )


def plan_record(
    plan: Plan,
    *,
    device: str,
    device_name: str,
    device_reason: str,
    command: str,
    earlier_budgets: Sequence[str] = (),
) -> dict[str, Any]:
    """What the results folder says of the plan.

    Args:
        plan: What is done.
        device: Kind of the device.
        device_name: Its model.
        device_reason: Why it was chosen.
        command: As the user gave it.
        earlier_budgets: Of the plans whose place this one takes; runs may go on from theirs.
    """
    budgets = dict.fromkeys(job.budget_text for job in plan.jobs)
    earlier = [budget for budget in earlier_budgets if budget not in budgets]
    return {
        "schema": SCHEMA,
        "title": f"{', '.join(dict.fromkeys(job.variant for job in plan.jobs))} on {plan.topic}",
        "command": command,
        "created": today(),
        "device": device,
        "device_name": device_name,
        "device_reason": device_reason,
        "notes": list(plan.notes),
        "variants": {job.variant: variant_record(job) for job in plan.jobs},
        "jobs": [
            {
                "run_id": job.id,
                "variant": job.variant,
                "dataset": job.spec.name,
                "seed": job.seed,
                "budget": job.budget_text,
            }
            for job in plan.jobs
        ],
        **({"earlier_budgets": earlier} if earlier else {}),
    }


def check_folder(folder: ResultsFolder, plan: Plan, *, fresh: bool) -> None:
    """See that a plan can use a results folder; nothing in it is changed.

    Raises:
        UsageError: The folder cannot be written, is no results folder, or holds other runs.
    """
    wanted = {job.id for job in plan.jobs}
    others = [] if fresh else [name for name in _planned(folder) if name not in wanted]
    if others:
        known = KnownBudgets(folder)
        extended = {name for job in plan.jobs for name in under_smaller_budgets(folder, job, known)}
        others = [name for name in others if name not in extended]
    if not folder.plan_file.exists() and not is_empty(folder.path):
        raise UsageError(
            f"{folder.path} is not empty and holds no results of ganbench: "
            "give another folder with --out"
        )
    if others:
        raise UsageError(
            f"{folder.path} holds runs of another plan: "
            f"{differences(folder, others, plan.jobs)}: give another folder with --out, "
            "or --fresh to start over"
        )
    folder.prepare()


def prepare(
    plan: Plan, context: CommandContext, display: Display, *, fresh: bool, jobs: int = 1
) -> None:
    """Read what may be missing, so that it is said before training.

    Runs that are finished need nothing, unless all is done afresh.

    Args:
        plan: What is to be done.
        context: Where, and with what.
        display: Where progress is shown.
        fresh: Whether finished runs are done again.
        jobs: Runs side by side.

    Raises:
        UsageError: A dataset or a weights file is not there or cannot be read, or the cache cannot
            be written.
    """
    waiting = tuple(job for job in plan.jobs if fresh or context.folder.find(job.id) is None)
    if waiting:
        side_by_side = min(jobs, len(waiting)) > 1
        process_pool.carry_out([PreparationTask(waiting, context, side_by_side)], display)


def launch(
    plan: Plan,
    context: CommandContext,
    display: Display,
    *,
    jobs: int = 1,
    exclusive_timing: bool = False,
    launcher: Launcher | None = None,
) -> list[StoredRun]:
    """Do all jobs of a plan that are not done yet; a failing one does not stop the others.

    Args:
        plan: What to do.
        context: Where, and with what.
        display: Where progress is shown.
        jobs: Runs side by side, each with its share of the processors.
        exclusive_timing: Whether to measure the speeds of those runs again at the end, each alone.
        launcher: Where; this machine if left out.

    Returns:
        The stored runs, in the order of the plan.

    Raises:
        UsageError: A dataset is not there, or the results cannot be written.
        GanbenchError: The process of a run was ended from outside.
        Stopped: The runs were asked to stop; they have been saved.
    """
    waiting = []
    for job in plan.jobs:
        run = context.folder.find(job.id)
        if run is not None and run.result.status in _FINISHED:
            display.say(f"{job.id}: kept, it was finished before")
        else:
            waiting.append(job)

    def say_how_it_ended(job: Job) -> None:
        run = context.folder.find(job.id)
        if run is not None:
            display.say(_ending(run))

    (launcher or LocalLauncher(jobs)).carry_out(waiting, context, display, say_how_it_ended)
    if exclusive_timing:
        _time_alone(plan, context, display, jobs)
    done = [context.folder.find(job.id) for job in plan.jobs]
    return [run for run in done if run is not None]


def conditions_of_jobs(plan: Plan, device: Device, device_name: str, jobs: int) -> dict[str, str]:
    """The conditions under which the jobs of a plan would run now, as `TrainedUnder` keeps them.

    Args:
        plan: What is to be done.
        device: Where.
        device_name: Its model.
        jobs: Runs side by side.
    """
    from ganbench.machine.environment import numerics

    here = numerics(device)
    side_by_side = min(jobs, len(plan.jobs))
    if side_by_side > 1:
        here["threads"] = share_of_threads(side_by_side)
    count = max((job.processes for job in plan.jobs), default=1)
    if count > 1:
        here["threads"] = max(1, here["threads"] // count)
    here["processes_per_run"] = count
    return conditions(here, device.kind, device_name)


def _time_alone(plan: Plan, context: CommandContext, display: Display, jobs: int) -> None:
    """Measure again what is marked as shared; an earlier command may have left some of it."""
    stored = [(job, context.folder.find(job.id)) for job in plan.jobs]
    shared = [job for job, run in stored if run is not None and run.result.timing_shared]
    if not shared:
        why = "each run has the machine for itself" if jobs == 1 else "no speed is shared"
        display.say(f"--exclusive-timing changes nothing: {why}")

    def say_the_speed(task: TimingTask, _value: None) -> None:
        run = context.folder.find(task.job.id)
        if run is not None and not run.result.timing_shared:
            display.say(f"{run.result.run_id}: {_rate(run.result)} alone")

    process_pool.carry_out(
        [TimingTask(job, context) for job in shared], display, done=say_the_speed
    )


def _ending(run: StoredRun) -> str:
    """How a run ended, in one line."""
    result = run.result
    rate = _rate(result) if result.images_per_second else "not timed"
    reason = f": {result.reason}" if result.reason else ""
    shared = " (shared)" if result.timing_shared else ""
    return f"{result.run_id}: {result.status}{reason} · {result.steps:,} steps · {rate}{shared}"


def _rate(result: RunResult) -> str:
    """What it took in a second of training."""
    return f"{result.images_per_second:,.0f} {result.unit}/s"

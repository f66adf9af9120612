"""How long the runs of a plan will take, from what is known of each variant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.experiment.plan import Job, Plan
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.launch.timings import Cost

__all__ = ["costs_of", "long_text", "run_seconds", "total_seconds"]

_START_SECONDS = 3.0  # of a run's process
_HOUR = 3600


def costs_of(
    plan: Plan, context: CommandContext, display: Display, *, is_elsewhere: bool
) -> dict[str, Cost | str]:
    """What the runs of a plan take, by variant, or why that is not known.

    It is found out in a process of its own, where the runs are done on this machine.
    """
    if is_elsewhere:
        return {job.variant: "not known, as a cluster trains it" for job in plan.jobs}
    from ganbench.launch import process_pool
    from ganbench.launch.tasks import EstimateTask

    found: dict[str, Cost | str] = {}
    jobs = tuple({job.variant: job for job in plan.jobs}.values())
    with display:
        process_pool.carry_out(
            [EstimateTask(jobs, context)], display, done=lambda _task, costs: found.update(costs)
        )
    return found


def run_seconds(job: Job, cost: Cost) -> float:
    """What a run takes, from the start of its process to its stored scores."""
    return _START_SECONDS + cost.training_seconds(job) + cost.scoring_seconds(job)


def total_seconds(plan: Plan, costs: Mapping[str, Cost | str]) -> float:
    """What the runs take whose costs are known, one after the other."""
    from ganbench.launch.timings import Cost

    return sum(
        run_seconds(job, cost)
        for job in plan.jobs
        if isinstance(cost := costs.get(job.variant), Cost)
    )


def long_text(plan: Plan, context: CommandContext, device: str) -> str | None:
    """How long the runs will take that are not done, where that is known and more than an hour.

    Args:
        plan: What is to be done.
        context: Where runs and earlier timings are.
        device: The model of the device.
    """
    from ganbench.launch.timings import duration, read_cost

    trained = (job for job in plan.jobs if not job.frozen)
    waiting = [job for job in trained if context.folder.find(job.id) is None]
    known = {
        job.variant: read_cost(context.cache_root, job, device)
        for job in {job.variant: job for job in waiting}.values()
    }
    costs = {variant: cost for variant, cost in known.items() if cost is not None}
    seconds = total_seconds(replace(plan, jobs=tuple(waiting)), costs)
    if len(costs) < len(known) or seconds <= _HOUR:
        return None
    runs = f"{len(waiting)} run{'s' if len(waiting) > 1 else ''}"
    return f"{runs}: about {duration(seconds)} in total, as earlier ones on this machine took"

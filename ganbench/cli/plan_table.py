"""The plan of `ganbench run --dry-run`: its runs, what each takes, and the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.cli.options import print_lines
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from ganbench.experiment.plan import Plan
    from ganbench.launch.timings import Cost

__all__ = ["costs_text", "print_plan"]


def print_plan(
    plan: Plan, screen: Console, costs: Mapping[str, Cost | str], report: float, jobs: int
) -> None:
    """Print one row per run, then what stands behind the times, and the sum.

    Args:
        plan: What would be done.
        screen: Where to.
        costs: By variant, what its run takes, or why that cannot be said.
        report: Seconds that the report takes.
        jobs: Runs side by side.
    """
    from rich import box
    from rich.table import Column, Table

    from ganbench.data.catalogue import short_dataset
    from ganbench.launch.timings import Cost, duration, gigabytes
    from ganbench.workflow.expected_time import run_seconds

    head = Column("run", no_wrap=True)  # by which its folder is called
    numbers = [Column(name, justify="right") for name in ("size", "batch", "time", "memory")]
    table = Table(
        head, Column("dataset", overflow="fold"), "budget", *numbers,
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for job in plan.jobs:
        cost = costs.get(job.variant, "")
        table.add_row(
            job.id,
            visible(short_dataset(job.spec.name)),
            job.budget_text,
            f"{job.spec.channels}-D" if job.spec.kind == "points" else str(job.image_size),
            str(job.recipe.get("batch_size", "")),
            duration(run_seconds(job, cost)) if isinstance(cost, Cost) else "",
            gigabytes(cost.memory_bytes) if isinstance(cost, Cost) else "",
        )
    screen.print(table)
    print_lines(screen, *costs_text(plan, costs, report, jobs))


def costs_text(
    plan: Plan, costs: Mapping[str, Cost | str], report: float, jobs: int
) -> Iterator[str]:
    """The parts of each variant's time, and the sum, in lines for people."""
    from ganbench.launch.timings import Cost, duration
    from ganbench.scoring.backbones.classifier import training_seconds
    from ganbench.workflow.expected_time import total_seconds

    classifiers: dict[str, float] = {}
    for job in {job.variant: job for job in plan.jobs}.values():
        cost = costs.get(job.variant, "its time cannot be estimated")
        if not isinstance(cost, Cost):
            yield f"{job.variant}: {cost}"
            continue
        yield (
            f"{job.variant}: training {duration(cost.training_seconds(job))}, scores "
            f"{duration(cost.scoring_seconds(job))} (estimated from {cost.origin})"
        )
        if cost.is_measured:
            classifiers[job.spec.name] = training_seconds(job.spec)
    for name, seconds in classifiers.items():
        if seconds:
            yield f"{name}: its classifier {duration(seconds)}, once, unless the cache has it"
    runs = total_seconds(plan, costs)
    whole = runs + sum(classifiers.values()) + report
    side_by_side = f" one after the other (less with {jobs} at a time)" if jobs > 1 else ""
    count = f"{len(plan.jobs)} run{'s' if len(plan.jobs) > 1 else ''}"
    total = f"in total about {duration(whole)}: {count}{side_by_side}"
    yield f"{total}, and the report {duration(report)}"

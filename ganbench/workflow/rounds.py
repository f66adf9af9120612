"""Seeds as needed: rounds of runs, and a look at the scores after each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.looks import Look, Looks, read_looks, write_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ganbench.experiment.plan import Job, Plan
    from ganbench.experiment.store import ResultsFolder, StoredRun
    from ganbench.experiment.suite import Suite
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display

__all__ = ["asked_jobs", "ending", "launch_rounds", "may_run", "planned_looks", "rounds_text"]


def planned_looks(suite: Suite, plan: Plan) -> Looks | None:
    """What is decided before any run, where seeds are added as needed; None where they are given.

    Args:
        suite: What was asked for.
        plan: All runs that there may be.

    Raises:
        UsageError: There is nothing to compare, or too much, or the score is unknown.
    """
    from ganbench.report.comparison.families import check_primary_name
    from ganbench.report.scale import MOST_PAIRED

    check_primary_name(suite.primary)
    margin, seeds = suite.equivalence_margin, suite.seeds_as_needed
    if seeds is None:
        return None
    count = len({job.variant for job in plan.jobs})
    if not 2 <= count <= MOST_PAIRED:  # noqa: PLR2004 - a pair
        raise UsageError(
            f"--seeds {seeds} compares all pairs of 2 to {MOST_PAIRED} variants, and {count} would "
            "run: give others with --variants, or a number of seeds"
        )
    return Looks(
        first=seeds.first,
        limit=seeds.limit,
        primary=suite.primary,
        margin=margin,
        runs=tuple(job.id for job in plan.jobs),
    )


def rounds_text(plan: Plan, looks: Looks) -> str:
    """How many runs there will be at least and at most."""
    count = len({job.variant for job in plan.jobs})
    return (
        f"seeds as needed: at least {count * looks.first} runs ({looks.first} seeds of each "
        f"variant), at most {len(plan.jobs)} ({looks.limit} of each); after every round, seeds are "
        f"added where pairs are not resolved on {looks.primary}"
    )


def asked_jobs(plan: Plan, looks: Looks) -> tuple[Job, ...]:
    """The runs of the first round, and those that the looks so far asked for."""
    asked = {name for look in looks.looks for name in look.next}
    seeds = sorted({job.seed for job in plan.jobs})[: looks.first]
    return tuple(job for job in plan.jobs if job.seed in seeds or job.id in asked)


def may_run(plan: Plan, folder: ResultsFolder, *, fresh: bool) -> Plan:
    """The runs that there may yet be: where a comparison has ended, those that it asked for."""
    looks = None if fresh else read_looks(folder)
    if looks is None or not looks.looks or not looks.looks[-1].ended:
        return plan
    return replace(plan, jobs=asked_jobs(plan, looks))


def ending(folder: ResultsFolder) -> list[str]:
    """Where the pairs stand, in one line; nothing where seeds were given."""
    from ganbench.report.comparison.looks import looks_text

    looks = read_looks(folder)
    return [] if looks is None else [f"seeds: {looks_text(looks)}"]


def launch_rounds(
    plan: Plan,
    planned: Looks,
    context: CommandContext,
    display: Display,
    *,
    launch: Callable[[Sequence[Job]], list[StoredRun]],
) -> list[StoredRun]:
    """Do rounds of runs until a look asks for no more.

    What is planned is stored before the first run, and each look as soon as it is taken: the same
    command goes on from there, and looks again only where runs have been added.

    Args:
        plan: All runs that there may be.
        planned: The plan of the looks.
        context: Where, and with what.
        display: Where looks are reported.
        launch: Does jobs that are not done yet, and returns their runs.

    Returns:
        The runs that were asked for.

    Raises:
        DataError: The record of looks is damaged.
    """
    looks = read_looks(context.folder) or planned
    looks = looks.model_copy(update={"runs": planned.runs})
    write_looks(context.folder, looks)
    asked = asked_jobs(plan, looks)
    runs = {run.result.run_id: run for run in launch(asked)}
    while True:
        completed = [job.id for job in asked if job.id in runs and _is_ok(runs[job.id])]
        seen = looks.seen[-1] if looks.looks else frozenset()
        new = tuple(name for name in completed if name not in seen)
        if looks.looks and looks.looks[-1].ended and not new:
            break
        looks = _with_look(plan, looks, asked, new, context)
        write_looks(context.folder, looks)
        _say(display, looks)
        more = [job for job in plan.jobs if job.id in looks.looks[-1].next]
        if not more:
            break
        asked = (*asked, *more)
        runs.update({run.result.run_id: run for run in launch(more)})
    return [runs[job.id] for job in asked if job.id in runs]


def _is_ok(run: StoredRun) -> bool:
    return run.result.status == "ok"


def _with_look(
    plan: Plan, looks: Looks, asked: Sequence[Job], new: tuple[str, ...], context: CommandContext
) -> Looks:
    """Look at the scores, and decide which runs are needed next."""
    from ganbench.report.comparison.looks import is_decided, pairs_seen, wanting
    from ganbench.report.gather import gather

    folder = context.folder.path
    pending = looks.model_copy(update={"looks": (*looks.looks, Look(runs=new))})
    results = gather([folder], {folder: pending})
    pairs = pairs_seen(results, looks.primary)
    names, there = wanting(results, pairs, looks.primary), {job.id for job in asked}
    following = [
        next((job.id for job in plan.jobs if job.variant == name and job.id not in there), None)
        for name in names
    ]
    more = tuple(run for run in following if run is not None)
    ended = ""
    if all(map(is_decided, pairs)):
        ended = "every pair is resolved or equivalent"
    elif not names:
        ended = f"no pair is left of which both variants have {looks.primary}"
    elif not more:
        ended = f"the limit of {looks.limit} seeds is reached"
    look = Look(runs=new, pairs=pairs, next=more, ended=ended)
    return looks.model_copy(update={"looks": (*looks.looks, look)})


def _say(display: Display, looks: Looks) -> None:
    from ganbench.report.comparison.looks import decided_first, look_text

    text = look_text(looks.looks[-1], decided_first(looks)[-1])
    display.say(f"look {len(looks.looks)}, {text}")

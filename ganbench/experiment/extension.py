"""A larger budget for a stored run: which run goes on, and why a folder is of another plan."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError, UsageError
from ganbench.variant.budget import Budget
from ganbench.variant.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import ResultsFolder

__all__ = [
    "Earlier",
    "KnownBudgets",
    "differences",
    "earlier_run",
    "planned_budgets",
    "schedules",
    "under_smaller_budgets",
    "variant_of",
    "variant_record",
]

_RUN_ID = re.compile(r"(?P<variant>.+)-s(?P<seed>\d+)-[0-9a-f]{8}")
_ASIDE = ("dataset", "budget", "sample_every")  # of a recipe: no choice of its own
_MOST_SHOWN = 3


class KnownBudgets:
    """The budgets of the runs in a results folder, read once and only of those that are asked for.

    Attributes:
        planned: What the plan in the folder asks for, or one in its place asked for before.
    """

    def __init__(self, folder: ResultsFolder) -> None:
        self.planned = tuple(planned_budgets(folder))
        self._folder = folder
        self._names: dict[str, list[str]] = defaultdict(list)
        for path in folder.run_paths():
            self._names[path.name.rpartition("-")[0]].append(path.name)

    def of(self, job: Job) -> set[Budget]:
        """The budgets that are counted as the job's is."""
        stored = map(self._folder.find_readable, self._names[f"{job.variant}-s{job.seed}"])
        texts = {*self.planned, *(run.result.budget for run in stored if run is not None)}
        budgets = map(_read, texts)
        return {one for one in budgets if one and one.is_time == job.budget.is_time}


@dataclass(frozen=True)
class Earlier:
    """A stored run that differs from a job in nothing but a smaller budget.

    Attributes:
        run_id: Its name.
        budget: How long it was to train.
        path: Its folder, finished or not.
        is_finished: Whether it has come to its end.
    """

    run_id: str
    budget: Budget
    path: Path
    is_finished: bool


def variant_of(run_id: str) -> str:
    """The variant that the name of a run begins with; empty where it is no such name."""
    match = _RUN_ID.fullmatch(run_id)
    return match["variant"] if match else ""


def earlier_run(
    folder: ResultsFolder, job: Job, known: KnownBudgets | None = None
) -> Earlier | None:
    """The stored run that a job may go on from; of several, the one of the largest budget.

    Its name tells: it is made from all that decides a run's numbers, and would be the job's own
    under the smaller budget. A run that diverged is not gone on from, as the job would end there.

    Args:
        folder: Where runs are stored.
        job: What is to be done.
        known: Of the folder, where several jobs are asked about.
    """
    found = [
        Earlier(run_id, budget, path, is_finished)
        for run_id, budget in under_smaller_budgets(folder, job, known).items()
        for path, is_finished in (
            (folder.run_path(run_id), True),
            (folder.partial_path(run_id), False),
        )
        if (path / "checkpoint.pt").is_file() and not (is_finished and _diverged(folder, run_id))
    ]
    return max(found, key=lambda run: _amount(run.budget, job), default=None)


def _diverged(folder: ResultsFolder, run_id: str) -> bool:
    run = folder.find_readable(run_id)
    return run is not None and run.result.status == "diverged"


def under_smaller_budgets(
    folder: ResultsFolder, job: Job, known: KnownBudgets | None = None
) -> dict[str, Budget]:
    """What a job would be named under each smaller budget that a folder knows, and that budget.

    Args:
        folder: Knows the budgets of its plan and of its stored runs.
        job: Differs from those runs in nothing but its budget, whether they have begun or not.
        known: Of the folder, where several jobs are asked about.
    """
    if job.frozen:
        return {}
    return {
        dataclasses.replace(job, budget=budget).id: budget
        for budget in (known or KnownBudgets(folder)).of(job)
        if _amount(budget, job) < _amount(job.budget, job)
    }


def planned_budgets(folder: ResultsFolder) -> list[str]:
    """The budgets that the plan in a folder asks for, or one in its place asked for before."""
    plan = folder.read_plan() or {}
    now = (str(row.get("budget")) for row in plan.get("jobs") or ())
    return list(dict.fromkeys((*(plan.get("earlier_budgets") or ()), *now)))


def _read(text: str) -> Budget | None:
    try:
        return Budget.parse(text)
    except UsageError:
        return None


def _amount(budget: Budget, job: Job) -> float:
    """A budget in steps, or in seconds where time decides."""
    steps = job.steps_of(budget)
    return budget.seconds if steps is None else steps


def schedules(job: Job) -> list[str]:
    """The numbers of a recipe that change over the budget, as `--set` takes them."""
    return [f"{key}={value}" for key, value in job.recipe.items() if _is_schedule(value)]


def _is_schedule(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(Schedule.parse(value))
    except ValueError:
        return False


def variant_record(job: Job) -> dict[str, Any]:
    """What a plan says of a variant, whatever the seed: all that decides its numbers."""
    return {
        "dataset": job.spec.name,
        "budget": str(job.budget),
        "device": job.device,
        "source": job.source_hash,
        "content": job.content,
        **job.asked,
        **{key: value for key, value in job.recipe.items() if key not in _ASIDE},
    }


def differences(folder: ResultsFolder, run_ids: Sequence[str], jobs: Sequence[Job]) -> str:
    """Why stored runs are not those of a plan: which fields differ, in words.

    Args:
        folder: Holds the runs, or the plan that names them.
        run_ids: Of runs that the plan does not ask for, at least one.
        jobs: What it asks for.
    """
    texts = dict.fromkeys(text for run_id in run_ids for text in _changed(folder, run_id, jobs))
    shown = list(texts)[:_MOST_SHOWN]
    more = len(texts) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _changed(folder: ResultsFolder, run_id: str, jobs: Sequence[Job]) -> Iterator[str]:
    match = _RUN_ID.fullmatch(run_id)
    variant = match["variant"] if match else run_id
    same = [job for job in jobs if job.variant == variant]
    if not same:
        yield f"{run_id} is of the variant {variant}, which is not asked for now"
        return
    stored = _stored_fields(folder, run_id, variant)
    now = variant_record(same[0])
    changed = [
        f"{variant}: {key} was {_shown(stored[key])} and is {_shown(now[key])} now"
        for key in now
        if key in stored and stored[key] != now[key]
    ]
    yield from changed
    if not changed and match and int(match["seed"]) not in {job.seed for job in same}:
        yield f"{run_id} is of seed {match['seed']}, which is not asked for now"
    elif not changed:
        yield f"{run_id} differs in a choice that is not stored"


def _stored_fields(folder: ResultsFolder, run_id: str, variant: str) -> dict[str, Any]:
    """What is known of a stored run, by the names of `variant_record`."""
    run = folder.find_readable(run_id)
    if run is not None:
        result = run.result
        return {
            "dataset": result.dataset,
            "budget": result.budget,
            "device": result.device,
            "source": result.source_hash,
            **result.asked,
            **{key: value for key, value in result.recipe.items() if key not in _ASIDE},
        }
    try:
        record = (folder.read_plan() or {}).get("variants")
    except GanbenchError:
        return {}
    fields = record.get(variant) if isinstance(record, dict) else None
    return fields if isinstance(fields, dict) else {}


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else str(value)

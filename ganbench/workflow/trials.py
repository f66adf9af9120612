"""The trials of a tuning: drawn, launched in rounds, scored, and half of them stopped early."""

from __future__ import annotations

import dataclasses
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError
from ganbench.report import columns
from ganbench.tuning.curve import loss_of
from ganbench.tuning.draw_trials import TPE_BATCH, TPE_FIRST, Search
from ganbench.tuning.record import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import ResultsFolder, StoredRun
    from ganbench.variant.budget import Budget
    from ganbench.workflow.comparison import Launch
    from ganbench.workflow.tuning_plan import PlannedTuning

__all__ = ["begun_jobs", "expected_jobs", "run_trials"]


@dataclass(frozen=True)
class _Drawn:
    """A trial before its run; its job is None where the recipe was refused."""

    trial: Trial
    job: Job | None


class _UnfinishedError(Exception):
    """A job has no stored run yet."""


def begun_jobs(planned: PlannedTuning, folder: ResultsFolder) -> tuple[Job, ...]:
    """The jobs that can be launched now or were launched before, as the stored runs tell.

    Args:
        planned: The tuning.
        folder: Holds the runs of its trials.
    """
    jobs: list[Job] = []

    def stored(some: Sequence[Job]) -> list[StoredRun]:
        jobs.extend(some)
        runs = [folder.find_readable(job.id) for job in some]
        if None in runs:
            raise _UnfinishedError
        return [run for run in runs if run is not None]

    with suppress(_UnfinishedError):
        run_trials(planned, stored)
    return tuple(jobs)


def expected_jobs(planned: PlannedTuning) -> tuple[Job, ...]:
    """Jobs that take as long as those of a tuning, by what is known before any has ended.

    The default recipes stand for tuned ones. Where trials are pruned, each trial is under the
    budget after which it is stopped, as many of them as are stopped then.
    """
    default = planned.default.plan.jobs
    jobs = [*default, *default]
    for name in planned.space:
        same = planned.trial_job(name, {}, planned.trial_seeds[0])
        left, trials = planned.request.trials, planned.request.trials
        for place, rung in enumerate(planned.rungs, start=1):
            is_last = place == len(planned.rungs)
            more = 0 if is_last else math.ceil(trials / 2**place)
            jobs += [_at(same, rung)] * (left - more)
            left = more
        jobs += [same] * planned.default_trials
    return tuple(jobs)


def run_trials(planned: PlannedTuning, launch: Launch) -> tuple[Trial, ...]:
    """Do the trials of all variants, as many of each, and the default recipes beside them.

    Trials of one number come together, so that variants that were interrupted have had as many.

    Args:
        planned: What to do.
        launch: Does jobs that are not done yet, and returns their runs.

    Returns:
        The trials, by number and variant.
    """
    request = planned.request
    searches = {
        name: Search(own, request.sampler, request.search_seed, name)
        for name, own in planned.space.items()
    }
    ended: list[Trial] = []
    begun = 0
    for size in _batches(planned):
        numbers = {name: search.ask(size) for name, search in searches.items()}
        batch = [
            _drawn(planned, name, begun + place + 1, numbers[name][place])
            for place in range(size)
            for name in searches
        ]
        defaults = list(_defaults(planned)) if begun == 0 else []
        done = _halved(planned, batch, defaults, launch)
        for name, search in searches.items():
            own = [trial for trial in done if trial.variant == name and not trial.is_default]
            search.tell([loss_of(trial.score, planned.direction) for trial in own])
        ended += done
        begun += size
    return tuple(ended)


def _batches(planned: PlannedTuning) -> Iterator[int]:
    """How many trials are drawn together."""
    left = planned.request.trials
    if planned.request.sampler == "random":
        yield left
        return
    size = TPE_FIRST
    while left > 0:
        yield min(size, left)
        left -= size
        size = TPE_BATCH


def _drawn(
    planned: PlannedTuning, variant: str, number: int, numbers: dict[str, Any], **more: Any
) -> _Drawn:
    seed = planned.trial_seeds[number - 1]
    trial = Trial(
        variant=variant, trial=number, seed=seed, numbers=numbers, budget=planned.record.budget,
        status="failed", **more,
    )  # fmt: skip
    try:
        return _Drawn(trial, planned.trial_job(variant, numbers, seed))
    except UsageError as error:  # numbers that are allowed one by one, and not together
        return _Drawn(trial.model_copy(update={"reason": str(error)}), None)


def _defaults(planned: PlannedTuning) -> Iterator[_Drawn]:
    """The default recipes under the conditions of trials: on their seeds, noise and budget."""
    for number in range(1, planned.default_trials + 1):
        for name in planned.space:
            yield _drawn(planned, name, number, {}, is_default=True)


def _halved(
    planned: PlannedTuning, batch: Sequence[_Drawn], defaults: Sequence[_Drawn], launch: Launch
) -> list[Trial]:
    """Do trials; where they are pruned, by successive halving (Jamieson and Talwalkar 2016).

    After each rung but the last, the better half of the trials of each variant goes on, so that as
    many trials of each have had each budget.
    """
    standing = [drawn for drawn in batch if drawn.job is not None]
    ended = [drawn.trial for drawn in batch if drawn.job is None]
    for place, rung in enumerate(planned.rungs):
        is_last = place == len(planned.rungs) - 1
        beside = defaults if place == 0 else ()
        jobs = {id(drawn): _at(drawn.job, rung) for drawn in standing if drawn.job is not None}
        jobs |= {id(drawn): drawn.job for drawn in beside if drawn.job is not None}
        runs = {run.result.run_id: run for run in launch(tuple(jobs.values()))}
        scored = {key: runs.get(job.id) for key, job in jobs.items()}
        ended += [_scored(planned, one.trial, scored.get(id(one))) for one in beside]
        outcomes = {id(one): _scored(planned, one.trial, scored[id(one)]) for one in standing}
        kept = set(outcomes) if is_last else _better(planned, outcomes, place + 1, len(batch))
        if not is_last:
            ended += [_pruned(trial) for key, trial in outcomes.items() if key not in kept]
            standing = [one for one in standing if id(one) in kept]
        else:
            ended += outcomes.values()
    variants = list(planned.space)
    return sorted(ended, key=lambda t: (t.is_default, t.trial, variants.index(t.variant)))


def _at(job: Job, budget: Budget) -> Job:
    """A job under another budget."""
    return dataclasses.replace(job, budget=budget, recipe={**job.recipe, "budget": str(budget)})


def _better(
    planned: PlannedTuning, outcomes: dict[int, Trial], halvings: int, drawn: int
) -> set[int]:
    """The trials that go on: of each variant the same number, unless fewer have a score."""
    kept: set[int] = set()
    each = drawn // max(1, len(planned.space))
    for name in planned.space:
        own = {
            key: loss_of(trial.score, planned.direction)
            for key, trial in outcomes.items()
            if trial.variant == name
        }
        ranked = sorted((key for key in own if math.isfinite(own[key])), key=lambda key: own[key])
        kept |= set(ranked[: math.ceil(each / 2**halvings)])
    return kept


def _pruned(trial: Trial) -> Trial:
    return trial.model_copy(update={"status": "pruned"}) if trial.status == "ok" else trial


def _scored(planned: PlannedTuning, trial: Trial, run: StoredRun | None) -> Trial:
    """A trial with what came out of its run."""
    if run is None:
        return trial
    result = run.result
    value = columns.value(result, planned.suite.primary) if result.status == "ok" else None
    score = float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    status, reason = result.status, result.reason
    if status == "ok" and score is None:
        status, reason = "failed", f"it has no {planned.suite.primary}"
    changes = {
        "run_id": result.run_id,
        "budget": result.budget,
        "status": "failed" if status == "skipped" else status,
        "score": score,
        "reason": reason,
    }
    return trial.model_copy(update=changes)

"""`ganbench run --from RUN`: a stored run done again, and whether it came out the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganbench.experiment.conditions import changes, conditions_of, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.experiment.plan import Plan
    from ganbench.experiment.result import RunResult

__all__ = ["differences", "expectation", "suite_values", "verdict"]

_ASKED = (  # keys of a suite
    "backbone",
    "evaluate_every",
    "precision",
    "compile",
    "cuda_graphs",
    "processes_per_run",
)
_ASIDE = ("dataset", "budget", "sample_every")  # of a recipe; a suite has keys of their own


def suite_values(stored: RunResult) -> dict[str, Any]:
    """What a suite would have to say to do a stored run again, every number of it.

    Args:
        stored: The record of the run; it may come from anybody, and says nothing but what a run is.

    Returns:
        Values by the names of `ganbench.experiment.suite.Suite`'s fields.
    """
    recipe = stored.recipe
    asked = {key: stored.asked[key] for key in _ASKED if stored.asked.get(key) is not None}
    return {
        "variants": (stored.request or stored.variant,),
        "dataset": stored.dataset,
        "device": stored.device,
        "seeds": f"{stored.seed},",
        "budget": stored.budget,
        "set": tuple(
            f"{key}={value}"
            for key, value in recipe.items()
            if key not in _ASIDE and value is not None
        ),
        **({"sample_every": recipe["sample_every"]} if "sample_every" in recipe else {}),
        **({"backbone": stored.backbone} if stored.backbone else {}),
        **asked,
    }


def differences(stored: RunResult, plan: Plan) -> list[str]:
    """Why the plan's run is not the stored one, in whole sentences; empty where it is.

    Args:
        stored: The record of the run to repeat.
        plan: Made from `suite_values` and the flags.
    """
    if any(job.id == stored.run_id for job in plan.jobs):
        return []
    differing = []
    for job in plan.jobs:
        pairs = {
            "seed": (stored.seed, job.seed),
            "budget": (stored.budget, str(job.budget)),
            "device": (stored.device, job.device),
            "dataset": (stored.dataset, job.spec.name),
            **{
                key: (stored.recipe.get(key), value)
                for key, value in job.recipe.items()
                if key not in _ASIDE
            },
        }
        changed = [f"{key} {old} is now {new}" for key, (old, new) in pairs.items() if old != new]
        differing += changed or [
            f"{job.variant}: its source, its dataset or a choice that is not stored has changed"
        ]
    return [f"not the run {stored.run_id}: {text}" for text in dict.fromkeys(differing)]


def expectation(stored: RunResult, plan: Plan, now: Mapping[str, str]) -> str:
    """Under which conditions the stored run was made, and what that means for its scores.

    Args:
        stored: The record of the run to repeat.
        plan: Of the command that repeats it.
        now: The conditions of this command, as `ganbench.experiment.conditions` names them.
    """
    before = conditions_of(stored)
    made = f"{stored.run_id} was made with {in_words(before)}"
    changed = changes(before, now)
    if changed:
        way = "; OMP_NUM_THREADS sets the threads" if "threads" in " ".join(changed) else ""
        return f"{made}: {', '.join(changed)}, so its scores may come out otherwise{way}"
    if stored.device != "cpu":
        return f"{made}, as now; a GPU need not add numbers in the same order twice"
    if any(job.budget.is_time for job in plan.jobs):
        return f"{made}, as now; a budget of time may end after another step"
    return f"{made}, as now"


def verdict(stored: RunResult, again: RunResult) -> str:
    """Whether the scores came out the same to the last bit, which did not, and what may be why."""
    names = [name for name in stored.scores if name in again.scores]
    if not names:
        return f"{again.run_id}: there are no scores to compare with the stored run's"
    if stored.protocol != again.protocol:
        return (
            f"{again.run_id}: scored by protocol {again.protocol}, the stored run by "
            f"{stored.protocol}: not compared"
        )
    unequal = [name for name in names if stored.scores[name] != again.scores[name]]
    if not unequal:
        return f"{again.run_id}: all {len(names)} scores equal the stored run's to the last bit"
    shown = ", ".join(
        f"{name} {stored.scores[name]} → {again.scores[name]}" for name in unequal[:3]
    )
    more = ", …" if len(unequal) > 3 else ""  # noqa: PLR2004 - three are enough
    return (
        f"{again.run_id}: {len(unequal)} of {len(names)} scores differ: {shown}{more} "
        f"({_why(stored, again)})"
    )


def _why(stored: RunResult, again: RunResult) -> str:
    """What is known to have differed between two runs of one plan, besides chance on a GPU."""
    changed = changes(conditions_of(stored), conditions_of(again))
    if stored.steps != again.steps:
        changed.append(f"steps {stored.steps:,} is now {again.steps:,}")
    return ", ".join(changed) or "threads, device and versions are the same"

"""Equal tuning before its first run: what is asked for, what is searched, jobs of trials."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from ganbench.errors import UsageError, unknown
from ganbench.experiment import frozen
from ganbench.experiment import plan as planning
from ganbench.experiment.stored_values import first_problem
from ganbench.experiment.suite import Suite, parse_seeds, parse_settings
from ganbench.machine.torch_settings import preserved_settings
from ganbench.scoring.metrics.catalogue import METRICS
from ganbench.scoring.protocol import short_hash
from ganbench.tuning.default_space import default_space
from ganbench.tuning.draw_trials import Sampler, check_installed, optuna_version
from ganbench.tuning.record import MOST_TRIALS, Tuning
from ganbench.tuning.searched import Searched, parse_space, setting_text
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve
from ganbench.workflow.comparison import PlannedComparison, plan_comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.scoring.metrics.catalogue import Direction
    from ganbench.variant.definition import Variant
    from ganbench.variant.recipe import Recipe

__all__ = ["PlannedTuning", "TuneRequest", "plan_tuning"]

_FIRST_TRIAL_SEED = 1000
_LARGEST_SEED = 2**63 - 1
_RUNGS = (0.25, 0.5, 1.0)
_OF_TEST_IMAGES = ("memorisation", "manifold_recall")
"""Scores that look at the held-out images, which the final scores look at too."""


@dataclass(frozen=True)
class TuneRequest:
    """What is asked for.

    Attributes:
        suite: The final runs of the default recipes: variants, data, budget, seeds, device.
        trials: Of each variant.
        space: As `--space` was given.
        sampler: Draws the trials.
        search_seed: Of the sampler.
        is_pruned: Whether the worse half of the trials is stopped after a quarter and after half of
            the budget.
    """

    suite: Suite
    trials: int = 20
    space: tuple[str, ...] = ()
    sampler: Sampler = "random"
    search_seed: int = 0
    is_pruned: bool = False


@dataclass(frozen=True)
class PlannedTuning:
    """A tuning before its first run.

    Attributes:
        request: What was asked for.
        default: The final runs of the default recipes.
        recipes: By variant, the default recipe as it is fitted to the data.
        space: By variant, what is searched.
        record: What is stored of it.
        notes: What was chosen for the user, in full sentences.
    """

    request: TuneRequest
    default: PlannedComparison
    recipes: Mapping[str, Recipe]
    space: Mapping[str, Mapping[str, Searched]]
    record: Tuning
    notes: tuple[str, ...] = ()
    _jobs: dict[tuple[Any, ...], Job] = field(default_factory=dict)

    @property
    def suite(self) -> Suite:
        """The final runs of the default recipes."""
        return self.request.suite

    @property
    def direction(self) -> Direction:
        """What is better of the primary score."""
        return self.record.direction

    @property
    def rungs(self) -> tuple[Budget, ...]:
        """Budgets after which half of the trials go on, the last of which is the whole one."""
        return tuple(map(Budget.parse, self.record.rungs))

    @property
    def trial_seeds(self) -> tuple[int, ...]:
        """The seed of each trial by its number, equal for all variants; no final run has one."""
        final = set(self.record.seeds)
        others = (seed for seed in itertools.count(_FIRST_TRIAL_SEED) if seed not in final)
        return tuple(itertools.islice(others, max(self.request.trials, len(final))))

    @property
    def default_trials(self) -> int:
        """Runs of each default recipe under the conditions of trials."""
        return len(self.record.seeds)

    @property
    def requests(self) -> dict[str, str]:
        """How to ask for each variant."""
        return {job.variant: job.request for job in self.default.plan.jobs}

    def settings(self, variant: str, numbers: Mapping[str, Any]) -> tuple[str, ...]:
        """What is set for a trial beyond what the user has set, as `--set` takes it."""
        recipe = self.recipes[variant]
        return tuple(setting_text(recipe, key, value) for key, value in numbers.items())

    def trial_job(self, variant: str, numbers: Mapping[str, Any], seed: int) -> Job:
        """The run of a trial at the whole budget; without numbers, of the default recipe.

        Raises:
            UsageError: The recipe is not allowed as a whole.
        """
        key = (variant, tuple(numbers.items()), seed)
        if key not in self._jobs:
            suite = self.suite.model_copy(update={"sample_every": self.suite.budget})
            (job,) = self._made(variant, numbers, suite, (seed,))
            self._jobs[key] = dataclasses.replace(job, noise="choosing")
        return self._jobs[key]

    def final_jobs(self, variant: str, numbers: Mapping[str, Any]) -> tuple[Job, ...]:
        """The final runs of a recipe, one per seed."""
        return self._made(variant, numbers, self.suite, self.record.seeds)

    def _made(
        self, variant: str, numbers: Mapping[str, Any], suite: Suite, seeds: Sequence[int]
    ) -> tuple[Job, ...]:
        given = parse_settings(suite.set, self.requests)[variant]
        drawn = self.settings(variant, numbers)
        changes = {
            "variants": (self.requests[variant],),
            "set": (*(f"{key}={value}" for key, value in given.items()), *drawn),
            "seeds": ",".join([*map(str, seeds), ""]),
        }
        context = self.default.context
        with preserved_settings():  # which the code of variants may change
            plan = planning.make(
                suite.model_copy(update=changes),
                device=self.default.device.kind,
                data_root=context.data_root,
                cache_root=context.cache_root,
            )
        return plan.jobs


def plan_tuning(request: TuneRequest, display: Display, *, command: str) -> PlannedTuning:
    """Make the plan of a tuning; nothing is written but caches of images.

    Raises:
        UsageError: It cannot be carried out as asked for.
    """
    check_installed()
    suite = request.suite
    _check(suite, request)
    default = plan_comparison(suite, display, command=command)
    jobs = {job.variant: job for job in default.plan.jobs}
    with preserved_settings():
        variants = {name: resolve([job.request])[0].variant for name, job in jobs.items()}
    recipes = {name: v.recipe.override(jobs[name].recipe) for name, v in variants.items()}
    space, notes = _space(request, variants, recipes)
    seeds = parse_seeds(suite.seeds)
    budget = Budget.parse(str(suite.budget))
    record = _record(
        variants=tuple(jobs),
        dataset=suite.dataset or "",
        budget=str(budget),
        primary=suite.primary,
        trials=request.trials,
        seeds=seeds,
        sampler=request.sampler,
        search_seed=request.search_seed,
        rungs=_rungs(budget) if request.is_pruned else (str(budget),),
        settings=suite.set,
        space={name: {key: str(item) for key, item in own.items()} for name, own in space.items()},
        plan=short_hash([job.id for job in default.plan.jobs]),
        optuna=optuna_version(),
    )
    return PlannedTuning(request, default, recipes, space, record, notes)


def _record(**values: Any) -> Tuning:
    """The record of a tuning.

    Raises:
        UsageError: Something in it is too long to be stored.
    """
    try:
        return Tuning(**values)
    except ValidationError as error:
        raise UsageError(f"this tuning cannot be stored: {first_problem(error)}") from error


def _check(suite: Suite, request: TuneRequest) -> None:
    if request.sampler not in get_args(Sampler):
        raise UsageError(f"--sampler {request.sampler!r} is not known: give random or tpe")
    if not 1 <= request.trials <= MOST_TRIALS or not 0 <= request.search_seed <= _LARGEST_SEED:
        raise UsageError(
            f"{request.trials} trials with search seed {request.search_seed}: give 1 to "
            f"{MOST_TRIALS:,} trials, and a seed from 0 to {_LARGEST_SEED}"
        )
    if suite.budget is None:
        raise UsageError(
            "tuning is equal only where all runs have one budget: give --budget, for example 20s"
        )
    if suite.seeds_as_needed is not None:
        raise UsageError(f"--seeds {suite.seeds}: the final runs have a count or a list of seeds")
    if request.is_pruned and request.sampler == "tpe":
        raise UsageError(
            "--prune and --sampler tpe: TPE would learn from scores of unequal budgets; give one"
        )
    if frozen.split(suite.variants)[1]:
        raise UsageError("what is made elsewhere (frozen:PATH) has no recipe to tune: leave it out")
    names = [item.name for item in METRICS if item.name not in _OF_TEST_IMAGES]
    if suite.primary in _OF_TEST_IMAGES:
        raise UsageError(
            f"--primary {suite.primary} looks at the test images, which tuning must not see before "
            "the final scores do: give another, such as fid"
        )
    if suite.primary not in names:
        raise unknown("primary score", suite.primary, names, "see `ganbench list metrics`")


def _space(
    request: TuneRequest, variants: Mapping[str, Variant], recipes: Mapping[str, Recipe]
) -> tuple[dict[str, dict[str, Searched]], tuple[str, ...]]:
    """What is searched of each variant, and what was left out of it."""
    suite, notes = request.suite, []
    given = parse_space(request.space, recipes)
    fixed = parse_settings(suite.set, variants)
    counts_steps = Budget.parse(str(suite.budget)).unit == "steps"
    space: dict[str, dict[str, Searched]] = {}
    for name, recipe in recipes.items():
        if both := sorted(set(given[name]) & set(fixed[name])):
            raise UsageError(f"{name}: {both[0]} is in --set and in --space: give one of them")
        unused = {"d_steps"} if counts_steps or variants[name].step is not None else set()
        usual = default_space(recipe, {*fixed[name], *unused})
        space[name] = {**usual, **given[name]}
        if not space[name]:
            raise UsageError(f"{name}: nothing is searched: give --space, or leave out --set")
    if counts_steps and not all("d_steps" in own for own in given.values()):
        notes.append(
            f"d_steps is not searched, as a budget of {suite.budget} would give more training to "
            "recipes with more updates per step: count it in epochs, kimg or seconds, or give "
            "--space 'd_steps=1|2|5'"
        )
    return space, tuple(notes)


def _rungs(budget: Budget) -> tuple[str, ...]:
    """A quarter, half and all of a budget; whole steps."""
    is_steps = budget.unit == "steps"
    amounts = [budget.amount * share for share in _RUNGS]
    amounts = [max(1.0, float(round(amount))) if is_steps else amount for amount in amounts]
    return tuple(dict.fromkeys(str(Budget(amount, budget.unit)) for amount in amounts))

"""The record of a tuning: `tuning.json` says what was asked, what is searched, and each trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganbench.errors import DataError, UsageError
from ganbench.experiment.result import SCHEMA
from ganbench.experiment.store import write_text, writing
from ganbench.experiment.stored_values import Name, first_problem, plain_json
from ganbench.scoring.metrics.catalogue import METRICS, metric
from ganbench.tuning.curve import best_over_trials, best_so_far, loss_of
from ganbench.visible import visible_values

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.scoring.metrics.catalogue import Direction
    from ganbench.tuning.curve import BestOf

__all__ = [
    "DEFAULT",
    "MOST_TRIALS",
    "TRIALS_FOLDER",
    "TUNED",
    "TUNING_FILE",
    "Trial",
    "Tuning",
    "best_trial",
    "check_same",
    "read_tuning",
    "write_tuning",
]

TUNING_FILE, TRIALS_FOLDER = "tuning.json", "trials"
MOST_TRIALS = 10_000
TUNED, DEFAULT = "tuned", "default"
"""What stands behind a variant's name in the report of the final runs."""

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Text = Annotated[str, Field(max_length=5000)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Trial(_Record):
    """One trial of a variant, or its default recipe under the conditions of trials.

    Attributes:
        variant: Which.
        trial: Its number, from 1; of default recipes too.
        is_default: Whether nothing was drawn.
        seed: Of its run.
        numbers: What was drawn, by the names of recipe numbers.
        run_id: In the folder `trials`; empty where the recipe was refused.
        budget: After which it was scored: of a pruned one, a part of the budget.
        status: `ok`, `pruned`, `diverged` or `failed`.
        score: The primary one; None where there is none.
        reason: Why it failed.
    """

    variant: Name
    trial: _Count
    is_default: bool = False
    seed: _Count
    numbers: dict[str, float | int | str] = {}
    run_id: Name = ""
    budget: Name
    status: Literal["ok", "pruned", "diverged", "failed"]
    score: float | None = None
    reason: _Text = ""


class Tuning(_Record):
    """What was asked, what is searched, and what came out.

    Attributes:
        variants: In the order in which they were named.
        dataset: Name of it; empty for the recipes' own.
        budget: Of each run.
        primary: The score that trials are chosen by.
        trials: Of each variant.
        seeds: Of the final runs.
        sampler: That drew the trials.
        search_seed: Of the sampler.
        rungs: Budgets after which half of the trials go on; the budget alone where none is pruned.
        settings: What the user set for all runs, as `--set` takes it.
        space: By variant, what is searched of each number.
        plan: A hash of all runs that were planned, so that another machine or source is seen.
        optuna: Its version.
        results: The trials that have ended.
        winners: By variant, the number of its best trial; None where all failed.
        names: By the ids of final runs, `tuned` or `default`.
    """

    variants: tuple[Name, ...]
    dataset: Name = ""
    budget: Name
    primary: Name
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)]
    seeds: tuple[_Count, ...]
    sampler: Literal["random", "tpe"] = "random"
    search_seed: _Count = 0
    rungs: tuple[Name, ...] = ()
    settings: tuple[_Text, ...] = ()
    space: dict[str, dict[str, _Text]]
    plan: Name = ""
    optuna: Name = ""
    results: tuple[Trial, ...] = ()
    winners: dict[str, _Count | None] = {}
    names: dict[str, Literal["tuned", "default"]] = {}
    schema_: int = Field(SCHEMA, alias="schema")

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.schema_ > SCHEMA:
            raise ValueError(f"schema {self.schema_} is newer than {SCHEMA}: update ganbench")
        if self.primary not in {item.name for item in METRICS}:
            raise ValueError(f"primary {self.primary!r} is no score")
        return self

    @property
    def direction(self) -> Direction:
        """What is better of the primary score."""
        return metric(self.primary).direction

    @property
    def is_pruned(self) -> bool:
        """Whether the worse trials were stopped before the end of the budget."""
        return len(self.rungs) > 1

    def of(self, variant: str, *, is_default: bool = False) -> list[Trial]:
        """The trials of a variant that have ended, by number; or the runs of its default recipe."""
        own = [t for t in self.results if t.variant == variant and t.is_default == is_default]
        return sorted(own, key=lambda trial: trial.trial)

    def winner(self, variant: str) -> Trial | None:
        """The best trial of a variant; None where all failed or the search has not ended."""
        number = self.winners.get(variant)
        return next((trial for trial in self.of(variant) if trial.trial == number), None)

    def curve(self, variant: str) -> list[BestOf]:
        """The best score of a variant over the number of trials; empty without trials.

        A pruned trial counts with the score that it was stopped at.
        """
        scores = [trial.score for trial in self.of(variant)]
        made = best_over_trials if self.sampler == "random" else best_so_far
        return made(scores, self.direction)


def best_trial(trials: list[Trial], direction: Direction) -> Trial | None:
    """The trial with the best score of those that had the whole budget; None where none has one."""
    done = [trial for trial in trials if trial.status == "ok" and trial.score is not None]
    return min(done, key=lambda trial: loss_of(trial.score, direction), default=None)


def read_tuning(folder: Path) -> Tuning | None:
    """Read the record of a results folder; None where it is of no tuning.

    Raises:
        DataError: It is damaged.
    """
    file = folder / TUNING_FILE
    try:
        if not file.exists():
            return None
        values = plain_json(file.read_text(encoding="utf-8"))
        return Tuning.model_validate(visible_values(values))
    except ValidationError as error:
        raise DataError(_damaged(file, first_problem(error))) from error
    except (OSError, ValueError) as error:
        raise DataError(_damaged(file, str(error))) from error


def _damaged(file: Path, why: str) -> str:
    return f"{file} cannot be read: {why}; restore it, or start over with --fresh"


def write_tuning(folder: Path, tuning: Tuning) -> None:
    """Store the record, in one piece.

    Raises:
        UsageError: It cannot be written.
    """
    text = json.dumps(tuning.model_dump(by_alias=True), indent=1, allow_nan=False) + "\n"
    with writing(folder / TUNING_FILE):
        write_text(folder / TUNING_FILE, text, durable=True)


_OUTCOME = {"results", "winners", "names", "schema_"}


def check_same(folder: Path, planned: Tuning) -> None:
    """Refuse to go on in a folder in which something else was planned.

    Args:
        folder: Where results are to go.
        planned: What this command asks for.

    Raises:
        UsageError: The folder holds another tuning; what differs is named.
    """
    stored = read_tuning(folder)
    if stored is None:
        return
    before, now = (record.model_dump(exclude=_OUTCOME) for record in (stored, planned))
    changed = [key for key in now if now[key] != before[key]]
    if changed:
        what = [f"{key} was {_short(before[key])} and is {_short(now[key])} now" for key in changed]
        what = what[:1] if changed == ["plan"] else [t for t in what if not t.startswith("plan ")]
        raise UsageError(
            f"{folder} holds another tuning: {'; '.join(what[:3])}: give another folder with "
            "--out, or --fresh to start over"
        )


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, dict):
        return "another"
    return str(value) or "nothing"

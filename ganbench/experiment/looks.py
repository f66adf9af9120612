"""The record of looks at a comparison whose seeds are added as needed: `looks.json`.

It says what was planned before any score was seen, and what each look saw, decided and asked for.
A look that is recorded is never taken again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganbench.errors import DataError, UsageError
from ganbench.experiment.result import SCHEMA
from ganbench.experiment.seed_range import SeedRange
from ganbench.experiment.store import read_text, write_text, writing
from ganbench.experiment.stored_values import Name, first_problem, plain_json
from ganbench.visible import visible_values

if TYPE_CHECKING:
    from ganbench.experiment.store import ResultsFolder

__all__ = ["Look", "Looks", "PairAtLook", "check_looks", "read_looks", "write_looks"]

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0, lt=1_000_000)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PairAtLook(_Record):
    """A pair of variants as a look saw it.

    Attributes:
        variant_a: Label of A in the report.
        variant_b: Label of B.
        seeds: Seeds that both had completed.
        verdict: Of A: `better`, `worse`, `equivalent`, `not resolved`, or `not tested` with fewer
            common seeds than the first look asks for.
        p_value: Sequential; None where it is not tested.
        p_holm: Corrected for all pairs.
        p_equivalent: Of the claim that they are equivalent, corrected for all pairs.
        sentence: The verdict and its numbers.
    """

    variant_a: Name
    variant_b: Name
    seeds: _Count
    verdict: Name
    p_value: _Share | None = None
    p_holm: _Share | None = None
    p_equivalent: _Share | None = None
    sentence: Annotated[str, Field(max_length=5000)] = ""


class Look(_Record):
    """One look at all scores.

    Attributes:
        runs: Ids of the runs that had completed by then and were not there at the look before.
        pairs: What was seen.
        next: Ids of the runs that were asked for then; none where the comparison ended.
        ended: Why it ended, in words; empty where it went on.
    """

    runs: tuple[Name, ...]
    pairs: tuple[PairAtLook, ...] = ()
    next: tuple[Name, ...] = ()
    ended: Annotated[str, Field(max_length=5000)] = ""


class Looks(_Record):
    """What was planned before any score was seen, and the looks that were taken.

    Attributes:
        first: Seeds of each variant in the first round.
        limit: Seeds of a variant at most.
        primary: The score that decides.
        margin: Variants are equivalent if neither is worse by this share; 0 where none can be.
        runs: Ids of all runs that there may be; other runs in the folder are not looked at. Empty
            in records of earlier versions, which looked at all.
        looks: In their order.
    """

    first: Annotated[int, Field(ge=2, le=1000)]
    limit: Annotated[int, Field(ge=2, le=1000)]
    primary: Name
    margin: Annotated[float, Field(ge=0, lt=1)]
    runs: tuple[Name, ...] = ()
    looks: tuple[Look, ...] = ()
    schema_: int = Field(SCHEMA, alias="schema")

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.schema_ > SCHEMA:
            raise ValueError(f"schema {self.schema_} is newer than {SCHEMA}: update ganbench")
        if self.limit < self.first:
            raise ValueError("limit is below first")
        return self

    @property
    def plan(self) -> tuple[int, int, str, float]:
        """What must not change once scores were seen."""
        return self.first, self.limit, self.primary, self.margin

    @property
    def text(self) -> str:
        """The plan as flags."""
        seeds, margin = SeedRange(self.first, self.limit), f"{100 * self.margin:g}%"
        return f"--seeds {seeds} --primary {self.primary} --margin {margin}"

    @property
    def seen(self) -> tuple[frozenset[str], ...]:
        """For each look, the ids of all runs that had completed by then."""
        seen: list[frozenset[str]] = []
        for look in self.looks:
            seen.append(frozenset(look.runs) | (seen[-1] if seen else frozenset()))
        return tuple(seen)


def read_looks(folder: ResultsFolder) -> Looks | None:
    """Read the record of a folder; None where its seeds were given and not added as needed.

    Raises:
        DataError: It is damaged.
    """
    file = folder.looks_file
    try:
        if not file.exists():
            return None
        values = plain_json(read_text(file))
        return Looks.model_validate(visible_values(values))
    except ValidationError as error:
        raise DataError(_damaged(file, first_problem(error))) from error
    except (OSError, ValueError) as error:
        raise DataError(_damaged(file, str(error))) from error


def _damaged(file: object, why: str) -> str:
    return (
        f"{file} cannot be read: {why}; restore it, or start over with --fresh: without it nobody "
        "knows how often the scores were looked at"
    )


def write_looks(folder: ResultsFolder, looks: Looks) -> None:
    """Store the record, in one piece.

    Raises:
        UsageError: It cannot be written.
    """
    text = json.dumps(looks.model_dump(by_alias=True), indent=1, allow_nan=False) + "\n"
    with writing(folder.looks_file):
        write_text(folder.looks_file, text, durable=True)


def check_looks(folder: ResultsFolder, planned: Looks | None) -> None:
    """Refuse to go on in a folder whose seeds were planned in another way.

    Args:
        folder: Where results are to go; no other command may work in it.
        planned: What this command plans, without looks; None where its seeds are given.

    Raises:
        UsageError: Seeds were given then and are added as needed now, or the other way round, or
            the first round, the limit, the primary score or the margin differ, or scores were seen
            of runs that are not asked for now, as those of a smaller budget.
    """
    stored = read_looks(folder)
    ways = "give another folder with --out, or --fresh to start over"
    if stored is None:
        if planned is not None and folder.plan_file.exists():
            raise UsageError(
                f"{folder.path} holds a comparison whose seeds were given, and looks at it were "
                f"not counted: {ways}"
            )
        return
    if planned is None or stored.plan != planned.plan:
        now = "a list or number of seeds" if planned is None else planned.text
        raise UsageError(
            f"{folder.path} was planned with {stored.text}, and now has {now}; this cannot change "
            f"once scores were seen: {ways}"
        )
    gone = sorted(set(stored.runs) - set(planned.runs))
    if gone and stored.looks:
        raise UsageError(
            f"{folder.path} holds looks at runs that are not asked for now, as {gone[0]}: what is "
            f"compared cannot change once scores were seen: {ways}"
        )

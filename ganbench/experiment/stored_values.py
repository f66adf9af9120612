"""What a stored file may hold: JSON as plain data, and the types and ranges of a run's record.

Results folders are copied, edited, and written by other programs, so nothing in them is taken for
granted.
"""

from __future__ import annotations

import json
import reprlib
from typing import Annotated, Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganbench.visible import visible_values

__all__ = ["Name", "check_plan", "check_run", "first_problem", "plain_json"]

_DEEPEST = 30  # levels of lists and objects
_LARGEST = 1e100  # so that squares, and sums of squares, stay finite

Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(max_length=1000)]


def plain_json(text: str) -> Any:
    """Read JSON in which every number is finite and in range, and nothing is nested very deeply.

    Raises:
        ValueError: It is not, or no JSON.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    _check([value], 0)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _check(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    for item in value.values() if type(value) is dict else value:
        kind = type(item)  # one of few, of which most are text: asking for each is quick
        if kind is dict or kind is list:
            _check(item, depth + 1)
        elif (kind is float or kind is int) and not abs(item) <= _LARGEST:
            raise ValueError(f"a number is beyond ±{_LARGEST:g}")


def first_problem(error: ValidationError) -> str:
    """The first of the things that are wrong with some values, in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"{where} is missing"
    message = first["msg"].removeprefix("Value error, ")
    if not where:
        return message
    return f"{where}: {reprlib.repr(first['input'])} is not allowed: {message}"


class _Stored(BaseModel):
    """Values of exactly these types; others beside them are of no concern."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Moment(_Stored):
    step: Count | None = None
    images_seen: float | None = None
    seconds: float | None = None
    scores: dict[str, float | None] = {}


class _Collapse(_Moment):
    images_seen: float
    from_start: bool | None = None
    most: float | None = None
    total: float | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.from_start and (self.most is None or self.total is None):
            raise ValueError("modes that were never there need most and total")
        return self


class _ProtocolFields(_Stored):
    fake_count: Annotated[int, Field(ge=1, lt=1e12)] | None = None
    real_count: Annotated[int, Field(ge=1, lt=1e12)] | None = None
    neighbour_count: Annotated[int, Field(ge=1, lt=1e12)] | None = None
    prompt_image_limit: Annotated[int, Field(ge=1, lt=1e12)] | None = None
    backbone: Name = ""
    modes_rule: Name = ""


class _OverTraining(_Stored):
    protocol: Name | None = None
    protocol_fields: _ProtocolFields | None = None
    evaluations: Count | None = None
    best: _Moment | None = None
    last: _Moment = _Moment()
    collapsed: _Collapse | None = None
    gap: float | None = None


class _Reference(_Stored):
    images: Count
    scores: dict[str, float | None]


class _DatasetFields(_Stored):
    class_names: list[Name] = []
    kind: Name = ""


class _Environment(_Stored):
    versions: dict[str, Any] | None = None
    threads: Count | None = None
    processes_per_run: Count | None = None
    timing_threads: Count | None = None


class _Run(_Stored):
    """What holds of a run beyond the types of `RunResult`'s fields."""

    run_id: Name
    variant: Name
    dataset: Name
    device: Name
    device_name: Name = ""
    budget: Name = ""
    backbone: Name = ""
    protocol: Name = ""
    seed: Count
    steps: Count = 0
    images_seen: Count = 0
    train_seconds: Annotated[float, Field(ge=0)] | None = None
    images_per_second: Annotated[float, Field(ge=0)] | None = None
    sample_images_per_second: Annotated[float, Field(ge=0)] | None = None
    peak_memory_bytes: Count | None = None
    peak_host_memory_bytes: Count | None = None
    scores: dict[str, float | None] = {}
    dataset_fields: _DatasetFields = _DatasetFields()
    protocol_fields: _ProtocolFields = _ProtocolFields()
    references: dict[str, _Reference] = {}
    over_training: _OverTraining = _OverTraining()
    environment: _Environment = _Environment()

    @model_validator(mode="after")
    def _modes_can_be_counted(self) -> Self:
        total = self.scores.get("modes_total")
        if total is not None and not 1 <= total < _MOST_MODES:
            raise ValueError("scores.modes_total counts modes")
        return self


_MOST_MODES = 1e9


def check_run(values: dict[str, Any]) -> None:
    """See that the values of a run's record are such as a report can be made of.

    Args:
        values: With texts that can be shown.

    Raises:
        ValueError: They are not; the first that is not is named.
    """
    try:
        _Run.model_validate(values)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error


class _PlannedJob(_Stored):
    run_id: Name


class _Plan(_Stored):
    title: str | None = None
    command: str | None = None
    created: str | None = None
    device_reason: str | None = None
    notes: list[str] | None = None
    jobs: list[_PlannedJob] | None = None
    earlier_budgets: list[str] | None = None


def check_plan(values: Any) -> None:
    """See that the values of a plan are such as a report, and a command that goes on, can use.

    Raises:
        ValueError: They are not; the first that is not is named.
    """
    if not isinstance(values, dict):
        raise ValueError("it holds no plan")  # noqa: TRY004 - of a file's content
    try:
        _Plan.model_validate(visible_values(values))
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error

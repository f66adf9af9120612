"""Numbers that change over a run's budget, written as text: `2e-4:0`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

__all__ = ["Schedule", "Scheduled", "bounds_broken", "scheduled", "value_at"]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PATTERN = re.compile(
    rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*"
    rf"(?::\s*(linear|cosine)\s*(?::\s*({_NUMBER})\s*:\s*({_NUMBER})\s*)?)?"
)
_ALLOWED = (
    "give a number, or FROM:TO, FROM:TO:cosine or FROM:TO:linear:START:END "
    "with START and END as shares of the budget, for example 2e-4:0"
)


_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "gt": ("greater than", operator.gt),
    "ge": ("greater than or equal to", operator.ge),
    "lt": ("less than", operator.lt),
    "le": ("less than or equal to", operator.le),
}


@dataclass(frozen=True)
class Schedule:
    """A number that goes from one value to another while the budget is used up.

    Attributes:
        first: Value until `start`.
        last: Value from `end` on.
        shape: `"linear"`, or `"cosine"`: half a cosine wave (Loshchilov and Hutter 2017,
            arXiv:1608.03983).
        start: Share of the budget at which the change begins, in [0, 1).
        end: Share at which it is complete, in (start, 1].
    """

    first: float
    last: float
    shape: Literal["linear", "cosine"] = "linear"
    start: float = 0.0
    end: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule such as `"2e-4:0"` or `"0.05:0.005:cosine"`.

        Raises:
            ValueError: The text is no schedule, or a value is not finite.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"not a number and not a schedule: {_ALLOWED}")
        first, last, shape, start, end = match.groups()
        read = cls(
            float(first),
            float(last),
            "cosine" if shape == "cosine" else "linear",
            float(start or 0),
            float(end or 1),
        )
        if not all(map(math.isfinite, (read.first, read.last))):
            raise ValueError("a schedule goes between finite numbers")
        if not 0 <= read.start < read.end <= 1:
            raise ValueError(f"START and END must satisfy 0 <= START < END <= 1: {_ALLOWED}")
        return read

    def at(self, share: float) -> float:
        """The value after a share of the budget, in [0, 1], is used up."""
        done = min(1.0, max(0.0, (share - self.start) / (self.end - self.start)))
        if self.shape == "cosine":
            done = (1 - math.cos(math.pi * done)) / 2
        return self.first + (self.last - self.first) * done

    def __str__(self) -> str:
        text = f"{self.first!r}:{self.last!r}"
        if (self.start, self.end) != (0.0, 1.0):
            return f"{text}:{self.shape}:{self.start!r}:{self.end!r}"
        return text if self.shape == "linear" else f"{text}:{self.shape}"


def _number_or_schedule(value: float | str) -> float | str:
    """A float as it is, text as a float where it says one, else as a schedule in one spelling."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return str(Schedule.parse(value))
    if not math.isfinite(number):
        raise ValueError("must be finite")
    return number


Scheduled = Annotated[float | str, AfterValidator(_number_or_schedule)]
"""Type of a recipe's number that may be a schedule; read it with `value_at` or `Context.value`."""


def scheduled(
    default: float | str,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    description: str,
) -> Any:
    """Declare a recipe's number of the type `Scheduled`.

    The bounds hold over the whole schedule; `gt` and `lt` may be touched at one of its ends, as a
    learning rate that decays to 0 does.

    penalty: ganbench.Scheduled = ganbench.scheduled(10.0, ge=0, description="its weight")
    """
    bounds = {"gt": gt, "ge": ge, "lt": lt, "le": le}
    extra: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    return Field(default, description=description, json_schema_extra=extra)


def bounds_broken(value: float | str, bounds: dict[str, Any]) -> str:
    """What is wrong with a number or schedule under the bounds of `scheduled`; empty if nothing."""
    if isinstance(value, str):
        schedule = Schedule.parse(value)
        ends = (schedule.first, schedule.last)
    else:
        ends = (value, value)
    for name, (text, holds) in _BOUNDS.items():
        if name not in bounds:
            continue
        strict = name in ("gt", "lt")
        broken = not all(holds(end, bounds[name]) for end in ends)
        if strict and isinstance(value, str):  # a rate may end at 0
            inside = _BOUNDS[name.replace("t", "e")][1]
            broken = not any(holds(end, bounds[name]) for end in ends) or not all(
                inside(end, bounds[name]) for end in ends
            )
        if broken:
            return f"Input should be {text} {bounds[name]:g}"
    return ""


def value_at(number: float | str, share: float) -> float:
    """A recipe's number after a share of the budget, in [0, 1], is used up."""
    return Schedule.parse(number).at(share) if isinstance(number, str) else number

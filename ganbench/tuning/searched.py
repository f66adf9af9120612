"""What is searched of a recipe's number: a range or some values, as `--space` says it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError, unknown
from ganbench.variant.schedule import Schedule

if TYPE_CHECKING:
    from ganbench.variant.recipe import Recipe

__all__ = ["Choices", "Range", "Searched", "parse_searched", "parse_space", "setting_text"]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*(:\s*log\s*)?")
_NOT_SEARCHED = ("dataset", "budget", "sample_every")  # of a recipe: no number of the method
_ALLOWED = (
    "give KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=a|b|c, for one variant VARIANT.KEY=..., for "
    "example lr_g=1e-5:1e-3:log"
)


@dataclass(frozen=True)
class Range:
    """All numbers between two, the ends included.

    Attributes:
        low: The smallest.
        high: The largest, above `low`.
        log: Whether each factor is as likely as any other equal one, instead of each difference.
        whole: Whether only whole numbers are drawn.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}{':log' if self.log else ''}"


@dataclass(frozen=True)
class Choices:
    """Some values, each as likely as any other; as text, as `--set` takes them."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return "|".join(self.values)


Searched = Range | Choices


def parse_searched(text: str) -> Searched:
    """Read `1e-5:1e-3:log` or `0|0.5|0.9`.

    Raises:
        ValueError: It is neither, a range goes down, or a value is there twice.
    """
    if "|" in text:
        values = tuple(part.strip() for part in text.split("|"))
        if not all(values) or len(set(values)) < len(values):
            raise ValueError("give each value once, and none that is empty")
        return Choices(values)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(_ALLOWED)
    low, high, log = float(match[1]), float(match[2]), bool(match[3])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError("LOW has to be below HIGH, and both finite")
    if log and low <= 0:
        raise ValueError("with :log, LOW has to be above 0")
    return Range(low, high, log)


def parse_space(
    texts: Sequence[str], recipes: Mapping[str, Recipe]
) -> dict[str, dict[str, Searched]]:
    """Sort what `--space` was given by variant; what names a variant wins.

    Args:
        texts: As they were given.
        recipes: The recipe of each variant, which says what numbers there are and their ranges.

    Raises:
        UsageError: One cannot be read, names a variant that does not take part or a number that a
            recipe has not, or holds values that the number cannot have.
    """
    general: dict[str, tuple[str, Searched]] = {}
    special: dict[str, dict[str, tuple[str, Searched]]] = {name: {} for name in recipes}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"--space {text!r} cannot be read: {_ALLOWED}")
        try:
            searched = parse_searched(value)
        except ValueError as error:
            raise UsageError(f"--space {text!r} is not allowed: {error}") from error
        owner, dot, name = key.strip().rpartition(".")
        variant = owner.replace("_", "-")
        if not dot:
            general[name] = (text, searched)
        elif variant in special:
            special[variant][name] = (text, searched)
        else:
            raise unknown("variant in --space", owner, recipes)
    return {
        variant: {
            key: _checked(variant, recipe, key, *given)
            for key, given in {**general, **special[variant]}.items()
        }
        for variant, recipe in recipes.items()
    }


def _checked(variant: str, recipe: Recipe, key: str, text: str, searched: Searched) -> Searched:
    """What is searched of a number, all of which the recipe allows.

    Raises:
        UsageError: It does not.
    """
    if key in _NOT_SEARCHED:
        raise UsageError(f"--space {text!r}: {key} is the same for all trials, give --{key}")
    field = type(recipe).model_fields.get(key)
    kind = field.annotation if field is not None else float
    if isinstance(searched, Choices):
        values: list[Any] = list(searched.values)
    elif kind in (int, float, float | str):
        searched = Range(searched.low, searched.high, searched.log, whole=kind is int)
        ends = (searched.low, searched.high)
        values = [int(end) if kind is int and end == int(end) else end for end in ends]
    else:
        raise UsageError(f"--space {text!r}: {key} is no number: give its values as {key}=a|b")
    try:
        for value in values:
            recipe.override({key: value})
    except UsageError as error:
        raise UsageError(f"--space {text!r}: {variant}: {error}") from error
    return searched


def setting_text(recipe: Recipe, key: str, value: Any) -> str:
    """A drawn value as `--set` takes it.

    Where the recipe's number changes over the budget, the drawn one is that of its start, and its
    end is changed by the same factor: `2e-4:2e-5` and 1e-3 make `0.001:0.0001`.
    """
    usual = getattr(recipe, key)
    if isinstance(value, str) or not isinstance(usual, str):
        return f"{key}={value}"
    try:
        schedule = Schedule.parse(usual)
    except ValueError:
        return f"{key}={value}"
    last = float(f"{schedule.last * value / schedule.first:.4g}") if schedule.first else value
    changed = Schedule(float(value), last, schedule.shape, schedule.start, schedule.end)
    return f"{key}={changed}"

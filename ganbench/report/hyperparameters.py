"""The hyperparameters of all variants in one table, those that differ first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report.tables import Cell, Table

if TYPE_CHECKING:
    from ganbench.report.groups import Group

__all__ = ["Hyperparameters", "hyperparameters_of"]

# What the run was asked for stands beside its results, and does not belong to its recipe.
_ASKED = ("dataset", "budget", "sample_every")
_NONE = "—"


@dataclass(frozen=True)
class Hyperparameters:
    """What was set for each variant.

    Attributes:
        differing: One row per variant, one column per hyperparameter that is not the same for all;
            None where all are the same.
        equal: Names and values of those that are the same for all variants, by name.
    """

    differing: Table | None
    equal: tuple[tuple[str, str], ...]


def hyperparameters_of(group: Group) -> Hyperparameters | None:
    """The hyperparameters of a group's variants; None where no run stored any.

    Those that differ between most variants come first. One that a variant does not have is a dash.
    """
    recipes = {label: recipe for label in group.all_labels if (recipe := _recipe(group, label))}
    if not recipes:
        return None
    names = list(dict.fromkeys(name for recipe in recipes.values() for name in recipe))
    values = {name: [_text(r[name]) if name in r else _NONE for r in recipes.values()]
              for name in names}  # fmt: skip
    differing = [name for name in names if len(set(values[name])) > 1]
    # One that every variant has says more about the comparison than one that belongs to a few
    differing.sort(key=lambda name: (_NONE in values[name], -len(set(values[name]))))
    equal = tuple((name, values[name][0]) for name in names if name not in differing)
    if not differing:
        return Hyperparameters(None, equal)
    rows = []
    for place, label in enumerate(recipes):
        cells = tuple(Cell(values[name][place]) for name in differing)
        rows.append((label, *group.completed(label), cells))
    note = f"{_NONE}: the variant has no such hyperparameter." if _has_dash(values) else ""
    return Hyperparameters(Table("Hyperparameters", tuple(differing), tuple(rows), note), equal)


def _has_dash(values: dict[str, list[str]]) -> bool:
    return any(_NONE in some for some in values.values())


def _recipe(group: Group, label: str) -> dict[str, Any]:
    """The recipe of a variant's first run that stored one; all seeds of a row have the same."""
    stored = (entry.result.recipe for entry in group.started(label) if entry.result.recipe)
    return {name: value for name, value in next(stored, {}).items() if name not in _ASKED}


def _text(value: Any) -> str:
    """A value as people write it in a command."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)

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


@dataclass(frozen=True)
class Hyperparameters:
    """What was set for each variant.

    Attributes:
        differing: One row per variant, one column per hyperparameter that is not the same for all;
            None where all are the same.
        equal: Names and values of those that are the same for all variants that have them.
    """

    differing: Table | None
    equal: tuple[tuple[str, str], ...]


def hyperparameters_of(group: Group) -> Hyperparameters | None:
    """The hyperparameters of a group's variants; None where no run stored any.

    Those that differ and that all variants have come first. One that a variant does not have is
    empty.
    """
    recipes = {label: recipe for label in group.all_labels if (recipe := _recipe(group, label))}
    if not recipes:
        return None
    names = list(dict.fromkeys(name for recipe in recipes.values() for name in recipe))
    values = {
        name: {label: _text(recipe[name]) for label, recipe in recipes.items() if name in recipe}
        for name in names
    }
    differing = [name for name in names if len(set(values[name].values())) > 1]
    # One that every variant has says more about the comparison than one that belongs to a few
    differing.sort(key=lambda name: (len(values[name]) < len(recipes), -len(set(values[name]))))
    equal = tuple(
        (name, next(iter(values[name].values()))) for name in names if name not in differing
    )
    if not differing:
        return Hyperparameters(None, equal)
    rows = [
        (
            label,
            *group.completed(label),
            tuple(Cell(values[name].get(label, "")) for name in differing),
        )
        for label in recipes
    ]
    return Hyperparameters(Table("Hyperparameters", tuple(differing), tuple(rows)), equal)


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

"""The numbers of a recipe for people: default, range and description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from ganbench.variant.recipe import Recipe

__all__ = ["RecipeRow", "recipe_rows"]

_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class RecipeRow:
    """One number of a recipe, as text."""

    name: str
    default: str
    range: str
    description: str


def recipe_rows(recipe: Recipe) -> list[RecipeRow]:
    """Describe each number of a recipe, in its order; those of the variant itself come first."""
    from ganbench.variant.recipe import Recipe

    fields = type(recipe).model_fields
    own = [name for name in fields if name not in Recipe.model_fields]
    names = [*own, *(name for name in fields if name not in own)]
    return [
        RecipeRow(
            name,
            str(getattr(recipe, name)),
            _range(fields[name]),
            fields[name].description or "",
        )
        for name in names
    ]


def _range(field: FieldInfo) -> str:
    """What values a field allows."""
    extra: dict[str, Any] = (
        field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    )
    bounds: dict[str, Any] = {name: extra[name] for name in _SIGNS if name in extra}
    for constraint in field.metadata:
        bounds |= {name: getattr(constraint, name) for name in _SIGNS if hasattr(constraint, name)}
    if get_origin(field.annotation) is Literal:
        return ", ".join(map(str, get_args(field.annotation)))
    parts = [f"{_SIGNS[name]} {value:g}" for name, value in bounds.items()]
    is_scheduled = field.annotation == float | str
    kind = "number or schedule" if is_scheduled else _KINDS.get(field.annotation, "")  # type: ignore[arg-type]
    return ", ".join(filter(None, [kind, *parts]))

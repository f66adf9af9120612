"""The space that is searched where `--space` says nothing: by the names of a recipe's numbers.

Ranges lie around a recipe's own number and are equally wide for all variants, so that none has more
to search in than another. Numbers that are 0, which means without, stay 0: a penalty that a variant
has not would make another method of it. What is searched follows Lucic et al. 2018
(arXiv:1711.10337) and Kurach et al. 2019 (arXiv:1807.04720): learning rates, Adam's first moment,
updates of the discriminator per step, and weights of penalties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.tuning.searched import Choices, Range, Searched, parse_searched
from ganbench.variant.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic.fields import FieldInfo

    from ganbench.variant.recipe import Recipe

__all__ = ["default_space"]

_FACTOR = 10  # either way
_RATES = ("lr_g", "lr_d", "lr_mapping")
_RATE_LIMITS = (1e-5, 1e-2)
_WEIGHTS = (
    "class_weight_d", "class_weight_g", "consistency", "dragan", "gamma", "gradient_penalty",
    "lecam", "path_weight", "r1", "r2", "reconstruction", "weight_clip",
)  # fmt: skip
_CHOICES = {"beta1": ("0", "0.5", "0.9"), "d_steps": ("1", "2", "5")}


def default_space(recipe: Recipe, fixed: Collection[str] = ()) -> dict[str, Searched]:
    """What is searched of a recipe.

    A number of a variant's own may say what is searched of it:
    `Field(10.0, ge=0, description="...", json_schema_extra={"space": "1:100:log"})`.

    Args:
        recipe: With the numbers around which is searched.
        fixed: Numbers that are not searched, as the user has set them or the variant cannot use
            them.

    Returns:
        By the names of numbers, in the order of the recipe.
    """
    space: dict[str, Searched] = {}
    for key, field in type(recipe).model_fields.items():
        if key in fixed:
            continue
        declared = _declared(field)
        usual = _start(getattr(recipe, key))
        if declared is not None:
            space[key] = declared
        elif key in _CHOICES:
            space[key] = Choices(_CHOICES[key])
        elif key in _RATES and usual:
            low, high = _RATE_LIMITS
            space[key] = Range(max(low, usual / _FACTOR), min(high, usual * _FACTOR), log=True)
        elif key in _WEIGHTS and usual:
            space[key] = Range(usual / _FACTOR, usual * _FACTOR, log=True)
    return space


def _declared(field: FieldInfo) -> Searched | None:
    extra = field.json_schema_extra
    text = extra.get("space") if isinstance(extra, dict) else None
    return parse_searched(text) if isinstance(text, str) else None


def _start(number: object) -> float:
    """A number, or the one that a schedule begins with; 0 where it is none."""
    if isinstance(number, str):
        try:
            return Schedule.parse(number).first
        except ValueError:
            return 0.0
    return float(number) if isinstance(number, int | float) else 0.0

"""Bounds and smallest steps of numbers, as they are in one comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ganbench.report import columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.scoring.metrics.catalogue import Quantity

__all__ = ["bounds_of", "quantities_of", "step_of"]

_NEIGHBOURS = 5  # of density
_PROMPT_IMAGES = 1000  # the most that are drawn from prompts, equally many from each


def quantities_of(
    protocol_fields: Mapping[str, Any], modes: int | None, classes: int | None
) -> dict[Quantity, float]:
    """What bounds and steps depend on, as far as it is known.

    Args:
        protocol_fields: As a result stores them, under present names.
        modes: Classes that there are to cover.
        classes: Classes of the dataset; those to cover where it is not known.
    """
    quantities: dict[Quantity, float] = {}
    classes = classes or modes
    if modes:
        quantities["modes"] = float(modes)
    if classes:
        quantities["log_classes"] = math.log(classes)
    images, generated = protocol_fields.get("neighbour_count"), protocol_fields.get("fake_count")
    if images:
        quantities["images"] = float(images)
        quantities["neighbourhoods"] = float(_NEIGHBOURS * images)
    if generated and classes:
        each = max(2, min(_PROMPT_IMAGES, generated) // classes)
        quantities["prompt_images"] = float(each * classes)
    return quantities


def bounds_of(name: str, quantities: Mapping[Quantity, float]) -> tuple[float, float]:
    """The least and the most that a column's true value can be; infinite where nothing is known."""
    low, high = columns.column(name).bounds
    return low, quantities.get(high, math.inf) if isinstance(high, str) else high


def step_of(name: str, quantities: Mapping[Quantity, float]) -> float:
    """The smallest step of a column's number; 0 where it is continuous, or the step not known."""
    resolution = columns.column(name).resolution
    if not isinstance(resolution, str):
        return resolution
    count = quantities.get(resolution)
    return 1.0 / count if count else 0.0

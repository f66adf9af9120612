"""What all commands of this folder note and sum up: conditions, and the spread of rounds.

A command measures two things in turns and divides round by round, because load from elsewhere then
falls on both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from ganbench.machine import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workloads import Workload

    from ganbench.machine.device import Device

__all__ = ["conditions_of", "described", "range_text", "ratio_text", "spread"]


def conditions_of(device: Device) -> dict[str, Any]:
    """The machine, its software and its load now; call before measuring."""
    return {**environment.describe(device), "load_average": list(psutil.getloadavg())}


def described(work: Workload) -> dict[str, Any]:
    """What every result on a variant depends on, as JSON holds it."""
    return {
        "variant": work.name,
        "dataset": f"noise shaped as {work.spec.name}",
        "train_images": work.spec.train_count,
        "batch_size": work.recipe.batch_size,
        "image_size": work.recipe.image_size,
        "recipe": work.recipe.model_dump(),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and extremes."""
    names = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
    return dict(zip(names, np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist(), strict=True))


def range_text(values: dict[str, float], form: str) -> str:
    """A spread in a cell: the median, and in brackets the extremes, each in the given format."""
    median, lowest, highest = (
        format(values[name], form) for name in ("median", "lowest", "highest")
    )
    return f"{median} ({lowest} to {highest})"


def ratio_text(ratio: dict[str, float]) -> str:
    """A spread of ratios in a cell, with two decimals."""
    return range_text(ratio, ".2f")

"""ganbench compares GAN variants: image quality, mode collapse and speed, under one runner.

These names are all that a variant needs. They load on first use, so that importing ganbench does
nothing and costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench import augmentation, losses, networks, text
    from ganbench.errors import ContractError, DataError, GanbenchError, UsageError
    from ganbench.training.calls import Batch
    from ganbench.training.step import Batches, Step
    from ganbench.variant.budget import Budget
    from ganbench.variant.composed import ComposedRecipe, NetworkRecipe
    from ganbench.variant.context import Context
    from ganbench.variant.definition import (
        Accepts,
        Condition,
        DatasetSpec,
        Losses,
        LossOutput,
        Network,
        Variant,
    )
    from ganbench.variant.recipe import Recipe
    from ganbench.variant.schedule import Scheduled, scheduled

__version__ = "0.1.0"

_HOMES = {
    "Accepts": "variant.definition",
    "Batch": "training.calls",
    "Batches": "training.step",
    "Budget": "variant.budget",
    "ComposedRecipe": "variant.composed",
    "Condition": "variant.definition",
    "Context": "variant.context",
    "ContractError": "errors",
    "DataError": "errors",
    "DatasetSpec": "variant.definition",
    "GanbenchError": "errors",
    "LossOutput": "variant.definition",
    "Losses": "variant.definition",
    "Network": "variant.definition",
    "NetworkRecipe": "variant.composed",
    "Recipe": "variant.recipe",
    "Scheduled": "variant.schedule",
    "Step": "training.step",
    "UsageError": "errors",
    "Variant": "variant.definition",
    "augmentation": "",
    "losses": "",
    "networks": "",
    "scheduled": "variant.schedule",
    "text": "",
}

__all__ = [
    "Accepts",
    "Batch",
    "Batches",
    "Budget",
    "ComposedRecipe",
    "Condition",
    "Context",
    "ContractError",
    "DataError",
    "DatasetSpec",
    "GanbenchError",
    "LossOutput",
    "Losses",
    "Network",
    "NetworkRecipe",
    "Recipe",
    "Scheduled",
    "Step",
    "UsageError",
    "Variant",
    "augmentation",
    "losses",
    "networks",
    "scheduled",
    "text",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ganbench' has no attribute {name!r}")
    return (
        getattr(import_module(f"ganbench.{home}"), name)
        if home
        else import_module(f"ganbench.{name}")
    )


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

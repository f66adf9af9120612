"""ganbench compares GAN variants: image quality, mode collapse and speed, under one runner.

`run`, `load`, `score` and `load_generator` do what the command line does; the other names are all
that a variant needs. They load on first use, so that importing ganbench does nothing and costs
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench import augmentation, losses, networks, text
    from ganbench.api.comparison import Comparison, load
    from ganbench.api.generators import TrainedGenerator, load_generator
    from ganbench.api.running import run
    from ganbench.api.scoring import score
    from ganbench.api.tuning import tune
    from ganbench.errors import ContractError, DataError, GanbenchError, UsageError
    from ganbench.fakes.scored import Scored
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
    "Comparison": "api.comparison",
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
    "Scored": "fakes.scored",
    "Step": "training.step",
    "TrainedGenerator": "api.generators",
    "UsageError": "errors",
    "Variant": "variant.definition",
    "augmentation": "",
    "load": "api.comparison",
    "load_generator": "api.generators",
    "losses": "",
    "networks": "",
    "run": "api.running",
    "scheduled": "variant.schedule",
    "score": "api.scoring",
    "text": "",
    "tune": "api.tuning",
}

__all__ = [
    "Accepts",
    "Batch",
    "Batches",
    "Budget",
    "Comparison",
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
    "Scored",
    "Step",
    "TrainedGenerator",
    "UsageError",
    "Variant",
    "augmentation",
    "load",
    "load_generator",
    "losses",
    "networks",
    "run",
    "scheduled",
    "score",
    "text",
    "tune",
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

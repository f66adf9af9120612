"""ganbench compares GAN variants: image quality, mode collapse and speed, under one runner.

These names are all that a variant needs. They load on first use, so that importing ganbench does
nothing and costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench import losses, networks, text
    from ganbench.errors import ContractError, DataError, GanbenchError, UsageError
    from ganbench.variant.budget import Budget
    from ganbench.variant.definition import Condition, DatasetSpec, Losses, Recipe, Variant

__version__ = "0.1.0"

_HOMES = {
    "Budget": "variant.budget",
    "Condition": "variant.definition",
    "ContractError": "errors",
    "DataError": "errors",
    "DatasetSpec": "variant.definition",
    "GanbenchError": "errors",
    "Losses": "variant.definition",
    "Recipe": "variant.definition",
    "UsageError": "errors",
    "Variant": "variant.definition",
    "losses": "",
    "networks": "",
    "text": "",
}

__all__ = [
    "Budget",
    "Condition",
    "ContractError",
    "DataError",
    "DatasetSpec",
    "GanbenchError",
    "Losses",
    "Recipe",
    "UsageError",
    "Variant",
    "losses",
    "networks",
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

"""The least memory that a run needs, from shapes alone: what no machine can hold is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.machine.memory import host_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.recipe import Recipe

__all__ = ["LARGE", "refuse_batches", "refuse_networks", "sizes_of"]

LARGE = 10**6
"""Whole numbers of a recipe from which on a network that cannot be built is too large."""

_BYTES = 4  # of a float32
_COPIES = {"adam": 4, "adamw": 4, "rmsprop": 3, "sgd": 2}  # weights, gradients, moments
_SIZES = (
    "batch_size", "generator_batch", "image_size", "latent_dim", "generator_width",
    "discriminator_width",
)  # fmt: skip


def sizes_of(recipe: Recipe) -> str:
    """The numbers that decide how much memory a run needs, as `--set` takes them."""
    return ", ".join(f"{key}={getattr(recipe, key)}" for key in _SIZES)


def refuse_batches(recipe: Recipe, spec: DatasetSpec) -> None:
    """Refuse a recipe whose images and latents of one step are more than the machine holds.

    Raises:
        UsageError: They are.
    """
    fakes = recipe.batch_size * recipe.generator_batch
    numbers = math.prod(spec.shape(recipe.image_size))
    _refuse(
        recipe,
        "the images and latents of one step",
        _BYTES * ((recipe.batch_size + fakes) * numbers + fakes * recipe.latent_dim),
    )


def refuse_networks(recipe: Recipe, networks: Iterable[nn.Module]) -> None:
    """Refuse networks whose weights, gradients and moments are more than the machine holds.

    Args:
        recipe: Their numbers.
        networks: Built on the meta device.

    Raises:
        UsageError: They are.
    """
    from torch.nn.parameter import is_lazy

    weights = sum(
        weight.numel()
        for network in networks
        for weight in network.parameters()
        if not is_lazy(weight)
    )
    copies = _COPIES.get(recipe.optimizer, 2)
    _refuse(recipe, f"networks of {weights:,} weights", _BYTES * copies * weights)


def _refuse(recipe: Recipe, what: str, needed_bytes: int) -> None:
    there = host_memory_bytes()
    if needed_bytes > there:
        raise UsageError(
            f"{what} need at least {_gib(needed_bytes)} of memory, without activations and "
            f"libraries, and this machine has {_gib(there)} ({sizes_of(recipe)}): give smaller "
            "numbers with --set"
        )


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"

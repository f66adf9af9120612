"""The least memory that a run needs, from shapes alone: what no machine can hold is refused.

What counts are the images of one step; weights, gradients and moments; and what a pass through
generator and discriminator keeps for its gradients. Libraries, the data and the memory of single
operators come on top, so that a run that is not refused may still run out of memory.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.machine.memory import host_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor, nn

    from ganbench.training.execution import Execution
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.recipe import Recipe

__all__ = [
    "LARGE",
    "kept_bytes",
    "refuse_activations",
    "refuse_batches",
    "refuse_networks",
    "sizes_of",
]

LARGE = 10**6
"""Whole numbers of a recipe from which on a network that cannot be built is too large."""

_BYTES = 4  # of a float32
_MOST_DIGITS = 30
_BEYOND_ANY = 2**70  # bytes
_WORTH_A_LOOK = 2**30  # bytes that activations may have, below which they are not counted
_COPIES = {"adam": 4, "adamw": 4, "rmsprop": 3, "sgd": 2}  # weights, gradients, moments
_SIZES = (
    "batch_size", "generator_batch", "image_size", "latent_dim", "generator_width",
    "discriminator_width",
)  # fmt: skip


def sizes_of(recipe: Recipe) -> str:
    """The numbers that decide how much memory a run needs, as `--set` takes them."""
    return ", ".join(f"{key}={_short(getattr(recipe, key))}" for key in _SIZES)


def _short(number: int) -> str:
    """A number as it is, or its first digits and how many there are."""
    text = str(number)
    return text if len(text) <= _MOST_DIGITS else f"{text[:3]}... ({len(text)} digits)"


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


def refuse_activations(
    recipe: Recipe,
    networks: Mapping[str, nn.Module],
    spec: DatasetSpec,
    device: str,
    execution: Execution,
    processes: int = 1,
) -> None:
    """Refuse a step that keeps more for its gradients than the device holds.

    Args:
        recipe: Numbers of the networks.
        networks: By name, built on the meta device.
        spec: What they draw.
        device: Kind of the device.
        execution: A compiled step may keep less, and is not refused.
        processes: Of the run, each of which has a share of the batch on a card of its own.

    Raises:
        UsageError: It does.
    """
    fakes = recipe.batch_size * recipe.generator_batch
    if device == "cuda":
        fakes //= processes
    widest = max(recipe.generator_width, recipe.discriminator_width, spec.channels)
    pixels = math.prod(spec.shape(recipe.image_size)) // spec.channels
    if execution.compile or _BYTES * fakes * widest * pixels < _WORTH_A_LOOK:
        return
    half = 1 if execution.precision == "fp32" else 2
    kept = kept_bytes(networks, fakes, recipe.latent_dim) // half
    _refuse(recipe, "the activations of one step", kept, device)


def kept_bytes(networks: Mapping[str, nn.Module], fakes: int, latent_dim: int) -> int:
    """Bytes that generator and discriminator keep for the gradients of one batch of images.

    Where they need more than latents and images, it is what they keep until that is missing.

    Args:
        networks: By name, on the meta device, in float32.
        fakes: Images of the batch.
        latent_dim: Length of a latent vector.
    """
    import torch
    from torch.autograd.graph import saved_tensors_hooks
    from torch.nn.parameter import is_lazy

    weights = [each for network in networks.values() for each in network.parameters()]
    known = {_memory_of(each) for each in weights if not is_lazy(each)}
    kept: dict[int, tuple[Tensor, int]] = {}  # by memory, of which some tensors are views

    def keep(tensor: Tensor) -> Tensor:
        if _memory_of(tensor) not in known:
            kept[_memory_of(tensor)] = tensor, tensor.untyped_storage().nbytes()
        return tensor

    latent = torch.empty(fakes, latent_dim, device="meta")
    with suppress(Exception), saved_tensors_hooks(keep, lambda tensor: tensor):
        networks["discriminator"](networks["generator"](latent))
    return sum(count for _, count in kept.values())


def _memory_of(tensor: Tensor) -> int:
    """What views of one tensor have in common; on the meta device, none has an address."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch has no public name for it


def _refuse(recipe: Recipe, what: str, needed_bytes: int, device: str = "cpu") -> None:
    there = host_memory_bytes()
    where = "this machine has"
    if device == "cuda" and needed_bytes > _WORTH_A_LOOK:
        from ganbench.machine.device import largest_card_bytes

        there, where = largest_card_bytes() or needed_bytes, "the largest card here has"
    if needed_bytes > there:
        raise UsageError(
            f"{what} need at least {_gib(needed_bytes)} of memory, with nothing else counted, and "
            f"{where} {_gib(there)} ({sizes_of(recipe)}): give smaller numbers with --set"
        )


def _gib(count: int) -> str:
    if count > _BEYOND_ANY:  # and, from 308 digits on, beyond what can be divided
        return f"more than {_BEYOND_ANY // 2**30:,} GiB"
    return f"{count / 2**30:,.1f} GiB"

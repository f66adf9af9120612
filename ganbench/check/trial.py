"""A variant on trial: its networks made small, on noise in place of images."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.errors import ContractError, UsageError
from ganbench.training.step import Batch, TrainState, train_step
from ganbench.variant.definition import DatasetSpec

if TYPE_CHECKING:
    from ganbench.variant.definition import Recipe, Variant

__all__ = ["SPECS", "Trial", "on_each", "require", "small_trials"]

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPECS = (
    DatasetSpec("grey", 1, 28, _NUMBERS, train_count=1000, test_count=100),
    DatasetSpec("colour", 3, 32, _NUMBERS, train_count=1000, test_count=100),
)
"""The kinds of dataset on which every variant must run."""

_BATCH = 4
_WIDTH = 8
_SIZE = 32
_SEED = 0


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise a `ContractError` unless something holds."""
    if not holds:
        raise ContractError(message)


@dataclass(frozen=True)
class Trial:
    """A variant with the numbers and the kind of dataset that it is tried on.

    Its text is the shape of an image, for example `3×64×64`.
    """

    variant: Variant
    recipe: Recipe
    spec: DatasetSpec

    def __str__(self) -> str:
        return "×".join(map(str, self.shape))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.spec.channels, self.recipe.image_size, self.recipe.image_size

    def create(self, seed: int = _SEED) -> TrainState:
        """Build the networks on the CPU."""
        return TrainState.create(self.variant, self.recipe, self.spec, torch.device("cpu"), seed)

    def batch(self, state: TrainState, count: int, number: int = 0) -> Batch:
        """Noise for images, other latents, and the captions of the first classes."""
        stream = torch.Generator().manual_seed(number)
        condition = None
        if state.condition is not None and state.takes_condition:
            captions = itertools.islice(itertools.cycle(self.spec.captions), count)
            condition = torch.stack([state.condition.encode(caption) for caption in captions])
        real = torch.rand(count, *self.shape, generator=stream) * 2 - 1
        latent = torch.randn(count, self.recipe.latent_dim, generator=stream)
        return Batch(real.contiguous(memory_format=torch.channels_last), latent, condition)

    def step(self, state: TrainState, number: int = 0) -> Tensor | None:
        """Do one training step; random numbers drawn within it depend on `number` alone."""
        torch.manual_seed(number)
        size, steps = self.recipe.batch_size, self.recipe.d_steps
        batches = [self.batch(state, size, number * steps + index) for index in range(steps)]
        return train_step(state, batches, measure=True)


def small_trials(variant: Variant, specs: Sequence[DatasetSpec]) -> list[Trial]:
    """Make the networks small: batches of 4, and widths of 8.

    Each kind of dataset is tried at the recipe's own image size, and at 32 where the variant does
    not refuse that.
    """
    recipe = variant.recipe.override({"batch_size": _BATCH})
    widths = {
        name: min(_WIDTH, getattr(recipe, name))
        for name in ("generator_width", "discriminator_width")
    }
    try:
        narrow = recipe.override(widths)
        Trial(variant, narrow, specs[0]).create()
    except Exception:  # noqa: BLE001 - whatever stands against widths of 8, the own ones will do
        narrow = recipe
    trials = []
    for spec in specs:
        for size in dict.fromkeys((recipe.image_size, _SIZE)):
            try:
                trial = Trial(variant, narrow.override({"image_size": size}), spec)
                trial.create()
            except UsageError:
                if size == recipe.image_size:
                    raise
                continue  # a variant may refuse other sizes than its own
            trials.append(trial)
    return trials


def on_each(trials: Sequence[Trial], function: Callable[[Trial], None]) -> str:
    """Run one check on all trials; say on which, or on which it went wrong."""
    for trial in trials:
        try:
            function(trial)
        except ContractError as error:
            raise ContractError(f"{trial}: {error}") from error
    return ", ".join(map(str, trials))

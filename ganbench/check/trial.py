"""A variant on trial: its networks made small, on noise in place of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.errors import ContractError, UsageError
from ganbench.training.calls import Batch
from ganbench.training.state import TrainState
from ganbench.training.step import Batches, gather, train_step
from ganbench.variant.definition import DatasetSpec
from ganbench.variant.on_points import changes_on_points

if TYPE_CHECKING:
    from ganbench.variant.definition import Variant
    from ganbench.variant.recipe import Recipe

__all__ = ["SPECS", "Trial", "accepted", "on_each", "on_spec", "require", "small_trials"]

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPECS = (
    DatasetSpec("grey", 1, 28, _NUMBERS, train_count=1000, test_count=100),
    DatasetSpec("points", 2, 1, _NUMBERS, train_count=1000, test_count=100, kind="points"),
    DatasetSpec("colour", 3, 32, _NUMBERS, train_count=1000, test_count=100),
)
"""The kinds of dataset that a variant is tried on, as far as it accepts them."""

_BATCH = 4
_WIDTH = 8
_SIZE = 32
_SEED = 0
_BUDGET_STEPS = 2


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise a `ContractError` unless something holds."""
    if not holds:
        raise ContractError(message)


@dataclass(frozen=True)
class Trial:
    """A variant with the numbers and the kind of dataset that it is tried on.

    Its text is the shape of an image, for example `3×64×64`, or `2-D` for points.
    """

    variant: Variant
    recipe: Recipe
    spec: DatasetSpec

    def __str__(self) -> str:
        if self.spec.kind == "points":
            return f"{self.spec.dimensions}-D"
        return "×".join(map(str, self.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width of an image; dimensions of a point."""
        return self.spec.shape(self.recipe.image_size)

    def create(self, seed: int = _SEED, device: str = "cpu") -> TrainState:
        """Build the networks, on the CPU unless another device is named."""
        where = torch.device(device)
        return TrainState.create(self.variant, self.recipe, self.spec, where, seed)

    def batches(self, state: TrainState, number: int = 0) -> Batches:
        """Noise for the images of a step, other latents, and the first classes in turn."""
        stream = torch.Generator().manual_seed(number)

        def take(index: int) -> tuple[Tensor, Tensor | None]:
            count = self.recipe.batch_size
            real = torch.rand(count, *self.shape, generator=stream) * 2 - 1
            labels = (torch.arange(count) + index) % len(self.spec.class_names)
            is_wanted = state.condition is not None and state.condition.use != "latent"
            if self.spec.kind == "image":
                real = real.contiguous(memory_format=torch.channels_last)
            return real, labels if is_wanted else None

        return gather(state, take, stream, state.conditions(self.spec))

    def batch(self, state: TrainState, number: int = 0) -> Batch:
        """The first batch of a step."""
        return self.batches(state, number).discriminator[0]

    def step(self, state: TrainState, number: int = 0) -> dict[str, Tensor]:
        """Do one training step; random numbers drawn within it depend on `number` alone.

        The budget is two steps, so that what changes over the budget is seen to change.
        """
        torch.manual_seed(number)
        batches = self.batches(state, number)
        share = min(1.0, number / _BUDGET_STEPS)
        return train_step(state, batches, number=number + 1, share=share, measure=True)


def accepted(variant: Variant, specs: Sequence[DatasetSpec]) -> list[DatasetSpec]:
    """Those of some datasets that a variant says it can be trained on.

    Raises:
        ContractError: There is none.
    """
    size = variant.recipe.image_size
    refusals = [variant.accepts.refusal(spec, size) for spec in specs]
    chosen = [spec for spec, refusal in zip(specs, refusals, strict=True) if not refusal]
    require(bool(chosen), f"accepts none of the data that are tried: {'; '.join(refusals)}")
    return chosen


def on_spec(
    variant: Variant, recipe: Recipe, spec: DatasetSpec, given: Sequence[str] = ()
) -> Recipe:
    """A recipe as a run on a kind of dataset has it, where the numbers in `given` stay."""
    if spec.kind == "image":
        return recipe
    return recipe.override(changes_on_points(variant, recipe, given))


def small_trials(variant: Variant, specs: Sequence[DatasetSpec]) -> list[Trial]:
    """Make the networks small: batches of 4, and widths of 8.

    Each kind of images is tried at the recipe's own image size, and at 32 where the variant does
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
        if spec.kind == "points":
            on_points = on_spec(variant, narrow, spec, ("batch_size", *widths))
            trials.append(Trial(variant, on_points, spec))
            continue
        for size in dict.fromkeys((recipe.image_size, _SIZE)):
            if variant.accepts.refusal(spec, size):
                continue
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

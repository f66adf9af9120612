"""The loss that a recipe names, with every penalty whose weight is above 0."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.variant.definition import Losses, LossOutput
from ganbench.variant.losses import objectives, penalties

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.composed import ComposedRecipe
    from ganbench.variant.context import Context
    from ganbench.variant.definition import DatasetSpec, Discriminator
    from ganbench.variant.recipe import Recipe

__all__ = ["composed", "objective", "wasserstein"]

Penalty = Callable[["Discriminator", "Tensor", "Tensor", LossOutput, int], "Tensor"]

_OBJECTIVES: dict[str, Callable[[Recipe, DatasetSpec], Losses]] = {
    "logistic": objectives.bce,
    "least-squares": objectives.least_squares,
    "hinge": objectives.hinge,
    "wasserstein": objectives.wasserstein,
    "relativistic": objectives.relativistic,
    "relativistic-average": objectives.relativistic_average,
}


def _gradient_penalty(
    discriminator: Discriminator, real: Tensor, fake: Tensor, _output: LossOutput, packing: int
) -> Tensor:
    return penalties.gradient_penalty(discriminator, real, fake, packing)


def _dragan(
    discriminator: Discriminator, real: Tensor, _fake: Tensor, _output: LossOutput, packing: int
) -> Tensor:
    return penalties.dragan_penalty(discriminator, real, packing)


def _r1(
    discriminator: Discriminator, real: Tensor, _fake: Tensor, _output: LossOutput, packing: int
) -> Tensor:
    return penalties.zero_centred_penalty(discriminator, real, packing)[0]


def _r2(
    discriminator: Discriminator, _real: Tensor, fake: Tensor, _output: LossOutput, packing: int
) -> Tensor:
    return penalties.zero_centred_penalty(discriminator, fake, packing)[0]


def _consistency(
    discriminator: Discriminator, real: Tensor, _fake: Tensor, output: LossOutput, _packing: int
) -> Tensor:
    return penalties.consistency_penalty(discriminator, real, output.outputs[0])


_PENALTIES: dict[str, tuple[Penalty, float]] = {
    "gradient_penalty": (_gradient_penalty, 1.0),
    "dragan": (_dragan, 1.0),
    "r1": (_r1, 0.5),
    "r2": (_r2, 0.5),
    "consistency": (_consistency, 1.0),
}
"""Each penalty by the recipe's name of its weight, and the factor that goes with that weight."""


def objective(recipe: ComposedRecipe, dataset: DatasetSpec) -> Losses:
    """The objective `recipe.loss`, without penalties."""
    return _OBJECTIVES[recipe.loss](recipe, dataset)


def composed(recipe: ComposedRecipe, dataset: DatasetSpec) -> Losses:
    """The objective `recipe.loss`, and the penalties that the recipe weighs.

    The discriminator's loss records each penalty by its name, before it is weighed.
    """
    if recipe.consistency and dataset.kind == "points":
        raise UsageError(
            f"consistency={recipe.consistency} flips and shifts images, and {dataset.name} holds "
            "points: leave it out"
        )
    bare = objective(recipe, dataset)
    used = [name for name in _PENALTIES if getattr(recipe, name)]
    if not used and not recipe.lecam:
        return bare

    def d_loss(
        discriminator: Discriminator, real: Tensor, fake: Tensor, context: Context
    ) -> LossOutput:
        output = LossOutput.of(bare.d_loss(discriminator, real, fake))
        total = output
        for name in used:
            penalty, factor = _PENALTIES[name]
            value = penalty(discriminator, real, fake, output, recipe.packing)
            total = (total + factor * context.value(name) * value).recording(**{name: value})
        if recipe.lecam:
            started = context.step > recipe.lecam_start
            value = context.networks["losses"](*output.outputs, follow=started)
            total = (total + recipe.lecam * started * value).recording(lecam=value)
        return total

    state = penalties.LeCam(recipe.lecam_decay) if recipe.lecam else None
    return dataclasses.replace(bare, d_loss=d_loss, state=state)


def wasserstein(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """Wasserstein loss (Arjovsky et al. 2017, arXiv:1701.07875), with or without gradient penalty.

    A field `gradient_penalty` of the recipe is the weight of the penalty (Gulrajani et al. 2017,
    arXiv:1704.00028, who take 10), which does not go with BatchNorm in the discriminator. A recipe
    without that field has no penalty, and needs its `weight_clip`.
    """
    bare = objectives.wasserstein(recipe, dataset)
    weight: float | None = getattr(recipe, "gradient_penalty", None)
    packing: int = getattr(recipe, "packing", 1)
    if weight is None:
        return bare

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        penalty = penalties.gradient_penalty(discriminator, real, fake, packing)
        output = LossOutput.of(bare.d_loss(discriminator, real, fake)) + weight * penalty
        return output.recording(gradient_penalty=penalty)

    return dataclasses.replace(bare, d_loss=d_loss)

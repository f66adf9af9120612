"""Unrolled GAN: the generator's gradient passes through further steps of the discriminator.

Metz et al. 2017, arXiv:1611.02163. The generator learns from the discriminator as it will be
after `unroll_steps` steps of gradient descent on its own objective, and learns how those steps
depend on its images; the discriminator itself is left as it is. Departs from the paper in the
network, which is a DCGAN without BatchNorm in the discriminator, and unrolls plain gradient
descent (its equation 7), where the experiments unroll Adam.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

import ganbench
from ganbench import Accepts, DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.ComposedRecipe):
    """A composed recipe's numbers, and those of the unrolled steps."""

    unroll_steps: int = Field(5, ge=0, description="steps of the discriminator, K")
    unroll_lr: float = Field(0.02, gt=0, description="learning rate of the unrolled steps")


def losses(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """The composed loss; the generator's through steps on the objective without penalties."""
    whole = ganbench.losses.composed(recipe, dataset)
    objective = ganbench.losses.objective(recipe, dataset)

    def g_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        weights = {
            name: value.detach().clone().requires_grad_()
            for name, value in context.networks["discriminator"].named_parameters()
        }

        def unrolled(images: Tensor) -> Any:
            return discriminator(images, weights=weights)

        for _ in range(recipe.unroll_steps):
            loss = LossOutput.of(objective.d_loss(unrolled, real, fake)).loss
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = {
                name: value - recipe.unroll_lr * gradient
                for (name, value), gradient in zip(weights.items(), gradients, strict=True)
            }
        return LossOutput.of(objective.g_loss(unrolled, real, fake))

    return Losses(whole.d_loss, g_loss, whole.state)


VARIANT = Variant(
    title="Unrolled GAN",
    paper="Metz et al. 2017, arXiv:1611.02163",
    recipe=Recipe(d_norm="none", image_size=32),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses,
    accepts=Accepts(points=()),
)

"""Unrolled GAN: the generator's gradient passes through further steps of the discriminator.

Metz et al. 2017, arXiv:1611.02163. The generator learns from the discriminator as it will be
after `unroll_steps` steps on its own objective, and learns how those steps depend on its images;
the discriminator itself is left as it is. Departs from the paper in the network, which is a DCGAN
without BatchNorm in the discriminator. The unrolled steps are of Adam, as in the paper's
experiments, from where the discriminator's optimizer stands; only the scale of a step, the second
moment, is no part of the derivative. Steps of plain gradient descent (the paper's equation 7) make
the generator's gradient explode once the discriminator is sure of itself.
"""

import dataclasses
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

import ganbench
from ganbench import Accepts, DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.ComposedRecipe):
    """A composed recipe's numbers, and that of the unrolled steps."""

    unroll_steps: int = Field(5, ge=0, description="steps of the discriminator, K")


class Adam:
    """Steps of Adam that can be differentiated, from where an optimizer stands, for one tensor.

    An optimizer without Adam's moments gives steps of plain gradient descent.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parameter: Tensor) -> None:
        self.group = next(
            group
            for group in optimizer.param_groups
            if any(one is parameter for one in group["params"])
        )
        self.is_adam = "betas" in self.group
        held = optimizer.state.get(parameter, {})
        zero = torch.zeros_like(parameter)
        self.first: Tensor = held.get("exp_avg", zero)
        self.second: Tensor = held.get("exp_avg_sq", zero)
        self.steps: Any = held.get("step", 0)

    def step(self, value: Tensor, gradient: Tensor) -> Tensor:
        """The tensor after a step, as a function of the gradient."""
        if not self.is_adam:
            descended: Tensor = value - self.group["lr"] * gradient
            return descended
        fall_1, fall_2 = self.group["betas"]
        self.steps = self.steps + 1
        self.first = fall_1 * self.first + (1 - fall_1) * gradient
        self.second = fall_2 * self.second + (1 - fall_2) * gradient.detach().square()
        scale = (self.second / (1 - fall_2**self.steps)).sqrt() + self.group["eps"]
        moved: Tensor = self.group["lr"] * self.first / (1 - fall_1**self.steps) / scale
        return value - moved


def losses(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """The composed loss; the generator's through steps on the objective without penalties."""
    whole = ganbench.losses.composed(recipe, dataset)
    objective = ganbench.losses.objective(recipe, dataset)

    def g_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        parameters = dict(context.networks["discriminator"].named_parameters())
        optimizer = context.optimizers["discriminator"]
        adam = {name: Adam(optimizer, value) for name, value in parameters.items()}
        weights = {
            name: value.detach().clone().requires_grad_() for name, value in parameters.items()
        }

        def unrolled(images: Tensor) -> Any:
            return discriminator(images, weights=weights)

        for _ in range(recipe.unroll_steps):
            loss = LossOutput.of(objective.d_loss(unrolled, real, fake)).loss
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            gradients = tuple(ganbench.losses.whole_mean(gradient) for gradient in gradients)
            weights = {
                name: adam[name].step(value, gradient)
                for (name, value), gradient in zip(weights.items(), gradients, strict=True)
            }
        return LossOutput.of(objective.g_loss(unrolled, real, fake))

    return dataclasses.replace(whole, g_loss=g_loss)


VARIANT = Variant(
    title="Unrolled GAN",
    paper="Metz et al. 2017, arXiv:1611.02163",
    recipe=Recipe(d_norm="none", image_size=32),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses,
    accepts=Accepts(points=()),
)

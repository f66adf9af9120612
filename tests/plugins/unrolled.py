"""Unrolled GAN: the generator's gradient passes through further steps of the discriminator.

Metz et al. 2017, arXiv:1611.02163. The generator learns from the discriminator as it will be
after `unroll_steps` steps of gradient descent on its own objective, and learns how those steps
depend on its images; the discriminator itself is left as it is. Departs from the paper in the
network, which is a small DCGAN without BatchNorm in the discriminator, and unrolls plain gradient
descent (its equation 7), where the experiments unroll Adam.
"""

import torch
from layers import plain_discriminator
from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of the unrolled steps."""

    unroll_steps: int = Field(5, ge=0, description="steps of the discriminator, K")
    unroll_lr: float = Field(0.02, gt=0, description="learning rate of the unrolled steps")


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy; the generator's through the unrolled steps."""

    def objective(on_real: Tensor, on_fake: Tensor) -> Tensor:
        return softplus(-on_real).mean() + softplus(on_fake).mean()

    def d_loss(discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = discriminator(real), discriminator(fake)
        return LossOutput(objective(on_real, on_fake), on_real, on_fake)

    def g_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        weights = {
            name: value.detach().clone().requires_grad_()
            for name, value in context.networks["discriminator"].named_parameters()
        }
        for _ in range(recipe.unroll_steps):
            outputs = (discriminator(images, weights=weights) for images in (real, fake))
            gradients = torch.autograd.grad(
                objective(*outputs), list(weights.values()), create_graph=True
            )
            weights = {
                name: value - recipe.unroll_lr * gradient
                for (name, value), gradient in zip(weights.items(), gradients, strict=True)
            }
        on_fake = discriminator(fake, weights=weights)
        return LossOutput(softplus(-on_fake).mean(), fake=on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="Unrolled GAN",
    paper="Metz et al. 2017, arXiv:1611.02163",
    recipe=Recipe(image_size=32, generator_width=32, discriminator_width=32),
    generator=networks.dcgan_generator,
    discriminator=plain_discriminator,
    losses=losses,
)

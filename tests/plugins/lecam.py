"""LeCam regularisation of a hinge GAN: the discriminator's outputs are held near their means.

Tseng et al. 2021, arXiv:2104.03310. Moving means of D(x) and D(G(z)) are kept, and from step
1,000 on each side's outputs are drawn towards the other's mean. The squared distance counts only
beyond that mean, as in the authors' code. Departs from the paper in the networks, a small DCGAN.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import relu

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of the regularisation."""

    lecam: float = Field(0.3, ge=0, description="weight of the LeCam regularisation")
    lecam_decay: float = Field(0.99, ge=0, lt=1, description="decay of the moving means")
    lecam_start: int = Field(1000, ge=0, description="steps before it sets in")


class Means(nn.Module):
    """Moving means of the discriminator's outputs on real and on generated images."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))


def losses(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """The hinge loss, and the regularisation of the discriminator."""
    hinge = ganbench.losses.hinge(recipe, dataset)

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_real, on_fake = discriminator(real), discriminator(fake)
        loss = relu(1 - on_real).mean() + relu(1 + on_fake).mean()
        started = context.step > recipe.lecam_start
        means = context.networks["losses"]
        weight = 1 - recipe.lecam_decay if started else 1.0
        means.real.lerp_(on_real.detach().float().mean(), weight)
        means.fake.lerp_(on_fake.detach().float().mean(), weight)
        distance = relu(on_real - means.fake).square().mean()
        distance = distance + relu(means.real - on_fake).square().mean()
        if started:
            loss = loss + recipe.lecam * distance
        return LossOutput(loss, on_real, on_fake, {"lecam_distance": distance})

    return Losses(d_loss, hinge.g_loss, Means())


VARIANT = Variant(
    title="LeCam, hinge loss",
    paper="Tseng et al. 2021, arXiv:2104.03310",
    recipe=Recipe(
        image_size=32, beta1=0.0, beta2=0.999, generator_width=32, discriminator_width=32
    ),
    generator=networks.dcgan_generator,
    discriminator=networks.dcgan_discriminator,
    losses=losses,
    output="score",
)

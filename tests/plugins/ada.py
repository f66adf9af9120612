"""ADA: adaptive augmentation of all that the discriminator sees.

Karras et al. 2020, arXiv:2006.06676. Every image is changed, by each of the operations, with the
same probability p. Every 4 steps p rises or falls, as the mean sign of the discriminator's
outputs on real images is above or below 0.6; logistic loss, R1 every 16 steps at the images
before augmentation. Departs from the paper in the networks, a small DCGAN without BatchNorm in
the discriminator, and in the operations: flips, quarter turns, whole-pixel shifts, brightness,
contrast.
"""

import torch
from layers import plain_discriminator
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of the augmentation and of R1."""

    ada_target: float = Field(0.6, ge=-1, le=1, description="mean sign of D(x) that is aimed at")
    ada_interval: int = Field(4, ge=1, description="steps between two changes of p")
    ada_kimg: float = Field(500.0, gt=0, description="thousands of images in which p goes 0 to 1")
    gamma: ganbench.Scheduled = ganbench.scheduled(0.01, ge=0, description="weight of R1")
    r1_interval: int = Field(16, ge=1, description="steps between two penalties R1")


class Augmentation(nn.Module):
    """Changes each image (batch, channels, size, size) by each operation with probability p."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("sign_sum", torch.zeros(()))
        self.register_buffer("sign_count", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        count, size = images.shape[0], images.shape[-1]

        def random(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(count, 1, 1, 1, device=images.device)

        def sometimes(changed: Tensor, images: Tensor) -> Tensor:
            return torch.where(random(0, 1) < self.p, changed, images)

        images = sometimes(images.flip(3), images)
        for _ in range(3):
            images = sometimes(images.rot90(1, (2, 3)), images)
        place = torch.arange(size, device=images.device)
        for dim in (2, 3):
            moved = (place + random(-size / 8, size / 8).round().long()[:, :, 0]).abs()
            moved = size - 1 - (size - 1 - moved).abs()  # reflected at both borders
            index = moved[:, :, :, None] if dim == 2 else moved[:, :, None, :]
            images = sometimes(images.gather(dim, index.expand_as(images)), images)
        images = sometimes(images + random(-0.4, 0.4), images)
        return sometimes(images * random(0.5, 1.5), images)


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """The logistic loss with lazy R1; the discriminator's adjusts p."""

    @torch.no_grad()
    def adjust(augment: Augmentation, on_real: Tensor, *, due: bool) -> None:
        augment.sign_sum += on_real.sign().sum()
        augment.sign_count += on_real.numel()
        if due:
            images = on_real.shape[0] * recipe.packing * recipe.ada_interval
            above = augment.sign_sum / augment.sign_count - recipe.ada_target
            augment.p.add_(above.sign() * images / (1000 * recipe.ada_kimg)).clamp_(0, 1)
            augment.sign_sum.zero_()
            augment.sign_count.zero_()

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_real, on_fake = discriminator(real), discriminator(fake)
        augment = context.networks["augment"]
        adjust(augment, on_real, due=context.every(recipe.ada_interval))
        loss = softplus(-on_real).mean() + softplus(on_fake).mean()
        if context.every(recipe.r1_interval):
            penalty, _ = ganbench.losses.zero_centred_penalty(discriminator, real)
            loss = loss + recipe.r1_interval * context.value("gamma") / 2 * penalty
        return LossOutput(loss, on_real, on_fake, {"augmentation": augment.p.clone()})

    def g_loss(discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = discriminator(fake)
        return LossOutput(softplus(-on_fake).mean(), fake=on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="DCGAN with ADA",
    paper="Karras et al. 2020, arXiv:2006.06676",
    recipe=Recipe(
        image_size=32,
        lr_g=0.0025,
        lr_d=0.0025,
        beta1=0.0,
        beta2=0.99,
        ema_half_life_kimg=500.0,
        ema_ramp=0.05,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=plain_discriminator,
    losses=losses,
    augment=lambda _recipe, _dataset: Augmentation(),
)

"""Progressive growing: both networks begin at 8×8 pixels and fade in one size after another.

Karras et al. 2018, arXiv:1710.10196. `level` is the number of sizes in use beyond the first; 0.25
is 16×16 pixels of which a quarter comes from that size's own layers. Each size is faded in for as
long as it is then trained. WGAN-GP with the paper's numbers, pixelwise normalisation, moving
average. Departs from the paper in the width, in that images have their full size throughout and
hold no more detail than the level allows, and has neither equalised learning rates nor minibatch
deviation.
"""

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of the growth and of the critic's loss."""

    growth: float = Field(0.8, gt=0, le=1, description="share of the budget in which sizes grow")
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")
    drift: float = Field(0.001, ge=0, description="weight of the squared scores of real images")


class Growing(nn.Module):
    """Layers of each size, and the level, saved with the weights so that the network can draw."""

    def __init__(self, recipe: Recipe, width: int) -> None:
        super().__init__()
        self.level = 0.0
        self.sizes = networks.convolutional_blocks(recipe.image_size)
        self.blocks = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1) for _ in range(self.sizes)
        )

    def used(self) -> list[tuple[int, float]]:
        """Each size in use, from the smallest, and its share of the image."""
        shares = ((size, min(self.level - size + 1, 1.0)) for size in range(self.sizes))
        return [(size, share) for size, share in shares if share > 0]

    def get_extra_state(self) -> float:
        return self.level

    def set_extra_state(self, state: float) -> None:
        self.level = state


class Generator(Growing):
    """Latents (batch, latent_dim) to images, enlarged to their full size."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        width = recipe.generator_width
        super().__init__(recipe, width)
        self.first = nn.Sequential(nn.Linear(recipe.latent_dim, 16 * width), nn.LeakyReLU(0.2))
        self.to_rgb = nn.ModuleList(nn.Conv2d(width, dataset.channels, 1) for _ in self.blocks)

    def forward(self, latents: Tensor) -> Tensor:
        features = self.first(latents).unflatten(1, (-1, 4, 4))
        images = features.new_zeros(())
        for size, share in self.used():
            features = self.blocks[size](interpolate(features, scale_factor=2.0))
            features = leaky_relu(features, 0.2)
            features = features * (features.square().mean(1, keepdim=True) + 1e-8).rsqrt()
            drawn = self.to_rgb[size](features)
            images = (
                drawn if size == 0 else interpolate(images, scale_factor=2.0).lerp(drawn, share)
            )
        return interpolate(images, size=(4 * 2**self.sizes,) * 2)


class Discriminator(Growing):
    """Images of full size, reduced to the size in use, to one score: (batch, 1)."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        width = recipe.discriminator_width
        super().__init__(recipe, width)
        self.from_rgb = nn.ModuleList(nn.Conv2d(dataset.channels, width, 1) for _ in self.blocks)
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(16 * width, 1))

    def forward(self, images: Tensor) -> Tensor:
        features, above = images, 0.0  # `above` is the share of the size that was entered before
        for size, share in reversed(self.used()):
            shown = avg_pool2d(images, 2 ** (self.sizes - 1 - size))
            entered = leaky_relu(self.from_rgb[size](shown), 0.2)
            features = entered.lerp(features, above) if above else entered
            features = avg_pool2d(leaky_relu(self.blocks[size](features), 0.2), 2)
            above = share
        return self.last(features)


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """WGAN-GP, with the scores of real images held near 0."""

    def d_loss(discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = discriminator(real), discriminator(fake)
        penalty = ganbench.losses.gradient_penalty(discriminator, real, fake)
        loss = on_fake.mean() - on_real.mean() + recipe.penalty * penalty
        return LossOutput(loss + recipe.drift * on_real.square().mean(), on_real, on_fake)

    def g_loss(discriminator, _real: Tensor, fake: Tensor) -> Tensor:
        return -discriminator(fake).mean()

    return Losses(d_loss, g_loss)


def step(step: ganbench.Step, batches: ganbench.Batches) -> None:
    """Set the level by the share of the budget, then train as usual."""
    sizes = networks.convolutional_blocks(step.recipe.image_size)
    phase = min(step.share / step.recipe.growth, 1.0) * (2 * sizes - 1)
    fading = phase % 1 if int(phase) % 2 else 0.0
    for name in ("generator", "discriminator"):
        step.networks[name].level = int(phase) // 2 + fading
    step.alternate(batches)


VARIANT = Variant(
    title="Progressive growing, WGAN-GP",
    paper="Karras et al. 2018, arXiv:1710.10196",
    recipe=Recipe(
        batch_size=16,
        image_size=32,
        lr_g=0.001,
        lr_d=0.001,
        beta1=0.0,
        beta2=0.99,
        eps=1e-8,
        ema_decay=0.999,
        generator_width=64,
        discriminator_width=64,
    ),
    generator=Generator,
    discriminator=Discriminator,
    losses=losses,
    output="score",
    step=step,
    clamp=True,
)

"""BiGAN: an encoder beside the generator, and a discriminator of pairs of image and latent.

Donahue et al. 2017, arXiv:1605.09782. The discriminator tells (x, E(x)) from (G(z), z); generator
and encoder are trained together to fool it. Departs from the paper in the networks, which are
those of a small DCGAN instead of fully connected ones on 28×28 pixels, and in the decay of the
learning rate over the second half of the budget, which is linear instead of exponential.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Network, Recipe, Variant, networks


class PairDiscriminator(nn.Module):
    """One logit from an image and a latent, or from a pack of images and that of their latents."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, width = networks.dcgan_features(recipe, dataset)
        latents = recipe.latent_dim * recipe.packing
        self.image = nn.Sequential(nn.Flatten(), nn.Linear(16 * width, latents))
        self.pair = nn.Sequential(
            nn.Linear(2 * latents, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
        )

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        return self.pair(torch.cat([self.image(self.features(images)), latents], dim=1))


def encoder(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Images to latents in [-1, 1], where the uniform latents lie."""
    features, width = networks.dcgan_features(recipe, dataset)
    return nn.Sequential(
        features, nn.Flatten(), nn.Linear(16 * width, recipe.latent_dim), nn.Tanh()
    )


def losses(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy of pairs, and the same with the labels exchanged."""

    def outputs(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context):
        encoded = context.networks["encoder"](real)
        return discriminator(real, encoded), discriminator(fake, context.latent)

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_real, on_fake = outputs(discriminator, real, fake, context)
        return LossOutput(softplus(-on_real).mean() + softplus(on_fake).mean(), on_real, on_fake)

    def g_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_real, on_fake = outputs(discriminator, real, fake, context)
        return LossOutput(softplus(on_real).mean() + softplus(-on_fake).mean(), on_real, on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="BiGAN",
    paper="Donahue et al. 2017, arXiv:1605.09782",
    recipe=Recipe(
        batch_size=128,
        image_size=32,
        latent_dim=50,
        latent="uniform",
        lr_g="2e-4:2e-6:linear:0.5:1",
        lr_d="2e-4:2e-6:linear:0.5:1",
        weight_decay=2.5e-5,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=PairDiscriminator,
    losses=losses,
    networks={"encoder": Network(encoder, update="generator")},
)

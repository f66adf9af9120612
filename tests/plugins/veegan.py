"""VEEGAN: a reconstructor network that maps images back to latents, against mode collapse.

Srivastava et al. 2017, arXiv:1705.07761. The discriminator takes pairs of latent and image; its
logit is high for (z, G(z)) and low for (F(x), x). The generator lowers it, and generator and
reconstructor lower the distance of z and F(G(z)). Departs from the paper in the networks, which
are those of a small DCGAN; takes the mean of the squared error over the latent's entries, since
on images the sum leaves no say to the discriminator; and reports D(x) and D(G(z)) with the
opposite sign, so that they read as those of other variants.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Network, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and the weight of the reconstruction."""

    reconstruction: float = Field(
        1.0, ge=0, description="weight of the mean squared error of F(G(z))"
    )


class PairDiscriminator(nn.Module):
    """One logit from an image and a latent, or from a pack of images and that of their latents."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, width = networks.dcgan_features(recipe, dataset)
        inputs = 16 * width + recipe.latent_dim * recipe.packing
        self.pair = nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        return self.pair(torch.cat([self.features(images).flatten(1), latents], dim=1))


def reconstructor(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """F: images to latents, unbounded as normal latents are."""
    features, width = networks.dcgan_features(recipe, dataset)
    return nn.Sequential(features, nn.Flatten(), nn.Linear(16 * width, recipe.latent_dim))


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """The log ratio of the two joint distributions, and the reconstruction of latents."""

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_fake = discriminator(fake, context.latent)
        on_real = discriminator(real, context.networks["reconstructor"](real))
        loss = softplus(-on_fake).mean() + softplus(on_real).mean()
        return LossOutput(loss, -on_real, -on_fake)

    def g_loss(discriminator, _real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        ratio = discriminator(fake, context.latent)
        reconstructed = context.networks["reconstructor"](fake)
        error = (context.latent - reconstructed).square().mean()
        loss = ratio.mean() + recipe.reconstruction * error
        return LossOutput(loss, fake=-ratio, scalars={"reconstruction_error": error})

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="VEEGAN",
    paper="Srivastava et al. 2017, arXiv:1705.07761",
    recipe=Recipe(image_size=32, latent_dim=32, generator_width=32, discriminator_width=32),
    generator=networks.dcgan_generator,
    discriminator=PairDiscriminator,
    losses=losses,
    networks={"reconstructor": Network(reconstructor, update="generator")},
)

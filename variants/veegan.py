"""VEEGAN: a reconstructor network that maps images back to latents, against mode collapse.

Srivastava et al. 2017, arXiv:1705.07761. The discriminator takes pairs of latent and image; its
logit is high for (z, G(z)) and low for (F(x), x). The generator lowers it, and generator and
reconstructor lower the distance of z and F(G(z)). Departs from the paper in the networks, which
are a DCGAN's; takes the mean of the squared error over the latent's entries, since on images the
sum leaves no say to the discriminator; and reports D(x) and D(G(z)) with the opposite sign, so that
they read as those of other variants.
"""

from typing import Any

from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

import ganbench
from ganbench import Accepts, DatasetSpec, Losses, LossOutput, Network, Variant, networks


class Recipe(ganbench.NetworkRecipe):
    """The numbers of the networks, and the weight of the reconstruction."""

    reconstruction: float = Field(
        1.0, ge=0, description="weight of the mean squared error of F(G(z))"
    )


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """The log ratio of the two joint distributions, and the reconstruction of latents."""
    ganbench.losses.refuse_labels(recipe, "VEEGAN's loss")

    def d_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        on_fake = discriminator(fake, context.latent)
        on_real = discriminator(real, context.networks["reconstructor"](real))
        loss = softplus(-on_fake).mean() + softplus(on_real).mean()
        return LossOutput(loss, -on_real, -on_fake)

    def g_loss(
        discriminator: Any, _real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        ratio = discriminator(fake, context.latent)
        reconstructed = context.networks["reconstructor"](fake)
        error = (context.latent - reconstructed).square().mean()
        loss = ratio.mean() + recipe.reconstruction * error
        return LossOutput(loss, fake=-ratio, scalars={"reconstruction_error": error})

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="VEEGAN",
    paper="Srivastava et al. 2017, arXiv:1705.07761",
    recipe=Recipe(image_size=32, latent_dim=32),
    generator=networks.generator,
    discriminator=networks.PairDiscriminator,
    losses=losses,
    networks={"reconstructor": Network(networks.encoder, update="generator")},
    accepts=Accepts(points=()),
)

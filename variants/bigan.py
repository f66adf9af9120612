"""BiGAN: an encoder beside the generator, and a discriminator of pairs of image and latent.

Donahue et al. 2017, arXiv:1605.09782. The discriminator tells (x, E(x)) from (G(z), z); generator
and encoder are trained together to fool it. Departs from the paper in the networks, which are a
DCGAN's instead of fully connected ones on 28×28 pixels, and in the decay of the learning rate over
the second half of the budget, which is linear instead of exponential.
"""

from typing import Any

from torch import Tensor
from torch.nn.functional import softplus

import ganbench
from ganbench import (
    Accepts,
    DatasetSpec,
    Losses,
    LossOutput,
    Network,
    NetworkRecipe,
    Variant,
    networks,
)


def losses(recipe: NetworkRecipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy of pairs, and the same with the labels exchanged."""
    ganbench.losses.refuse_labels(recipe, "BiGAN's loss")

    def outputs(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> tuple[Tensor, Tensor]:
        encoded = context.networks["encoder"](real)
        return discriminator(real, encoded), discriminator(fake, context.latent)

    def d_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        on_real, on_fake = outputs(discriminator, real, fake, context)
        return LossOutput(softplus(-on_real).mean() + softplus(on_fake).mean(), on_real, on_fake)

    def g_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        on_real, on_fake = outputs(discriminator, real, fake, context)
        return LossOutput(softplus(on_real).mean() + softplus(-on_fake).mean(), on_real, on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="BiGAN",
    paper="Donahue et al. 2017, arXiv:1605.09782",
    recipe=NetworkRecipe(
        batch_size=128,
        image_size=32,
        latent_dim=50,
        latent="uniform",
        lr_g="2e-4:2e-6:linear:0.5:1",
        lr_d="2e-4:2e-6:linear:0.5:1",
        weight_decay=2.5e-5,
    ),
    generator=networks.generator,
    discriminator=networks.PairDiscriminator,
    losses=losses,
    networks={"encoder": Network(networks.encoder, update="generator")},
    accepts=Accepts(points=()),
)

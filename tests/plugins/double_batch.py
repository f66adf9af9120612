"""A hinge DCGAN with spectral normalisation whose generator sees twice the discriminator's batch.

Miyato et al. 2018, arXiv:1802.05957: hinge loss, Adam with 2e-4, 0 and 0.9, linear decay. Twice
the batch for the generator is their released code's and common since. Departs from the paper in
the discriminator, which has a DCGAN's layers instead of two convolutions at each size.
"""

from pydantic import Field
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

import ganbench
from ganbench import DatasetSpec, Variant, losses, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and the slope of the LeakyReLU."""

    slope: float = Field(0.1, ge=0, lt=1, description="slope of the LeakyReLU")


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Strided convolutions, each with its largest singular value held at 1."""
    layers: list[nn.Module] = []
    channels = dataset.channels
    for power in range(networks.convolutional_blocks(recipe.image_size)):
        width = recipe.discriminator_width * 2**power
        layers += [spectral_norm(nn.Conv2d(channels, width, 4, 2, 1)), nn.LeakyReLU(recipe.slope)]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), spectral_norm(nn.Linear(16 * channels, 1)))


VARIANT = Variant(
    title="SN-DCGAN, doubled generator batch",
    paper="Miyato et al. 2018, arXiv:1802.05957",
    recipe=Recipe(
        image_size=32,
        generator_batch=2,
        lr_g="2e-4:0",
        lr_d="2e-4:0",
        beta1=0.0,
        beta2=0.9,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=discriminator,
    losses=losses.hinge,
    output="score",
)

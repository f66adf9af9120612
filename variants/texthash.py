"""Text-hashed DCGAN: both networks are trained on the hashed words of a caption."""

from pydantic import Field
from torch import nn

import ganbench
from ganbench import Condition, DatasetSpec, Variant, losses, networks, text


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers and those of the text."""

    text_dim: int = Field(128, ge=1, description="entries of the vector of hashed words")
    hashes: int = Field(4, ge=1, description="positions that each word is hashed to")


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A DCGAN generator on latent and text."""
    network = networks.dcgan_generator(recipe, dataset, condition_size=recipe.text_dim)
    return networks.initialise_dcgan(networks.ConditionalGenerator(network))


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A DCGAN discriminator with the text projected onto its features."""
    features, wide = networks.dcgan_features(recipe, dataset)
    network = networks.ProjectionDiscriminator(features, wide, recipe.text_dim)
    return networks.initialise_dcgan(network)


def condition(recipe: Recipe, _dataset: DatasetSpec) -> Condition:
    """Signed feature hashing of the words."""
    return Condition(
        encode=lambda prompt: text.signed_hash_vector(prompt, recipe.text_dim, recipe.hashes),
        size=recipe.text_dim,
    )


VARIANT = Variant(
    title="Text-hashed DCGAN",
    paper="Weinberger et al. 2009, arXiv:0902.2206; Miyato and Koyama 2018, arXiv:1802.05637",
    recipe=Recipe(lr_g=4e-4, lr_d=4e-4),
    generator=generator,
    discriminator=discriminator,
    losses=losses.bce,
    condition=condition,
)

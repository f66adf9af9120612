"""Naive text-hashed DCGAN: trained without text, its latent is replaced by a hashed prompt."""

from torch import nn

from ganbench import Condition, DatasetSpec, Recipe, Variant, losses, networks, text


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A DCGAN generator with the DCGAN paper's initial weights."""
    return networks.initialise_dcgan(networks.dcgan_generator(recipe, dataset))


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A DCGAN discriminator with the DCGAN paper's initial weights."""
    return networks.initialise_dcgan(networks.dcgan_discriminator(recipe, dataset))


def condition(recipe: Recipe, _dataset: DatasetSpec) -> Condition:
    """The latent is empty but for each word's hash, at the position that the hash chooses."""
    return Condition(
        encode=lambda prompt: text.naive_hash_vector(prompt, recipe.latent_dim),
        size=recipe.latent_dim,
        use="latent",
    )


VARIANT = Variant(
    title="Text-hashed DCGAN, naive",
    paper="Radford et al. 2016, arXiv:1511.06434; prompts only at sampling time",
    recipe=Recipe(),
    generator=generator,
    discriminator=discriminator,
    losses=losses.bce,
    condition=condition,
)

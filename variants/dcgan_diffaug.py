"""DCGAN with DiffAugment: all that the discriminator sees is shifted and has a square cut out.

Zhao et al. 2020, arXiv:2006.10738: the policy for CIFAR-10, translation by an eighth and a cutout
of half the size, on real and generated images, in both updates. Departs from the paper in the
network, which there is BigGAN's or StyleGAN2's.
"""

from ganbench import ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN, DiffAugment",
    paper="Zhao et al. 2020, arXiv:2006.10738",
    recipe=ComposedRecipe(augment="translation,cutout"),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
)

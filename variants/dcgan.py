"""DCGAN: strided convolutions with BatchNorm, no fully connected layers."""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN",
    paper="Radford et al. 2016, arXiv:1511.06434",
    recipe=ComposedRecipe(),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

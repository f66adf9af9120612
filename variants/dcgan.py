"""DCGAN: strided convolutions with BatchNorm, no fully connected layers."""

from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN",
    paper="Radford et al. 2016, arXiv:1511.06434",
    recipe=Recipe(),
    generator=networks.dcgan_generator,
    discriminator=networks.dcgan_discriminator,
    losses=losses.bce,
)

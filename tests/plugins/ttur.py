"""TTUR: a DCGAN whose two networks learn at two rates that decay to 0.

Heusel et al. 2017, arXiv:1706.08500, with the paper's rates for DCGAN on CIFAR-10 (generator
5e-4, discriminator 1e-4). The linear decay to 0 is a common stand-in for the decreasing steps
that the theorem asks for. Departs from the paper in the width of the networks, in Adam's larger
epsilon, and in the moving average of the generator, which the paper does not have.
"""

from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN, two time-scale update rule",
    paper="Heusel et al. 2017, arXiv:1706.08500",
    recipe=Recipe(
        image_size=32,
        lr_g="5e-4:0",
        lr_d="1e-4:0",
        eps=1e-6,
        ema_half_life_kimg=10.0,
        ema_ramp=0.05,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=networks.dcgan_discriminator,
    losses=losses.bce,
)

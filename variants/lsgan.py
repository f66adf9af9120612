"""LSGAN: half the squared distance of the scores from 1 for real and 0 for generated images.

Mao et al. 2017, arXiv:1611.04076. Networks and numbers are the DCGAN's, where the paper has
variants of it for larger images, and two updates of the discriminator as StudioGAN takes.
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="LSGAN",
    paper="Mao et al. 2017, arXiv:1611.04076",
    recipe=ComposedRecipe(loss="least-squares", d_steps=2),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

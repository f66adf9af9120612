"""RpGAN with R1 and R2: R3GAN's loss, on a DCGAN.

Huang et al. 2024, arXiv:2501.05441. The networks are the DCGAN's without normalisation in the
discriminator, as the penalties are of each image; both weights are 1, where the paper says none for
these networks. `rpgan_r1.py` is the same without R2.
"""

from ganbench import ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="RpGAN + R1 + R2",
    paper="Huang et al. 2024, arXiv:2501.05441",
    recipe=ComposedRecipe(d_norm="none", loss="relativistic", r1=1.0, r2=1.0),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
)

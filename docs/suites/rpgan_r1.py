"""RpGAN with R1 alone: R3GAN's loss without its penalty at generated images, on a DCGAN.

Huang et al. 2024, arXiv:2501.05441, whose ablation on stacked MNIST finds that training diverges
so. The networks are the DCGAN's; `rpgan_r1_r2.py` differs in R2 alone.
"""

from ganbench import ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="RpGAN + R1",
    paper="Huang et al. 2024, arXiv:2501.05441",
    recipe=ComposedRecipe(d_norm="none", loss="relativistic", r1=1.0),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
)

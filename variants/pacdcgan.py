"""PacGAN: the discriminator sees packs of two images, all real or all generated.

Lin et al. 2018, arXiv:1712.04086, PacDCGAN2 as on stacked MNIST: the images of a pack are joined
along the channels, latents are uniform in [-1, 1], two updates of the generator per update of the
discriminator; nothing else of the DCGAN changes. Batches count images: of 64, the discriminator
sees 32 packs, where the authors' code has 64 packs (`--set batch_size=128`).
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="PacDCGAN2",
    paper="Lin et al. 2018, arXiv:1712.04086",
    recipe=ComposedRecipe(packing=2, latent="uniform", g_steps=2),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

"""PacGAN: the discriminator sees packs of images, all real or all generated.

Lin et al. 2018, arXiv:1712.04086, PacDCGAN2 on stacked MNIST: two images joined along the
channels, latents uniform in [-1, 1], two updates of the generator per update of the
discriminator; nothing else of the DCGAN changes. Departs from the paper in the width of the
networks and the image size.
"""

from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="PacDCGAN2",
    paper="Lin et al. 2018, arXiv:1712.04086",
    recipe=Recipe(
        image_size=32,
        packing=2,
        latent="uniform",
        g_steps=2,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=networks.dcgan_discriminator,
    losses=losses.bce,
)

"""WGAN: a critic held Lipschitz by clipping its weights, trained by RMSprop.

Arjovsky et al. 2017, arXiv:1701.07875: five updates of the critic per update of the generator,
weights clipped to [-0.01, 0.01] after each, RMSprop with 5e-5. Departs from the paper in nothing
but the width of the DCGAN and the size of the images.
"""

from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="WGAN, clipped weights",
    paper="Arjovsky et al. 2017, arXiv:1701.07875",
    recipe=Recipe(
        image_size=32,
        optimizer="rmsprop",
        lr_g=5e-5,
        lr_d=5e-5,
        beta1=0.0,
        beta2=0.99,
        weight_clip=0.01,
        d_steps=5,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=networks.dcgan_discriminator,
    losses=losses.wasserstein,
    output="score",
)

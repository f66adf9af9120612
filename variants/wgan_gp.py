"""WGAN-GP: a critic whose gradient between real and generated images is held at length 1.

Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1: weight 10, five updates of the critic, Adam
with 1e-4, 0 and 0.9, no BatchNorm in the critic, as the penalty is of each image. The networks are
SNGAN's convolutional ones without spectral normalisation, as re-implementations have them, where
the paper's own are a DCGAN without BatchNorm in the critic (`--set network=dcgan`).
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="WGAN-GP",
    paper="Gulrajani et al. 2017, arXiv:1704.00028",
    recipe=ComposedRecipe(
        network="cnn",
        d_norm="none",
        image_size=32,
        loss="wasserstein",
        gradient_penalty=10.0,
        d_steps=5,
        lr_g=1e-4,
        lr_d=1e-4,
        beta1=0.0,
        beta2=0.9,
    ),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=("beta1", "beta2", "d_steps")),
)

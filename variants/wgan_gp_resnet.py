"""WGAN-GP on residual networks: no normalisation in the critic, its map averaged at the end.

Gulrajani et al. 2017, arXiv:1704.00028, the CIFAR-10 model: 128 channels, weight 10, five updates
of the critic, twice the batch for the generator, Adam with 2e-4, 0 and 0.9, falling to 0.
"""

from ganbench import ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="WGAN-GP, ResNet",
    paper="Gulrajani et al. 2017, arXiv:1704.00028",
    recipe=ComposedRecipe(
        network="resnet",
        d_norm="none",
        image_size=32,
        latent_dim=128,
        generator_width=128,
        discriminator_width=128,
        generator_batch=2,
        loss="wasserstein",
        gradient_penalty=10.0,
        d_steps=5,
        lr_g="2e-4:0",
        lr_d="2e-4:0",
        beta1=0.0,
        beta2=0.9,
    ),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
)

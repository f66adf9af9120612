"""SNGAN on residual networks: spectral normalisation, the map summed at the end, hinge loss.

Miyato et al. 2018, arXiv:1802.05957, the CIFAR-10 model: 256 channels in the generator and 128 in
the discriminator, five updates of the discriminator, twice the batch for the generator, Adam with
2e-4, 0 and 0.9, falling to 0.
"""

from ganbench import ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="SNGAN, ResNet",
    paper="Miyato et al. 2018, arXiv:1802.05957",
    recipe=ComposedRecipe(
        network="resnet",
        d_norm="spectral",
        image_size=32,
        latent_dim=128,
        generator_width=256,
        discriminator_width=128,
        generator_batch=2,
        loss="hinge",
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

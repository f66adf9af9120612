"""SNGAN: every weight of the discriminator divided by its largest singular value, hinge loss.

Miyato et al. 2018, arXiv:1802.05957: the convolutional networks, twice the batch for the generator,
Adam with 2e-4, 0 and 0.9, falling to 0, as pytorch-gan-collections has it. Departs from that code
in one thing: no uniform noise of one grey value is added to real images.
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="SNGAN",
    paper="Miyato et al. 2018, arXiv:1802.05957",
    recipe=ComposedRecipe(
        network="cnn",
        d_norm="spectral",
        image_size=32,
        batch_size=128,
        generator_batch=2,
        loss="hinge",
        lr_g="2e-4:0",
        lr_d="2e-4:0",
        beta1=0.0,
        beta2=0.9,
    ),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=("d_norm", "lr_g", "lr_d", "beta1", "beta2")),
)

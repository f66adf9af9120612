"""WGAN: a critic held Lipschitz by clipping its weights, trained by RMSprop.

Arjovsky et al. 2017, arXiv:1701.07875: five updates of the critic per update of the generator,
weights clipped to plus or minus 0.01 after each, RMSprop with 5e-5, the DCGAN's networks. Departs
in the critic's warm-up, which the paper's code has (100 updates at first and every 500 steps).
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="WGAN, clipped weights",
    paper="Arjovsky et al. 2017, arXiv:1701.07875",
    recipe=ComposedRecipe(
        loss="wasserstein",
        optimizer="rmsprop",
        lr_g=5e-5,
        lr_d=5e-5,
        beta1=0.0,
        beta2=0.99,
        weight_clip=0.01,
        d_steps=5,
    ),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=("lr_g", "lr_d", "beta1", "beta2", "d_steps")),
)

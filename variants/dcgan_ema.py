"""DCGAN whose images come from a moving average of the generator.

Yazici et al. 2019, arXiv:1806.04498. The decay is StudioGAN's, .9999 from step 1,000 on; the
weights are copied until then.
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN, moving average",
    paper="Yazici et al. 2019, arXiv:1806.04498",
    recipe=ComposedRecipe(ema_decay=0.9999, ema_start=1000),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

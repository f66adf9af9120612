"""DCGAN whose images come from a moving average of the generator.

Yazici et al. 2019, arXiv:1806.04498. The decay is StudioGAN's, .9999 from step 1,000 on; the
weights are copied until then. Departs from it in short runs: the half-life is at most 5% of the
images seen (Karras et al. 2020, arXiv:2006.06676), as the average would show the weights of step
1,000 for long; from 140,000 steps on the decay is .9999.
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN, moving average",
    paper="Yazici et al. 2019, arXiv:1806.04498",
    recipe=ComposedRecipe(ema_decay=0.9999, ema_ramp=0.05, ema_start=1000),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

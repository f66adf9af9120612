"""DCGAN: strided convolutions with BatchNorm, no fully connected layers.

Radford et al. 2016, arXiv:1511.06434. Departs from the paper in initial weights, which are
PyTorch's instead of N(0, 0.02), and in batches of 64 instead of 128. Other variants that name the
DCGAN's networks have these too.
"""

from ganbench import Accepts, ComposedRecipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN",
    paper="Radford et al. 2016, arXiv:1511.06434",
    recipe=ComposedRecipe(),
    generator=networks.generator,
    discriminator=networks.discriminator,
    losses=losses.composed,
    accepts=Accepts(points=()),
)

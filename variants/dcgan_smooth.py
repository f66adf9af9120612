"""Label-smoothed DCGAN: targets 0.9 and 0.1, large batches, a wider generator.

After Salimans et al. 2016, arXiv:1606.03498. Departs from that paper in smoothing the targets of
generated images too, which it advises against, and in networks and numbers, which are this
variant's own: biases, ReLU before BatchNorm, batches of 1,024.
"""

from functools import partial

from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="DCGAN, smoothed labels",
    paper="Salimans et al. 2016, arXiv:1606.03498",
    recipe=Recipe(
        batch_size=1024,
        latent_dim=256,
        lr_g=5e-4,
        lr_d=5e-4,
        generator_width=128,
        real_label=0.9,
        fake_label=0.1,
        budget="50epochs",
        sample_every="10epochs",
    ),
    generator=partial(networks.dcgan_generator, bias=True, activation_first=True),
    discriminator=partial(networks.dcgan_discriminator, bias=True),
    losses=losses.bce,
)

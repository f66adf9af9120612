"""MLP GAN: two fully connected networks with one hidden layer each, on 28×28 digits.

On points it is the GAN of PacGAN's experiments (Lin et al. 2018, arXiv:1712.04086), with networks
of several layers and their numbers.
"""

from torch import nn

from ganbench import Accepts, DatasetSpec, Recipe, Variant, losses, networks


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Latent, hidden layer, one output a pixel."""
    if dataset.kind == "points":
        return networks.points_generator(recipe, dataset)
    shape = (dataset.channels, recipe.image_size, recipe.image_size)
    return nn.Sequential(
        nn.Linear(recipe.latent_dim, recipe.generator_width),
        nn.ReLU(),
        nn.Linear(recipe.generator_width, dataset.channels * recipe.image_size**2),
        nn.Tanh(),
        nn.Unflatten(1, shape),
    )


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """One input a pixel, hidden layer, one logit."""
    if dataset.kind == "points":
        return networks.points_discriminator(recipe, dataset)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(dataset.channels * recipe.image_size**2, recipe.discriminator_width),
        nn.LeakyReLU(0.2),
        nn.Linear(recipe.discriminator_width, 1),
    )


VARIANT = Variant(
    title="MLP GAN",
    paper="Goodfellow et al. 2014, arXiv:1406.2661",
    recipe=Recipe(
        image_size=28,
        beta1=0.9,
        generator_width=256,
        discriminator_width=256,
        dataset="mnist",
        budget="200epochs",
        sample_every="3epochs",
    ),
    generator=generator,
    discriminator=discriminator,
    losses=losses.bce,
    accepts=Accepts(points=()),
)

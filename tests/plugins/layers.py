"""A discriminator that several plug-ins beside this file share."""

from torch import nn

from ganbench import DatasetSpec, Recipe, networks


def plain_discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Strided convolutions without normalisation: a penalty of each image needs that."""
    layers: list[nn.Module] = []
    channels = dataset.channels
    for power in range(networks.convolutional_blocks(recipe.image_size)):
        width = recipe.discriminator_width * 2**power
        layers += [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * channels, 1))

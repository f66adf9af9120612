"""Networks by the name that a recipe gives, so that a study can hold them fixed for all losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from ganbench.errors import UsageError
from ganbench.variant.networks.cnn import cnn_features, cnn_generator
from ganbench.variant.networks.dcgan import (
    dcgan_discriminator,
    dcgan_features,
    dcgan_generator,
)
from ganbench.variant.networks.initial import initialise_dcgan, initialise_xavier
from ganbench.variant.networks.layers import normalised
from ganbench.variant.networks.mlp import mlp_features, mlp_generator
from ganbench.variant.networks.points import (
    points_discriminator,
    points_features,
    points_generator,
)
from ganbench.variant.networks.resnet import ResNetFeatures, ResNetGenerator

if TYPE_CHECKING:
    from ganbench.variant.composed import NetworkRecipe
    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "LabelGenerator",
    "PairDiscriminator",
    "discriminator",
    "encoder",
    "features",
    "generator",
]

_GENERATORS = {
    "mlp": mlp_generator,
    "dcgan": dcgan_generator,
    "cnn": cnn_generator,
    "resnet": ResNetGenerator,
}


def generator(recipe: NetworkRecipe, dataset: DatasetSpec) -> nn.Module:
    """The generator that `recipe.network` names; of points, the one of `networks.points`.

    Raises:
        UsageError: The image size does not fit, or the dataset holds points and the network is
            another one than `mlp`.
    """
    if _is_for_points(recipe, dataset):
        return points_generator(recipe, dataset)
    network: nn.Module = _GENERATORS[recipe.network](recipe, dataset)
    return network


def discriminator(recipe: NetworkRecipe, dataset: DatasetSpec) -> nn.Module:
    """The discriminator that `recipe.network` names, normalised as `recipe.d_norm` says.

    Raises:
        UsageError: As of `generator`.
    """
    if _is_for_points(recipe, dataset):
        return points_discriminator(recipe, dataset, recipe.d_norm)
    if recipe.network == "dcgan":
        return dcgan_discriminator(recipe, dataset, norm=recipe.d_norm)
    body, entries = features(recipe, dataset)
    last = nn.Linear(entries, 1)
    if recipe.network == "resnet":
        initialise_xavier(last, 1.0)
    elif recipe.network == "cnn":
        initialise_dcgan(last)
    return nn.Sequential(body, normalised(last, recipe.d_norm))


def features(recipe: NetworkRecipe, dataset: DatasetSpec) -> tuple[nn.Module, int]:
    """The discriminator without its last layer: images to a vector each.

    Returns:
        The network, and the entries of the vector.

    Raises:
        UsageError: As of `generator`.
    """
    if _is_for_points(recipe, dataset):
        return points_features(recipe, dataset, recipe.d_norm)
    if recipe.network == "mlp":
        return mlp_features(recipe, dataset, recipe.d_norm)
    if recipe.network == "cnn":
        return cnn_features(recipe, dataset, recipe.d_norm)
    if recipe.network == "resnet":
        pool: Literal["sum", "mean"] = "sum" if recipe.d_norm == "spectral" else "mean"
        return ResNetFeatures(recipe, dataset, recipe.d_norm, pool), recipe.discriminator_width
    body, wide = dcgan_features(recipe, dataset, norm=recipe.d_norm)
    return nn.Sequential(body, nn.Flatten()), 16 * wide


def _is_for_points(recipe: NetworkRecipe, dataset: DatasetSpec) -> bool:
    """Whether points are drawn.

    Raises:
        UsageError: They are to be drawn by a network for images.
    """
    if dataset.kind == "points" and recipe.network != "mlp":
        raise UsageError(
            f"network={recipe.network} is for images, and {dataset.name} holds points: "
            "give --set network=mlp"
        )
    return dataset.kind == "points"


def encoder(recipe: NetworkRecipe, dataset: DatasetSpec) -> nn.Module:
    """The discriminator's layers with BatchNorm, ended by a linear layer: images to latents.

    Returns:
        Maps images to unbounded vectors of shape (batch, latent_dim).

    Raises:
        UsageError: The image size does not fit.
    """
    body, entries = features(recipe.model_copy(update={"d_norm": "batch"}), dataset)
    return nn.Sequential(body, nn.Linear(entries, recipe.latent_dim))


class LabelGenerator(nn.Module):
    """The generator that the recipe names, on the latent joined with an embedding of the class.

    Args:
        recipe: Gives the network.
        dataset: Gives the classes and the channels of the image.
        class_dim: Entries of the embedding.

    Raises:
        UsageError: The image size does not fit.
    """

    def __init__(self, recipe: NetworkRecipe, dataset: DatasetSpec, class_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(dataset.class_names), class_dim)
        wider = recipe.model_copy(update={"latent_dim": recipe.latent_dim + class_dim})
        self.network = generator(wider, dataset)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Map (batch, latent_dim) and int64 classes (batch,) to images."""
        images: Tensor = self.network(torch.cat([latents, self.embedding(labels)], dim=1))
        return images


class PairDiscriminator(nn.Module):
    """One logit from an image and a latent, or from a pack of images and that of their latents.

    Args:
        recipe: Gives the network, its normalisation, and the packing. Of the layers that join image
            and latent only a spectral norm holds the weights.
        dataset: Gives the channels of the image, or of the pack.

    Raises:
        UsageError: The image size does not fit.
    """

    def __init__(self, recipe: NetworkRecipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, entries = features(recipe, dataset)
        hidden = 4 * recipe.discriminator_width
        latents = recipe.latent_dim * recipe.packing

        def linear(before: int, after: int) -> nn.Linear:
            return normalised(nn.Linear(before, after), recipe.d_norm)

        self.latents = nn.Sequential(linear(latents, hidden), nn.LeakyReLU(0.2))
        self.pair = nn.Sequential(
            linear(entries + hidden, hidden), nn.LeakyReLU(0.2), linear(hidden, 1)
        )

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """Map images and latents (batch, latent_dim) to logits of shape (batch, 1)."""
        joined = torch.cat([self.features(images), self.latents(latents)], dim=1)
        logits: Tensor = self.pair(joined)
        return logits

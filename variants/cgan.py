"""cGAN with projection: both networks know the class, by conditional BatchNorm and by projection.

Miyato and Koyama 2018, arXiv:1802.05637, on SNGAN's residual networks: the generator's BatchNorm
has scales and shifts of each class, the discriminator adds the inner product of its features with
an embedding of the class; spectral normalisation, hinge loss, five updates of the discriminator.
"""

from pydantic import Field
from torch import Tensor, nn

import ganbench
from ganbench import Accepts, Condition, DatasetSpec, Variant, losses, networks


class Recipe(ganbench.ComposedRecipe):
    """A composed recipe's numbers, and the embedding of the class on other networks."""

    class_dim: int = Field(
        16, ge=1, description="entries of the embedding of the class, on other networks than resnet"
    )


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A residual one with conditional BatchNorm; other ones take the class beside the latent."""
    if recipe.network == "resnet":
        return networks.ResNetGenerator(recipe, dataset, classes=len(dataset.class_names))
    return networks.LabelGenerator(recipe, dataset, recipe.class_dim)


class Discriminator(nn.Module):
    """The body that the recipe names, one logit, and the projection of the class."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, entries = networks.features(recipe, dataset)
        self.last = networks.normalised(nn.Linear(entries, 1), recipe.d_norm)
        embedding = nn.Embedding(len(dataset.class_names), entries)
        nn.init.xavier_uniform_(embedding.weight)
        self.embedding = networks.normalised(embedding, recipe.d_norm)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Map images and int64 classes (batch,) to logits of shape (batch, 1)."""
        features = self.features(images)
        projected = (features * self.embedding(labels)).sum(1, keepdim=True)
        logits: Tensor = self.last(features) + projected
        return logits


def condition(_recipe: Recipe, dataset: DatasetSpec) -> Condition:
    """The class, for both networks."""
    return Condition.on_labels(dataset)


VARIANT = Variant(
    title="cGAN, projection",
    paper="Miyato and Koyama 2018, arXiv:1802.05637",
    recipe=Recipe(
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
    generator=generator,
    discriminator=Discriminator,
    losses=losses.composed,
    condition=condition,
    accepts=Accepts(classes=2),
)

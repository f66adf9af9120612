"""ACGAN: a generator steered by the class, and a discriminator that also names the class.

Odena et al. 2017, arXiv:1610.09585. The discriminator does not take the class but is to find it,
on real and on generated images; both networks minimise the cross-entropy of the class. Departs
from the paper in the networks, which are those of a small DCGAN, and in the class entering the
generator as a learnt embedding instead of a one-hot vector.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

import ganbench
from ganbench import Accepts, Condition, DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and the weights of the class losses."""

    class_weight_d: float = Field(1.0, ge=0, description="weight of the class loss, discriminator")
    class_weight_g: float = Field(1.0, ge=0, description="weight of the class loss, generator")
    class_dim: int = Field(16, ge=1, description="entries of the embedding of the class")


class Generator(nn.Module):
    """Images from latents (batch, latent_dim) and classes, int64 of shape (batch,)."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(dataset.class_names), recipe.class_dim)
        wider = recipe.model_copy(update={"latent_dim": recipe.latent_dim + recipe.class_dim})
        self.network = networks.dcgan_generator(wider, dataset)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        return self.network(torch.cat([latents, self.embedding(labels)], dim=1))


class Discriminator(nn.Module):
    """One logit, and a logit of each class: (batch, 1), (batch, classes)."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, width = networks.dcgan_features(recipe, dataset)
        self.adversarial = nn.Linear(16 * width, 1)
        self.classes = nn.Linear(16 * width, len(dataset.class_names))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images).flatten(1)
        return self.adversarial(features), self.classes(features)


def condition(_recipe: Recipe, dataset: DatasetSpec) -> Condition:
    """The class, for the generator alone."""
    return Condition.on_labels(dataset, networks=("generator",))


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy of real and generated, and cross-entropy of the class."""
    if recipe.packing > 1:
        raise ganbench.UsageError(
            f"packing={recipe.packing} does not fit an ACGAN: a pack has no single class"
        )

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        (on_real, real_class), (on_fake, fake_class) = discriminator(real), discriminator(fake)
        error = cross_entropy(real_class, context.labels)
        error = error + cross_entropy(fake_class, context.labels)
        loss = softplus(-on_real).mean() + softplus(on_fake).mean() + recipe.class_weight_d * error
        return LossOutput(loss, on_real, on_fake, {"class_error": error})

    def g_loss(discriminator, _real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_fake, fake_class = discriminator(fake)
        error = cross_entropy(fake_class, context.labels)
        return LossOutput(softplus(-on_fake).mean() + recipe.class_weight_g * error, fake=on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="ACGAN",
    paper="Odena et al. 2017, arXiv:1610.09585",
    recipe=Recipe(batch_size=100, image_size=32, generator_width=32, discriminator_width=32),
    generator=Generator,
    discriminator=Discriminator,
    losses=losses,
    condition=condition,
    accepts=Accepts(classes=2),
)

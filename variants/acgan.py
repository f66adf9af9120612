"""ACGAN: a generator steered by the class, and a discriminator that also names the class.

Odena et al. 2017, arXiv:1610.09585. The discriminator does not take the class but is to find it,
on real and on generated images; both networks minimise the cross-entropy of the class, the
generator with a tenth of the weight, as later codes have it (Gulrajani et al. 2017). Departs from
the paper in the networks, which are a DCGAN's, in the class entering the generator as a learnt
embedding instead of a one-hot vector, and in Dropout, which the discriminator does without.
"""

from typing import Any

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import ganbench
from ganbench import Accepts, Condition, DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.NetworkRecipe):
    """The numbers of the networks, and the weights of the class losses."""

    class_weight_d: float = Field(1.0, ge=0, description="weight of the class loss, discriminator")
    class_weight_g: float = Field(0.1, ge=0, description="weight of the class loss, generator")
    class_dim: int = Field(16, ge=1, description="entries of the embedding of the class")


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """The generator that the recipe names, on latent and class."""
    return networks.LabelGenerator(recipe, dataset, recipe.class_dim)


class Discriminator(nn.Module):
    """One logit, and a logit of each class: (batch, 1), (batch, classes)."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, entries = networks.features(recipe, dataset)
        self.adversarial = networks.normalised(nn.Linear(entries, 1), recipe.d_norm)
        classes = nn.Linear(entries, len(dataset.class_names))
        self.classes = networks.normalised(classes, recipe.d_norm)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images to the two."""
        features = self.features(images)
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

    adversarial = ganbench.losses.binary_cross_entropy

    def class_error(logits: Tensor, context: ganbench.Context) -> Tensor:
        labels: Any = context.labels
        return cross_entropy(logits, labels)

    def d_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        (on_real, real_class), (on_fake, fake_class) = discriminator(real), discriminator(fake)
        error = class_error(real_class, context)
        error = error + class_error(fake_class, context)
        loss = adversarial(on_real, recipe.real_label) + adversarial(on_fake, recipe.fake_label)
        loss = loss + recipe.class_weight_d * error
        return LossOutput(loss, on_real, on_fake, {"class_error": error})

    def g_loss(
        discriminator: Any, _real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        on_fake, fake_class = discriminator(fake)
        error = class_error(fake_class, context)
        loss = adversarial(on_fake, recipe.generator_label) + recipe.class_weight_g * error
        return LossOutput(loss, fake=on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="ACGAN",
    paper="Odena et al. 2017, arXiv:1610.09585",
    recipe=Recipe(batch_size=100, image_size=32),
    generator=generator,
    discriminator=Discriminator,
    losses=losses,
    condition=condition,
    accepts=Accepts(classes=2),
)

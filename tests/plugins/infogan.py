"""InfoGAN: codes in the latent that a head of the discriminator recovers from the images.

Chen et al. 2016, arXiv:1606.03657. The latent is a categorical code, two uniform ones in [-1, 1]
and noise; both networks maximise a lower bound of the codes' mutual information with the images.
Numbers as on MNIST. Departs from the paper in the networks, which are those of a small DCGAN, and
in the fixed variance 1 of the uniform codes' posterior.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softplus

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of the codes; `latent_dim` counts the codes too."""

    categories: int = Field(10, ge=2, description="categories of the categorical code")
    uniform_codes: int = Field(2, ge=0, description="number of uniform codes")
    information: float = Field(1.0, ge=0, description="weight of the mutual information, lambda")


class Discriminator(nn.Module):
    """One logit, and the codes: (batch, 1), (batch, categories), (batch, uniform codes)."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        self.features, width = networks.dcgan_features(recipe, dataset)
        self.adversarial = nn.Linear(16 * width, 1)
        self.head = nn.Sequential(nn.Linear(16 * width, 128), nn.LeakyReLU(0.2))
        self.category = nn.Linear(128, recipe.categories)
        self.uniform = nn.Linear(128, recipe.uniform_codes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.features(images).flatten(1)
        head = self.head(features)
        return self.adversarial(features), self.category(head), self.uniform(head)


def latent(recipe: Recipe, _dataset: DatasetSpec):
    """One-hot category, uniform codes in [-1, 1], normal noise: (count, latent_dim)."""
    noise = recipe.latent_dim - recipe.categories - recipe.uniform_codes
    if noise < 0:
        raise ganbench.UsageError(
            f"latent_dim={recipe.latent_dim} does not hold the codes: give at least "
            f"categories + uniform_codes = {recipe.categories + recipe.uniform_codes}"
        )

    def draw(count: int, generator: torch.Generator) -> Tensor:
        options = {"generator": generator, "device": generator.device}
        category = torch.randint(recipe.categories, (count,), **options)
        uniform = torch.rand(count, recipe.uniform_codes, **options) * 2 - 1
        rest = torch.randn(count, noise, **options)
        return torch.cat([one_hot(category, recipe.categories).float(), uniform, rest], dim=1)

    return draw


def losses(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy, and the codes' negative log-likelihood, for both networks."""
    if recipe.packing > 1:
        raise ganbench.UsageError(
            f"packing={recipe.packing} does not fit an InfoGAN: a pack has no single code"
        )

    def code_error(category: Tensor, uniform: Tensor, latents: Tensor) -> Tensor:
        chosen = latents[:, : recipe.categories].argmax(dim=1)
        codes = latents[:, recipe.categories : recipe.categories + recipe.uniform_codes]
        return cross_entropy(category, chosen) + (uniform - codes).square().sum(1).mean() / 2

    def d_loss(discriminator, real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_real, _, _ = discriminator(real)
        on_fake, category, uniform = discriminator(fake)
        error = code_error(category, uniform, context.latent)
        loss = softplus(-on_real).mean() + softplus(on_fake).mean() + recipe.information * error
        return LossOutput(loss, on_real, on_fake, {"code_error": error})

    def g_loss(discriminator, _real: Tensor, fake: Tensor, context: ganbench.Context) -> LossOutput:
        on_fake, category, uniform = discriminator(fake)
        error = code_error(category, uniform, context.latent)
        return LossOutput(softplus(-on_fake).mean() + recipe.information * error, fake=on_fake)

    return Losses(d_loss, g_loss)


VARIANT = Variant(
    title="InfoGAN",
    paper="Chen et al. 2016, arXiv:1606.03657",
    recipe=Recipe(
        batch_size=128,
        image_size=32,
        latent_dim=74,
        lr_g=1e-3,
        lr_d=2e-4,
        generator_width=32,
        discriminator_width=32,
    ),
    generator=networks.dcgan_generator,
    discriminator=Discriminator,
    losses=losses,
    latent=latent,
)

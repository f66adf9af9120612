"""Objectives of both networks, with one signature: (discriminator, real, fake) -> LossOutput."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ganbench.errors import UsageError
from ganbench.machine.ranks import whole_mean
from ganbench.variant.definition import Losses, LossOutput
from ganbench.variant.losses.penalties import outputs_of

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec, Discriminator
    from ganbench.variant.recipe import Recipe

__all__ = [
    "bce",
    "binary_cross_entropy",
    "hinge",
    "least_squares",
    "refuse_labels",
    "relativistic",
    "relativistic_average",
    "wasserstein",
]

# Each takes a recipe and a dataset, as the `losses` of a `Variant` do, and returns a
# `ganbench.Losses`. All work on logits or scores, never on probabilities, so that they stay finite
# and have a gradient however sure the discriminator is.


_LABELS = {"real_label": 1, "fake_label": 0, "generator_label": 1}


def binary_cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Mean binary cross-entropy of logits of any shape with one label, in [0, 1], for all."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def refuse_labels(recipe: Recipe, loss: str) -> None:
    """Refuse the recipe's labels where a loss has no use for them.

    Args:
        recipe: Of any variant.
        loss: The loss, for people.

    Raises:
        UsageError: One of `real_label`, `fake_label` and `generator_label` is not 1, 0 and 1.
    """
    for name, default in _LABELS.items():
        value = getattr(recipe, name, default)
        if value != default:
            raise UsageError(
                f"{name}={value} would change nothing: {loss} has no labels (logistic and "
                f"least-squares have): leave it at {default}"
            )


def bce(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy with the non-saturating generator (Goodfellow et al. 2014).

    The same value as `BCELoss` after a sigmoid, computed on logits. With `recipe.real_label` below
    1 it is one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498), with
    `recipe.fake_label` above 0 two-sided; `recipe.generator_label` is the generator's own target.
    """

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        loss = binary_cross_entropy(on_real, recipe.real_label)
        return LossOutput(loss + binary_cross_entropy(on_fake, recipe.fake_label), on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(binary_cross_entropy(on_fake, recipe.generator_label), fake=on_fake)

    return Losses(d_loss, g_loss, output="logit")


def hinge(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Hinge loss for a critic's scores (Lim and Ye 2017, arXiv:1705.02894).

    Raises:
        UsageError: The recipe smooths labels, of which it has none.
    """
    refuse_labels(recipe, "the hinge loss")

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        loss = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        return LossOutput(loss, on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(d_loss, g_loss, output="score")


def wasserstein(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Difference of the mean scores (Arjovsky et al. 2017, arXiv:1701.07875), without a penalty.

    Raises:
        UsageError: The recipe smooths labels, of which it has none.
    """
    refuse_labels(recipe, "the Wasserstein loss")

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        return LossOutput(on_fake.mean() - on_real.mean(), on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(d_loss, g_loss, output="score")


def least_squares(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Half the squared distance of the scores from their labels.

    Mao et al. 2017, arXiv:1611.04076, whose b, a and c are `recipe.real_label`,
    `recipe.fake_label` and `recipe.generator_label`: 1, 0 and 1 by default.
    """

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        on_real_error = (on_real - recipe.real_label).square().mean()
        loss = (on_real_error + (on_fake - recipe.fake_label).square().mean()) / 2
        return LossOutput(loss, on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput((on_fake - recipe.generator_label).square().mean() / 2, fake=on_fake)

    return Losses(d_loss, g_loss, output="score")


def relativistic(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Logistic loss of the difference of a real and a generated score, pair by pair.

    Jolicoeur-Martineau 2019, arXiv:1807.00734; with R1 and R2 the loss of R3GAN (Huang et al. 2024,
    arXiv:2501.05441).

    Raises:
        UsageError: The recipe smooths labels, of which it has none.
    """
    refuse_labels(recipe, "a relativistic loss")

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        return LossOutput(F.softplus(on_fake - on_real).mean(), on_real, on_fake)

    def g_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        times = len(on_fake) // len(on_real)  # a generator's batch may hold a multiple
        paired = on_real.repeat(times, *[1] * (on_real.dim() - 1))
        return LossOutput(F.softplus(paired - on_fake).mean(), on_real, on_fake)

    return Losses(d_loss, g_loss, output="score")


def relativistic_average(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Logistic loss of each score less the mean of the other side's (arXiv:1807.00734, RaGAN).

    Raises:
        UsageError: The recipe smooths labels, of which it has none.
    """
    refuse_labels(recipe, "a relativistic loss")

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        mean_real, mean_fake = whole_mean(on_real.mean()), whole_mean(on_fake.mean())
        loss = F.softplus(mean_fake - on_real).mean()
        return LossOutput(loss + F.softplus(on_fake - mean_real).mean(), on_real, on_fake)

    def g_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        mean_real, mean_fake = whole_mean(on_real.mean()), whole_mean(on_fake.mean())
        loss = F.softplus(mean_real - on_fake).mean()
        return LossOutput(loss + F.softplus(on_real - mean_fake).mean(), on_real, on_fake)

    return Losses(d_loss, g_loss, output="score")

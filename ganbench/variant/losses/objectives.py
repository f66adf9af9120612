"""Objectives of both networks, with one signature: (discriminator, real, fake) -> LossOutput."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ganbench.machine.ranks import whole_mean
from ganbench.variant.definition import Losses, LossOutput
from ganbench.variant.losses.penalties import outputs_of

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec, Discriminator
    from ganbench.variant.recipe import Recipe

__all__ = [
    "bce",
    "hinge",
    "least_squares",
    "relativistic",
    "relativistic_average",
    "wasserstein",
]

# Each takes a recipe and a dataset, as the `losses` of a `Variant` do, and returns a
# `ganbench.Losses`. All work on logits or scores, never on probabilities, so that they stay finite
# and have a gradient however sure the discriminator is.


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def bce(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy with the non-saturating generator (Goodfellow et al. 2014).

    The same value as `BCELoss` after a sigmoid, computed on logits. With `recipe.real_label` below
    1 it is one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498), with
    `recipe.fake_label` above 0 two-sided; `recipe.generator_label` is the generator's own target.
    """

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        loss = _cross_entropy(on_real, recipe.real_label)
        return LossOutput(loss + _cross_entropy(on_fake, recipe.fake_label), on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(_cross_entropy(on_fake, recipe.generator_label), fake=on_fake)

    return Losses(d_loss, g_loss)


def hinge(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Hinge loss for a critic's scores (Lim and Ye 2017, arXiv:1705.02894)."""

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        loss = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        return LossOutput(loss, on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(d_loss, g_loss)


def wasserstein(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Difference of the mean scores (Arjovsky et al. 2017, arXiv:1701.07875), without a penalty."""

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        return LossOutput(on_fake.mean() - on_real.mean(), on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(d_loss, g_loss)


def least_squares(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Half the squared distance of the scores from 1 and 0 (Mao et al. 2017, arXiv:1611.04076)."""

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        loss = ((on_real - 1).square().mean() + on_fake.square().mean()) / 2
        return LossOutput(loss, on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = outputs_of(discriminator, fake)
        return LossOutput((on_fake - 1).square().mean() / 2, fake=on_fake)

    return Losses(d_loss, g_loss)


def relativistic(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Logistic loss of the difference of a real and a generated score, pair by pair.

    Jolicoeur-Martineau 2019, arXiv:1807.00734; with R1 and R2 the loss of R3GAN (Huang et al. 2024,
    arXiv:2501.05441).
    """

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        return LossOutput(F.softplus(on_fake - on_real).mean(), on_real, on_fake)

    def g_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = outputs_of(discriminator, real), outputs_of(discriminator, fake)
        times = len(on_fake) // len(on_real)  # a generator's batch may hold a multiple
        paired = on_real.repeat(times, *[1] * (on_real.dim() - 1))
        return LossOutput(F.softplus(paired - on_fake).mean(), on_real, on_fake)

    return Losses(d_loss, g_loss)


def relativistic_average(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Logistic loss of each score less the mean of the other side's (arXiv:1807.00734, RaGAN)."""

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

    return Losses(d_loss, g_loss)

"""Objectives with one signature: (discriminator, real, fake) -> scalar.

Each function here takes a recipe and a dataset, as the `losses` of a `Variant` do, and returns a
`ganbench.Losses`. All work on logits or scores, never on
probabilities, so that they stay finite and have a gradient however sure the discriminator is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch.nn import functional as F

from ganbench.variant.definition import Losses

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import Bound, DatasetSpec, Recipe

__all__ = ["bce", "hinge", "wasserstein"]


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def bce(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy with the non-saturating generator (Goodfellow et al. 2014).

    The same value as `BCELoss` after a sigmoid, computed on logits. With `recipe.real_label` below
    1 it is one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498), with
    `recipe.fake_label` above 0 two-sided; `recipe.generator_label` is the generator's own target.
    """

    def d_loss(discriminator: Bound, real: Tensor, fake: Tensor) -> Tensor:
        on_real = _cross_entropy(discriminator(real), recipe.real_label)
        return on_real + _cross_entropy(discriminator(fake), recipe.fake_label)

    def g_loss(discriminator: Bound, _real: Tensor, fake: Tensor) -> Tensor:
        return _cross_entropy(discriminator(fake), recipe.generator_label)

    return Losses(d_loss, g_loss)


def hinge(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Hinge loss for a critic's scores (Lim and Ye 2017, arXiv:1705.02894)."""

    def d_loss(discriminator: Bound, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - discriminator(real)).mean() + F.relu(1 + discriminator(fake)).mean()

    def g_loss(discriminator: Bound, _real: Tensor, fake: Tensor) -> Tensor:
        return -discriminator(fake).mean()

    return Losses(d_loss, g_loss)


class GradientPenaltyRecipe(Protocol):
    """A recipe with the field that `wasserstein` reads."""

    @property
    def gradient_penalty(self) -> float:
        """Weight of the penalty."""
        ...


def wasserstein(recipe: GradientPenaltyRecipe, _dataset: DatasetSpec) -> Losses:
    """Wasserstein loss with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028).

    The recipe needs a field `gradient_penalty`, the weight of the penalty on gradients whose
    length is not 1, at random points between real and generated images; the paper takes 10. The
    discriminator must not use BatchNorm.
    """

    def d_loss(discriminator: Bound, real: Tensor, fake: Tensor) -> Tensor:
        share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
        between = torch.lerp(real, fake, share).requires_grad_()
        scores = discriminator(between)
        (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        distance = discriminator(real).mean() - discriminator(fake).mean()
        loss: Tensor = recipe.gradient_penalty * penalty - distance
        return loss

    def g_loss(discriminator: Bound, _real: Tensor, fake: Tensor) -> Tensor:
        return -discriminator(fake).mean()

    return Losses(d_loss, g_loss)

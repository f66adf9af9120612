"""Losses with one signature: (discriminator, real, fake) -> LossOutput."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from ganbench.errors import ContractError
from ganbench.variant.definition import Losses, LossOutput

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec, Discriminator
    from ganbench.variant.recipe import Recipe

__all__ = ["bce", "gradient_penalty", "hinge", "wasserstein", "zero_centred_penalty"]

# Each of `bce`, `hinge` and `wasserstein` takes a recipe and a dataset, as the `losses` of a
# `Variant` do, and returns a `ganbench.Losses`. All work on logits or scores, never on
# probabilities, so that they stay finite and have a gradient however sure the discriminator is.


def _outputs(discriminator: Discriminator, images: Tensor) -> Tensor:
    """The outputs of a discriminator that returns one tensor, as the losses here need it."""
    outputs = discriminator(images)
    if not isinstance(outputs, torch.Tensor):
        raise ContractError(
            f"the discriminator returns a {type(outputs).__name__}, and this loss needs a tensor: "
            "hand it `lambda images: discriminator(images)[0]`, or write a loss of your own"
        )
    return outputs


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def bce(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy with the non-saturating generator (Goodfellow et al. 2014).

    The same value as `BCELoss` after a sigmoid, computed on logits. With `recipe.real_label` below
    1 it is one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498), with
    `recipe.fake_label` above 0 two-sided; `recipe.generator_label` is the generator's own target.
    """

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = _outputs(discriminator, real), _outputs(discriminator, fake)
        loss = _cross_entropy(on_real, recipe.real_label)
        return LossOutput(loss + _cross_entropy(on_fake, recipe.fake_label), on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = _outputs(discriminator, fake)
        return LossOutput(_cross_entropy(on_fake, recipe.generator_label), fake=on_fake)

    return Losses(d_loss, g_loss)


def hinge(_recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Hinge loss for a critic's scores (Lim and Ye 2017, arXiv:1705.02894)."""

    def d_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = _outputs(discriminator, real), _outputs(discriminator, fake)
        loss = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        return LossOutput(loss, on_real, on_fake)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = _outputs(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(d_loss, g_loss)


def wasserstein(recipe: Recipe, _dataset: DatasetSpec) -> Losses:
    """Wasserstein loss (Arjovsky et al. 2017, arXiv:1701.07875), with or without gradient penalty.

    A field `gradient_penalty` of the recipe is the weight of the penalty (Gulrajani et al. 2017,
    arXiv:1704.00028, who take 10), which does not go with BatchNorm in the discriminator. A recipe
    without that field has no penalty, and needs its `weight_clip`.
    """
    weight: float | None = getattr(recipe, "gradient_penalty", None)

    def scores(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        on_real, on_fake = _outputs(discriminator, real), _outputs(discriminator, fake)
        return LossOutput(on_fake.mean() - on_real.mean(), on_real, on_fake)

    def penalised(discriminator: Discriminator, real: Tensor, fake: Tensor) -> LossOutput:
        penalty = gradient_penalty(discriminator, real, fake)
        output = scores(discriminator, real, fake) + (weight or 0.0) * penalty
        return output.recording(gradient_penalty=penalty)

    def g_loss(discriminator: Discriminator, _real: Tensor, fake: Tensor) -> LossOutput:
        on_fake = _outputs(discriminator, fake)
        return LossOutput(-on_fake.mean(), fake=on_fake)

    return Losses(scores if weight is None else penalised, g_loss)


def gradient_penalty(discriminator: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
    """Mean squared distance of the gradient's length from 1, between real and generated images.

    At a random point between each pair (Gulrajani et al. 2017, arXiv:1704.00028).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        real: Images of shape (batch, channels, size, size).
        fake: Likewise.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = torch.lerp(real, fake, share).requires_grad_()
    gradient = _gradient(_outputs(discriminator, between), between)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def zero_centred_penalty(discriminator: Discriminator, images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared length of the discriminator's gradient at images: R1 at real ones, R2 at fake.

    The gradient is that of the pixels, before augmentation (Mescheder et al. 2018,
    arXiv:1801.04406).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        images: Of shape (batch, channels, size, size).

    Returns:
        The penalty without a weight (the paper's has gamma / 2), and the discriminator's outputs.
    """
    images = images.detach().requires_grad_()
    outputs = _outputs(discriminator, images)
    return _gradient(outputs, images).square().flatten(1).sum(1).mean(), outputs


def _gradient(outputs: Any, images: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(outputs.sum(), images, create_graph=True)
    return gradient

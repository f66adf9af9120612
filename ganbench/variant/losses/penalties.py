"""Penalties that any objective can be given: on gradients, consistency, and the outputs' means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.errors import ContractError
from ganbench.machine.ranks import whole_count, whole_mean
from ganbench.variant.augmentation import flip, per_image, shifted

if TYPE_CHECKING:
    from ganbench.variant.definition import Discriminator

__all__ = [
    "LeCam",
    "consistency_penalty",
    "dragan_penalty",
    "gradient_penalty",
    "outputs_of",
    "zero_centred_penalty",
]

_LARGEST_SHIFT = 8  # an eighth of the size


def outputs_of(discriminator: Discriminator, images: Tensor) -> Tensor:
    """The outputs of a discriminator that returns one tensor, as the losses here need it.

    Raises:
        ContractError: It returns something else.
    """
    outputs = discriminator(images)
    if not isinstance(outputs, torch.Tensor):
        raise ContractError(
            f"the discriminator returns a {type(outputs).__name__}, and this loss needs a tensor: "
            "hand it `lambda images: discriminator(images)[0]`, or write a loss of your own"
        )
    return outputs


def gradient_penalty(
    discriminator: Discriminator, real: Tensor, fake: Tensor, packing: int = 1
) -> Tensor:
    """Mean squared distance of the gradient's length from 1, between real and generated images.

    At a random point between each pair (Gulrajani et al. 2017, arXiv:1704.00028).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        real: Images of shape (batch, channels, size, size).
        fake: Likewise.
        packing: Images that the discriminator sees as one, which then have one point and one
            gradient.
    """
    share = _per_pack(real, packing)
    between = torch.lerp(real, fake, share).requires_grad_()
    gradient = _gradient(outputs_of(discriminator, between), between, packing)
    penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
    return penalty


def zero_centred_penalty(
    discriminator: Discriminator, images: Tensor, packing: int = 1
) -> tuple[Tensor, Tensor]:
    """Mean squared length of the discriminator's gradient at images: R1 at real ones, R2 at fake.

    The gradient is that of the pixels, before augmentation (Mescheder et al. 2018,
    arXiv:1801.04406).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        images: Of shape (batch, channels, size, size).
        packing: Images that the discriminator sees as one, which then have one gradient.

    Returns:
        The penalty without a weight (the paper's has gamma / 2), and the discriminator's outputs.
    """
    images = images.detach().requires_grad_()
    outputs = outputs_of(discriminator, images)
    return _gradient(outputs, images, packing).square().sum(1).mean(), outputs


def _gradient(outputs: Any, images: Tensor, packing: int) -> Tensor:
    """The outputs' gradient by the images: one row for each that the discriminator sees."""
    (gradient,) = torch.autograd.grad(outputs.sum(), images, create_graph=True)
    return gradient.flatten(1).reshape(len(images) // packing, -1)


def _per_pack(images: Tensor, packing: int) -> Tensor:
    """Uniform numbers, the same for all images of a pack, that broadcast over the images."""
    return per_image(images[::packing]).repeat_interleave(packing, dim=0)


def dragan_penalty(discriminator: Discriminator, real: Tensor, packing: int = 1) -> Tensor:
    """Mean squared distance of the gradient's length from 1, around real images.

    Between each real image and itself with uniform noise of half the batch's standard deviation
    added, at a random point as in the authors' code (Kodali et al. 2017, arXiv:1705.07215).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        real: Images of shape (batch, channels, size, size).
        packing: As for `gradient_penalty`.
    """
    real = real.detach()
    noise = 0.5 * _whole_std(real) * torch.rand_like(real)
    around = (real + _per_pack(real, packing) * noise).requires_grad_()
    gradient = _gradient(outputs_of(discriminator, around), around, packing)
    penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
    return penalty


def _whole_std(real: Tensor) -> Tensor:
    """The standard deviation of the batch, of which each process of a run may have a share."""
    numbers = whole_count(real.numel())
    if numbers == real.numel():
        return real.std()
    spread = whole_mean((real - whole_mean(real.mean())).square().mean())
    return (spread * numbers / (numbers - 1)).sqrt()


def consistency_penalty(discriminator: Discriminator, images: Tensor, outputs: Tensor) -> Tensor:
    """Mean squared change of the outputs under flips and shifts (Zhang et al. 2020).

    Shifts are of up to an eighth of the size, reflected at the edges (arXiv:1910.12027).

    Args:
        discriminator: As a loss is given it; returns one tensor.
        images: Of shape (batch, channels, size, size).
        outputs: What the discriminator gives for them.
    """
    most = max(1, images.shape[2] // _LARGEST_SHIFT)
    moved = shifted(flip(images.detach()), (most, most), edges="reflect")
    return (outputs_of(discriminator, moved) - outputs).square().mean()


class LeCam(nn.Module):
    """Holds each side's outputs near the other side's moving mean (Tseng et al. 2021).

    The squared distance counts only beyond that mean, as in the authors' code (arXiv:2104.03310).

    Args:
        decay: Of the moving means.
    """

    real: Tensor
    fake: Tensor

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))

    def forward(self, on_real: Tensor, on_fake: Tensor, *, follow: bool) -> Tensor:
        """Move the means, and give the penalty of one step.

        Args:
            on_real: The discriminator's outputs on real images.
            on_fake: Its outputs on generated images.
            follow: Whether the means move slowly; else they are set to these outputs' means.
        """
        weight = 1 - self.decay if follow else 1.0
        with torch.no_grad():
            self.real.lerp_(whole_mean(on_real.float().mean()), weight)
            self.fake.lerp_(whole_mean(on_fake.float().mean()), weight)
        beyond = F.relu(on_real - self.fake).square().mean()
        return beyond + F.relu(self.real - on_fake).square().mean()

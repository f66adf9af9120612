"""Directions of latent space along which a generator's images change most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import adaptive_avg_pool2d

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Draw = Callable[[Tensor], Tensor]
    Progress = Callable[[int, int], None]

__all__ = ["base_count", "principal_directions"]

_STEP = 0.1  # in standard deviations of a latent's entry
_IMAGES = 1536  # about as many are drawn
_LEAST_BASES, _MOST_BASES = 4, 12
_POOLED = 16  # pixels across, to which images are averaged: what changes visibly, in less memory


def base_count(latent_dim: int) -> int:
    """Latents around which directions are looked for: fewer where each has many entries."""
    return max(_LEAST_BASES, min(_MOST_BASES, _IMAGES // max(1, latent_dim)))


def principal_directions(
    draw: Draw, bases: Tensor, count: int, scale: float = 1.0, report: Progress | None = None
) -> tuple[Tensor, Tensor]:
    """Find the directions that change images most, on average over some latents.

    They are eigenvectors of the mean of JᵀJ, J being the generator's Jacobian, by finite
    differences. Wang and Ponce 2021 (arXiv:2101.06006) find that such directions, from a few
    latents, mean much the same all over the latent space of a GAN.

    Args:
        draw: Maps latents of the shape of `bases` to finite floating-point images, or points, the
            same for the same latents.
        bases: float32 of shape (n, latent_dim), around which images are changed.
        count: Directions wanted at most.
        scale: Standard deviation of a latent's entry.
        report: Called with how many images were drawn, of how many.

    Returns:
        Directions, float32 of shape (k, latent_dim), of length 1, the strongest first, each with
        a positive largest entry; and each one's share of all change, float32 (k,).
    """
    size = bases.shape[1]
    step = _STEP * scale
    still = _pooled(draw(bases))
    changes = torch.empty(size, still.numel())
    for entry in range(size):
        moved = bases.clone()
        moved[:, entry] += step
        changes[entry] = (_pooled(draw(moved)) - still).flatten() / step
        if report:
            report((entry + 2) * len(bases), (size + 1) * len(bases))
    values, vectors = torch.linalg.eigh((changes @ changes.T).double())
    order = values.argsort(descending=True)[:count]
    directions = vectors[:, order].T
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    shares = values[order].clamp_min(0) / values.clamp_min(0).sum().clamp_min(1e-30)
    return (directions * largest.sign()).float(), shares.float()


def _pooled(drawn: Tensor) -> Tensor:
    """Images averaged to a few pixels, points as they are; float32 on the CPU."""
    values = drawn.float()
    if values.dim() == 4 and values.shape[-1] > _POOLED:  # noqa: PLR2004 - NCHW
        values = adaptive_avg_pool2d(values, _POOLED)
    return values.cpu()

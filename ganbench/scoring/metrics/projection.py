"""The nearest triangle of an image: its projection onto the manifold of triangles.

Least squares by Levenberg and Marquardt, from the moments of the image: a triangle with the centre
and the covariance of the grey values is known but for one angle, of which several are tried. It
finds a local minimum, so that a distance is at least the true one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ganbench.data.triangles import LEAST_HEIGHT, MARGIN, heights, render, signed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["in_range", "project"]

_TOLERANCE = 0.5  # pixels; grey values of 8 bits do not say where a corner is to the last digit
_ANGLES = 12  # of the third of a turn after which a triangle is itself
_SHARP = 0.5  # grey value above which a pixel counts, for moments that haze does not move
_STEPS = 15
_BLOCK = 250  # images at once
_DAMPING = 1.0
_LESS, _MORE = 0.3, 5.0  # times the damping after a step that was better, or worse


def in_range(drawn: Tensor, size: int) -> Tensor:
    """Whether the dataset has such triangles, give or take half a pixel: bool (n,).

    Args:
        drawn: Corners (n, 3, 2), in pixels.
        size: Height and width of the image, in pixels.
    """
    low, high = MARGIN - _TOLERANCE, size - MARGIN + _TOLERANCE
    within = ((drawn >= low) & (drawn <= high)).flatten(1).all(dim=1)
    return within & (heights(drawn) >= LEAST_HEIGHT - _TOLERANCE)


def project(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest triangle of each image.

    Args:
        pixels: float32 (n, size, size), in [0, 1].

    Returns:
        Its corners, float32 (n, 3, 2), which stay in the image; and the squared distance of its
        rendering from the image, summed over the pixels, (n,).
    """
    parts = [_project(part) for part in pixels.split(_BLOCK)]
    return torch.cat([drawn for drawn, _ in parts]), torch.cat([squared for _, squared in parts])


def _project(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """As `project`: the better of what is found from the moments of two kinds."""
    best, squared = _fit(_start(pixels, pixels), pixels)
    other, others = _fit(_start((pixels > _SHARP).to(pixels.dtype), pixels), pixels)
    better = others < squared
    return torch.where(better[:, None, None], other, best), torch.where(better, others, squared)


def _start(weights: Tensor, pixels: Tensor) -> Tensor:
    """The triangle (n, 3, 2) with the moments of the weights that fits the pixels best."""
    size = pixels.shape[-1]
    centres = torch.arange(size, dtype=pixels.dtype) + 0.5
    places = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=2).flatten(0, 1)
    shares = weights.flatten(1) + torch.finfo(pixels.dtype).eps  # black images have a centre too
    shares = shares / shares.sum(dim=1, keepdim=True)
    mean = shares @ places
    offsets = places - mean[:, None]
    covariance = torch.einsum("np,npi,npj->nij", shares, offsets, offsets)
    covariance = covariance + 1e-3 * torch.eye(2)
    # Uniform grey on a triangle A e₁, A e₂, A e₃, with e of length 1 and 120° apart, has A Aᵀ / 8
    shape = math.sqrt(8) * torch.linalg.cholesky(covariance)
    best, least = torch.zeros(len(pixels), 3, 2), torch.full((len(pixels),), torch.inf)
    for turn in range(_ANGLES):
        angles = 2 * math.pi / 3 * (torch.arange(3) + turn / _ANGLES)
        unit = torch.stack([angles.cos(), angles.sin()])
        drawn = _within(mean[:, None] + (shape @ unit).transpose(1, 2), size)
        squared = _squared(render(drawn, size), pixels)
        better = squared < least
        best = torch.where(better[:, None, None], drawn, best)
        least = torch.where(better, squared, least)
    return best


def _fit(drawn: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Move corners (n, 3, 2) to the least squared distance near them; return both."""
    size = pixels.shape[-1]
    damping = torch.full((len(drawn), 1, 1), _DAMPING)
    squared = _squared(render(drawn, size), pixels)
    for _ in range(_STEPS):
        curvature, slope = _normal_equations(drawn, pixels)
        damped = curvature + damping * torch.eye(6)
        step = torch.linalg.solve(damped, slope[..., None])[..., 0]
        moved = _within(drawn - step.view_as(drawn), size)
        after = _squared(render(moved, size), pixels)
        better = after < squared
        drawn = torch.where(better[:, None, None], moved, drawn)
        squared = torch.where(better, after, squared)
        damping = damping * torch.where(better, _LESS, _MORE)[:, None, None]
    return drawn, squared


def _normal_equations(drawn: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Of the derivatives J of all pixels by the six coordinates, and residuals r: JᵀJ and Jᵀr.

    A pixel on a soft edge depends on one side alone. Moving a corner of that side moves the line
    by its share: one minus the pixel's place between both corners, times the normal.
    """
    size = pixels.shape[-1]
    distances, normals = signed(drawn, size)
    nearest, sides = distances.min(dim=1)
    residuals = (nearest + 0.5).clamp(0, 1) - pixels
    soft = nearest.abs() < 0.5  # noqa: PLR2004 - the half width of the edge
    curvature = torch.zeros(len(drawn), 3, 2, 3, 2)
    slope = torch.zeros(len(drawn), 3, 2)
    centres = torch.arange(size, dtype=pixels.dtype) + 0.5
    for side in range(3):
        first, second = drawn[:, side], drawn[:, (side + 1) % 3]
        along = second - first
        along = along / along.square().sum(dim=1, keepdim=True).clamp(min=1e-6)
        x = (centres - first[:, :1]) * along[:, :1]
        y = (centres - first[:, 1:]) * along[:, 1:]
        place = x[:, None, :] + y[:, :, None]
        mask = (soft & (sides == side)).to(pixels.dtype)
        normal = normals[:, side]
        outer = normal[:, :, None] * normal[:, None, :]
        shares = ((side, mask * (1 - place)), ((side + 1) % 3, mask * place))
        for corner, share in shares:
            slope[:, corner] -= (share * residuals).sum(dim=(1, 2))[:, None] * normal
            for other, others in shares:
                product = (share * others).sum(dim=(1, 2))
                curvature[:, corner, :, other] += product[:, None, None] * outer
    return curvature.reshape(-1, 6, 6), slope.reshape(-1, 6)


def _within(drawn: Tensor, size: int) -> Tensor:
    """Corners that are moved into the part of the image where the dataset has them."""
    return drawn.clamp(MARGIN - _TOLERANCE, size - MARGIN + _TOLERANCE)


def _squared(rendered: Tensor, pixels: Tensor) -> Tensor:
    return (rendered - pixels).square().sum(dim=(1, 2))

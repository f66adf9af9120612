"""Grey triangles: images on a manifold of six dimensions that is known (Lucic et al. 2018).

Section 5 of arXiv:1711.10337 asks for data on which precision and recall can be computed, as the
distance of an image from the manifold can be, and takes convex polygons. Here they are triangles
whose corners are uniform in the image but for a margin; narrow ones are drawn again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ganbench.data.dataset import Dataset, Split

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "LEAST_HEIGHT",
    "MARGIN",
    "corners",
    "doubled_areas",
    "heights",
    "load_triangles",
    "render",
    "signed",
]

MARGIN = 2.0
"""Pixels between a corner and the edge of the image, at least."""

LEAST_HEIGHT = 6.0
"""The least of a triangle's three heights, in pixels: narrower ones fade on a grid of pixels."""

_SEEDS = {"train": 0, "test": 1}
_BLOCK = 2000  # images rendered at once
_CORNERS = 3


def load_triangles(spec: DatasetSpec) -> Dataset:
    """Make the triangles, always the same ones, to the last bit on every machine.

    The class of one says in which quarter of the image its centre lies.
    """
    splits = []
    for name, count in (("train", spec.train_count), ("test", spec.test_count)):
        drawn = corners(count, spec.native_size, _SEEDS[name])
        images = torch.empty(count, 1, spec.native_size, spec.native_size, dtype=torch.uint8)
        for start in range(0, count, _BLOCK):
            part = render(drawn[start : start + _BLOCK], spec.native_size)
            images[start : start + _BLOCK, 0] = part.mul(255).round()
        right, lower = (drawn.mean(dim=1) >= spec.native_size / 2).long().unbind(1)
        splits.append(Split(images, 2 * lower + right))
    return Dataset.of(spec, *splits)


def corners(count: int, size: int, seed: int) -> Tensor:
    """Draw the corners of triangles.

    Args:
        count: How many triangles.
        size: Height and width of the image, in pixels.
        seed: Of the drawing.

    Returns:
        float64 (count, 3, 2), x and y of each corner, in pixels from the upper left corner of the
        image.
    """
    generator = torch.Generator().manual_seed(seed)
    kept: list[Tensor] = []
    while sum(map(len, kept)) < count:
        uniform = torch.rand(2 * count, _CORNERS, 2, dtype=torch.float64, generator=generator)
        drawn = MARGIN + (size - 2 * MARGIN) * uniform
        kept.append(drawn[heights(drawn) >= LEAST_HEIGHT])
    return torch.cat(kept)[:count]


def heights(drawn: Tensor) -> Tensor:
    """The least height of each triangle of shape (n, 3, 2): (n,), in pixels."""
    after = drawn.roll(-1, dims=1)
    longest = (after - drawn).square().sum(2).max(1).values.sqrt()
    return doubled_areas(drawn).abs() / longest


def doubled_areas(drawn: Tensor) -> Tensor:
    """Twice the area of each triangle of shape (n, 3, 2), negative where corners go the other way.

    Only operations that every machine rounds alike are used, here as in `render`.
    """
    first, second = (drawn[:, 1] - drawn[:, 0]), (drawn[:, 2] - drawn[:, 0])
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def signed(drawn: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Distances of the centres of pixels from the lines through the sides of triangles.

    Args:
        drawn: Corners (n, 3, 2), in pixels.
        size: Height and width of the image, in pixels.

    Returns:
        The distances, positive on the inner side, (n, 3, size, size); and the inner normals of the
        sides (n, 3, 2), of which the first goes from the first corner to the second.
    """
    centres = torch.arange(size, dtype=drawn.dtype, device=drawn.device) + 0.5
    along = drawn.roll(-1, dims=1) - drawn
    turn = torch.where(doubled_areas(drawn) < 0, -1.0, 1.0).to(drawn.dtype)[:, None]
    lengths = along.square().sum(2).sqrt().clamp(min=torch.finfo(drawn.dtype).tiny)
    normals = torch.stack([-along[..., 1], along[..., 0]], dim=2) * (turn / lengths)[..., None]
    x = (centres - drawn[:, :, 0, None]) * normals[:, :, 0, None]
    y = (centres - drawn[:, :, 1, None]) * normals[:, :, 1, None]
    return x[:, :, None, :] + y[:, :, :, None], normals


def render(drawn: Tensor, size: int) -> Tensor:
    """Render triangles, white on black, with edges that are one pixel soft.

    Args:
        drawn: Corners (n, 3, 2), in pixels.
        size: Height and width of the image, in pixels.

    Returns:
        Images (n, size, size) in [0, 1], of the number format of the corners.
    """
    distances, _ = signed(drawn, size)
    return (distances.amin(dim=1) + 0.5).clamp(0, 1)

"""Precision and recall on a manifold that is known: that of triangles (Lucic et al. 2018).

Section 5 of arXiv:1711.10337 takes data whose manifold is known, so that the distance of an image
from it can be computed. Precision is the share of generated images that are near: here, whose
nearest triangle differs by a squared distance of at most 0.75 in grey values from 0 to 1, about
three quarters of one pixel.

Recall departs from the paper, which inverts each generator for each held-out image. Here the
corners of the nearest triangles are known, and held-out triangles are looked for among those of
precise images: one is found if it has a generated triangle nearer than its fifth nearest of as many
real ones, as coverage asks of features (Naeem et al. 2020, arXiv:2002.09797). So all generators are
measured by their images alone, and by equally many.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING

import torch

from ganbench.data.triangles import corners
from ganbench.scoring.metrics.projection import in_range, project

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MANIFOLD_IMAGES", "SQUARED_DISTANCE", "distances", "manifold_precision_recall"]

MANIFOLD_IMAGES = 1000
"""Generated images that are looked at, at most, and held-out triangles that are looked for."""

SQUARED_DISTANCE = 0.75

_NEIGHBOURS = 5
_HELD_OUT_SEED, _REAL_SEED = 1000, 1001  # neither is of a split of the dataset


def manifold_precision_recall(images: Tensor) -> tuple[float, float]:
    """Precision and recall of images of triangles, each from 0 to 1; higher is better.

    Real images have a precision of 1 and a recall of about 0.97. Recall is that of 1,000 images:
    fewer, or fewer precise ones, find fewer triangles.

    Args:
        images: uint8 of shape (n, 1, size, size), of which the first 1,000 are looked at.
    """
    pixels = images[:MANIFOLD_IMAGES, 0].cpu().float() / 255
    size = pixels.shape[-1]
    nearest, squared = project(pixels)
    precise = nearest[(squared <= SQUARED_DISTANCE) & in_range(nearest, size)]
    if not len(precise):
        return 0.0, 0.0
    held_out, reach = _held_out(size)
    found = distances(held_out, precise).amin(dim=1) <= reach
    return len(precise) / len(pixels), float(found.double().mean())


@cache
def _held_out(size: int) -> tuple[Tensor, Tensor]:
    """Held-out triangles (n, 3, 2), and the distance of each from its fifth nearest real one."""
    held_out, real = (
        corners(MANIFOLD_IMAGES, size, seed).float() for seed in (_HELD_OUT_SEED, _REAL_SEED)
    )
    return held_out, distances(held_out, real).kthvalue(_NEIGHBOURS, dim=1).values


def distances(some: Tensor, others: Tensor) -> Tensor:
    """Distances of triangles (n, 3, 2) from others (m, 3, 2): (n, m), in pixels.

    They are those of all six coordinates, for the best of the six orders of the corners.
    """
    orders = [
        torch.cdist(some.flatten(1), others[:, list(order)].flatten(1))
        for order in permutations(range(3))
    ]
    return torch.stack(orders).amin(dim=0)

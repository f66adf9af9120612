"""Kernel inception distance (Bińkowski et al. 2018, arXiv:1801.01401).

The same number as torch-fidelity's from the same subsets, which the tests compare with, in a
fraction of its time: it raises the kernel to its power by multiplying.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.scoring.metrics.checks import check_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

__all__ = ["KernelSums", "kernel_sums", "kid", "subset_size"]

_SEEDS = 2**32  # that numpy's old generator, torch-fidelity's, tells apart
_SUBSETS = 100
_BLOCKS = 10
_LARGEST_SUBSET = 1000
_SMALLEST_SUBSET = 2
_ROWS = 250  # at a time


def subset_size(real_count: int, fake_count: int) -> int:
    """Images of each kind in a subset: 1,000, or half of the smaller count where that is less.

    With all of them in each subset, the subsets would not differ and their spread say nothing.
    """
    return min(_LARGEST_SUBSET, min(real_count, fake_count) // 2)


@dataclass(frozen=True)
class KernelSums:
    """Sums of the kernel over pairs of different real images, one for each choice of these.

    Attributes:
        subsets: Of the random subsets.
        blocks: Of the blocks of the standard error.
    """

    subsets: tuple[float, ...]
    blocks: tuple[float, ...]


def kernel_sums(real: Tensor, fake_count: int, *, seed: int = 0) -> KernelSums | None:
    """The part of `kid` that is the same for all generators.

    Args:
        real: Features (n, entries).
        fake_count: Generated images that are compared with them.
        seed: As for `kid`.

    Returns:
        None where there are too few images.
    """
    if subset_size(len(real), fake_count) < _SMALLEST_SUBSET:
        return None
    chosen = (
        (rows for _, rows in choices)
        for choices in (_subsets(len(real), fake_count, seed), _blocks(len(real), fake_count, seed))
    )
    subsets, blocks = (
        tuple(_sum_within(_for_kernel(real[rows].double())) for rows in some) for some in chosen
    )
    return KernelSums(subsets, blocks)


def kid(
    real: Tensor, fake: Tensor, *, seed: int = 0, sums: KernelSums | None = None
) -> tuple[float, float] | None:
    """Squared maximum mean discrepancy with the kernel (x @ y / entries + 1)**3.

    The estimator has no bias, so that the count of images does not shift it as it does FID; it may
    fall slightly below 0. Lower is better. Besides the features, at most about 70 MB are needed at
    a time: 1,000 images of each kind in float64, and their kernels.

    Args:
        real: Features (n, entries).
        fake: Features (m, entries).
        seed: Chooses the 100 subsets.
        sums: `kernel_sums` of `real`, where they are known.

    Returns:
        The mean over the subsets and its standard error. None for fewer than four images of a
        kind.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    sums = sums or kernel_sums(real, len(fake), seed=seed)
    if sums is None:
        return None
    estimates, of_blocks = (
        [
            _squared_discrepancy(fake[some_fake].double(), real[some_real].double(), within)
            for (some_fake, some_real), within in zip(chosen, known, strict=True)
        ]
        for chosen, known in (
            (_subsets(len(real), len(fake), seed), sums.subsets),
            (_blocks(len(real), len(fake), seed), sums.blocks),
        )
    )
    return float(np.mean(estimates)), float(np.std(of_blocks, ddof=1)) / math.sqrt(len(of_blocks))


def _subsets(real_count: int, fake_count: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of generated and of real images, the same as torch-fidelity's."""
    generator = np.random.RandomState(seed % _SEEDS)
    size = subset_size(real_count, fake_count)
    for _ in range(_SUBSETS):
        fake, real = (
            torch.from_numpy(generator.choice(count, size, replace=False))
            for count in (fake_count, real_count)
        )
        yield fake, real


def _blocks(real_count: int, fake_count: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of generated and of real images in blocks, for the standard error of the estimate.

    The images are shuffled and dealt to at least ten blocks, or to blocks of two where there are
    fewer than twenty; blocks share no image, so that their estimates are independent, unlike those
    of random subsets. The standard deviation of the estimates over the root of their count is the
    standard error of their mean (the blocks of Zaremba et al. 2013, arXiv:1307.1954).
    Where the distributions are nearly the same, the estimate from all images varies less than the
    mean of the blocks does, and the standard error is too large, up to threefold: it errs towards
    caution.
    """
    count = min(real_count, fake_count)
    blocks = min(max(_BLOCKS, math.ceil(count / _LARGEST_SUBSET)), count // _SMALLEST_SUBSET)
    size = count // blocks
    generator = torch.Generator().manual_seed(seed)
    rows = [
        torch.randperm(of, generator=generator)[: blocks * size] for of in (fake_count, real_count)
    ]
    yield from zip(*(part.split(size) for part in rows), strict=True)


def _squared_discrepancy(fake: Tensor, real: Tensor, within_real: float) -> float:
    """Estimate the squared maximum mean discrepancy of equally many features, without bias.

    An image is not compared with itself.
    """
    count = len(fake)
    fake, real = _for_kernel(fake), _for_kernel(real)
    within = _sum_within(fake) + within_real
    return within / (count * (count - 1)) - 2 * _kernel_sum(fake, real) / count**2


def _for_kernel(features: Tensor) -> Tensor:
    """Vectors whose product is x @ y / entries + 1, whose third power is the kernel."""
    rows, entries = features.shape
    ones = features.new_ones(rows, 1)
    return torch.cat([features / math.sqrt(entries), ones], dim=1)


def _sum_within(vectors: Tensor) -> float:
    """Sum of the kernel over all pairs of different vectors, each computed once."""
    total = -float(vectors.square().sum(dim=1).pow(3).sum())
    parts = vectors.split(_ROWS)
    for place, part in enumerate(parts):
        total += _kernel_sum(part, part)
        total += 2 * sum(_kernel_sum(part, later) for later in parts[place + 1 :])
    return total


def _kernel_sum(one: Tensor, other: Tensor) -> float:
    """Sum of the kernel over all pairs of vectors of `_for_kernel`, in parts that a cache holds."""
    total = 0.0
    for part in one.split(_ROWS):
        products = (part @ other.T).flatten()
        total += float(products.square() @ products)
    return total

"""Checks on features and labels, and the seeded choice of some rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_labels", "check_matrix", "check_pair", "choose"]

_ROWS = 1024  # at once


def check_matrix(name: str, values: Tensor) -> None:
    """Refuse anything but a finite floating-point matrix with at least one entry.

    Raises:
        ValueError: The message says which matrix, what is wrong and what is expected.
    """
    if values.ndim != 2 or 0 in values.shape:  # noqa: PLR2004 - a matrix has two axes
        raise ValueError(
            f"{name} are of shape {tuple(values.shape)}: expected (images, entries), neither 0"
        )
    if not values.is_floating_point():
        raise ValueError(f"{name} are {values.dtype}: expected floating-point numbers")
    parts = values.split(_ROWS)  # as torch would make float64 numbers of all
    # a sum sees what isfinite of all would
    finite = torch.cat([part.sum(dim=1, dtype=torch.float64) for part in parts]).isfinite()
    if not finite.all():
        bad = int((~finite).sum())
        raise ValueError(f"{name} hold NaN or infinity in {bad} of {len(values)} rows")


def check_pair(real: Tensor, fake: Tensor) -> None:
    """Refuse real and generated features that are no finite matrices of the same width.

    Raises:
        ValueError: One of them cannot be used, or their widths differ.
    """
    check_matrix("real features", real)
    check_matrix("generated features", fake)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} entries per image and generated ones "
            f"{fake.shape[1]}: both must come from one backbone"
        )


def check_labels(name: str, labels: Tensor, *, count: int, classes: int) -> None:
    """Refuse labels that are not one class index per image.

    Raises:
        ValueError: The shape, the type or the range is wrong.
    """
    if labels.shape != (count,) or labels.is_floating_point():
        raise ValueError(
            f"{name} are {labels.dtype} of shape {tuple(labels.shape)}: "
            f"expected one integer for each of {count} images"
        )
    if count and (int(labels.min()) < 0 or int(labels.max()) >= classes):
        raise ValueError(
            f"{name} run from {int(labels.min())} to {int(labels.max())}: "
            f"the classifier knows the classes 0 to {classes - 1}"
        )


def choose(values: Tensor, count: int, seed: int) -> Tensor:
    """Return `count` rows, chosen without replacement and kept in their order.

    All rows where there are no more than `count`. The same seed chooses the same rows.
    """
    if len(values) <= count:
        return values
    generator = torch.Generator().manual_seed(seed)
    return values[torch.randperm(len(values), generator=generator)[:count].sort().values]

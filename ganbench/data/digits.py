"""scikit-learn's 1,797 handwritten digits: real images that need no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from sklearn.datasets import load_digits as sklearn_digits
from sklearn.model_selection import train_test_split

from ganbench.data.dataset import Dataset, Split

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec

__all__ = ["load_digits"]

_LARGEST_VALUE = 16


def load_digits(spec: DatasetSpec) -> Dataset:
    """Read the digits (Alpaydin and Kaynak 1998), scaled from 0..16 to 0..255.

    The split is stratified and always the same.
    """
    bunch = sklearn_digits()
    pixels = torch.from_numpy(bunch.images * (255 / _LARGEST_VALUE)).round().to(torch.uint8)
    images, labels = pixels.unsqueeze(1), torch.from_numpy(bunch.target).long()
    train, test = train_test_split(
        range(len(labels)), test_size=spec.test_count, stratify=bunch.target, random_state=0
    )
    return Dataset.of(spec, *(Split(images[rows], labels[rows]) for rows in (train, test)))

"""Random images or points in the shape of a dataset, for timing training steps.

A step takes equally long whatever they show.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import torch

from ganbench.data.dataset import Dataset, Split
from ganbench.data.kinds import POINTS, form_of

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec

__all__ = ["noise", "noise_count", "noise_dataset"]

_MOST_BYTES = 1 << 27  # of one training split, at the image size of the recipe


def noise(count: int, channels: int, size: int, classes: int = 10) -> Split:
    """Random images, uint8 of shape (count, channels, size, size), with the classes in turn."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (count, size, size, channels), generator=generator, dtype=torch.uint8
    )
    return Split(images.permute(0, 3, 1, 2), torch.arange(count) % classes)


def _noisy_points(count: int, spec: DatasetSpec) -> Split:
    points = POINTS.noise((count, spec.channels), torch.Generator().manual_seed(0))
    return Split(points, torch.arange(count) % len(spec.class_names))


def noise_count(spec: DatasetSpec, image_size: int) -> int:
    """Number of images in the training split, or as many as fit 128 MiB at `image_size`."""
    bytes_each = math.prod(spec.shape(image_size)) * form_of(spec).dtype.itemsize
    return max(1, min(spec.train_count, _MOST_BYTES // bytes_each))


def noise_dataset(spec: DatasetSpec, image_size: int) -> Dataset:
    """A dataset of noise whose images or points have the shape that the networks see.

    Args:
        spec: The dataset whose shape and classes the noise has.
        image_size: Height and width, in pixels.
    """
    classes = len(spec.class_names)
    count = noise_count(spec, image_size)
    if spec.kind == "points":
        train, test = (_noisy_points(some, spec) for some in (count, 1))
    else:
        train, test = (noise(some, spec.channels, image_size, classes) for some in (count, 1))
    described = dataclasses.replace(spec, train_count=count, test_count=1)
    return Dataset(described, train, test, fingerprint="noise")

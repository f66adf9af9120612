"""What a dataset holds, images or points: from its stored form to what networks see, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.data.sizes import bring_back, bring_to

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec, Kind

__all__ = ["IMAGES", "POINTS", "StoredForm", "form_of", "to_uint8"]


def to_uint8(images: Tensor) -> Tensor:
    """Turn [-1, 1] floats into uint8 in [0, 255], rounded."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def _to_unit_range(images: Tensor) -> Tensor:
    """Turn uint8 into float32 in [-1, 1]."""
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def _to_float32(points: Tensor) -> Tensor:
    return points.to(torch.float32)


def _as_it_is(points: Tensor, _size: int) -> Tensor:
    return points


def _uniform_pixels(shape: tuple[int, ...], stream: torch.Generator) -> Tensor:
    return torch.randint(256, shape, dtype=torch.uint8, generator=stream)


def _normal_points(shape: tuple[int, ...], stream: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=stream)


@dataclass(frozen=True)
class StoredForm:
    """How one kind of data is stored, and the ways between that and what networks see.

    Attributes:
        kind: `"image"` or `"points"`.
        dtype: Of the stored tensors.
        to_floats: Turns stored values into what networks see, float32.
        to_stored: Turns what a generator draws into stored values.
        at_size: Brings stored values to the size of a recipe.
        from_size: Brings stored values of a recipe's size back to that of the dataset.
        noise: Draws stored values of a shape that know nothing of any data, from a stream.
        is_bounded: Whether what networks see lies in [-1, 1].
        most_fakes: Most generated ones that are scored.
    """

    kind: Kind
    dtype: torch.dtype
    to_floats: Callable[[Tensor], Tensor]
    to_stored: Callable[[Tensor], Tensor]
    at_size: Callable[[Tensor, int], Tensor]
    from_size: Callable[[Tensor, int], Tensor]
    noise: Callable[[tuple[int, ...], torch.Generator], Tensor]
    is_bounded: bool
    most_fakes: int


IMAGES = StoredForm(
    kind="image",
    dtype=torch.uint8,
    to_floats=_to_unit_range,
    to_stored=to_uint8,
    at_size=bring_to,
    from_size=bring_back,
    noise=_uniform_pixels,
    is_bounded=True,
    most_fakes=10_000,
)
"""uint8 pixels of shape (n, channels, height, width), which networks see in [-1, 1]."""

POINTS = StoredForm(
    kind="points",
    dtype=torch.float32,
    to_floats=_to_float32,
    to_stored=_to_float32,
    at_size=_as_it_is,
    from_size=_as_it_is,
    noise=_normal_points,
    is_bounded=False,
    most_fakes=2_500,
)
"""float32 points of shape (n, dimensions), unscaled; 2,500 are scored, as in PacGAN's protocol."""

_FORMS = {form.kind: form for form in (IMAGES, POINTS)}


def form_of(spec: DatasetSpec) -> StoredForm:
    """How the data of a dataset are stored."""
    return _FORMS[spec.kind]

"""Images in arrays: the layouts and ranges that are understood, as uint8 of one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ganbench.data.kinds import to_uint8
from ganbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ACCEPTED",
    "LAYOUTS",
    "RANGES",
    "ArrayFormat",
    "Layout",
    "ValueRange",
    "images_of",
    "points_of",
    "with_channels",
]

Layout = Literal["auto", "NCHW", "NHWC"]
ValueRange = Literal["auto", "-1..1", "0..1", "0..255"]

LAYOUTS: tuple[Layout, ...] = ("auto", "NCHW", "NHWC")
RANGES: tuple[ValueRange, ...] = ("auto", "-1..1", "0..1", "0..255")

ACCEPTED = (
    "an array holds images as (N, C, H, W), (N, H, W, C) or (N, H, W) with H = W and 1 or 3 "
    "channels: uint8, or floats in [-1, 1] or [0, 1]"
)
"""The one line that says what is accepted."""

_CHANNELS = (1, 3)
_GREY_DIMENSIONS, _DIMENSIONS = 3, 4
_BLOCK = 4096  # images converted at once
_HALF = 127.5
_NUMPY_LACKS = (torch.bfloat16,)


@dataclass(frozen=True)
class ArrayFormat:
    """What the user says of an array that does not say it itself.

    Attributes:
        layout: Where the channels stand; `auto` where the shape shows it.
        value_range: Black and white of floats; `auto` where the values show it.
        key: Name of the array in an `.npz` file or a dictionary of tensors.
    """

    layout: Layout = "auto"
    value_range: ValueRange = "auto"
    key: str | None = None


def images_of(array: Any, form: ArrayFormat, where: str, rows: Tensor | None = None) -> Tensor:
    """Bring images of an array into the form in which datasets are stored.

    Args:
        array: A NumPy array (may be mapped from a file) or a tensor, laid out as `ACCEPTED` says.
        form: What the user says of it.
        where: Names it in messages.
        rows: int64, which images are wanted; None for all.

    Returns:
        uint8 of shape (n, channels, size, size), on the CPU. Floats that the user has given a range
        for are clipped to it.

    Raises:
        UsageError: The layout or the range is not among those that are accepted, or cannot be told.
    """
    values = _plain(array, where)
    layout = _layout(values.shape, form.layout, where)
    wide = _range(values, form.value_range, where)
    chosen = np.arange(len(values)) if rows is None else rows.numpy()
    parts = []
    for start in range(0, len(chosen), _BLOCK):
        block = values[chosen[start : start + _BLOCK]]
        native = block.astype(block.dtype.newbyteorder("="), order="C", copy=True)
        parts.append(_block(torch.from_numpy(native), layout, wide))
    return torch.cat(parts)


def points_of(array: Any, dimensions: int, where: str, rows: Tensor | None = None) -> Tensor:
    """Bring points of an array to float32 of shape (n, dimensions).

    Raises:
        UsageError: It holds something else, or a number that is not finite.
    """
    values = _plain(array, where)
    if values.ndim != 2 or values.shape[1] != dimensions or values.dtype.kind != "f":  # noqa: PLR2004 - rows and dimensions
        raise UsageError(
            f"{where} holds {values.dtype} of shape {tuple(values.shape)}, and the reference holds "
            f"points: give floats of shape (N, {dimensions})"
        )
    chosen = values if rows is None else values[rows.numpy()]
    points = torch.from_numpy(chosen.astype(np.float32, order="C", copy=True))
    if not bool(points.isfinite().all()):
        raise UsageError(f"{where} holds numbers that are not finite: leave those points out")
    return points


def _plain(array: Any, where: str) -> Any:
    """A tensor as a NumPy array; another array as it is.

    Raises:
        UsageError: It has no plain numbers, as a sparse or a quantized tensor.
    """
    try:
        if not isinstance(array, torch.Tensor):
            return np.asarray(array)
        values = array.detach().cpu()
        return (values.float() if values.dtype in _NUMPY_LACKS else values).numpy()
    except Exception as error:  # whatever another library raises
        text = " ".join(str(error).split())
        raise UsageError(
            f"{where} holds no plain numbers ({type(error).__name__}: {text[:150]}): {ACCEPTED}"
        ) from error


def _layout(shape: tuple[int, ...], wanted: Layout, where: str) -> Layout | Literal["NHW"]:
    """Where the channels of an array stand."""
    text = f"{where} has the shape {tuple(shape)}"
    if len(shape) == _GREY_DIMENSIONS:
        layout: Layout | Literal["NHW"] = "NHW"
    elif len(shape) == _DIMENSIONS:
        first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
        if wanted == "auto" and first and last:
            raise UsageError(
                f"{text}, of which both the second and the last number may be channels: "
                "say which with --layout NCHW or --layout NHWC"
            )
        layout = wanted if wanted != "auto" else "NHWC" if last else "NCHW"
        if not (last if layout == "NHWC" else first):
            raise UsageError(f"{text}: {ACCEPTED}")
    else:
        raise UsageError(f"{text}: {ACCEPTED}")
    height, width = shape[2:] if layout == "NCHW" else shape[1:3]
    if height != width:
        raise UsageError(f"{text}, images of {height}×{width}: square ones are needed, so cut them")
    if 0 in shape:
        raise UsageError(f"{text}, which is empty: {ACCEPTED}")
    return layout


def _range(values: Any, wanted: ValueRange, where: str) -> ValueRange:
    """The numbers that are black and white."""
    kind = values.dtype
    if kind == np.uint8:
        if wanted not in ("auto", "0..255"):
            raise UsageError(f"{where} holds uint8, which is 0..255 and not {wanted}: leave it out")
        return "0..255"
    if kind.kind != "f":
        raise UsageError(f"{where} holds {kind}: {ACCEPTED}")
    blocks = [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]
    low = min((float(block.min()) for block in blocks), default=0.0)
    high = max((float(block.max()) for block in blocks), default=0.0)
    if not np.isfinite([low, high]).all():
        raise UsageError(f"{where} holds numbers that are not finite: leave those images out")
    if wanted != "auto":
        return wanted
    if low >= 0 and high <= 1:
        return "0..1"
    if low >= -1 and high <= 1:
        return "-1..1"
    raise UsageError(
        f"{where} holds floats from {low:.3g} to {high:.3g}, whose black and white cannot be told: "
        "say them with --range -1..1, --range 0..1 or --range 0..255; what lies outside is clipped"
    )


def _block(values: Tensor, layout: str, wide: ValueRange) -> Tensor:
    if layout == "NHW":
        values = values[:, None]
    elif layout == "NHWC":
        values = values.permute(0, 3, 1, 2)
    if values.dtype == torch.uint8:
        return values.contiguous()
    floats = values.float()
    if wide == "0..1":
        floats = floats * 2 - 1
    elif wide == "0..255":
        floats = floats / _HALF - 1
    return to_uint8(floats).contiguous()


def with_channels(images: Tensor, channels: int, where: str) -> Tensor:
    """Give images the channels of the reference, where no colour is lost by that.

    Raises:
        DataError: They are coloured, and the reference is grey.
    """
    given = images.shape[1]
    if given == channels:
        return images
    if given == 1:
        return images.expand(-1, channels, -1, -1)
    if not bool((images == images[:, :1]).all()):
        raise DataError(
            f"{where} holds coloured images, and the reference is grey: convert them to grey first"
        )
    return images[:, :1]

"""One image file: what its header says, and its pixels as 8 bits that keep their meaning.

Torch is not loaded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from ganbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Header", "decode_image", "read_header", "unreadable"]

_BITS = 8
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_GREY_MODES = ("1", "L", "LA", "La", *_DEEP_MODES)
_COLOUR_MODES = ("CMYK", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr")
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # tags of TIFF
_MIN_IS_WHITE = 0


@dataclass(frozen=True)
class Header:
    """What is known of an image before it is decoded.

    Attributes:
        width: In pixels, as stored.
        height: In pixels, as stored.
        is_grey: Whether it has no colours; one with a palette counts as coloured.
        is_transparent: Whether it has an alpha channel or a transparent colour.
        is_cmyk: Whether its colours are those of print.
        is_one_of_several: Whether the file holds further images.
    """

    width: int
    height: int
    is_grey: bool
    is_transparent: bool
    is_cmyk: bool
    is_one_of_several: bool


def unreadable(path: Path, error: BaseException) -> DataError:
    """Build the error for a file that no image can be read from."""
    reason = " ".join(str(error).replace(f"{str(path)!r}", "the file").split())
    return DataError(f"{path} cannot be read as an image ({reason}): repair or remove it")


def read_header(path: Path) -> Header:
    """Read the header of an image file; no pixel is decoded.

    Raises:
        DataError: There is no image in it, or one whose range or colours are unknown.
    """
    try:
        with Image.open(path) as image:
            bits_of(image)
            return Header(
                *image.size,
                is_grey=image.mode in _GREY_MODES,
                is_transparent=image.has_transparency_data,
                is_cmyk=image.mode == "CMYK",
                is_one_of_several=bool(getattr(image, "is_animated", False)),
            )
    except Exception as error:  # Pillow's readers raise many kinds
        raise unreadable(path, error) from error


def bits_of(image: Image.Image) -> int:
    """Bits per sample that the file declares, 8 for all that Pillow brings to 8 itself.

    Raises:
        ValueError: Where black and white lie is not known, or the colours are of another kind.
    """
    if image.mode in (*_GREY_MODES, *_COLOUR_MODES) and image.mode not in _DEEP_MODES:
        return _BITS
    tags = getattr(image, "tag_v2", {})
    if image.mode in _DEEP_MODES and (image.mode != "I" or image.format == "PPM"):
        return int(tags.get(_BITS_PER_SAMPLE, (16,))[0])  # Pillow brings deep PGM to 16 bits
    if image.mode in ("I", "F"):
        depth = tags.get(_BITS_PER_SAMPLE, (32,))[0]
        kind = "floating-point" if image.mode == "F" else "signed or long"
        raise ValueError(
            f"{kind} values of {depth} bits do not say which are black and which white: save them "
            "as 8 or 16 bits from black to white"
        )
    raise ValueError(f"colours of the kind {image.mode} are not known: save it as grey or RGB")


def decode_image(path: Path, size: int, channels: int) -> tuple[NDArray[np.uint8], float | None]:
    """Decode the first image of a file, upright, cropped to its middle and resized.

    Transparent parts are laid over white, CMYK is converted by the plain formula without a colour
    profile. Grey values of more than 8 bits lose the lowest ones.

    Args:
        path: The file.
        size: Height and width wanted, in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        uint8 of shape (size, size, channels); and of images of more than 8 bits the share of the
        declared range that the highest value has, else None.

    Raises:
        DataError: No image can be read, or its values are too low for the depth that it declares.
    """
    import numpy as np

    mode = "L" if channels == 1 else "RGB"
    try:
        with Image.open(path) as opened:
            bits, share = bits_of(opened), None
            opened.draft(mode, (2 * size, 2 * size))  # large JPEGs are decoded at a fraction
            is_inverted = getattr(opened, "tag_v2", {}).get(_PHOTOMETRIC) == _MIN_IS_WHITE
            is_deep = opened.mode in _DEEP_MODES
            image = ImageOps.exif_transpose(opened)
            if is_deep:
                values = np.asarray(image).astype(np.int64)
                share = _share(int(values.max()), bits)
                grey = (values >> (bits - _BITS)).clip(0, 255).astype(np.uint8)
                grey = 255 - grey if is_inverted else grey
                grey[values == opened.info.get("transparency", -1)] = 255
                image = Image.fromarray(grey)
            elif image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
                image = image.convert("RGB")
            image = image.convert(mode)
    except Exception as error:  # Pillow's readers raise many kinds
        raise unreadable(path, error) from error
    square = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(square).reshape(size, size, channels), share


def _share(highest: int, bits: int) -> float:
    """The highest value as a share of the range of some bits.

    Raises:
        ValueError: 8 bits would be black everywhere, though the values are not.
    """
    if 0 < highest < 1 << (bits - _BITS):
        raise ValueError(
            f"its {bits} bits hold no value above {highest}, so that it would be black: scale it "
            f"to 0 to {(1 << bits) - 1:,}, or save it as 8 bits"
        )
    return highest / ((1 << bits) - 1)

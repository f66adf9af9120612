"""Generated images of another size than the reference's: what is done to them, what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ganbench.data.dataset import resize
from ganbench.data.sizes import bring_back
from ganbench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FITS", "Fit", "fitted"]

Fit = Literal["auto", "crop", "resize"]

FITS: tuple[Fit, ...] = ("auto", "crop", "resize")
_MAY_BE_BORDER = 1.5  # images that are larger by less may have a border: 28 pixels in 32


def fitted(
    images: Tensor, size: int, fit: Fit, where: str, *, is_ours: bool = False
) -> tuple[Tensor, tuple[str, ...]]:
    """Bring generated images to the size at which the reference is stored.

    Args:
        images: uint8 of shape (n, channels, height, height).
        size: Height and width wanted, in pixels.
        fit: `crop` cuts to the middle, `resize` is bilinear and antialiased; `auto` resizes, except
            where the images may have a border around what is wanted.
        where: Names the images in messages.
        is_ours: Whether a generator of ganbench's has drawn them, whose way back is known.

    Returns:
        uint8 of shape (n, channels, size, size), and what was done, in sentences.

    Raises:
        UsageError: `auto` cannot tell.
    """
    given = images.shape[-1]
    if given == size:
        return images, ()
    if is_ours:
        return bring_back(images, size), ()
    change = f"the images of {given}×{given} pixels"
    if fit == "auto" and size < given < _MAY_BE_BORDER * size:
        raise UsageError(
            f"{where} holds images of {given}×{given} pixels, and the reference of {size}×{size}: "
            "say with --fit crop that they have a border, or with --fit resize that they are larger"
        )
    if fit == "crop" and given > size:
        start = (given - size) // 2
        middle = slice(start, start + size)
        return images[:, :, middle, middle], (f"{change} are cut to their middle, {size}×{size}",)
    return resize(images, size), (f"{change} are resized to {size}×{size}, bilinear",)

"""Generated images one by one, for other tools: a folder of PNG files, or an array file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ganbench.errors import UsageError
from ganbench.machine.whole_files import whole

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

__all__ = ["check_target", "write_images"]


def check_target(target: Path, *, is_points: bool) -> None:
    """See that single images can be written to a folder or an `.npz` file.

    Raises:
        UsageError: They cannot, or something is there already.
    """
    if target.suffix == ".npz":
        if target.is_dir():
            raise UsageError(f"{target} is a folder: give the name of a file, or of another folder")
        return
    if is_points:
        raise UsageError(f"points are no pictures: give an array file, such as {target}.npz")
    if target.suffix:
        raise UsageError(f"{target} is no folder and no .npz file: give one of them to --images")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file: give the name of a folder, or of an .npz file")
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} holds files already: give a new folder, or remove them")


def write_images(images: Tensor, target: Path) -> None:
    """Write images one by one.

    Args:
        images: uint8 of shape (n, channels, size, size), or float32 points of shape (n, d).
        target: A folder, for `000000.png` and so on; or a file that ends in `.npz`, which holds
            `arr_0`: uint8 of shape (n, size, size, channels), or the points.

    Raises:
        OSError: They cannot be written.
    """
    is_image = images.dim() > 2  # noqa: PLR2004 - points have two dimensions
    array = (images.permute(0, 2, 3, 1) if is_image else images).contiguous().numpy()
    if target.suffix == ".npz":
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as temporary:
            np.savez(temporary, arr_0=array)
        return
    target.mkdir(parents=True, exist_ok=True)
    digits = max(6, len(str(len(array))))
    for place, pixels in enumerate(array):
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        with whole(target / f"{place:0{digits}}.png") as temporary:
            picture.save(temporary)

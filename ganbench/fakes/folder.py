"""A folder of image files as generated images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.data.folder_layout import EXTENSIONS
from ganbench.data.image_file import decode_image, read_header
from ganbench.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.data.dataset import Progress

__all__ = ["decode_files", "image_files"]

_OFTEN = 500  # images between two reports


def image_files(folder: Path) -> list[Path]:
    """All image files of a folder and the folders in it, by name; hidden ones are left out.

    Raises:
        DataError: There are none, or the folder is one of ganbench's own runs.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(place, name)
            for name in sorted(names)
            if Path(name).suffix.lower() in EXTENSIONS
            and not name.startswith(".")
            and Path(place, name).is_file()  # a pipe would be waited for
        ]
    if (folder / "result.json").is_file():
        raise DataError(
            f"{folder} is a run of ganbench, whose pictures are grids: its scores are in "
            f"result.json, and `ganbench sample {folder} --images DIR` writes single images"
        )
    if not found:
        raise DataError(
            f"{folder} holds no image ({', '.join(sorted(EXTENSIONS))}): give a folder of images"
        )
    return found


def decode_files(
    files: list[Path], channels: int, fallback: int, report: Progress
) -> tuple[Tensor, tuple[str, ...]]:
    """Decode image files, at their own size where all have one and are square.

    Args:
        files: At least one.
        channels: 1 (grey) or 3 (RGB): of the reference.
        fallback: Height and width in pixels to which they are cropped and resized otherwise.
        report: Called with the progress.

    Returns:
        uint8 of shape (n, channels, size, size), and what was changed, in sentences.

    Raises:
        DataError: A file cannot be read as an image.
    """
    headers = []
    for place, file in enumerate(files):
        headers.append(read_header(file))
        if place % _OFTEN == 0:
            report("reading images", 0, len(files))
    sizes = {(each.width, each.height) for each in headers}
    (width, height) = next(iter(sizes))
    notes = []
    size = width
    if len(sizes) > 1 or width != height:
        size = fallback
        kinds = "of several sizes" if len(sizes) > 1 else f"of {width}×{height} pixels"
        notes.append(f"the images are {kinds}: cut to squares and resized to {size}×{size}")
    if channels == 1 and (coloured := sum(not each.is_grey for each in headers)):
        notes.append(f"{coloured:,} images are stored in colour: converted to grey")
    images = np.empty((len(files), size, size, channels), np.uint8)
    for place, file in enumerate(files):
        images[place], _ = decode_image(file, size, channels)
        if place % _OFTEN == 0:
            report("reading images", place, len(files))
    report("reading images", len(files), len(files))
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), tuple(notes)

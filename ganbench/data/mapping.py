"""Pixels in files that are mapped into memory: the system reads what is used, and may forget it."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    Pixels = np.memmap[Any, np.dtype[np.uint8]]

__all__ = ["create", "file_of", "let_go", "read"]


def create(path: Path, shape: tuple[int, ...]) -> Pixels:
    """Make a file for uint8 pixels; what is assigned to the array is in it after `flush`.

    The disk's space is taken at once, where the system can: a mapped file for which it does not
    suffice later would end the process without a word.

    Raises:
        OSError: The file cannot be written, or the disk is too full for it.
    """
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return pixels


def read(path: Path, shape: tuple[int, ...]) -> Pixels | None:
    """Map a file that `create` made; None where there is none, or not of this shape."""
    try:
        # copy-on-write: torch warns of memory that cannot be written
        pixels = np.load(path, mmap_mode="c")
    except (OSError, ValueError, EOFError):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def file_of(pixels: Pixels) -> mmap.mmap | None:
    """The mapped file behind an array from `create` or `read`."""
    return pixels.base if isinstance(pixels.base, mmap.mmap) else None


def let_go(file: mmap.mmap | None) -> None:
    """Give the memory of a mapped file back, where the system can; what is used is read again.

    What was written to an array from `create` stays. What was written to one from `read`, which
    does not change the file, is forgotten.
    """
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)

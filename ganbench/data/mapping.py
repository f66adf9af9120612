"""Files of uint8 pixels that are mapped into memory.

The system reads the parts that are used, and may drop them from memory again.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    Pixels = np.memmap[Any, np.dtype[np.uint8]]

__all__ = ["create", "file_of", "read", "release"]


def create(path: Path, shape: tuple[int, ...]) -> Pixels:
    """Make a file for uint8 pixels; what is assigned to the array is in it after `flush`.

    The disk's space is taken at once, where the system can: were the disk full later, writing to
    the mapped file would end the process without a message.

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


def release(file: mmap.mmap | None) -> None:
    """Give the memory of a mapped file back to the system, which reads it again where it is used.

    Values written to an array from `create` stay in the file. Values written to an array from
    `read`, which never change the file, are lost. Does nothing where the system cannot do it.
    """
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)

"""Image files, decoded once to uint8 arrays that the cache keeps."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from ganbench.data import mapping
from ganbench.data.cache import MAPPED_BLOCKS, is_intact, whole
from ganbench.data.dataset import Dataset, Split
from ganbench.data.image_file import decode_image, unreadable
from ganbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.data.dataset import Progress
    from ganbench.data.imagefolder import ImageFolder

__all__ = ["load_imagefolder"]

VERSION = 2  # of the decoding: part of the cache's key

_CHUNK = 64  # images per task of a thread
_MOST_THREADS = 8
_LEAST_SHARE = 0.3  # above that of 14 bits in 16


def load_imagefolder(
    folder: ImageFolder,
    cache_root: Path,
    image_size: int,
    report: Progress,
    *,
    threads: int | None = None,
) -> Dataset:
    """Read an image folder, from the cache where nothing in the folder has changed.

    Each image is turned upright, cropped to the square in its middle and resized (bilinear,
    antialiased) to `folder.decode_size(image_size)`. The array is mapped, not read, into memory.

    Args:
        folder: What `scan` found.
        cache_root: Its folder `imagefolders` holds one file per dataset and size.
        image_size: Height and width that will be wanted later, in pixels.
        report: Called with the progress of decoding.
        threads: Number of threads that decode; if left out, one per processor, at most eight.

    Raises:
        DataError: An image cannot be read, or the cache cannot be written.
    """
    size, files = folder.decode_size(image_size), folder.files
    shape = (len(files), size, size, folder.spec.channels)
    path = cache_root / "imagefolders" / f"{_key(folder, shape)}.npy"
    if not is_intact(path, MAPPED_BLOCKS) or mapping.read(path, shape) is None:
        with whole(path, sealed=True) as temporary:
            _decode(folder, shape, temporary, report, threads or _default_threads())
    pixels = mapping.read(path, shape)
    if pixels is None:
        raise unreadable(path, OSError("it was just written"))
    images, file = torch.from_numpy(pixels).permute(0, 3, 1, 2), mapping.file_of(pixels)
    labels = torch.tensor([label for _, label in files])
    count = folder.spec.train_count
    train, test = (
        Split(images[rows], labels[rows], file) for rows in (slice(count), slice(count, None))
    )
    return Dataset.of(folder.spec, train, test)


def _key(folder: ImageFolder, shape: tuple[int, ...]) -> str:
    """Hash the paths, sizes and times of the files, and how they are decoded.

    Raises:
        DataError: A file has vanished.
    """
    head = json.dumps([VERSION, shape, folder.spec.train_count])
    digest = hashlib.sha256(
        f"{head[:-1]}, [".encode()
    )  # one JSON list, hashed row by row to save memory
    for number, (path, _) in enumerate(folder.files):
        try:
            status = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        row = json.dumps([str(path), status.st_size, status.st_mtime_ns])
        digest.update(f"{', ' if number else ''}{row}".encode())
    digest.update(b"]]")
    return digest.hexdigest()[:16]


def _default_threads() -> int:
    return min(_MOST_THREADS, os.cpu_count() or 1)


def _decode(
    folder: ImageFolder, shape: tuple[int, ...], path: Path, report: Progress, threads: int
) -> None:
    """Decode all images of a folder into one array file of shape (n, size, size, channels).

    Raises:
        DataError: An image cannot be read (the first of them is named), or none of those with more
            than 8 bits comes near the white that they declare.
    """
    count, size, _, channels = shape
    text = f"decoding {folder.spec.name}"
    pixels = mapping.create(path, shape)

    def work(start: int) -> tuple[int, list[float]]:
        rows, shares = folder.files[start : start + _CHUNK], []
        for row, (file, _) in enumerate(rows, start):
            pixels[row], share = decode_image(file, size, channels)
            shares += [] if share is None else [share]
        return start + len(rows), shares

    used: list[float] = []  # shares of the range of images of more than 8 bits

    with ThreadPoolExecutor(threads) as pool:
        for done, shares in pool.map(work, range(0, count, _CHUNK)):
            mapping.release(mapping.file_of(pixels))  # what is written is on its way to the disk
            used += shares
            report(text, done, count)
    if used and max(used) < _LEAST_SHARE:
        raise DataError(
            f"the images of {folder.spec.name} have more than 8 bits, and none uses more than the "
            f"lowest {100 * max(used):.1f}% of the range that its file declares, so that all would "
            "be nearly black: scale them to the whole range, or save them as 8 bits"
        )
    pixels.flush()

"""Training images at the size of a run, made once for all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.data import mapping
from ganbench.data.cache import MAPPED_BLOCKS, is_intact, whole
from ganbench.data.dataset import Progress, Split, ignore_progress
from ganbench.data.sizes import bring_to
from ganbench.errors import DataError
from ganbench.machine.memory import release_host_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ganbench.data.dataset import Dataset

__all__ = ["training_split"]

VERSION = 2  # of the resizing: part of the cache's key

_LARGE_BYTES = 1 << 27  # from this size on, images are kept in a file
_BLOCK_BYTES = 1 << 24


def training_split(
    dataset: Dataset,
    size: int,
    cache_root: Path,
    report: Progress = ignore_progress,
    *,
    mapped_from_bytes: int = _LARGE_BYTES,
    block_bytes: int = _BLOCK_BYTES,
) -> Split:
    """Bring the training split to a size.

    A split of `mapped_from_bytes` or more is written to the cache once, block by block, and mapped
    into memory afterwards: processes share it, and it may be larger than memory.

    Args:
        dataset: The dataset whose training split is resized.
        size: Height and width wanted, in pixels.
        cache_root: Its folder `resized` holds one file per dataset and size.
        report: Called with the progress.
        mapped_from_bytes: Size of a resized split from which on it is kept in a file: 128 MiB.
        block_bytes: Images resized at once for that file, in bytes.

    Returns:
        Images of shape (n, channels, size, size) on the CPU; the stored split itself where the
        size fits, and of points, which have none.

    Raises:
        DataError: The cache cannot be written.
    """
    train = dataset.train
    if dataset.spec.kind == "points":
        return train
    count, channels, *stored = train.images.shape
    shape = (count, size, size, channels)
    if stored == [size, size]:
        return train
    if count * size * size * channels < mapped_from_bytes:
        memory = np.empty(shape, dtype=np.uint8)
        for _ in _fill(memory, train, block_bytes):
            pass
        return Split(torch.from_numpy(memory).permute(0, 3, 1, 2), train.labels)
    path = cache_root / "resized" / f"{dataset.fingerprint}-{size}-{VERSION}.npy"
    if not is_intact(path, MAPPED_BLOCKS) or mapping.read(path, shape) is None:
        text = f"resizing {dataset.spec.name} to {size}×{size}"
        with whole(path, sealed=True) as temporary:
            _write(train, shape, temporary, block_bytes, lambda done: report(text, done, count))
    pixels = mapping.read(path, shape)
    if pixels is None:
        raise DataError(f"{path} cannot be read, though it was just written: remove it")
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return Split(images, train.labels, mapping.file_of(pixels))


def _write(
    train: Split,
    shape: tuple[int, ...],
    path: Path,
    block_bytes: int,
    report: Callable[[int], None],
) -> None:
    """Resize all images into a file of shape (n, size, size, channels)."""
    pixels = mapping.create(path, shape)
    for done in _fill(pixels, train, block_bytes):
        mapping.release(mapping.file_of(pixels))  # they are on their way to the disk
        report(done)
    pixels.flush()
    release_host_memory()


def _fill(pixels: NDArray[np.uint8], train: Split, block_bytes: int) -> Iterator[int]:
    """Resize all images into an array of shape (n, size, size, channels); yield how many are done.

    What is mapped of the stored images is released block by block.
    """
    count, size, _, channels = pixels.shape
    step = max(1, block_bytes // max(train.images[0].nbytes, size * size * channels))
    for start in range(0, count, step):
        part = bring_to(train.images[start : start + step], size)
        pixels[start : start + step] = part.permute(0, 2, 3, 1).numpy()
        train.release()
        yield min(start + step, count)

"""Three digits as red, green and blue: 1,000 modes, each of which is known (stacked MNIST).

Metz et al. 2017 (arXiv:1611.02163) and Srivastava et al. 2017 (arXiv:1705.07761) stack the digits
of MNIST; the triples are drawn once, as Lin et al. 2018 (PacGAN, arXiv:1712.04086) draw 128,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.data import mapping
from ganbench.data.cache import MAPPED_BLOCKS, is_intact, whole
from ganbench.data.dataset import Dataset, Progress, Split, ignore_progress
from ganbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = ["CHANNELS", "VERSION", "stack", "triples"]

CHANNELS = 3
VERSION = 1  # of the drawing: part of the cache's key

_SEEDS = {"train": 0, "test": 1}
_DIGITS = 10
_LARGE_BYTES = 1 << 27  # from this size on, images are kept in a file
_BLOCK = 4096  # images composed at once


def stack(
    spec: DatasetSpec,
    digits: Dataset,
    cache_root: Path,
    report: Progress = ignore_progress,
    *,
    mapped_from_bytes: int = _LARGE_BYTES,
) -> Dataset:
    """Stack digits: training triples of training digits, held-out ones of held-out digits.

    The class of an image is the number that its digits spell, red first: 100 a + 10 b + c. A split
    of `mapped_from_bytes` or more is written to the cache once and mapped into memory afterwards,
    so that processes share it.

    Args:
        spec: Its name, and how many triples each split has.
        digits: Grey images of ten classes.
        cache_root: Its folder `stacked` holds one file per large split.
        report: Called with the progress.
        mapped_from_bytes: Size of a split from which on it is kept in a file: 128 MiB.

    Raises:
        DataError: The cache cannot be written.
    """
    parts = []
    for name, split, count in (
        ("train", digits.train, spec.train_count),
        ("test", digits.test, spec.test_count),
    ):
        chosen = triples(len(split), count, _SEEDS[name])
        shape = (count, *split.images.shape[2:], CHANNELS)
        labels = split.labels[chosen] @ torch.tensor([_DIGITS**2, _DIGITS, 1])
        pixels: NDArray[np.uint8]
        if np.prod(shape) < mapped_from_bytes:
            pixels = np.empty(shape, dtype=np.uint8)
            for _ in _fill(pixels, split, chosen):
                pass
            file = None
        else:
            key = f"{spec.name}-{digits.fingerprint}-{name}-{count}-{VERSION}"
            path, text = cache_root / "stacked" / f"{key}.npy", f"stacking {spec.name}"
            if not is_intact(path, MAPPED_BLOCKS) or mapping.read(path, shape) is None:
                with whole(path, sealed=True) as temporary:
                    written = mapping.create(temporary, shape)
                    for done in _fill(written, split, chosen):
                        report(text, done, count)
                    written.flush()
            mapped = mapping.read(path, shape)
            if mapped is None:
                raise DataError(f"{path} cannot be read, though it was just written: remove it")
            pixels, file = mapped, mapping.file_of(mapped)
        parts.append(Split(torch.from_numpy(pixels).permute(0, 3, 1, 2), labels, file))
    return Dataset.of(spec, *parts)


def triples(digits: int, count: int, seed: int) -> Tensor:
    """Draw which digits are stacked: int64 (count, 3), rows below `digits`, always the same."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(digits, (count, CHANNELS), generator=generator)


def _fill(pixels: NDArray[np.uint8], split: Split, chosen: Tensor) -> Iterator[int]:
    """Compose all images in an array of shape (n, size, size, 3); yield how many are done."""
    grey = split.images[:, 0].numpy()
    for start in range(0, len(chosen), _BLOCK):
        rows = chosen[start : start + _BLOCK].numpy()
        for channel in range(CHANNELS):
            pixels[start : start + _BLOCK, ..., channel] = grey[rows[:, channel]]
        yield min(start + _BLOCK, len(chosen))

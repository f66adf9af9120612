"""A folder of class folders as a dataset: its files, classes and splits.

Nothing is decoded here, and torch is not loaded.
"""

from __future__ import annotations

import hashlib
import statistics
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ganbench.data.catalogue import IMAGEFOLDER_PREFIX
from ganbench.data.folder_layout import EXTENSIONS, read_layout
from ganbench.data.image_file import read_header, unreadable
from ganbench.errors import DataError, UsageError
from ganbench.variant.definition import DatasetSpec
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.data.folder_layout import Layout
    from ganbench.data.image_file import Header

__all__ = [
    "EXTENSIONS",
    "LARGEST_NATIVE_SIZE",
    "ImageFolder",
    "folder_elsewhere",
    "folder_of",
    "scan",
    "unreadable",
]

LARGEST_NATIVE_SIZE = 64
_SMALLEST_NATIVE_SIZE = 8
_TEST_SHARE = 0.1


@dataclass(frozen=True)
class ImageFolder:
    """What lies in an image folder.

    Attributes:
        spec: What it is as a dataset.
        side: The shorter side of a typical image, in pixels.
        files: Each image's path and label: first the training split, by class and name, then the
            test split.
        notes: How the folder was understood, what is left out and what is done to the images, in
            sentences.
    """

    spec: DatasetSpec
    side: int
    files: tuple[tuple[Path, int], ...]
    notes: tuple[str, ...]

    def decode_size(self, image_size: int) -> int:
        """Height and width to decode at, where `image_size` pixels will be wanted later."""
        wanted = max(image_size, LARGEST_NATIVE_SIZE)
        return max(_SMALLEST_NATIVE_SIZE, min(self.side, wanted))


def scan(name: str, data_root: Path) -> ImageFolder:
    """List an image folder and read the headers of its files.

    The folder is laid out as `read_layout` says; where it has no splits, a tenth of each class,
    chosen by hashes of the file names, becomes the test split. Number of channels and size hold
    for all files: one colour image makes all RGB, and the size is the median of the shorter sides.

    Args:
        name: `imagefolder:DIR`; a relative DIR is looked for in the working directory, then in
            `data_root`.
        data_root: Where a relative DIR is looked for second.

    Raises:
        UsageError: DIR is empty.
        DataError: There is no such folder, or it is not laid out as described, or a header cannot
            be read.
    """
    root = folder_of(name, data_root)
    layout = read_layout(root)
    train, test = layout.train, layout.test
    if test is None:
        train, test = _divide(train)
    files = _labelled(train) + _labelled(test)
    headers = _headers(tuple(_stamp(path) for path, _ in files))
    side = statistics.median_low(min(each.width, each.height) for each in headers)
    channels = 1 if all(each.is_grey for each in headers) else 3
    native = max(_SMALLEST_NATIVE_SIZE, min(side, LARGEST_NATIVE_SIZE))
    train_count = sum(map(len, train.values()))
    test_count = len(files) - train_count
    spec = DatasetSpec(name, channels, native, tuple(train), train_count, test_count)
    return ImageFolder(spec, side, files, _notes(visible(name), layout, headers, side))


def folder_of(name: str, data_root: Path) -> Path:
    """The folder that an image folder's name means.

    Args:
        name: `imagefolder:DIR`; a relative DIR is looked for in the working directory, then in
            `data_root`; then either is, where files lie that came from another machine.
        data_root: Where it is looked for second.

    Raises:
        UsageError: DIR is empty.
        DataError: There is no such folder.
    """
    given = name.removeprefix(IMAGEFOLDER_PREFIX)
    if not given:
        raise UsageError("imagefolder: needs a folder, for example --dataset imagefolder:photos")
    try:
        root = Path(given).expanduser()
    except RuntimeError:  # ~ of somebody who is not there
        root = Path(given)
    for elsewhere in (data_root / root, data_root / folder_elsewhere(name)):
        if not root.exists() and elsewhere.exists():
            root = elsewhere
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"image folder {root} {what}: give a folder of class folders")
    return root.resolve()


def folder_elsewhere(name: str) -> str:
    """Where an image folder lies in the data root of a machine to which its files have travelled.

    The last part stays, as it names the class of a folder without class folders.
    """
    given = name.removeprefix(IMAGEFOLDER_PREFIX)
    digest = hashlib.sha256(given.encode(errors="surrogateescape")).hexdigest()[:16]
    return f"imagefolders/{digest}/{Path(given).name.strip('.') or 'images'}"


def _divide(
    classes: dict[str, list[Path]],
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Hold out a tenth of each class, one image at least, always the same ones.

    Raises:
        DataError: A class has a single image.
    """
    train: dict[str, list[Path]] = {}
    test: dict[str, list[Path]] = {}
    for name, files in classes.items():
        if len(files) == 1:
            raise DataError(
                f"class folder {files[0].parent} holds a single image: add another, "
                "since one of each class is held out for testing"
            )
        count = max(1, round(len(files) * _TEST_SHARE))
        held_out = set(sorted(files, key=_shuffle_key)[:count])
        train[name] = [file for file in files if file not in held_out]
        test[name] = [file for file in files if file in held_out]
    return train, test


def _shuffle_key(file: Path) -> bytes:
    """A hash of the class and the file's name, the same on every machine."""
    return hashlib.blake2b(
        f"{file.parent.name}/{file.name}".encode(errors="surrogateescape")
    ).digest()


def _labelled(classes: dict[str, list[Path]]) -> tuple[tuple[Path, int], ...]:
    return tuple((file, label) for label, files in enumerate(classes.values()) for file in files)


@lru_cache(maxsize=4)
def _headers(stamps: tuple[tuple[Path, int, int], ...]) -> tuple[Header, ...]:
    """Read the headers of files; once in a process, as long as sizes and times are the same.

    Raises:
        DataError: One of them cannot be read, or is larger than Pillow allows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return tuple(read_header(path) for path, _, _ in stamps)


def _stamp(path: Path) -> tuple[Path, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return path, status.st_size, status.st_mtime_ns


def _notes(folder: str, layout: Layout, headers: Sequence[Header], side: int) -> tuple[str, ...]:
    """What was understood, left out and changed, in one sentence each."""
    count = {
        "transparent: laid over white": sum(each.is_transparent for each in headers),
        "in CMYK: converted by the plain formula, without their colour profiles": sum(
            each.is_cmyk for each in headers
        ),
        "in files with several: the first of each file is taken": sum(
            each.is_one_of_several for each in headers
        ),
        "not square: cropped to the square in their middle": sum(
            each.width != each.height for each in headers
        ),
    }
    if any(each.is_grey for each in headers) and not all(each.is_grey for each in headers):
        count["grey among coloured ones: taken as RGB"] = sum(each.is_grey for each in headers)
    sides = [min(each.width, each.height) for each in headers]
    smaller = [each for each in sides if each < min(side, LARGEST_NATIVE_SIZE)]
    if smaller:
        text = f"smaller than {min(side, LARGEST_NATIVE_SIZE)} pixels (down to {min(smaller)})"
        count[f"{text}: enlarged"] = len(smaller)
    changed = [
        f"{number:,} of {len(headers):,} images {what}" for what, number in count.items() if number
    ]
    left_out = [f"left out: {layout.left_out}"] if layout.left_out.counts else []
    return tuple(f"{folder}: {text}" for text in (*layout.notes, *left_out, *changed))

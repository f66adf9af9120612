"""A folder of class folders as a dataset: its files, classes and splits.

Nothing is decoded here, and torch is not loaded.
"""

from __future__ import annotations

import hashlib
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganbench.data.catalogue import IMAGEFOLDER_PREFIX
from ganbench.errors import DataError, UsageError
from ganbench.variant.definition import DatasetSpec

__all__ = ["EXTENSIONS", "LARGEST_NATIVE_SIZE", "ImageFolder", "scan", "unreadable"]

EXTENSIONS = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)

LARGEST_NATIVE_SIZE = 64
_SMALLEST_NATIVE_SIZE = 8
_TEST_SHARE = 0.1
_HEADERS = 16
_GREY_MODES = ("1", "F", "I", "I;16", "I;16B", "I;16L", "I;16N", "L", "LA")


@dataclass(frozen=True)
class ImageFolder:
    """What lies in an image folder.

    Attributes:
        spec: What it is as a dataset.
        side: The shorter side of a typical image, in pixels.
        files: Each image's path and label: first the training split, by class and name, then the
            test split.
        ignored: Number of files that are not images.
    """

    spec: DatasetSpec
    side: int
    files: tuple[tuple[Path, int], ...]
    ignored: int

    def decode_size(self, image_size: int) -> int:
        """Height and width to decode at, where `image_size` pixels will be wanted later."""
        wanted = max(image_size, LARGEST_NATIVE_SIZE)
        return max(_SMALLEST_NATIVE_SIZE, min(self.side, wanted))


@dataclass(frozen=True)
class _Listing:
    """Image files of each class folder, in alphabetical order, and the number of other files."""

    classes: dict[str, list[Path]]
    ignored: int


def scan(name: str, data_root: Path) -> ImageFolder:
    """List an image folder and read a few headers.

    The folder holds either `train` and `test`, each with the same class folders, or class folders
    of which a tenth of each class, chosen by hashes of the file names, becomes the test split.

    Args:
        name: `imagefolder:DIR`; a relative DIR is looked for in the working directory, then in
            `data_root`.
        data_root: Where a relative DIR is looked for second.

    Raises:
        UsageError: DIR is empty.
        DataError: There is no such folder, or it is not laid out as described, or a header cannot
            be read.
    """
    given = name.removeprefix(IMAGEFOLDER_PREFIX)
    if not given:
        raise UsageError("imagefolder: needs a folder, for example --dataset imagefolder:photos")
    root = Path(given).expanduser()
    if not root.exists() and (data_root / root).exists():
        root = data_root / root
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"image folder {root} {what}: give a folder of class folders")
    root = root.resolve()

    if (root / "train").is_dir() and (root / "test").is_dir():
        listings = [_list(root / "train"), _list(root / "test")]
        train, test = (listing.classes for listing in listings)
        if list(train) != list(test):
            unmatched = sorted(set(train) ^ set(test))[0]
            raise DataError(
                f"{root}: train and test need the same class folders; see {unmatched!r}"
            )
    else:
        listings = [_list(root)]
        train, test = _divide(listings[0].classes)

    files = _labelled(train) + _labelled(test)
    side, channels = _headers([path for path, _ in files])
    native = max(_SMALLEST_NATIVE_SIZE, min(side, LARGEST_NATIVE_SIZE))
    train_count = sum(map(len, train.values()))
    test_count = len(files) - train_count
    spec = DatasetSpec(name, channels, native, tuple(train), train_count, test_count)
    return ImageFolder(spec, side, files, sum(listing.ignored for listing in listings))


def unreadable(path: Path, error: BaseException) -> DataError:
    """Build the error for a file that no image can be read from."""
    reason = " ".join(str(error).replace(f"{str(path)!r}", "the file").split())
    return DataError(f"{path} cannot be read as an image ({reason}): repair or remove it")


def _list(root: Path) -> _Listing:
    """List the class folders of a folder.

    Raises:
        DataError: There are none, one is empty, or images lie beside or folders in them.
    """
    folders, images, ignored = _entries(root)
    if not folders:
        raise DataError(f"{root} has no class folders: put the images of each class into a folder")
    if images:
        raise DataError(
            f"{root} holds both class folders ({folders[0].name}, ...) and images "
            f"({images[0].name}, ...): move each image into the folder of its class"
        )
    classes: dict[str, list[Path]] = {}
    for folder in folders:
        inner, files, others = _entries(folder)
        if inner:
            raise DataError(
                f"class folder {folder} holds the folder {inner[0].name}: images must lie in the "
                "class folders themselves, and a fixed split needs both train and test"
            )
        if not files:
            raise DataError(f"class folder {folder} holds no images: fill or remove it")
        classes[folder.name] = files
        ignored += others
    return _Listing(classes, ignored)


def _entries(folder: Path) -> tuple[list[Path], list[Path], int]:
    """Folders, images and the number of other files; hidden ones do not count.

    Raises:
        DataError: The folder cannot be read.
    """
    folders, images, ignored = [], [], 0
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            folders.append(Path(entry.path))
        elif Path(entry.name).suffix.lower() in EXTENSIONS:
            images.append(Path(entry.path))
        else:
            ignored += 1
    return folders, images, ignored


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
    return hashlib.blake2b(f"{file.parent.name}/{file.name}".encode()).digest()


def _labelled(classes: dict[str, list[Path]]) -> tuple[tuple[Path, int], ...]:
    return tuple((file, label) for label, files in enumerate(classes.values()) for file in files)


def _headers(files: list[Path]) -> tuple[int, int]:
    """Read some headers: the median of the shorter sides, and 1 channel if all are grey, else 3.

    Raises:
        DataError: One of them cannot be read.
    """
    sides, grey = [], True
    for file in files[:: max(1, len(files) // _HEADERS)][:_HEADERS]:
        try:
            with Image.open(file) as image:
                sides.append(min(image.size))
                grey = grey and image.mode in _GREY_MODES
        except Exception as error:  # Pillow's readers raise many kinds
            raise unreadable(file, error) from error
    return statistics.median_low(sides), 1 if grey else 3

"""The layout of an image folder: class folders, splits or one class, and what is left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.errors import DataError
from ganbench.visible import visible

__all__ = ["EXTENSIONS", "Layout", "LeftOut", "read_layout"]

EXTENSIONS = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)

_TRAINING_NAMES = ("train", "training")
_HELD_OUT_NAMES = ("test", "testing", "val", "valid", "validation", "dev", "eval")
_NAMES_SHOWN = 3
_EXPECTED = "expected DIR/CLASS/IMAGE, DIR/train/CLASS/IMAGE and DIR/test/CLASS/IMAGE, or DIR/IMAGE"

_OTHER_FILE = ("file without the ending of an image", "files without the ending of an image")
_HIDDEN_FILE = ("hidden file", "hidden files")
_HIDDEN_FOLDER = ("hidden folder", "hidden folders")
_SPECIAL = ("pipe, socket or device", "pipes, sockets or devices")
_BESIDE = ("file or folder beside the splits", "files or folders beside the splits")


@dataclass
class LeftOut:
    """Files and folders that are left out, by reason (one of it, several of it).

    Only the first names of each reason are kept, relative to the image folder.
    """

    root: Path
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, reason: tuple[str, str], path: Path) -> None:
        """Count one file or folder."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        names = self.names.setdefault(reason, [])
        if len(names) < _NAMES_SHOWN:
            names.append(visible(str(path.relative_to(self.root))))

    def __str__(self) -> str:
        return "; ".join(
            f"{count:,} {reason[count > 1]} ({', '.join(self.names[reason])}"
            f"{', ...' if count > _NAMES_SHOWN else ''})"
            for reason, count in self.counts.items()
        )


@dataclass(frozen=True)
class Layout:
    """Where the images of a folder lie.

    Attributes:
        train: Image files of each class, both in alphabetical order.
        test: Likewise the held-out ones; None where the folder has no splits of its own.
        left_out: What is not among them.
        notes: How the folder was understood, where it has not the usual names.
    """

    train: dict[str, list[Path]]
    test: dict[str, list[Path]] | None
    left_out: LeftOut
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Entries:
    folders: list[Path]
    images: list[Path]


def read_layout(root: Path) -> Layout:
    """List the images of a folder that is laid out in one of the ways that are known.

    It holds class folders; or a training and a held-out folder (train or training; test, testing,
    val, valid, validation, dev or eval, in this order) with the same class folders in both; or, in
    place of class folders, images, which are one class then.

    Raises:
        DataError: It is laid out in another way, or cannot be read.
    """
    left_out = LeftOut(root)
    entries = _entries(root, left_out)
    training = [each for each in entries.folders if each.name.lower() in _TRAINING_NAMES]
    held_out = [each for each in entries.folders if each.name.lower() in _HELD_OUT_NAMES]
    flat = visible(root.name) or "images"
    if not (training and held_out):
        classes, is_flat = _classes(root, entries, left_out, flat)
        notes = (f"no class folders: all images are one class, {flat}",) if is_flat else ()
        return Layout(classes, None, left_out, notes)

    if len(training) > 1:
        names = ", ".join(each.name for each in training)
        raise DataError(f"{root} holds several training folders ({names}): leave one of them")
    train_root = training[0]
    test_root = min(held_out, key=lambda each: _HELD_OUT_NAMES.index(each.name.lower()))
    for other in sorted({*entries.folders, *entries.images} - {train_root, test_root}):
        left_out.add(_BESIDE, other)
    train, is_flat = _classes(train_root, _entries(train_root, left_out), left_out, flat)
    test, _ = _classes(test_root, _entries(test_root, left_out), left_out, flat)
    if list(train) != list(test):
        unmatched = sorted(set(train) ^ set(test))[0]
        raise DataError(
            f"{root}: {train_root.name} and {test_root.name} need the same class folders; see "
            f"{unmatched!r}"
        )
    notes = (f"no class folders: all images are one class, {flat}",) if is_flat else ()
    if (train_root.name, test_root.name) != ("train", "test"):
        notes = (
            f"{train_root.name} is the training split and {test_root.name} the held-out one",
            *notes,
        )
    return Layout(train, test, left_out, notes)


def _classes(
    root: Path, entries: _Entries, left_out: LeftOut, flat: str
) -> tuple[dict[str, list[Path]], bool]:
    """The images of each class folder, and whether there are none and all images are one class.

    Raises:
        DataError: There are no images, or some lie beside class folders or in folders below them.
    """
    folders, images = entries.folders, entries.images
    if not folders and not images:
        raise DataError(f"{root} holds no images ({left_out or 'it is empty'}): {_EXPECTED}")
    if not folders:
        return {flat: images}, True
    if images:
        raise DataError(
            f"{root} holds both class folders ({folders[0].name}, ...) and images "
            f"({images[0].name}, ...): move each image into the folder of its class"
        )
    classes: dict[str, list[Path]] = {}
    for folder in folders:
        inner = _entries(folder, left_out)
        if inner.folders:
            raise DataError(
                f"class folder {folder} holds the folder {inner.folders[0].name}: {_EXPECTED}"
                + (f"; did you mean imagefolder:{folder}?" if len(folders) == 1 else "")
            )
        if not inner.images:
            raise DataError(f"class folder {folder} holds no images: fill or remove it")
        classes[folder.name] = inner.images
    return classes, False


def _entries(folder: Path, left_out: LeftOut) -> _Entries:
    """Folders and images in a folder, by name; all else is counted as left out.

    Raises:
        DataError: The folder cannot be read.
    """
    folders: list[Path] = []
    images: list[Path] = []
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path, is_folder = Path(entry.path), entry.is_dir()
            if entry.name.startswith((".", "__")):
                left_out.add(_HIDDEN_FOLDER if is_folder else _HIDDEN_FILE, path)
            elif is_folder:
                folders.append(path)
            elif not entry.is_file() and path.exists():
                left_out.add(_SPECIAL, path)
            elif path.suffix.lower() in EXTENSIONS:  # a link that leads nowhere is refused later
                images.append(path)
            else:
                left_out.add(_OTHER_FILE, path)
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error
    return _Entries(folders, images)

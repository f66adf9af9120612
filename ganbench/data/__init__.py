"""Datasets by name: what they are (`describe`) and their images (`load`).

Importing this package, and describing a dataset, loads neither torch nor torchvision.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from ganbench.data import catalogue
from ganbench.errors import unknown

if TYPE_CHECKING:
    from ganbench.data.dataset import Dataset, Progress
    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "check_obtainable",
    "content_hash",
    "default_cache_root",
    "default_data_root",
    "describe",
    "load",
    "names",
    "notes",
    "reading_size",
]


def names() -> tuple[str, ...]:
    """Names of the datasets with fixed content; `imagefolder:DIR` is allowed beside them."""
    return tuple(sorted(catalogue.SPECS))


def default_cache_root() -> Path:
    """Folder for what can be computed again: `GANBENCH_CACHE`, else one in the user's cache.

    On Linux that is `~/.cache/ganbench`, or in `XDG_CACHE_HOME`; on macOS and Windows the folder
    that these systems have for caches.
    """
    given = os.environ.get("GANBENCH_CACHE")
    if given:
        return _expanded(given)
    return platformdirs.user_cache_path("ganbench", appauthor=False)


def default_data_root() -> Path:
    """Folder of downloaded datasets: `GANBENCH_DATA`, else `data` in the cache."""
    given = os.environ.get("GANBENCH_DATA")
    return _expanded(given) if given else default_cache_root() / "data"


def _expanded(given: str) -> Path:
    """A path with the home folder in the place of `~`; one that is not known stays as it is."""
    try:
        return Path(given).expanduser()
    except RuntimeError:
        return Path(given)


def describe(name: str, data_root: Path) -> DatasetSpec:
    """Describe a dataset, without reading its images.

    Datasets with fixed content need not be present. Of an image folder, files are listed and
    their headers are read.

    Args:
        name: One of `names()`, or `imagefolder:DIR`.
        data_root: Where relative image folders are looked for after the working directory.

    Raises:
        UsageError: There is no dataset of this name.
        DataError: The image folder is missing or not laid out as one.
    """
    if name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        from ganbench.data.imagefolder import scan

        return scan(name, data_root).spec
    return _fixed(name)


def check_obtainable(name: str, data_root: Path) -> str:
    """See within seconds that a dataset is there, or could be downloaded; nothing is read.

    Args:
        name: One of `names()`, or `imagefolder:DIR`, whose files `describe` has listed.
        data_root: Where datasets lie, and are downloaded to.

    Returns:
        What will be downloaded, as a sentence; empty where nothing is.

    Raises:
        UsageError: There is no dataset of this name.
        DataError: It is not there, and its server does not answer.
    """
    if name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        return ""
    _fixed(name)
    source = catalogue.STACKED_DIGITS.get(name, name)
    if source not in catalogue.DOWNLOADED:
        return ""
    from ganbench.data.vision import check_vision

    return check_vision(source, data_root)


def content_hash(
    name: str, *, data_root: Path, cache_root: Path, report: Progress | None = None
) -> str:
    """Hash what the files of an image folder hold; empty for datasets whose content never changes.

    Args:
        name: One of `names()`, or `imagefolder:DIR`.
        data_root: Where relative image folders are looked for after the working directory.
        cache_root: Where the hashes of files are kept, so that the second time is quick.
        report: Called with the progress of reading files.

    Raises:
        UsageError: There is no dataset of this name.
        DataError: The image folder is missing or not laid out as one, or a file cannot be read.
    """
    if not name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        _fixed(name)
        return ""
    from ganbench.data.contents import hash_files
    from ganbench.data.imagefolder import scan

    return hash_files(scan(name, data_root), cache_root, report or _ignore)


def load(
    name: str,
    *,
    data_root: Path,
    cache_root: Path,
    image_size: int,
    report: Progress | None = None,
) -> Dataset:
    """Read a dataset into memory, downloading it into `data_root` where it is missing.

    Images keep their native size; image folders are decoded at up to `image_size` pixels, and at
    64 or more where the files are that large. `data_root` may be read-only when the data lie in it.

    Args:
        name: One of `names()`, or `imagefolder:DIR`.
        data_root: Where datasets lie, and are downloaded to.
        cache_root: Where decoded image folders and stacked digits are kept.
        image_size: Height and width that the images will be resized to later, in pixels.
        report: Called with progress of downloads, decoding and stacking.

    Raises:
        UsageError: There is no dataset of this name.
        DataError: The data are missing or damaged and cannot be had.
    """
    from ganbench.data.dataset import ignore_progress

    report = report or ignore_progress
    if name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        from ganbench.data.decode import load_imagefolder
        from ganbench.data.imagefolder import scan

        return load_imagefolder(scan(name, data_root), cache_root, image_size, report)
    spec = _fixed(name)
    if name == "digits":
        from ganbench.data.digits import load_digits

        return load_digits(spec)
    if spec.kind == "points":
        from ganbench.data.points import load_points

        return load_points(spec)
    if name == catalogue.TRIANGLES:
        from ganbench.data.triangles import load_triangles

        return load_triangles(spec)
    if name in catalogue.STACKED_DIGITS:
        from ganbench.data.stacked import stack

        digits = load(
            catalogue.STACKED_DIGITS[name],
            data_root=data_root,
            cache_root=cache_root,
            image_size=image_size,
            report=report,
        )
        return stack(spec, digits, cache_root, report)
    from ganbench.data.vision import load_vision

    return load_vision(spec, data_root, report)


def notes(name: str, data_root: Path) -> tuple[str, ...]:
    """How an image folder was understood, what of it is left out and what is done to its images.

    Args:
        name: One of `names()`, which have no notes, or `imagefolder:DIR`.
        data_root: Where relative image folders are looked for after the working directory.

    Raises:
        UsageError: There is no dataset of this name.
        DataError: The image folder is missing or not laid out as one, or a header cannot be read.
    """
    if not name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        _fixed(name)
        return ()
    from ganbench.data.imagefolder import scan

    return scan(name, data_root).notes


def reading_size(name: str, image_size: int) -> int:
    """The size to `load` a dataset with: equal ones give equal images.

    Raises:
        UsageError: There is no dataset of this name.
    """
    if name.startswith(catalogue.IMAGEFOLDER_PREFIX):
        from ganbench.data.imagefolder import LARGEST_NATIVE_SIZE

        return max(image_size, LARGEST_NATIVE_SIZE)
    return _fixed(name).native_size


def _fixed(name: str) -> DatasetSpec:
    """Look a name up among the datasets with fixed content."""
    if name not in catalogue.SPECS:
        raise unknown(
            "dataset", name, catalogue.SUMMARIES, hint="`ganbench list datasets` describes them"
        )
    return catalogue.SPECS[name]


def _ignore(_text: str, _done: int, _total: int) -> None:
    """Ignore progress; `ignore_progress` stands in a module that loads torch."""

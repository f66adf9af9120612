"""A hash of what the files of an image folder hold, quick where nothing has changed.

Files of the same names may hold other pictures tomorrow, and are another dataset then. An index in
the cache keeps each file's hash by its path, size and time of change, so that unchanged files need
not be read again. A file that was overwritten with another of the same size, and whose time of
change was set back, cannot be told from the old one.
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ganbench.data.cache import read_text, write_text
from ganbench.data.image_file import unreadable
from ganbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ganbench.data.imagefolder import ImageFolder

__all__ = ["hash_files"]

_CHUNK = 64  # files per task of a thread
_MOST_THREADS = 8


def hash_files(
    folder: ImageFolder, cache_root: Path, report: Callable[[str, int, int], None]
) -> str:
    """Hash labels, names and contents of all files of an image folder to 16 hexadecimal digits.

    Args:
        folder: What `scan` found.
        cache_root: Its folder `contents` holds one index per image folder; where it cannot be
            written, all files are read again the next time.
        report: Called with the progress, where there are files to read.

    Raises:
        DataError: A file cannot be read.
    """
    index = cache_root / "contents" / f"{_short(folder.spec.name, *_places(folder))}.json"
    known, count = _read(index), len(folder.files)
    rows: list[tuple[str, list[Any], bool]] = []

    def work(start: int) -> list[tuple[str, list[Any], bool]]:
        return [_row(path, known) for path, _ in folder.files[start : start + _CHUNK]]

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        for part in pool.map(work, range(0, count, _CHUNK)):
            rows += part
            if any(is_new for _, _, is_new in part):
                report(f"hashing the files of {folder.spec.name}", len(rows), count)
    if any(is_new for _, _, is_new in rows):
        with suppress(DataError):
            text = json.dumps({path: row for path, row, _ in rows}, separators=(",", ":"))
            write_text(index, text)
    digest = hashlib.sha256(f"{folder.spec.train_count}".encode())
    for (path, label), (_, row, _) in zip(folder.files, rows, strict=True):
        digest.update(json.dumps([label, path.name, row[-1]]).encode())
    return digest.hexdigest()[:16]


def _row(path: Path, known: dict[str, list[Any]]) -> tuple[str, list[Any], bool]:
    """A file's path; its size, time of change and hash; and whether the hash is new."""
    try:
        status = path.stat()
        stamp, row = [status.st_size, status.st_mtime_ns], known.get(str(path))
        if row is not None and row[:2] == stamp:
            return str(path), row, False
        return str(path), [*stamp, _short(path.read_bytes())], True
    except OSError as error:
        raise unreadable(path, error) from error


def _read(index: Path) -> dict[str, list[Any]]:
    """The rows of an index; none where there is no usable one."""
    try:
        stored = json.loads(read_text(index) or "{}")
    except ValueError:
        return {}
    rows = stored.items() if isinstance(stored, dict) else ()
    return {path: row for path, row in rows if isinstance(row, list) and len(row) == 3}  # noqa: PLR2004


def _places(folder: ImageFolder) -> tuple[str, str]:
    return str(folder.files[0][0].parent), str(folder.files[-1][0].parent)


def _short(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else os.fsencode(part))
    return digest.hexdigest()[:16]

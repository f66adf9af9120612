"""Files that can be computed again: written whole or not at all, and checked when they are read."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import DataError
from ganbench.machine import whole_files
from ganbench.machine.checksums import damage, seal, sealed_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAPPED_BLOCKS",
    "UNREADABLE",
    "clean",
    "folder",
    "is_intact",
    "read_text",
    "say_damaged",
    "whole",
    "write_text",
]

UNREADABLE = (Exception,)
"""What `torch.load` and the use of what it gives raise where a file is missing or damaged.

Its unpickler acts on whatever bytes it is given, so that this may be any error, from `ValueError`
and `IndexError` to `struct.error`. Requests to stop are no `Exception` and come through.
"""

MAPPED_BLOCKS = 256
"""MiB that are checked of a file that is mapped into memory: all of most, some of the largest."""

_LOG = logging.getLogger(__name__)


def folder(path: Path) -> Path:
    """Make a folder of the cache and see that files can be written in it.

    Raises:
        DataError: They cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def whole(final: Path, *, sealed: bool = False) -> Iterator[Path]:
    """Give a temporary path to write a file at; rename it to `final` at the end.

    A reader sees nothing or all of it, also when several processes write the same file. After an
    error nothing is left.

    Args:
        final: Where the file is to be; its folder is made.
        sealed: Whether to put checksums behind its content, for `is_intact`.

    Raises:
        DataError: The cache cannot be written.
    """
    folder(final.parent)
    try:
        with whole_files.whole(final) as temporary:
            yield temporary
            if sealed:
                seal(temporary)
    except OSError as error:
        raise _unwritable(final.parent, error) from error


def is_intact(path: Path, most_blocks: int | None = None) -> bool:
    """Whether a sealed file is there and its checksums fit; where they do not, that is said.

    Args:
        path: The file.
        most_blocks: Check no more than so many MiB of it; all if left out.
    """
    try:
        why = damage(path, most_blocks)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        say_damaged(path, why)
    return not why


def say_damaged(path: Path, why: str) -> None:
    """Say in one line that a file of the cache is computed again."""
    _LOG.warning("the cache's %s is not used (%s): it is computed again", path, why)


def read_text(path: Path) -> str | None:
    """The text that `write_text` has written; None where there is none, or it is damaged."""
    try:
        return text_of(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        say_damaged(path, " ".join(str(error).split()))
        return None


def write_text(path: Path, text: str) -> None:
    """Write a text with its checksum.

    Raises:
        DataError: The cache cannot be written.
    """
    with whole(path) as temporary:
        temporary.write_text(sealed_text(text), encoding="utf-8")


def clean(root: Path) -> None:
    """Remove what processes that were killed have left half-written in the folders of a cache."""
    try:
        folders = [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return
    whole_files.remove_leftovers([root, *folders])


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"the cache {path} cannot be written ({error.strerror or error}): "
        "name a writable folder in the environment variable GANBENCH_CACHE"
    )

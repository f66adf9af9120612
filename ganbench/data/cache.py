"""Files that can be computed again: written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNREADABLE", "folder", "whole"]

UNREADABLE = (Exception,)
"""What `torch.load` and the use of what it gives raise where a file is missing or damaged.

Its unpickler acts on whatever bytes it is given, so that this may be any error, from `ValueError`
and `IndexError` to `struct.error`. Requests to stop are no `Exception` and come through.
"""


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
def whole(final: Path) -> Iterator[Path]:
    """Give a temporary path to write a file at; rename it to `final` at the end.

    A reader sees nothing or all of it, also when several processes write the same file. After an
    error nothing is left.

    Raises:
        DataError: The cache cannot be written.
    """
    scratch = Path(tempfile.mkdtemp(dir=folder(final.parent), prefix=f".{final.name}."))
    temporary = scratch / final.name
    try:
        yield temporary
        temporary.replace(final)
    except OSError as error:
        raise _unwritable(final.parent, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"the cache {path} cannot be written ({error.strerror or error}): "
        "name a writable folder in the environment variable GANBENCH_CACHE"
    )

"""Files as bytes that travel to another machine, and are written whole there."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ganbench.errors import GanbenchError
from ganbench.machine.whole_files import is_temporary, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Stamps", "files_below", "pack", "stamps", "unpack"]

Stamps = dict[str, tuple[int, int]]
"""When files were last changed, in nanoseconds, and their sizes, by name."""


def files_below(folder: Path) -> list[Path]:
    """All files in a folder and the folders below it, but for half-written ones and links."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not is_temporary(path.name)
    ]


def stamps(folder: Path) -> Stamps:
    """The stamps of all files below a folder, by their names in it; of those that vanish, none."""
    found: Stamps = {}
    for path in files_below(folder):
        with suppress(OSError):
            status = path.stat()
            found[path.relative_to(folder).as_posix()] = (status.st_mtime_ns, status.st_size)
    return found


def pack(files: Mapping[str, Path]) -> bytes:
    """Put files into one parcel, under some names with `/` between folders.

    A file that is not there any more is left out.

    Raises:
        OSError: A file cannot be read.
    """
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as parcel:
        for name, path in files.items():
            with suppress(FileNotFoundError):
                content = path.read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                parcel.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def unpack(parcel: bytes, folder: Path) -> list[str]:
    """Write the files of a parcel below a folder, each whole or not at all; return their names.

    Raises:
        GanbenchError: A name leads out of the folder.
        OSError: A file cannot be written.
    """
    names = []
    with tarfile.open(fileobj=io.BytesIO(parcel), mode="r") as opened:
        for entry in opened:
            content = opened.extractfile(entry) if entry.isfile() else None
            if content is None or not _is_inside(entry.name):
                raise GanbenchError(f"a parcel holds {entry.name!r}, which is no file of its own")
            path = folder / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content.read())
            names.append(entry.name)
    return names


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and not {"..", ""} & set(parts) and (
        "\\" not in name and ":" not in parts[0]
    )  # fmt: skip


def total_bytes(files: Iterable[Path]) -> int:
    """The size of some files together."""
    return sum(path.stat().st_size for path in files)

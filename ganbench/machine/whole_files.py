"""Files written whole or not at all, under temporary names that say which process writes them."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import shutil
import socket
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Buffer

__all__ = ["flush", "is_temporary", "remove_leftovers", "save_torch", "whole", "write_whole"]

_PREFIX = ".part-"
_DEVICES = Path("/dev")
_DAY_SECONDS = 24 * 60 * 60


@contextmanager
def whole(final: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `final` to write at; rename it to `final` at the end.

    A reader sees the old file or the new one, never a part, also when several processes write the
    same file. After an error nothing of the new one is left. The temporary name has the ending of
    the final one, by which libraries choose a format.

    Args:
        final: Its folder has to be there.
        durable: Whether the file is on the disk itself before it is renamed, so that a power cut
            leaves the old file or the new one.

    Raises:
        OSError: The file cannot be written, or `final` is a device, a pipe or a socket, which would
            be gone once a file has its name.
    """
    _refuse_special(final)
    name = f"{_PREFIX}{_machine()}-{os.getpid()}-{secrets.token_hex(4)}{final.suffix}"
    temporary = final.with_name(name)
    try:
        yield temporary
        if durable:
            flush(temporary)
        temporary.replace(final)
        if durable:
            flush(final.parent)
    except BaseException:
        with suppress(OSError):
            _remove(temporary)
        raise


def _refuse_special(final: Path) -> None:
    """See that a file may be put in the place of what is there: a file, a link or nothing.

    Raises:
        OSError: It is something else, or lies among the devices of the system.
    """
    with suppress(FileNotFoundError):
        mode = final.lstat().st_mode
        usual = stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)
        if final.parent == _DEVICES or not usual:
            raise OSError(errno.EINVAL, "it is a device or a pipe, and no file", str(final))


def write_whole(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all, as `whole` does.

    Raises:
        OSError: It cannot be written.
    """
    with whole(path, durable=durable) as temporary:
        temporary.write_bytes(content)


def flush(path: Path) -> None:
    """Have what was written to a file, or the names in a folder, put on the disk itself.

    Until then the system holds it in memory, and may bring it to the disk in any order.

    Raises:
        OSError: The disk does not take a file. Folders are flushed where the system can do that.
    """
    if path.is_dir():
        with suppress(OSError):
            _flush(os.open(path, os.O_RDONLY))
    elif path.is_file():  # a pipe would be waited for
        _flush(os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY))


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_torch(values: Any, path: Path) -> None:
    """Write what `torch.load` reads, to a path from `whole`.

    torch writes to an open file here, whose errors say what is wrong. A full disk, and a request to
    stop, make torch's own writer raise a `RuntimeError` about positions in the file.

    Raises:
        OSError: It cannot be written.
        BaseException: A request to stop that came meanwhile.
    """
    import torch

    with _File(io.FileIO(path, "wb")) as file:
        try:
            torch.save(values, file)
        except RuntimeError as error:
            raise _behind(error) or file.error or _in_one_line(error) from error


def _behind(error: BaseException) -> BaseException | None:
    """A request to stop behind an error: torch replaces what is raised while it writes."""
    before = error.__context__
    if before is None or not isinstance(before, Exception):
        return before
    return _behind(before)


def _in_one_line(error: RuntimeError) -> OSError:
    return OSError(str(error).partition("\n")[0])


class _File(io.BufferedWriter):
    """A file that keeps the first error of writing to it."""

    error: OSError | None = None

    def write(self, content: Buffer, /) -> int:
        """Write as any file does."""
        try:
            return super().write(content)
        except OSError as error:
            self.error = self.error or error
            raise


def is_temporary(name: str) -> bool:
    """Whether a file of this name is half-written, or left behind by a process that was killed."""
    return name.startswith(_PREFIX)


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Remove temporary files of processes that are gone; return how many were removed.

    Whether a process of another machine or container is gone cannot be asked here: what such a one
    wrote is removed a day after it was last changed.

    Args:
        folders: Where to look, without the folders below them; some may be missing.
    """
    count = 0
    for folder in folders:
        with suppress(OSError):
            for entry in [entry for entry in os.scandir(folder) if is_temporary(entry.name)]:
                if _is_leftover(Path(entry.path)):
                    with suppress(OSError):
                        _remove(Path(entry.path))
                        count += 1
    return count


def _is_leftover(path: Path) -> bool:
    """Whether nobody writes a temporary file any more."""
    machine, _, rest = path.name.removeprefix(_PREFIX).partition("-")
    number = rest.partition("-")[0]
    if machine == _machine() and number.isdecimal():
        return not psutil.pid_exists(int(number))
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > _DAY_SECONDS
    return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _machine() -> str:
    """Eight digits for the place whose process numbers are ours: the host, or a container on it."""
    space = ""
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:8]

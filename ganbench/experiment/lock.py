"""The lock on a results folder: one command at a time works in it."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ganbench.errors import UsageError
from ganbench.machine.whole_files import is_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LOCK_FILE", "is_empty", "locked", "run_locked"]

LOCK_FILE = ".ganbench.lock"
_LONGEST_WAIT_SECONDS = 120.0
_READ_CHARACTERS = 200


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock on a results folder, which is made if it is not there.

    The system takes the lock back when the process ends, however it ends. The file says who holds
    it, and is removed at the end.

    Raises:
        UsageError: Another command works in the folder, or no file can be written in it.
    """
    file = folder / LOCK_FILE
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            f"{folder} is in use by another command ({_holder(file)}): wait until it has ended, "
            "or give another folder with --out"
        ) from error
    except OSError as error:
        raise UsageError(
            f"results cannot be written to {folder}: {error.strerror or error}; "
            "give a writable folder with --out"
        ) from error
    try:
        with suppress(OSError):  # a full disk: the lock holds without a name
            file.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        _give_back(lock, file)
        if is_new:
            with suppress(OSError):  # unless something was written
                folder.rmdir()


def is_empty(folder: Path) -> bool:
    """Whether a folder is not there, or holds nothing but a lock and half-written files."""
    return not folder.is_dir() or all(
        path.name == LOCK_FILE or is_temporary(path.name) for path in folder.iterdir()
    )


@contextmanager
def run_locked(file: Path, seconds: float = _LONGEST_WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock on one run, which its process takes.

    Where a command was killed, the process of its run may still be saving: this waits for it.

    Args:
        file: Of the lock; its folder has to be there.
        seconds: The longest wait.

    Raises:
        UsageError: The other process has not ended in time, or the lock cannot be written.
    """
    try:
        lock = FileLock(file)
        lock.acquire(timeout=seconds)
    except Timeout as error:
        raise UsageError(
            f"{file.name.strip('.').removesuffix('.lock')} is still being saved by a process that "
            f"an earlier command has left behind, for {seconds:.0f} seconds: end that process, "
            "then give the same command again"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror or error}; once it can, the same command "
            "with --out goes on"
        ) from error
    try:
        yield
    finally:
        _give_back(lock, file)


def _give_back(lock: FileLock, file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)  # whoever waits for it sees that it is gone, and makes another
    with suppress(OSError):
        lock.release()


def _holder(file: Path) -> str:
    """Who holds a lock, as its file says."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            text = opened.read(_READ_CHARACTERS)
    except OSError:
        text = ""
    return " ".join(text.split()) or "it does not say which"

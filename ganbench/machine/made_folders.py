"""Folders that this command has made, and removes again where it is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["forget", "note", "remove_empty"]

_made: list[Path] = []  # of this process, which carries out one command


def note(path: Path) -> None:
    """Note a folder that is about to be made, and those around it that are not there either."""
    _made.extend(each for each in (path, *path.parents) if not each.exists())


def forget() -> None:
    """Note nothing any more: what was made stays."""
    _made.clear()


def remove_empty() -> None:
    """Remove the noted folders that are empty, and forget them."""
    for path in _made:
        with suppress(OSError):  # not empty, or gone
            path.rmdir()
    forget()

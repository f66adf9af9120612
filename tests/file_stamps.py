"""Whether files were written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """Each file in a folder, with its inode and the time of its last change in nanoseconds."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

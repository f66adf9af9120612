"""Tables of runs that cannot be read, each named in one line; the report does without them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ganbench.report.recorded import read_history, read_scores
from ganbench.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.report.gather import Results

__all__ = ["damaged_tables", "with_damaged_tables"]

_MOST_CHECKED = 100  # runs


def damaged_tables(results: Results) -> tuple[str, ...]:
    """One line on each `history.csv` and `scores.csv` that is there and cannot be read.

    Those of the first hundred runs are looked at: of thousands, charts need no more.
    """
    tables = [
        (path, read)
        for entry in results.entries[:_MOST_CHECKED]
        for path, read in ((entry.run.history, read_history), (entry.run.scores, read_scores))
    ]
    return tuple(
        f"{visible(str(path))} cannot be read as a table of numbers; the report does without it"
        for path, read in tables
        if path.exists() and read(path) is None and not _has_no_rows(path)
    )


def with_damaged_tables(results: Results) -> Results:
    """The same results, whose notes name their damaged tables too."""
    return replace(results, notes=(*results.notes, *damaged_tables(results)))


def _has_no_rows(path: Path) -> bool:
    """Whether a table has heads alone, as that of a run which failed before its first step."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(10_000)
    return head.startswith(b"step,") and not head.partition(b"\n")[2].strip()

"""Whether the modes of a generator collapsed while it trained, or were never there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["POSITION", "collapse"]

POSITION = ("step", "epoch", "images_seen", "seconds")
_LOST = 0.5  # of the classes covered at best, gone for good
_LEAST = 2  # classes that must have been there to be lost
_HALF = 0.5  # of all classes, which a generator covers at some time unless it is collapsed


def collapse(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | bool | None] | None:
    """Where modes collapsed: lost during training, or never there.

    They were lost where more than half of the classes covered at best were gone until the end.
    They were collapsed from the start where no evaluation found half of all classes covered.

    Args:
        rows: In the order of the steps, with `modes_covered`; `modes_total` where it is known.

    Returns:
        Position of the first evaluation of a loss that lasted to the end, or of the first of all
        with `from_start` true; `most`, the classes covered at best, and `total`, those that there
        are. None where nothing collapsed.
    """
    covered = [row.get("modes_covered") for row in rows]
    counts = [0.0 if count is None else float(count) for count in covered]
    total = next((row["modes_total"] for row in rows if row.get("modes_total")), None)
    most = max(counts, default=0.0)
    if total is not None and most < _HALF * total and any(n is not None for n in covered):
        return {**_of(rows[0]), "from_start": True, "most": most, "total": total}
    for place, row in enumerate(rows):
        before = max(counts[:place], default=0.0)
        if before >= _LEAST and all(count < _LOST * before for count in counts[place:]):
            return {**_of(row), "from_start": False, "most": most, "total": total}
    return None


def _of(row: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: row[name] for name in POSITION}

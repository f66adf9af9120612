"""Reference rows of a comparison: held-out real images, an untrained generator and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report import columns
from ganbench.report.formatting import number, share_of, shown
from ganbench.report.tables import Cell, csv_text
from ganbench.scoring.metrics.constants import HELD_OUT, HELD_OUT_POINTS, NOISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = [
    "NOISE_MARK",
    "NOISE_NOTE",
    "REFERENCE_NOTE",
    "REFERENCE_NOTE_OF_POINTS",
    "ReferenceRow",
    "is_no_better_than_noise",
    "noise_to_beat",
    "reference_cells",
    "references_csv",
    "references_of",
]

REFERENCE_NOTE = (
    "Below the line: what held-out real images score, the best there is, where they are brought to "
    "the size that variants train at and back; what a generator scores before its first step; and "
    "what noise scores."
)
REFERENCE_NOTE_OF_POINTS = (
    "Below the line: what held-out real points score, the best there is; what a generator scores "
    "before its first step; and what noise scores."
)
NOISE_MARK = "‡"
"""Marks a score that is no better than that of noise."""
NOISE_NOTE = f"{NOISE_MARK} no better than noise"
_THROUGH = " through "
_GROUP = ("dataset", "device", "device_name", "protocol")


@dataclass(frozen=True)
class ReferenceRow:
    """What stands beside the variants.

    Attributes:
        name: What was scored.
        images: How many images, or points.
        scores: By name; None where a score does not apply.
        unit: `images` or `points`.
    """

    name: str
    images: int
    scores: dict[str, float | None]
    unit: str = "images"

    @property
    def count(self) -> str:
        """The number of images or points, for people."""
        return f"{number(self.images)} {self.unit}"

    @property
    def short(self) -> str:
        """The name in as few letters as a chart has room for: `held-out, 64×64`, `untrained`."""
        size = self.name.partition(_THROUGH)[2]
        return ", ".join(filter(None, (self.name.split()[0], size)))

    @property
    def is_real(self) -> bool:
        """Whether real images were scored."""
        return self.name.startswith((HELD_OUT, HELD_OUT_POINTS))


def references_of(group: Group) -> list[ReferenceRow]:
    """The reference rows of all runs of a group, each once: real images first, noise last."""
    return group.once(("references",), lambda: _references_of(group))


def _references_of(group: Group) -> list[ReferenceRow]:
    stored: dict[str, Any] = {}
    for entry in group.finished:
        stored |= {name: row for name, row in entry.result.references.items() if name not in stored}
    rows = [
        ReferenceRow(name, row["images"], row["scores"], group.unit) for name, row in stored.items()
    ]
    return sorted(rows, key=lambda row: (not row.is_real, row.name == NOISE, row.name))


def noise_to_beat(group: Group) -> dict[str, float]:
    """What noise scores, by name, where every row of real images beats it.

    Of other scores it says nothing: noise has few near-duplicates too.
    """
    rows = references_of(group)
    real = [row.scores for row in rows if row.is_real]
    noise = next((row.scores for row in rows if row.name == NOISE), {})
    return {
        name: value
        for name, value in noise.items()
        if value is not None and real and all(_beats(some.get(name), value, name) for some in real)
    }


def is_no_better_than_noise(mean: float, name: str, noise: dict[str, float]) -> bool:
    """Whether a mean of a score does not beat that of noise, from `noise_to_beat`."""
    return name in noise and not _beats(mean, noise[name], name)


def _beats(value: float | None, other: float, name: str) -> bool:
    """Whether a value of a score is better than another one."""
    direction = columns.column(name).direction
    if value is None or not direction:
        return False
    if direction == "one":
        return abs(value - 1) < abs(other - 1)
    return value > other if direction == "higher" else value < other


def reference_cells(group: Group, row: ReferenceRow, names: Sequence[str]) -> tuple[Cell, ...]:
    """The row's entries in some columns; empty where a column is no score."""
    cells = []
    for name in names:
        value = row.scores.get(name)
        if not isinstance(value, int | float):
            cells.append(Cell())
        elif name.startswith("modes_covered"):
            cells.append(Cell(share_of(value, group.modes_total)))
        else:
            cells.append(Cell(shown(value, columns.column(name))))
    return tuple(cells)


def references_csv(results: Results) -> str | None:
    """One row per reference row and protocol; None where no run has any."""
    names = columns.score_names(results.records)
    rows = [
        [
            row.name,
            row.images,
            *(getattr(group, part) for part in _GROUP),
            *(row.scores.get(name) for name in names),
        ]
        for group in results.groups
        for row in references_of(group)
    ]
    return csv_text(["reference", "images", *_GROUP, *names], rows) if rows else None

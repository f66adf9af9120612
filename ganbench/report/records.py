"""A table of a report as plain records, before a template lays it out."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cell", "Table"]


@dataclass(frozen=True)
class Cell:
    """One number over seeds; `spread` and `interval` are empty for one seed."""

    mean: str = ""
    spread: str = ""
    interval: str = ""


@dataclass(frozen=True)
class Table:
    """Numbers by variant.

    Attributes:
        caption: What they are.
        heads: Heads of the columns after the variant and the number of seeds.
        rows: Label, seeds that ended well, seeds in all, and a cell a head.
        note: How they came about, where the section does not say it.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, int, int, tuple[Cell, ...]], ...]
    note: str = ""

"""A sweep as a table, in Markdown cells and on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from ganbench.report.formatting import in_unit, number
from ganbench.throughput.curve import KNEE_SHARE
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.throughput.curve import Row

__all__ = ["HEADS", "cells_of", "prefixed", "terminal_table"]

HEADS = (
    "variant", "batch", "images/s", "step p50", "step p95", "FLOP/image", "FLOP/s",
    "of the peak", "FLOP/byte", "peak memory", "images",
)  # fmt: skip
_ON_TERMINALS = (0, 1, 2, 3, 4, 5, 7, 9)  # columns that find room in 80 characters
_PREFIXES = ("", "k", "M", "G", "T", "P")
_STYLES = {"ok": "", "out of memory": "yellow", "skipped": "dim", "failed": "red"}


def prefixed(value: float, unit: str) -> str:
    """A large number with its unit's prefix: `2.27 GFLOP`."""
    power = min(max(0, int(math.log10(value) // 3)), len(_PREFIXES) - 1) if value >= 1 else 0
    return f"{number(value / 1000**power)} {_PREFIXES[power]}{unit}"


def cells_of(row: Row) -> list[str]:
    """Cells of a row after the variant's name; a status takes the place of a missing rate."""
    point = row.point

    def shown(value: float | None, unit: str) -> str:
        return "" if value is None else in_unit(value, unit)

    def large(value: float | None, unit: str) -> str:
        return "" if value is None else prefixed(value, unit)

    share, intensity = row.share_of_peak, row.arithmetic_intensity
    return [
        "" if point.batch_size is None else f"{point.batch_size:,}",
        shown(point.images_per_second, "") if point.status == "ok" else point.status,
        shown(point.step_seconds_median, "s"),
        shown(point.step_seconds_p95, "s"),
        large(point.flops_per_image, "FLOP"),
        large(row.achieved_flops, "FLOP/s"),
        "" if share is None else f"{share:.0%}",
        "" if intensity is None else number(intensity),
        shown(point.peak_memory_bytes, "bytes"),
        row.images,
    ]


def terminal_table(rows: Sequence[Row]) -> Table:
    """One row per point; the knee is bold."""
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
        caption=f"bold: the knee, the smallest batch at {KNEE_SHARE:.0%} of the best images/s; "
        "beyond the largest there may be more",
        caption_justify="left",
    )  # fmt: skip
    for place in _ON_TERMINALS:
        justify: Literal["left", "right"] = "right" if place else "left"
        table.add_column(HEADS[place].replace(" ", "\n", 1), justify=justify, no_wrap=True)
    last = ""
    for row in rows:
        name = "" if row.point.variant == last else row.point.variant
        last = row.point.variant
        style = "bold" if row.is_knee else _STYLES[row.point.status]
        cells = cells_of(row)
        table.add_row(
            Text(visible(name)),
            *(Text(cells[place - 1], style=style) for place in _ON_TERMINALS[1:]),
        )
    return table

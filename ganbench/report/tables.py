"""Tables: runs.csv and summary.csv for programs, records for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from ganbench.report import columns
from ganbench.report.comparison.statistics import method_for
from ganbench.visible import spreadsheet_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ganbench.experiment.result import RunResult
    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["Cell", "SeedRow", "Table", "csv_text", "runs_csv", "summary_csv"]


@dataclass(frozen=True)
class Cell:
    """One number over seeds; `spread` and `interval` are empty for one seed.

    `remark` says on how many seeds it stands where the row has more, `value` is the mean as a
    number, and `is_best` says that it is the best of its column or not resolved from the best.
    """

    mean: str = ""
    spread: str = ""
    interval: str = ""
    remark: str = ""
    value: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class SeedRow:
    """One run below the row of its variant: its seed, its status, its folder and its numbers."""

    seed: int
    status: str
    path: Path
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Numbers by variant.

    Attributes:
        caption: What they are.
        heads: Heads of the columns after the variant and the number of seeds.
        rows: Label, seeds that completed, seeds that were started, and one cell per head.
        note: How they were measured, where the section does not say it.
        references: Rows of what stands beside the variants: name, number of images, and one cell
            per head.
        names: Name of each column in runs.csv, empty for one that is not there; none where the
            table has no such columns.
        seeds: The runs of each row, by its label; empty where there are too many to list.
        is_last: Whether it is about the running of the code rather than about what came out.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, int, int, tuple[Cell, ...]], ...]
    note: str = ""
    references: tuple[tuple[str, str, tuple[Cell, ...]], ...] = ()
    names: tuple[str, ...] = ()
    seeds: Mapping[str, tuple[SeedRow, ...]] = field(default_factory=dict)
    is_last: bool = False

    @property
    def has_best(self) -> bool:
        """Whether any of its numbers is the best of a column."""
        return any(cell.is_best for *_, cells in self.rows for cell in cells)


def runs_csv(results: Results) -> str:
    """One row per run; a number that does not apply is empty."""
    records = results.records
    names = columns.run_columns(records)
    by_column = [columns.values(records, name) for name in names]
    return csv_text(names, list(map(list, zip(*by_column, strict=True))))


def summary_csv(results: Results) -> str:
    """One row per variant, dataset, device and protocol.

    `runs` counts the runs that were started and `n` those that completed, over which every number
    of the row is taken; `completed_share` is their ratio. Each score and
    timing has five columns: `<name>_n` (smaller than n where a score did not apply to a run), mean,
    std, and the ends of the 95% interval, whose method is named in `interval_method` (a score with
    fewer values than n takes the method for its own count).
    """
    names = columns.measured(results.records)
    heads = [
        "variant", "dataset", "device", "device_name", "protocol", "backbone", "budget",
        "runs", "n", "completed_share", "diverged", "failed", "skipped", "interval_method",
        "timing_shared",
    ]  # fmt: skip
    parts = [
        f"{name}_{part}" for name in names for part in ("n", "mean", "std", "ci_low", "ci_high")
    ]
    rows = [
        _summary_row(group, label, names) for group in results.groups for label in group.all_labels
    ]
    return csv_text([*heads, *parts], rows)


def _summary_row(group: Group, label: str, names: list[str]) -> list[Any]:
    records = [entry.result for entry in group.started(label)]
    counts = [
        sum(r.status == status for r in records)
        for status in ("ok", "diverged", "failed", "skipped")
    ]
    row: list[Any] = [
        label, group.dataset, group.device, group.device_name, group.protocol, group.backbone,
        records[0].budget, len(records), counts[0], counts[0] / len(records), *counts[1:],
        method_for(counts[0]), _shared(records),
    ]  # fmt: skip
    for name in names:
        one = group.estimate(label, name)
        row += [one.n, one.mean, one.std, one.low, one.high] if one else [None] * 5
    return row


def _shared(records: list[RunResult]) -> bool | None:
    """Whether any speed among these was measured while other runs went on; None without speeds."""
    flags = [record.timing_shared for record in records if record.status == "ok"]
    return any(flags) if any(flag is not None for flag in flags) else None


def csv_text(names: list[str], rows: list[list[Any]]) -> str:
    """Rows as CSV text: None is empty, floats are written to the last bit, no text is a formula."""
    # Objects keep whole numbers whole beside empty entries, and floats at full precision.
    heads = [spreadsheet_text(name) for name in names]
    cells = [[spreadsheet_text(cell) for cell in row] for row in rows]
    return str(
        pd.DataFrame(cells, columns=heads, dtype=object).to_csv(index=False, lineterminator="\n")
    )

"""Tables of numbers by variant: means with intervals, the best of each column, and single runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.ranking import best_labels
from ganbench.report.formatting import interval, share_of, shown, spread
from ganbench.report.over_training import over_training_tables
from ganbench.report.references import (
    NOISE_MARK,
    NOISE_NOTE,
    REFERENCE_NOTE,
    REFERENCE_NOTE_OF_POINTS,
    is_no_better_than_noise,
    noise_to_beat,
    reference_cells,
    references_of,
)
from ganbench.report.scale import MOST_SEEDS_DRAWN
from ganbench.report.tables import Cell, SeedRow, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["number_tables"]


def number_tables(
    group: Group, rows: Group, further: Sequence[str], primary: str, *, lists_seeds: bool
) -> tuple[Table, ...]:
    """All tables of a group's numbers, those on the running of the code last.

    Args:
        group: All variants, among which the best are found.
        rows: Those that have a row.
        further: The scores beyond the main ones.
        primary: The primary score.
        lists_seeds: Whether single runs may be listed; they are where no variant has very many.
    """
    made = (
        _quality_table(rows),
        _with_references(rows, _table(rows, "Further scores", further), further),
        _table(rows, "Speed and cost", (*columns.SPEED, *columns.SIZE)),
        *over_training_tables(rows),
        _table(rows, "Phases of a step", columns.PHASES, is_last=True),
        _table(rows, "Outside the training clock", columns.OUTSIDE, is_last=True),
    )
    tables = [_with_best(group, table, primary) for table in made if table is not None]
    if lists_seeds and all(len(rows.started(label)) <= MOST_SEEDS_DRAWN for label in rows.labels):
        tables = [_with_seeds(rows, table) for table in tables]
    return tuple(tables)


def _with_best(group: Group, table: Table, primary: str) -> Table:
    """The table with the best of each column marked, and those that are not resolved from it."""
    if not table.names:
        return table
    best = {name: best_labels(group, name, primary) for name in table.names if name}
    rows = [
        (
            label,
            good,
            started,
            tuple(
                replace(cell, is_best=bool(cell.mean) and label in best.get(name, ()))
                for name, cell in zip(table.names, cells, strict=True)
            ),
        )
        for label, good, started, cells in table.rows
    ]
    return replace(table, rows=tuple(rows))


def _with_seeds(group: Group, table: Table) -> Table:
    """The table with the numbers of each run below its row."""
    if not any(table.names):
        return table
    seeds = {
        label: tuple(
            SeedRow(
                entry.result.seed,
                entry.result.status,
                entry.run.path,
                tuple(_of_run(group, entry, name) for name in table.names),
            )
            for entry in group.started(label)
        )
        for label, *_ in table.rows
    }
    return replace(table, seeds=seeds)


def _of_run(group: Group, entry: Entry, name: str) -> str:
    """One run's number in a column; empty where it does not apply."""
    value = columns.value(entry.result, name) if name else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if name.startswith("modes_covered"):
        return share_of(value, group.modes_total)
    return shown(value, columns.column(name))


def _table(
    group: Group, caption: str, names: Sequence[str], *, is_last: bool = False
) -> Table | None:
    shown_names = group.present(names)
    if not shown_names:
        return None
    shown_columns = [columns.column(name) for name in shown_names]
    heads = [f"{column.heading(group.backbone)} {column.arrow}".strip() for column in shown_columns]
    noise = noise_to_beat(group)
    rows = [
        (
            label,
            *group.completed(label),
            tuple(_cell(group, label, column, noise) for column in shown_columns),
        )
        for label in group.all_labels
    ]
    note = group.timing_note if set(shown_names) & set(columns.TIMED) else ""
    return Table(
        caption, tuple(heads), tuple(rows), note, names=tuple(shown_names), is_last=is_last
    )


def _quality_table(group: Group) -> Table | None:
    """The main scores, and beside them who keeps a moving average, where not all or none do."""
    table = _table(group, "Quality and diversity", columns.MAIN)
    table = _with_references(group, table, columns.MAIN)
    if table is None or not group.averages_differ:
        return table
    rows = [
        (label, good, started, (Cell(group.average_text(label)), *cells))
        for label, good, started, cells in table.rows
    ]
    references = tuple((name, count, (Cell(), *cells)) for name, count, cells in table.references)
    heads = ("Moving average", *table.heads)
    names = ("", *table.names)
    return replace(table, heads=heads, rows=tuple(rows), references=references, names=names)


def _with_references(group: Group, table: Table | None, names: Sequence[str]) -> Table | None:
    """The table of some scores, with what stands beside the variants."""
    rows = references_of(group)
    if table is None or not rows:
        return table
    shown_names = group.present(names)
    below = REFERENCE_NOTE_OF_POINTS if group.is_of_points else REFERENCE_NOTE
    return replace(
        table,
        note=" ".join(filter(None, (table.note, below, _noise_note(table)))),
        references=tuple(
            (row.name, row.count, reference_cells(group, row, shown_names)) for row in rows
        ),
    )


def _noise_note(table: Table) -> str:
    cells = (cell for *_, row in table.rows for cell in row)
    return f"{NOISE_NOTE}." if any(NOISE_MARK in cell.mean for cell in cells) else ""


def _cell(group: Group, label: str, column: columns.Column, noise: dict[str, float]) -> Cell:
    estimate, completed = group.estimate(label, column.name), len(group.of(label))
    if estimate is None:
        return Cell()
    text = shown(estimate.mean, column)
    if column.name.startswith("modes_covered"):
        text = share_of(estimate.mean, group.modes_total)
    if group.is_shared(label, column.name):
        text = f"{text} {columns.SHARED_MARK}"
    if is_no_better_than_noise(estimate.mean, column.name, noise):
        text = f"{text} {NOISE_MARK}"
    if estimate.std == 0 and column.name in columns.COUNTS:
        return Cell(text, value=estimate.mean)
    counted = f"({estimate.n} of {completed} seeds)" if estimate.n < completed else ""
    ends = (spread(estimate, column), interval(estimate, column))
    return Cell(text, *ends, counted, value=estimate.mean)

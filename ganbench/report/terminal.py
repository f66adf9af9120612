"""The table that ends a comparison on the terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ganbench.report import columns
from ganbench.report.formatting import number, share_of, shown
from ganbench.report.gather import gather
from ganbench.report.references import (
    NOISE_MARK,
    NOISE_NOTE,
    is_no_better_than_noise,
    noise_to_beat,
    reference_cells,
    references_of,
)

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from ganbench.report.groups import Group

__all__ = ["Summary", "summary_of"]

_COLUMNS = (
    ("images_per_second", "images/s"),
    ("fid", "FID"),
    ("modes_covered", "modes"),
    ("high_quality", "high\nquality"),
    ("mode_kl", "KL"),
    ("diversity", "diversity"),
    ("recall", "recall"),
    ("coverage", "coverage"),
    ("prompt_alignment", "prompt\nalignment"),
    ("manifold_precision", "manifold\nprecision"),
    ("manifold_recall", "manifold\nrecall"),
    ("steps", "steps"),
)
_STYLES = {"ok": "green", "diverged": "yellow", "failed": "red", "skipped": "dim"}
_GAP = 2  # blanks between two columns, of which rich's divider is one


@dataclass(frozen=True)
class Summary:
    """One table per group, each cut into as many parts as the terminal's width needs."""

    groups: tuple[Group, ...]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the tables; rich calls this."""
        for group in self.groups:
            for table in _tables(group, options.max_width, titled=len(self.groups) > 1):
                yield Text()
                yield table


def summary_of(directory: Path) -> Summary:
    """The table that `ganbench.report.summary_table` describes."""
    return Summary(gather([Path(directory)]).groups)


def _tables(group: Group, width: int, *, titled: bool) -> list[Table]:
    """One table, or several where the columns do not fit beside each other."""
    labels, references, noise = group.all_labels, references_of(group), noise_to_beat(group)
    below = [Text(row.count, style="dim") for row in references]
    cells = [("status", [*(_status(group, label) for label in labels), *below])]
    if group.averages_differ:
        averages = [Text(group.average_text(label)) for label in labels]
        cells.append(("moving\naverage", averages + [Text()] * len(references)))
    for name, title in _COLUMNS:
        if group.present([name]):
            column = [_cell(group, label, name, noise) for label in labels]
            for row in references:
                (cell,) = reference_cells(group, row, [name])
                column.append(Text(cell.mean, style="dim"))
            cells.append((_head(group, name, title), column))
    labels = [*labels, *(row.name for row in references)]
    first = max(map(cell_len, ["variant", *labels]))
    parts: list[list[tuple[str, list[Text]]]] = [[]]
    used = first
    for head, column in cells:
        wide = max(_width(head), *(_width(text.plain) for text in column)) + _GAP
        if parts[-1] and used + wide > width:
            parts.append([])
            used = first
        parts[-1].append((head, column))
        used += wide
    tables = [_table(labels, part) for part in parts]
    if titled:
        tables[0].title = Text(group.title)
    texts = [text.plain for _, column in cells for text in column]
    if notes := _notes(group, texts):
        tables[-1].caption = "\n".join(notes)
    return tables


def _notes(group: Group, texts: list[str]) -> list[str]:
    """What stands below the last table, whose cells hold `texts`."""
    notes = ["mean ± standard deviation over the seeds that are ok"] if group.seeds > 1 else []
    if any(group.is_shared(label, _COLUMNS[0][0]) for label in group.labels):
        notes.append(f"{columns.SHARED_MARK} measured while other runs shared the machine")
    if any(NOISE_MARK in text for text in texts):
        notes.append(NOISE_NOTE)
    return notes


def _table(labels: list[str], part: list[tuple[str, list[Text]]]) -> Table:
    table = Table(
        title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False, padding=(0, _GAP - 1, 0, 0),
    )  # fmt: skip
    table.add_column("variant", no_wrap=True)
    for head, _ in part:
        table.add_column(head, justify="left" if head == "status" else "right", no_wrap=True)
    for place, label in enumerate(labels):
        table.add_row(Text(label), *(column[place] for _, column in part))
    return table


def _width(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _head(group: Group, name: str, title: str) -> str:
    title = title.replace("images", group.unit)
    backbone = f"\n({group.backbone})" if name == "fid" and group.backbone else ""
    return f"{title} {columns.column(name).arrow}".strip() + backbone


def _status(group: Group, label: str) -> Text:
    """`ok` for one good run, or `3 of 5 ok` and how many of each other kind below it."""
    counts = Counter(entry.result.status for entry in group.started(label))
    started = sum(counts.values())
    if started == 1:
        (status,) = counts
        return Text(status, style=_STYLES[status])
    parts = [
        Text(f"{counts['ok']} of {started} ok", style=_STYLES["ok" if counts["ok"] else "failed"])
    ]
    parts += [
        Text(f"{count} {status}", style=_STYLES[status])
        for status, count in counts.items()
        if status != "ok"
    ]
    return Text("\n").join(parts)


def _cell(group: Group, label: str, name: str, noise: dict[str, float]) -> Text:
    """The mean, and the standard deviation below it where there are several seeds."""
    estimate = group.estimate(label, name)
    if estimate is None:
        return Text()
    column = columns.column(name)
    text = Text(
        share_of(estimate.mean, group.modes_total)
        if name == "modes_covered"
        else shown(estimate.mean, column)
    )
    if group.is_shared(label, name):
        text.append(f" {columns.SHARED_MARK}")
    if is_no_better_than_noise(estimate.mean, name, noise):
        text.append(f" {NOISE_MARK}")
    if estimate.std is not None and not (estimate.std == 0 and name in columns.COUNTS):
        spread = f"{estimate.std:.3f}" if column.is_share else number(estimate.std, estimate.mean)
        text.append(f"\n± {spread}", style="dim")
    return text

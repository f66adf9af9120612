"""Bars on a terminal: name, bar, share and time left always; details as far as the width allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.progress import Task

__all__ = ["Bars", "details_within", "shortened"]

_BETWEEN = " · "  # the parts of a name, and those of the details
_SMALLEST_BAR = 8
_USUAL_BAR = 12
_SHARE = len("100%")
_LEFT = len("00:00:00 left")
_GAPS = 3
_SMALLEST_NAME = 8
_MINUTE = 60


class Bars(Progress):
    """Bars of which no column that matters is ever cut: in a narrow terminal, details go first.

    Tasks have a field `detail`: what stands behind the bar, in parts that ` · ` separates.
    """

    def get_renderables(self) -> Iterable[RenderableType]:
        """All bars, one below the other."""
        yield _Lines(self.tasks)


class _Lines:
    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = [task for task in tasks if task.visible]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._tasks:
            return
        width = options.max_width
        most = max(_SMALLEST_NAME, width - _SMALLEST_BAR - _SHARE - _LEFT - _GAPS)
        names = [shortened(task.description, most) for task in self._tasks]
        longest = max(map(cell_len, names))
        room = width - longest - _SHARE - _LEFT - _GAPS
        bar = max(1, min(_USUAL_BAR, room))
        table = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        for columns in (longest, bar, _SHARE, _LEFT):
            table.add_column(width=columns, no_wrap=True, overflow="crop")
        detail_width = room - bar - 1
        if detail_width > 0:
            table.add_column(width=detail_width, no_wrap=True, overflow="crop")
        for name, task in zip(names, self._tasks, strict=True):
            cells: list[RenderableType] = [
                Text(name, style="bold"),
                ProgressBar(task.total, task.completed, bar, pulse=task.total is None),
                Text(f"{task.percentage:>3.0f}%" if task.total else ""),
                Text(_time_left(task), style="cyan"),
            ]
            if detail_width > 0:
                cells.append(Text(details_within(task.fields.get("detail", ""), detail_width)))
            table.add_row(*cells)
        yield table


def _time_left(task: Task) -> str:
    """How long a task will take still; how long it has taken where its end is not known."""
    if task.total is None:
        return _clock(task.elapsed or 0)
    left = task.time_remaining
    return f"{_clock(left)} left" if left is not None else ""


def _clock(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{whole:02d}" if hours else f"{minutes}:{whole:02d}"


def shortened(name: str, width: int) -> str:
    """A name within some columns: its middle parts go first, then the first part loses its end.

    The last part, in which the seed of a run stands, is kept as long as it fits.
    """
    if cell_len(name) <= width:
        return name
    first, *others = name.split(_BETWEEN)
    if not others:
        return _cut(name, width)
    last = others[-1]
    short = f"{first}{_BETWEEN}{last}"
    if cell_len(short) <= width:
        return short
    room = width - cell_len(_BETWEEN) - cell_len(last)
    if room >= 2:  # noqa: PLR2004 - a letter and the ellipsis
        return f"{_cut(first, room)}{_BETWEEN}{last}"
    return _cut(last, width)


def _cut(text: str, width: int) -> str:
    """The beginning of a text within some columns, with an ellipsis where something is left out."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def details_within(detail: str, width: int) -> str:
    """As many parts of the details as some columns hold, from the left; none of them is cut."""
    kept = ""
    for part in filter(None, detail.split(_BETWEEN)):
        longer = f"{kept}{_BETWEEN}{part}" if kept else part
        if cell_len(longer) > width:
            break
        kept = longer
    return kept

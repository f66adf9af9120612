"""Live progress on a terminal as bars, elsewhere as a plain line now and then."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Display"]

_PLAIN_INTERVAL_SECONDS = 10.0


class Display(AbstractContextManager["Display"]):
    """Shows what is going on, in one place for all runs.

    Args:
        console: Where to; bars where it is a terminal, plain lines elsewhere.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars: Progress | None = None
        if console.is_terminal:
            self._bars = Progress(
                TextColumn("[bold]{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[detail]}"),
                console=console,
            )
        self._tasks: dict[str, TaskID] = {}
        self._printed: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line, as it is."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def update(self, text: str, done: float, total: float, detail: str = "") -> None:
        """Move the bar named `text`; it appears with its first update and goes when it is full."""
        finished = total > 0 and done >= total
        if self._bars is None:
            self._plain(text, done, total, detail, finished=finished)
            return
        fields: dict[str, Any] = {"completed": done, "total": total or None, "detail": detail}
        if text not in self._tasks:
            self._tasks[text] = self._bars.add_task(text, **fields)
        else:
            self._bars.update(self._tasks[text], **fields)
        if finished:
            self._bars.remove_task(self._tasks.pop(text))

    def report(self, text: str, done: int, total: int) -> None:
        """`update` for those who know no detail."""
        self.update(text, done, total)

    def _plain(self, text: str, done: float, total: float, detail: str, *, finished: bool) -> None:
        now = time.monotonic()
        last = self._printed.setdefault(text, now)  # short work passes without a line
        if finished:
            del self._printed[text]
            if not detail:
                return
        elif now - last < _PLAIN_INTERVAL_SECONDS:
            return
        else:
            self._printed[text] = now
        share = f" {min(1.0, done / total):.0%}" if total else ""
        self.say(f"{text}:{share} {detail}".rstrip())

"""Ctrl-C and SIGTERM as a polite request, so that a run stops between two steps."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["StopRequest", "ask"]

_asked_by_program = threading.Event()


def ask() -> None:
    """Ask everything in this process to stop, as a first interrupt does; not to be undone."""
    _asked_by_program.set()


class StopRequest(AbstractContextManager["StopRequest"]):
    """While it is open, a first interrupt is noted in `asked`; a second Ctrl-C interrupts at once.

    SIGTERM is only ever noted, as a whole group of processes may get it twice. Outside the main
    thread, where signals cannot be caught, nothing is.
    """

    def __init__(self) -> None:
        self._noted = False
        self._previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._noted or _asked_by_program.is_set()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = True

"""Requests to stop: Ctrl-C and SIGTERM, noted between two steps or raised at once."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["StopRequest", "Stopped", "ask", "ignore_requests", "stop_when_asked"]


class Stopped(BaseException):
    """The work was asked to stop, and what is worth keeping has been saved.

    Like `KeyboardInterrupt` it is no `Exception`, so that no library takes it for an error of its
    own and goes on.
    """


def stop_when_asked() -> None:
    """Let this process be stopped by `ask` or SIGTERM, with `Stopped`, and not by Ctrl-C.

    For the process of a job: Ctrl-C reaches all processes of a terminal, and the one that shows
    the command decides what it means.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _raise_stopped)


def ignore_requests() -> None:
    """Let nothing stop this process any more: its work is done."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def ask() -> None:
    """Ask the main thread of this process to stop, as SIGTERM does; called from another thread."""
    thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and thread is not None:
        signal.pthread_kill(thread, signal.SIGTERM)  # also ends a wait for a disk or a network
    else:
        import _thread

        _thread.interrupt_main(signal.SIGTERM)


class StopRequest(AbstractContextManager["StopRequest"]):
    """While it is open, a first interrupt is noted in `asked`; a second Ctrl-C interrupts at once.

    SIGTERM is only ever noted, as a whole group of processes may get it twice. A signal that is
    ignored stays so. Outside the main thread, where signals cannot be caught, nothing is noted.
    """

    def __init__(self) -> None:
        self._noted = False
        self._previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._noted

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = True

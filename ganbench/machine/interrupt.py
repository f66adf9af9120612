"""Requests to stop: Ctrl-C and SIGTERM, noted between two steps or raised at once."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = [
    "CLEANING_SECONDS",
    "StopRequest",
    "Stopped",
    "ask",
    "ignore_requests",
    "sigterm_stops",
    "stop_when_asked",
]


CLEANING_SECONDS = 5.0
"""After a request was raised, how long further ones are not: what is half-written is removed then.

A whole group of processes may get a signal twice.
"""

_raised = -math.inf


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
    if hasattr(signal, "pthread_sigmask"):  # the server that forks processes has them blocked
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))


@contextmanager
def sigterm_stops() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, by an exception: what is half-written is removed.

    Outside the main thread, or where somebody else handles SIGTERM or ignores it, nothing changes.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, _raise_stopped)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def ignore_requests() -> None:
    """Let nothing stop this process any more: its work is done."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    global _raised  # noqa: PLW0603 - signals are the process's own
    now = time.monotonic()
    if now - _raised > CLEANING_SECONDS:
        _raised = now
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

    Inside `at_once` it is raised instead, as what is done there can be done again.

    `asked` has to be looked at after the `with` too: a request may come when all is done inside.
    """

    def __init__(self) -> None:
        self._noted = False
        self._raises = False
        self._previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._noted

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Raise a request inside a `with` at once, also one that was noted before.

        Raises:
            Stopped: There was one.
        """
        if self._noted:
            raise Stopped
        self._raises = True
        try:
            yield
        finally:
            self._raises = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = True
        if self._raises:
            _raise_stopped(number, frame)

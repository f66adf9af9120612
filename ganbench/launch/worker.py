"""A process that carries out one task and ends, at the far end of a pipe.

What the task shows and how it ended goes up the pipe. At the end of the pipe, be it closed or its
other end gone, the task is asked to stop.
"""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch.progress import Relay, said_by
from ganbench.machine import interrupt
from ganbench.machine.interrupt import Stopped

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ganbench.launch.tasks import Task

__all__ = ["Outcome", "send", "work"]


_ASK_AGAIN_SECONDS = interrupt.CLEANING_SECONDS + 1


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        value: What it returned.
        error: What went wrong, or None.
        is_stopped: Whether it was asked to stop, and has done so.
    """

    value: Any = None
    error: GanbenchError | None = None
    is_stopped: bool = False


def work(task: Task, pipe: Connection) -> None:
    """Carry out a task in a process of its own."""
    outcome = Outcome(is_stopped=True)
    ended = threading.Event()
    with suppress(Stopped):
        try:
            interrupt.stop_when_asked()
            gc.freeze()  # what is loaded stays: giving back memory need not look through it
            threading.Thread(target=_ask_at_the_end, args=(pipe, ended), daemon=True).start()
            outcome = _outcome(task, pipe)
        finally:
            interrupt.ignore_requests()
    interrupt.ignore_requests()
    ended.set()
    send(pipe, outcome)


def _outcome(task: Task, pipe: Connection) -> Outcome:
    display = Relay(task.label, lambda message: send(pipe, message))
    try:
        with said_by(display):
            return Outcome(task.carry_out(display))
    except GanbenchError as error:
        return Outcome(error=error)
    except Stopped:
        raise
    except OSError as error:  # a full disk, or something that is gone or protected
        text = " ".join(str(error).split())
        return Outcome(error=UsageError(f"{text}; once that is mended, the same command goes on"))
    except BaseException as error:  # noqa: BLE001 - raised again at the other end
        text = " ".join(str(error).split())
        return Outcome(error=GanbenchError(f"{type(error).__name__}: {text}"))


def _ask_at_the_end(pipe: Connection, ended: threading.Event) -> None:
    """Wait for the other end to say that the task is to stop, or to go away.

    The task is asked again where it goes on: a library may have swallowed what a signal raised,
    as Python itself does in a finalizer. Between two times it may save and clean up.
    """
    with suppress(EOFError, OSError):
        pipe.recv()
    while not ended.is_set():
        interrupt.ask()
        ended.wait(_ASK_AGAIN_SECONDS)


def send(pipe: Connection, item: Any) -> None:
    """Send, if there is still somebody to take it."""
    with suppress(OSError):
        pipe.send(item)

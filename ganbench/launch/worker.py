"""A process that carries out one task and ends, at the far end of a pipe.

What the task shows and how it ended goes up the pipe. At the end of the pipe, be it closed or its
other end gone, the task is asked to stop.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError
from ganbench.launch.progress import Relay
from ganbench.machine import interrupt
from ganbench.machine.interrupt import Stopped

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ganbench.launch.tasks import Task

__all__ = ["Outcome", "send", "work"]


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
    with suppress(Stopped):
        interrupt.stop_when_asked()
        threading.Thread(target=_ask_at_the_end, args=(pipe,), daemon=True).start()
        outcome = _outcome(task, pipe)
    interrupt.ignore_requests()
    send(pipe, outcome)


def _outcome(task: Task, pipe: Connection) -> Outcome:
    display = Relay(task.label, lambda message: send(pipe, message))
    try:
        return Outcome(task.carry_out(display))
    except GanbenchError as error:
        return Outcome(error=error)
    except Stopped:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again at the other end
        text = " ".join(str(error).split())
        return Outcome(error=GanbenchError(f"{type(error).__name__}: {text}"))


def _ask_at_the_end(pipe: Connection) -> None:
    """Wait for the other end to say that the task is to stop, or to go away."""
    with suppress(EOFError, OSError):
        pipe.recv()
    interrupt.ask()


def send(pipe: Connection, item: Any) -> None:
    """Send, if there is still somebody to take it."""
    with suppress(OSError):
        pipe.send(item)

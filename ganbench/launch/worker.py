"""A process that does one job after the other, at the far end of a pipe.

Jobs come down the pipe; what a run shows and how it ended goes up. At the end of the pipe, be it
closed or its other end gone, the run in hand stops and saves itself.
"""

from __future__ import annotations

import queue
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.experiment.store import ResultsFolder
from ganbench.launch.progress import Relay
from ganbench.machine import interrupt

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ganbench.experiment.plan import Job

__all__ = ["Errand", "Outcome", "send", "serve"]


@dataclass(frozen=True)
class Errand:
    """A job and the places it needs, as they travel to another process."""

    job: Job
    folder: Path
    data_root: Path
    cache_root: Path
    device: str
    inception_weights: Path | None
    command: str
    threads: int


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a finished run, or with what went wrong."""

    error: Exception | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the run was asked to stop, and has been saved."""
        from ganbench.training.loop import Stopped

        return isinstance(self.error, Stopped)


def serve(pipe: Connection) -> None:
    """Do the jobs that come down the pipe, until there are no more or it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end decides
    errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, errands), daemon=True).start()
    while (errand := errands.get()) is not None:
        outcome = Outcome()
        try:
            _run(errand, pipe)
        except Exception as error:  # noqa: BLE001 - raised again at the other end
            outcome = Outcome(error)
        send(pipe, outcome)


def _listen(pipe: Connection, errands: queue.SimpleQueue[Errand | None]) -> None:
    """Take jobs from the pipe; at its end the run in hand stops and saves itself."""
    with suppress(EOFError, OSError):
        while (errand := pipe.recv()) is not None:
            errands.put(errand)
    interrupt.ask()
    errands.put(None)


def _run(errand: Errand, pipe: Connection) -> None:
    import torch

    from ganbench.launch.resources import Resources
    from ganbench.launch.run_job import run_job
    from ganbench.machine.device import choose

    torch.set_num_threads(errand.threads)
    resources = Resources(
        folder=ResultsFolder(errand.folder),
        device=choose(errand.device),
        data_root=errand.data_root,
        cache_root=errand.cache_root,
        display=Relay(errand.job.label, lambda message: send(pipe, message)),
        inception_weights=errand.inception_weights,
        command=errand.command,
        is_shared=True,
    )
    run_job(errand.job, resources)


def send(pipe: Connection, item: Any) -> None:
    """Send, if there is still somebody to take it."""
    with suppress(OSError):
        pipe.send(item)

"""One of several processes of a run: the first one does the job, the others do what it tells."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError
from ganbench.experiment.plan import Job
from ganbench.launch.context import CommandContext
from ganbench.launch.failures import VariantFailure
from ganbench.launch.worker import Outcome, send, work
from ganbench.machine.ranks import RankLost

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ganbench.launch.progress import Display

__all__ = ["RankTask", "begin"]

_ALONE_SECONDS = 30.0  # that a process goes on when nobody waits for it: the first one saves


@dataclass(frozen=True)
class RankTask:
    """The part of one process in a run.

    Attributes:
        rank: Its number, from 0.
        job: What is run, by `job.processes` of them.
        context: Where, and with what.
        threads: Of this process.
        is_shared: Whether other runs have a part of the machine.
        meeting: A file by which they find one another.
    """

    rank: int
    job: Job
    context: CommandContext
    threads: int
    is_shared: bool
    meeting: Path

    @property
    def label(self) -> str:
        """The run for people."""
        return self.job.label

    def carry_out(self, display: Display) -> None:
        """Do the job with the others; all files are the first one's.

        Raises:
            GanbenchError: Another process is gone.
        """
        from ganbench.launch.follow import follow
        from ganbench.launch.resources import Resources
        from ganbench.launch.run_job import run_job
        from ganbench.machine.ranks import join
        from ganbench.machine.torch_settings import limit_threads

        limit_threads(self.threads)
        kind = self.context.device.partition(":")[0]
        where = f"{kind}:{self.rank}" if kind == "cuda" else kind
        resources = Resources.of(self.context, display, is_shared=self.is_shared, device=where)
        try:
            ranks = resources.ranks = join(self.rank, self.job.processes, self.meeting, kind)
            if ranks.leads:
                with self.context.folder.one_process(self.job.id):
                    run_job(self.job, resources)
            else:
                follow(self.job, resources, ranks)
        except RankLost as lost:
            raise GanbenchError(f"{self.job.label}: {lost}") from lost


def begin(task: RankTask, pipes: tuple[Connection, ...]) -> None:
    """The beginning of a process of a run.

    Args:
        task: Its part.
        pipes: Of all processes, as the launcher gives each of them the arguments of all. Those of
            others are closed, so that a pipe ends with its process.
    """
    pipe = pipes[task.rank]
    for other in pipes:
        if other is not pipe:
            other.close()
    if task.rank == 0:
        work(task, pipe)
        return
    # The first process decides when all end; Ctrl-C and SIGTERM may reach each of them
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    outcome = Outcome()
    try:
        task.carry_out(_Silent())  # type: ignore[arg-type]
    except VariantFailure as failure:
        outcome = Outcome(value=str(failure))
    except GanbenchError as error:
        outcome = Outcome() if isinstance(error.__cause__, RankLost) else Outcome(error=error)
    except BaseException as error:  # noqa: BLE001 - said at the other end
        text = " ".join(str(error).split())
        outcome = Outcome(error=GanbenchError(f"process {task.rank} of a run: {text}"))
    send(pipe, outcome)
    os._exit(0)  # the launcher would keep it, and its memory


def _end_with(pipe: Connection) -> None:
    """End this process some time after the other end of the pipe: nobody waits for it any more."""
    with suppress(EOFError, OSError):
        pipe.recv()
    time.sleep(_ALONE_SECONDS)
    os._exit(1)


class _Silent:
    """A display of a process that shows nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments, **_more: None

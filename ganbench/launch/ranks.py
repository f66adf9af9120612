"""One run on several processes: torch's launcher starts them, and this one stands between.

The process of a job starts the processes of its run and waits. What the first of them shows goes
on to the command, a request to stop goes on to the first one, and where one of them is gone or has
failed all are ended.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe, connection
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ganbench.errors import GanbenchError
from ganbench.launch import processes
from ganbench.launch.progress import Message
from ganbench.launch.rank_process import RankTask, begin
from ganbench.launch.worker import Outcome, send
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from torch.distributed.elastic.multiprocessing import PContext

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display

__all__ = ["carry_out"]

_WAIT_SECONDS = 0.1  # until it is asked again whether to stop
_LAST_WORDS_SECONDS = (
    5.0  # that the first process has to say how it ended, when another one is gone
)
_OTHERS_SECONDS = 1.0  # that others have to say so, when the first one has failed
_END_SECONDS = 10  # that the processes may take to end


def carry_out(
    job: Job, context: CommandContext, display: Display, threads: int, *, is_shared: bool
) -> None:
    """Do a job by several processes, and store its run.

    Args:
        job: What is run.
        context: Where, and with what.
        display: Where the first process shows what it does.
        threads: Of all of them together.
        is_shared: Whether other runs have a part of the machine.

    Raises:
        GanbenchError: One of the processes was ended from outside, or failed alone.
        Stopped: The run was asked to stop, and has been saved.
    """
    count = job.processes
    each = max(1, threads // count)
    with tempfile.TemporaryDirectory(prefix="ganbench-") as folder, StopRequest() as request:
        meeting = Path(folder) / "meeting"
        tasks = [RankTask(rank, job, context, each, is_shared, meeting) for rank in range(count)]
        outcome = _Group.start(tasks, display).wait(request)
    if outcome.error is not None:
        raise outcome.error
    if outcome.is_stopped:
        raise Stopped
    if outcome.value is not None:
        from ganbench.launch.resources import Resources
        from ganbench.launch.run_job import store_failure

        store_failure(job, Resources.of(context, display), str(outcome.value))


@dataclass
class _Group:
    """The processes of a run, as the process of its job sees them."""

    context: PContext
    pipes: list[Connection]
    display: Display
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)

    @classmethod
    def start(cls, tasks: list[RankTask], display: Display) -> _Group:
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, start_processes

        logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
        processes.start_server()
        pairs = [Pipe() for _ in tasks]
        theirs = tuple(there for _, there in pairs)
        environment = _on_loopback()
        with _kept_handlers():
            context = start_processes(
                name="ganbench",
                entrypoint=begin,
                args={task.rank: (task, theirs) for task in tasks},
                envs={task.rank: dict(environment) for task in tasks},
                logs_specs=DefaultLogsSpecs(log_dir=os.devnull),
                start_method=processes.start_method(),
            )
        for there in theirs:
            there.close()  # so that a pipe ends with its process
        return cls(context, [here for here, _ in pairs], display)

    def wait(self, request: StopRequest) -> Outcome:
        """Pass on what is said, until the first process has ended or another one has failed."""
        is_asked = False
        deadline: float | None = None
        try:
            while 0 not in self.outcomes:
                self._collect()
                if request.asked and not is_asked:
                    is_asked = True
                    send(self.pipes[0], None)
                if deadline is None and (self.gone or self._failed):
                    deadline = time.monotonic() + _LAST_WORDS_SECONDS
                if 0 in self.gone or (deadline is not None and time.monotonic() > deadline):
                    break
            if 0 in self.outcomes and self.outcomes[0].error is not None:
                self._hear_the_others()
        finally:
            self.context.close(signal.SIGKILL, _END_SECONDS)
        return self._outcome()

    def _hear_the_others(self) -> None:
        """See whether the first process has failed because another one is gone."""
        deadline = time.monotonic() + _OTHERS_SECONDS
        while not (self.gone or self._failed) and time.monotonic() < deadline:
            self._collect()

    @property
    def _failed(self) -> list[Outcome]:
        """How others ended that failed before the first one let them go."""
        others = [one for rank, one in sorted(self.outcomes.items()) if rank]
        return [one for one in others if one.error or one.value]

    def _collect(self) -> None:
        open_pipes = [pipe for rank, pipe in enumerate(self.pipes) if not self._is_done(rank)]
        for pipe in connection.wait(open_pipes, _WAIT_SECONDS):
            rank = self.pipes.index(pipe)  # type: ignore[arg-type]
            try:
                received = self.pipes[rank].recv()
            except (EOFError, OSError):
                self.gone.append(rank)
                continue
            if isinstance(received, Message):
                self.display.show(received)
            else:
                self.outcomes[rank] = received

    def _is_done(self, rank: int) -> bool:
        return rank in self.outcomes or rank in self.gone

    def _outcome(self) -> Outcome:
        """How the run ended: as the first process says, unless another one is the reason.

        The value is why a variant failed in another process alone, or None.
        """
        first = self.outcomes.get(0)
        failed = self._failed
        if first is not None and (first.error is None or not (self.gone or failed)):
            return first
        if failed:
            return failed[0]
        if self.gone:
            names = " and ".join(map(str, sorted(self.gone)))
            lost = f"process {names} of the {len(self.pipes)} of a run was ended from outside"
            return Outcome(
                error=GanbenchError(
                    f"{lost}, perhaps for want of memory: the others were ended too; "
                    "the same command goes on from the last checkpoint"
                )
            )
        return Outcome(error=GanbenchError("the processes of a run do not answer"))


@contextmanager
def _kept_handlers() -> Iterator[None]:
    """Keep the handlers of signals, in whose place the launcher puts its own."""
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _on_loopback() -> dict[str, str]:
    """Where Gloo and NCCL listen, unless the user says otherwise: on this machine alone."""
    names = [
        name
        for name, addresses in psutil.net_if_addrs().items()
        if any(one.family == socket.AF_INET and one.address == "127.0.0.1" for one in addresses)
    ]
    wanted = (
        {} if not names else dict.fromkeys(("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"), names[0])
    )
    return {name: os.environ.get(name, value) for name, value in wanted.items()}

"""Runs side by side: some processes that take one job after the other, and one display for all.

A pipe ties each process to this one, and each end sees at once when the other is gone.
`ProcessPoolExecutor` does not: it overlooks the death of the process that it started last, and a
process whose parent has died it leaves behind.
"""

from __future__ import annotations

import multiprocessing
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING

from ganbench.errors import GanbenchError
from ganbench.launch.progress import Message
from ganbench.launch.worker import Errand, Outcome, send, serve
from ganbench.machine import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.resources import Resources

__all__ = ["side_by_side"]

_LOOK_SECONDS = 0.1  # between two looks at whether to stop
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class _Worker:
    """A process, the pipe to it, and the job that it has in hand."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None

    @classmethod
    def start(cls) -> _Worker:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there,))
        process.start()
        there.close()  # so that the pipe ends with the process
        return cls(process, here)

    def hear(self) -> Message | Outcome:
        """What the process has sent.

        Raises:
            GanbenchError: It is gone.
        """
        try:
            return self.pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError) as error:
            raise GanbenchError(
                "a run's process was ended from outside, perhaps for want of memory: the same "
                "command goes on, and a smaller --jobs needs less"
            ) from error


@dataclass
class _Work:
    """The jobs of a comparison: those ahead, in hand and done."""

    resources: Resources
    threads: int
    workers: list[_Worker]
    ahead: list[Job]
    ended: list[Outcome] = field(default_factory=list)

    @property
    def in_hand(self) -> int:
        """Jobs that some process does now."""
        return sum(worker.job is not None for worker in self.workers)

    def hand_out(self) -> None:
        """Give a job to each process that has none, while there are any."""
        for worker in self.workers:
            if worker.job is None and self.ahead:
                worker.job = self.ahead.pop(0)
                send(worker.pipe, _errand(worker.job, self.resources, self.threads))

    def look(self) -> Iterator[Job]:
        """Show what the processes have sent; give each job that is done.

        Raises:
            GanbenchError: A process is gone.
            UsageError: What a run needs is not there.
        """
        ready = connection.wait([worker.pipe for worker in self.workers], _LOOK_SECONDS)
        for worker in self.workers:
            heard = worker.hear() if worker.pipe in ready else None
            if isinstance(heard, Message):
                self.resources.display.hear(heard)
            elif heard is not None and worker.job is not None:
                self.resources.display.leave(worker.job.label)
                job, worker.job = worker.job, None
                self.ended.append(heard)
                if heard.error is None:
                    yield job
                elif not heard.is_stopped:
                    raise heard.error

    def stop(self) -> None:
        """Let the jobs in hand save themselves, and begin no other."""
        self.ahead = []
        for worker in self.workers:
            send(worker.pipe, None)


def side_by_side(
    waiting: list[Job], resources: Resources, jobs: int, done: Callable[[StoredRun], None]
) -> None:
    """Do jobs in several processes.

    Args:
        waiting: What to do.
        resources: What the jobs share; what they read must have been read before.
        jobs: The most runs at a time; each has its share of the threads.
        done: Told of each run that has ended.

    Raises:
        Stopped: The runs were asked to stop; they have been saved.
        GanbenchError: A run's process was ended from outside.
        UsageError: What a run needs is not there.
    """
    import torch

    jobs = min(jobs, len(waiting))
    threads = max(1, torch.get_num_threads() // jobs)
    resources.display.say(
        f"{jobs} runs side by side, {threads} thread{'s' if threads > 1 else ''} each: "
        "their throughput is shared"
    )
    with interrupt.StopRequest() as request:
        with _threads_of_children(threads):
            workers = [_Worker.start() for _ in range(jobs)]
        work = _Work(resources, threads, workers, list(waiting))
        try:
            _carry_out(work, request, len(waiting), done)
        except KeyboardInterrupt:  # the second one
            for worker in workers:
                worker.process.kill()
            raise
        finally:
            work.stop()
            for worker in workers:
                worker.pipe.close()
                worker.process.join()


def _carry_out(
    work: _Work, request: interrupt.StopRequest, count: int, done: Callable[[StoredRun], None]
) -> None:
    """Go on until all jobs are done, or have stopped."""
    from ganbench.training.loop import Stopped

    resources, asked = work.resources, False

    def show() -> None:
        resources.display.update(
            "runs", len(work.ended), count, f"{len(work.ended)} of {count} done"
        )

    while work.ahead or work.in_hand:
        work.hand_out()
        show()
        for job in work.look():
            run = resources.folder.find(job.id)
            if run is not None:
                done(run)
        if request.asked and not asked:
            asked = True
            resources.display.say("stopping: each run saves itself; Ctrl-C again stops at once")
            work.stop()
    show()
    if asked or any(outcome.is_stopped for outcome in work.ended):
        raise Stopped


@contextmanager
def _threads_of_children(threads: int) -> Iterator[None]:
    """Give the libraries of new processes their share before they load, and torch with them."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _errand(job: Job, resources: Resources, threads: int) -> Errand:
    return Errand(
        job=job,
        folder=resources.folder.path.resolve(),
        data_root=resources.data_root,
        cache_root=resources.cache_root,
        device=str(resources.device.torch),
        inception_weights=resources.inception_weights,
        command=resources.command,
        threads=threads,
    )

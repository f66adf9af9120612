"""Tasks in processes of their own, some of them side by side, and one display for all.

A pipe ties each process to this one, and each end sees at once when the other is gone.
`ProcessPoolExecutor` does not: it overlooks the death of the process that it started last, and a
process whose parent has died it leaves behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError
from ganbench.launch import processes
from ganbench.launch.progress import Message
from ganbench.launch.worker import Outcome, send, work
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from ganbench.launch.progress import Display
    from ganbench.launch.tasks import Task

__all__ = ["carry_out"]

_WAIT_SECONDS = 0.1  # until it is asked again whether to stop
_END_SECONDS = 10.0  # that a process may take to end after its task


@dataclass
class _Worker:
    """A process, the pipe to it, and its task."""

    process: BaseProcess
    pipe: Connection
    task: Task

    @classmethod
    def start(cls, task: Task) -> _Worker:
        process, pipe = processes.start(work, task)
        return cls(process, pipe, task)

    def receive(self) -> Message | Outcome:
        """What the process has sent.

        Raises:
            GanbenchError: It is gone.
        """
        try:
            return self.pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError) as error:
            raise GanbenchError(
                "a run's process was ended from outside, perhaps for want of memory: the same "
                "command goes on, and a smaller --jobs or batch_size needs less"
            ) from error

    def end(self) -> None:
        """Wait for the process to end after its task; a variant may have left threads in it."""
        self.pipe.close()
        self.process.join(_END_SECONDS)
        self.process.kill()
        self.process.join()


@dataclass
class _Pool:
    """The tasks that wait, and the processes of those that are being carried out."""

    waiting: list[Task]
    at_a_time: int
    display: Display
    placed: Callable[[Task, Sequence[Task]], Task]
    running: list[_Worker] = field(default_factory=list)

    def fill(self) -> None:
        """Start processes while there are fewer than there may be, and tasks for them."""
        while self.waiting and len(self.running) < self.at_a_time:
            running = [worker.task for worker in self.running]
            self.running.append(_Worker.start(self.placed(self.waiting.pop(0), running)))

    def collect(self) -> Iterator[tuple[Task, Outcome]]:
        """Show what the processes have sent; give each task that has ended, with its outcome.

        Raises:
            GanbenchError: A process is gone.
        """
        ready = connection.wait([worker.pipe for worker in self.running], _WAIT_SECONDS)
        for worker in [worker for worker in self.running if worker.pipe in ready]:
            received = worker.receive()
            if isinstance(received, Message):
                self.display.show(received)
                continue
            self.running.remove(worker)
            worker.end()
            self.display.leave(worker.task.label)
            yield worker.task, received

    def stop(self) -> None:
        """Ask the running tasks to stop, and begin no other."""
        self.waiting = []
        for worker in self.running:
            send(worker.pipe, None)

    def wait(self) -> None:
        """Wait until all processes have ended; they have been asked to stop."""
        for worker in self.running:
            worker.pipe.close()
            worker.process.join()

    def kill(self) -> None:
        """End all processes at once."""
        for worker in self.running:
            worker.process.kill()


def carry_out(
    tasks: Sequence[Task],
    display: Display,
    *,
    at_a_time: int = 1,
    placed: Callable[[Task, Sequence[Task]], Task] = lambda task, _running: task,
    done: Callable[[Any, Any], None] = lambda _task, _value: None,
) -> None:
    """Carry out tasks, each in a process of its own that ends with it.

    Args:
        tasks: What to do, in this order.
        display: Shows what the tasks show.
        at_a_time: The most of them at a time.
        placed: Called with a task that is about to begin and with those that run, gives what is
            done in its place: the same on a device that is free.
        done: Called with each task that has ended, and with what it has returned.

    Raises:
        Stopped: The tasks were asked to stop, and have done so.
        GanbenchError: A task cannot be done, or its process was ended from outside. The others
            were asked to stop.
        KeyboardInterrupt: A second Ctrl-C came, and all processes were ended at once.
    """
    pool = _Pool(list(tasks), at_a_time, display, placed)
    with StopRequest() as request:
        try:
            try:
                _until_all_have_ended(pool, request, len(tasks), done)
            finally:
                pool.stop()
                pool.wait()
        except KeyboardInterrupt:
            pool.kill()
            raise
    if request.asked:  # when the last task had ended
        raise Stopped


def _until_all_have_ended(
    pool: _Pool, request: StopRequest, count: int, done: Callable[[Any, Any], None]
) -> None:
    completed, is_asked, is_stopped, shown = 0, False, False, ""

    def show() -> None:
        nonlocal shown
        text = f"{completed} of {count} done{' · stopping' if is_asked else ''}"
        if count > 1 and text != shown:
            shown = text
            pool.display.update("runs", completed, count, text)

    while pool.waiting or pool.running:
        pool.fill()
        show()
        for task, outcome in pool.collect():
            if outcome.error is not None:
                raise outcome.error
            if outcome.is_stopped:
                is_stopped = True
            else:
                completed += 1
                done(task, outcome.value)
        if request.asked and not is_asked:
            is_asked = True
            pool.display.say("stopping: what runs saves itself; Ctrl-C again stops at once")
            pool.stop()
    show()
    if is_asked or is_stopped:
        raise Stopped

"""A job as Slurm runs it, on a disk that all machines share; called by submitit.

Slurm says by a signal that the time of a job is nearly over, or that another needs its place. The
run saves itself first, and then submitit puts the job back into the queue.
"""

from __future__ import annotations

import os
import pickle
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch import process_pool, processes
from ganbench.launch.message_files import FileDisplay
from ganbench.launch.preparation import prepare_once
from ganbench.launch.same_code import SourceCode, check_same_code
from ganbench.launch.worker import Outcome
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from types import FrameType

    from ganbench.launch.tasks import JobTask

__all__ = ["SlurmRun"]


@dataclass
class SlurmRun:
    """Does one job, as often as it takes; what it returns is an `Outcome`.

    Attributes:
        code: What the command runs.
        pickled: A `JobTask`; read only where the code is the same.
        messages: The file of what the run shows.
    """

    code: SourceCode
    pickled: bytes
    messages: Path

    def __call__(self) -> Outcome:
        """Do the job; where it is to be queued again, this ends the process."""
        number = getattr(signal, f"SIG{os.environ.get('SUBMITIT_PREEMPT_SIGNAL', 'USR2')}")
        queue_again: Any = signal.getsignal(number)
        is_asked = False

        def note(_number: int, _frame: FrameType | None) -> None:
            nonlocal is_asked
            is_asked = True
            signal.raise_signal(signal.SIGTERM)  # which is noted until the run is saved

        with StopRequest() as request, processes.without_main_module():
            signal.signal(number, signal.SIG_IGN)  # Slurm signals the processes of runs as well
            processes.start_server()
            signal.signal(number, note)
            outcome = self._outcome(request)
        if is_asked and outcome.is_stopped:
            queue_again(number, None)
        return outcome

    def checkpoint(self) -> Any:
        """What is queued again: the same, as the run goes on from its own checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _outcome(self, request: StopRequest) -> Outcome:
        try:
            check_same_code(self.code)
            task: JobTask = pickle.loads(self.pickled)  # noqa: S301 - from the command itself
            display = FileDisplay(task.label, self.messages)
            prepare_once(task.job, task.context, display)
            process_pool.carry_out([task], display)
        except GanbenchError as error:
            return Outcome(error=error)
        except Stopped:
            return Outcome(is_stopped=True)
        except OSError as error:
            return Outcome(error=UsageError(" ".join(str(error).split())))
        return Outcome(is_stopped=request.asked)

"""A job as Slurm runs it, on a disk that all machines share; called by submitit.

Slurm says by a signal that the time of a job is nearly over, or that another needs its place. The
run saves itself first, and then submitit puts the job back into the queue.
"""

from __future__ import annotations

import json
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
from ganbench.machine.whole_files import write_whole

if TYPE_CHECKING:
    from types import FrameType

    from ganbench.launch.tasks import JobTask

__all__ = ["SlurmRun", "outcome_file", "read_outcome"]


def outcome_file(messages: Path) -> Path:
    """The file that says how a run ended, beside that of what it shows."""
    return messages.with_suffix(".outcome")


def read_outcome(messages: Path) -> Outcome | None:
    """How a run ended; None where its process did not come to say so.

    It is read as plain values, as a results folder may come from somebody else.
    """
    try:
        values = json.loads(outcome_file(messages).read_text(encoding="utf-8"))
        text, kind = values["error"], UsageError if values["is_usage"] else GanbenchError
        return Outcome(
            error=None if text is None else kind(str(text)), is_stopped=bool(values["is_stopped"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_json(outcome: Outcome) -> str:
    error = outcome.error
    return json.dumps(
        {
            "error": None if error is None else str(error),
            "is_usage": isinstance(error, UsageError),
            "is_stopped": outcome.is_stopped,
        }
    )


@dataclass
class SlurmRun:
    """Does one job, as often as it takes.

    Attributes:
        code: What the command runs.
        pickled: A `JobTask`; read only where the code is the same.
        messages: The file of what the run shows.
    """

    code: SourceCode
    pickled: bytes
    messages: Path

    def __call__(self) -> None:
        """Do the job, and write how it ended; where it is queued again, this ends the process."""
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
        write_whole(outcome_file(self.messages), _as_json(outcome).encode())

    def checkpoint(self) -> Any:
        """What is queued again: the same, as the run goes on from its own checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _outcome(self, request: StopRequest) -> Outcome:
        try:
            check_same_code(self.code)
            task: JobTask = pickle.loads(self.pickled)  # noqa: S301 - from the command itself
            display = FileDisplay(task.label, self.messages)
            prepare_once(task.job, task.context, display, task.threads)
            process_pool.carry_out([task], display)
        except GanbenchError as error:
            return Outcome(error=error)
        except Stopped:
            return Outcome(is_stopped=True)
        except OSError as error:
            return Outcome(error=UsageError(" ".join(str(error).split())))
        return Outcome(is_stopped=request.asked)

"""How the runs of one command end on a cluster: which are done, and which error ends the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.errors import GanbenchError
    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.launch.worker import Outcome

__all__ = ["Endings"]


class Endings:
    """Counts runs that have ended.

    What no run can do without ends all of them. Where the process of one run was ended from
    outside, the others go on, and the command fails at the end.

    Args:
        count: Of all runs.
        display: Where it is shown how many are done.
        done: Called with each job that has ended.
    """

    def __init__(self, count: int, display: Display, done: Callable[[Job], None]) -> None:
        self._count = count
        self._display = display
        self._done = done
        self._completed = 0
        self._failure: GanbenchError | None = None
        self._is_stopping = False

    def note(self, job: Job, outcome: Outcome) -> None:
        """A run has ended."""
        self._display.leave(job.label)
        if outcome.error is not None:
            self._note_failure(outcome.error)
        elif not outcome.is_stopped:
            self._completed += 1
            self._done(job)
        if self._count > 1:
            text = f"{self._completed} of {self._count} done"
            self._display.update("runs", self._completed, self._count, text)

    def _note_failure(self, error: GanbenchError) -> None:
        if self._failure is not None or not isinstance(error, UsageError):
            self._display.say(str(error))
        if self._failure is None or (isinstance(error, UsageError) and not self._is_refused):
            self._failure = error

    @property
    def _is_refused(self) -> bool:
        return isinstance(self._failure, UsageError)

    def is_time_to_stop(self, *, asked: bool) -> bool:
        """Whether all runs are to stop from now on; true only once.

        Args:
            asked: Whether the command was asked to stop.
        """
        if self._is_stopping or not (asked or self._is_refused):
            return False
        self._is_stopping = True
        if asked:
            self._display.say("stopping: what runs saves itself; Ctrl-C again stops at once")
        return True

    @property
    def is_stopping(self) -> bool:
        """Whether no further run may begin."""
        return self._is_stopping

    def check(self) -> None:
        """See at the end that no run has failed for want of something.

        Raises:
            GanbenchError: One has.
        """
        if self._failure is not None:
            raise self._failure

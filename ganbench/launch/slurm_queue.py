"""The jobs of one command in Slurm's queue, some of which an earlier command may have put there."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch.endings import Endings
from ganbench.launch.message_files import MessageReader
from ganbench.launch.same_code import own_code
from ganbench.launch.slurm_run import SlurmRun, outcome_file, read_outcome
from ganbench.launch.tasks import JobTask
from ganbench.launch.worker import Outcome
from ganbench.machine.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.machine.interrupt import StopRequest

__all__ = ["SlurmQueue"]

_JOB = re.compile(r"\d+(_\d+)?")  # its name in the queue
_WAIT_SECONDS = 0.5
_QUEUE_SECONDS = 2.0
_ASK_SECONDS = 30.0  # between two questions about what is in Slurm's queue
_STORE_SECONDS = 5.0
_LARGEST_ARRAY = 1000  # Slurm's own default is 1,001
_CANCELLED_AT_ONCE = 500
_LONGEST_END_SECONDS = 180.0


class SlurmQueue:
    """Submits runs, and waits for them.

    Args:
        executor: Of submitit, with its settings.
        folder: Where submitit keeps its files; all machines see it.
        context: Where, and with what.
        display: Shows what the runs show.
        threads: With which each run computes.
        most: How many runs may be submitted at a time; None where the queue holds the rest.
        is_local: Whether processes of this machine stand for the queue.
    """

    def __init__(
        self,
        executor: Any,
        folder: Path,
        context: CommandContext,
        display: Display,
        *,
        threads: int,
        most: int | None,
        is_local: bool,
    ) -> None:
        self._executor = executor
        self._folder = folder
        self._context = context
        self._display = display
        self._threads = threads
        self._most = most
        self._is_local = is_local
        (folder / "messages").mkdir(parents=True, exist_ok=True)
        self._record = folder / "submitted.json"
        self._stored = time.monotonic()
        self._asked = -_ASK_SECONDS
        self._submitted: dict[str, Any] = {}  # submitit's jobs, by the name of the run
        self._readers: dict[str, MessageReader] = {}

    def do(self, jobs: Sequence[Job], done: Callable[[Job], None], request: StopRequest) -> None:
        """Have all jobs done, those that are queued already not twice.

        Raises:
            GanbenchError: One cannot be done, or its process was ended from outside.
            Stopped: They were asked to stop.
        """
        self.end_others(jobs)
        endings = Endings(len(jobs), self._display, done)
        waiting, running = self._known_before(jobs)
        while running or (waiting and not endings.is_stopping):
            if waiting and not endings.is_stopping:
                waiting, sent = self._submit(waiting, len(running))
                running |= {job.id: job for job in sent}
            ended = self._ended(running)
            self._show(running)
            for job in ended:
                del running[job.id]
                outcome = self._outcome(job)
                endings.note(job, outcome)
                if outcome.error is None:
                    self._forget(job)
            if endings.is_time_to_stop(asked=request.asked):
                self._cancel(running)
            if not ended:
                time.sleep(_WAIT_SECONDS if self._is_local else _QUEUE_SECONDS)
        self._write_record()
        endings.check()

    def end_others(self, jobs: Sequence[Job] = ()) -> None:
        """Take out of the queue what an earlier command has put there and this one does not want.

        A run saves itself when it is ended, so that one of a larger budget goes on from it.

        Args:
            jobs: What this command wants.

        Raises:
            UsageError: Something does not end.
        """
        wanted = {job.id for job in jobs}
        names = [name for run_id, name in self._read_record().items() if run_id not in wanted]
        alive = [job for job in map(self._known, names) if job and self._is_alive(job)]
        if not alive:
            return
        self._display.say(
            f"{len(alive)} runs that an earlier command has queued are not wanted now: they are "
            "saved and taken out of the queue"
        )
        self._cancel_jobs(alive)
        last = time.monotonic() + _LONGEST_END_SECONDS
        while alive := [job for job in alive if self._is_alive(job)]:
            if time.monotonic() > last:
                raise UsageError(
                    f"{len(alive)} runs of an earlier command do not end, as job "
                    f"{alive[0].job_id}: end them, then give the same command again"
                )
            time.sleep(_WAIT_SECONDS if self._is_local else _QUEUE_SECONDS)

    def _known_before(self, jobs: Sequence[Job]) -> tuple[list[Job], dict[str, Job]]:
        """Jobs that are to be submitted, and those that are in the queue."""
        before = self._read_record()
        waiting, running = [], {}
        for job in jobs:
            submitted = self._known(before.get(job.id, ""))
            if submitted is None:
                waiting.append(job)
            else:
                running[job.id] = job
                self._submitted[job.id] = submitted
        if running:
            self._display.say(f"{len(running)} of {len(jobs)} runs are queued already, or run")
        return waiting, running

    def _submit(self, waiting: list[Job], running: int) -> tuple[list[Job], list[Job]]:
        """Put jobs into the queue; return those that wait on, and those that are in it."""
        room = _LARGEST_ARRAY if self._most is None else self._most - running
        sent, rest = waiting[: max(0, room)], waiting[max(0, room) :]
        if sent:
            for job in sent:
                self._messages(job).unlink(missing_ok=True)
                outcome_file(self._messages(job)).unlink(missing_ok=True)
            with _ignoring_interrupts():
                submitted = self._submit_array([self._run(job) for job in sent])
            self._submitted |= {job.id: one for job, one in zip(sent, submitted, strict=True)}
            self._write_record()
        return rest, sent

    def _submit_array(self, runs: Sequence[SlurmRun]) -> list[Any]:
        try:
            return list(self._executor.submit_array(runs))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            text = " ".join(str(error).split())[:300]
            raise UsageError(
                f"Slurm takes no runs: {text}; once that is mended, the same command goes on"
            ) from error

    def _run(self, job: Job) -> SlurmRun:
        context = self._context
        if job.device == "cuda":
            context = replace(context, device="cuda:0")  # of those that Slurm lets it see
        task = JobTask(job, context, self._threads)
        return SlurmRun(own_code(), pickle.dumps(task), self._messages(job))

    def _messages(self, job: Job) -> Path:
        return self._folder / "messages" / f"{job.id}.json"

    def _show(self, running: Mapping[str, Job]) -> None:
        present = set(os.listdir(self._folder / "messages"))  # noqa: PTH208 - names alone
        for run_id, job in running.items():
            if self._messages(job).name not in present:
                continue
            reader = self._readers.setdefault(run_id, MessageReader(self._messages(job)))
            for message in reader.new():
                self._display.show(message)

    def _ended(self, running: Mapping[str, Job]) -> list[Job]:
        """Jobs that have left a result, or that are in the queue no more.

        Folders are listed as a whole, and the queue is asked now and then, as there may be
        thousands of jobs.
        """
        present = set(os.listdir(self._folder))  # noqa: PTH208 - names alone
        is_due = self._is_local or time.monotonic() - self._asked >= _ASK_SECONDS
        if is_due:
            self._asked = time.monotonic()
        return [
            job
            for run_id, job in running.items()
            if self._submitted[run_id].paths.result_pickle.name in present
            or (is_due and not self._is_alive(self._submitted[run_id]))
        ]

    def _is_alive(self, submitted: Any) -> bool:
        """Whether a job waits or runs; of the local executor, whether its process is there."""
        if not self._is_local:
            return not submitted.done()
        try:
            process = psutil.Process(int(submitted.job_id))
            is_own = str(self._folder) in process.cmdline()
            return is_own and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):
            return False

    def _outcome(self, job: Job) -> Outcome:
        outcome = read_outcome(self._messages(job))
        if outcome is not None:
            return outcome
        if self._submitted[job.id].paths.result_pickle.exists():
            return self._failed(job, "failed")
        return self._failed(job, "was ended from outside, perhaps for want of memory or time")

    def _failed(self, job: Job, how: str) -> Outcome:
        submitted = self._submitted[job.id]
        log = submitted.paths.stderr
        text = f"{job.id}: its job {submitted.job_id} {how}: see {log}; the same command goes on"
        return Outcome(error=GanbenchError(text))

    def _cancel(self, running: Mapping[str, Job]) -> None:
        """Ask what runs to stop, and take what waits out of the queue."""
        self._cancel_jobs([self._submitted[run_id] for run_id in running])

    def _cancel_jobs(self, jobs: Sequence[Any]) -> None:
        names = [job.job_id for job in jobs]
        if self._is_local:
            for job in jobs:
                if self._is_alive(job):
                    with suppress(OSError):
                        os.kill(int(job.job_id), signal.SIGTERM)
            return
        for first in range(0, len(names), _CANCELLED_AT_ONCE):
            part = names[first : first + _CANCELLED_AT_ONCE]
            subprocess.run(["scancel", *part], check=False, capture_output=True)  # noqa: S603, S607 - Slurm's own

    def _forget(self, job: Job) -> None:
        """Remove the files of a run that has ended well, and its place in the record."""
        paths = self._submitted.pop(job.id).paths
        self._readers.pop(job.id, None)
        files = (paths.submitted_pickle, paths.result_pickle, paths.stdout, paths.stderr)
        messages = self._messages(job)
        for file in (*files, messages, outcome_file(messages)):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        if time.monotonic() - self._stored > _STORE_SECONDS:
            self._write_record()

    # --- What is in the queue, for a command that is given again ---

    def _read_record(self) -> dict[str, str]:
        """Names of jobs in the queue by runs, as an earlier command has stored them."""
        with suppress(OSError, ValueError):
            stored = json.loads(self._record.read_text(encoding="utf-8"))
            if isinstance(stored, dict) and stored.get("is_local") == self._is_local:
                jobs = stored.get("jobs")
                names = jobs.items() if isinstance(jobs, dict) else ()
                return {key: name for key, name in names if _JOB.fullmatch(str(name))}
        return {}

    def _write_record(self) -> None:
        self._stored = time.monotonic()
        jobs = {run_id: submitted.job_id for run_id, submitted in self._submitted.items()}
        content = {"is_local": self._is_local, "jobs": jobs}
        try:
            write_whole(self._record, json.dumps(content).encode())
        except OSError as error:
            raise UsageError(f"{self._record} cannot be written: {error.strerror}") from error

    def _known(self, name: str) -> Any | None:
        """A job that an earlier command has submitted; None where it is there no more."""
        if not name:
            return None
        submitted = self._executor_job(self._folder, name)
        if submitted.paths.result_pickle.exists() or self._is_alive(submitted):
            return submitted
        return None

    @property
    def _executor_job(self) -> Any:
        import submitit

        return submitit.SlurmJob if not self._is_local else submitit.LocalJob


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Let new processes ignore Ctrl-C, which the command alone answers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

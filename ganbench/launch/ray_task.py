"""A job as a task of Ray: done in a process of its own on whatever machine Ray has chosen.

The machine needs no disk in common with that of the command. The run is done in a folder of its
own, and what it shows and writes travels to the one process that keeps the results folder.
"""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ganbench import data
from ganbench.errors import GanbenchError, UsageError
from ganbench.experiment.store import ResultsFolder
from ganbench.launch import process_pool, processes
from ganbench.launch.context import CommandContext
from ganbench.launch.job_files import JobFiles, unpacked
from ganbench.launch.parcels import stamps, unpack
from ganbench.launch.preparation import prepare_once
from ganbench.launch.progress import Display
from ganbench.launch.ray_courier import RayCourier, answer
from ganbench.launch.same_code import SourceCode, check_same_code
from ganbench.launch.tasks import JobTask, Task
from ganbench.launch.worker import Outcome
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SentJob", "do_job"]

_SCRATCH = "ganbench-ray-"


@dataclass(frozen=True)
class SentJob:
    """A job as it travels.

    Attributes:
        files: The job, and which parcels it needs.
        context: Of the command; places in it are the command's own.
        threads: With which it computes.
        earlier: The folder in `runs/` that it may go on from; empty for none.
    """

    files: JobFiles
    context: CommandContext
    threads: int
    earlier: str = ""


@dataclass(frozen=True)
class OnCards:
    """A task on the cards that Ray has given.

    Attributes:
        task: What is done.
        cards: As CUDA_VISIBLE_DEVICES says it. Processes are forked from one that may have been
            started for other cards.
    """

    task: Task
    cards: str | None

    @property
    def label(self) -> str:
        """That of the task."""
        return self.task.label

    def carry_out(self, display: Display) -> object:
        """Do the task."""
        if self.cards is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.cards
        return self.task.carry_out(display)


@dataclass(frozen=True)
class UnpackedJobTask:
    """To do a job whose files have travelled; the record of its run names the command's files.

    Attributes:
        files: The job, and which parcels it needs; they are in the cache.
        context: Of this machine.
        threads: With which it computes.
    """

    files: JobFiles
    context: CommandContext
    threads: int

    @property
    def label(self) -> str:
        """The run for people."""
        return self.files.job.label

    def carry_out(self, display: Display) -> None:
        """Do the job."""
        job, context = unpacked(self.files, self.context, _no_parcel)
        JobTask(job, context, self.threads).carry_out(display)
        run = context.folder.find(job.id)
        if run is not None and run.result.request != self.files.job.request:
            context.folder.amend(replace(run.result, request=self.files.job.request))


def do_job(
    code: SourceCode, pickled: bytes, parcels: Mapping[str, list[Any]], keeper: Any
) -> Outcome:
    """Do a job; called by Ray in a process of its own that may do several, one after the other.

    Args:
        code: What the command runs.
        pickled: The `SentJob`; read only where the code is the same.
        parcels: By key, references to what the job needs, each in a list, so that Ray does not
            fetch what is not asked for.
        keeper: The handle of the `ResultsKeeper`.
    """
    with StopRequest() as request, processes.without_main_module():
        try:
            check_same_code(code)
            sent: SentJob = pickle.loads(pickled)  # noqa: S301 - from the command itself
            _do(sent, parcels, keeper)
        except GanbenchError as error:
            return Outcome(error=error)
        except Stopped:
            return Outcome(is_stopped=True)
        except OSError as error:
            text = " ".join(str(error).split())
            return Outcome(error=UsageError(f"{socket.gethostname()}: {text}"))
        return Outcome(is_stopped=request.asked)


def _do(sent: SentJob, parcels: Mapping[str, list[Any]], keeper: Any) -> None:
    def fetch(key: str) -> bytes:
        (reference,) = parcels[key]
        parcel: bytes = answer(reference)
        return parcel

    job = sent.files.job
    cards = os.environ.get("CUDA_VISIBLE_DEVICES") if job.device == "cuda" else None
    with _scratch() as path:
        context = replace(
            sent.context,
            folder=ResultsFolder(path),
            cache_root=data.default_cache_root(),
            data_root=data.default_data_root(),
        )
        here, context_here = unpacked(sent.files, context, fetch)
        time, parcel = answer(keeper.begin.remote(job.id, sent.earlier))
        unpack(parcel, path)
        courier = RayCourier(job.id, time, job.label, path, keeper, stamps(path))
        courier.start()
        try:
            prepare_once(
                here, context_here, courier.display, sent.threads, lambda task: OnCards(task, cards)
            )
            task = UnpackedJobTask(sent.files, context, sent.threads)
            process_pool.carry_out([OnCards(task, cards)], courier.display)
        finally:
            courier.end()


def _no_parcel(key: str) -> bytes:
    raise GanbenchError(f"the parcel {key} has gone from the cache while it was used")


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for one run; those of processes that are gone are removed first."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{_SCRATCH}*"):
        number = left.name.removeprefix(_SCRATCH).partition("-")[0]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-"))
    try:
        yield path
    finally:
        with suppress(OSError):
            shutil.rmtree(path)

"""What the tests of faults share: small commands and jobs, what they leave, and injected faults."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch

import ganbench
from ganbench.launch.process_pool import _Worker
from ganbench.launch.worker import Outcome
from ganbench.machine import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SMALL = ("batch_size=32", "generator_width=8", "discriminator_width=8")
EVERY_PART = {"budget": "5steps", "sample_every": "2steps", "evaluate_every": "3steps"}


def command(out: Path, *flags: object, name: str = "run") -> list[str]:
    """A command line that trains the mlp on the digits."""
    line = [sys.executable, "-m", "ganbench", name, "--device", "cpu", "--variants", "mlp"]
    if name == "run":
        line += ["--dataset", "digits"]
    settings = [word for setting in SMALL for word in ("--set", setting)]
    return [*line, *settings, "--out", str(out), *map(str, flags)]


def results(out: Path) -> list[dict[str, Any]]:
    """The records of the finished runs in a results folder, by their names."""
    return [json.loads(file.read_text()) for file in sorted(out.glob("runs/[!.]*/result.json"))]


def weights(out: Path) -> dict[str, Any]:
    """All networks, moments and averages of the only run in a results folder."""
    (file,) = out.glob("runs/[!.]*/checkpoint.pt")
    networks: dict[str, Any] = torch.load(file, weights_only=True)["networks"]
    return networks


def same(one: Any, other: Any) -> bool:
    """Whether two nested values are equal to the last bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def leftovers(*roots: Path) -> list[Path]:
    """Temporary files, locks and unfinished runs that lie around."""
    patterns = (".part-*", "*.lock", "*.partial")
    return [path for root in roots for pattern in patterns for path in root.rglob(pattern)]


@dataclass(frozen=True)
class Killed:
    """A task whose process is killed right before it would put a written file in its place.

    Attributes:
        task: What is done until then.
        number: Of the file or folder, from 0.
        inside: Folder whose files and folders are counted.
    """

    task: Any
    number: int
    inside: Path

    label: str = ""

    def carry_out(self, display: Any) -> object:
        """Do the task, as long as it goes."""
        replace, count = Path.replace, iter(range(10**6))

        def deadly(path: Path, target: Path) -> Path:
            if target.is_relative_to(self.inside) and next(count) == self.number:
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(path, target)

        with mock.patch.object(Path, "replace", deadly):
            return self.task.carry_out(display)


def carry_out(task: Any, seconds: float | None = None) -> Outcome | None:
    """Carry out a task in a process of its own; None where that was killed.

    Args:
        task: As `ganbench.launch` gives them to its processes.
        seconds: After which the process is killed; never if left out.
    """
    worker = _Worker.start(task)
    if seconds is not None:
        worker.process.join(seconds)
        worker.process.kill()
    outcome = None
    try:
        while not isinstance(outcome := worker.pipe.recv(), Outcome):
            pass
    except (EOFError, OSError):
        outcome = None
    worker.end()
    return outcome


@contextmanager
def at_write(number: int, inside: Path, fault: Callable[[Path], object]) -> Iterator[None]:
    """Do something right before the n-th temporary file inside a folder is written.

    Args:
        number: Of the file, from 0.
        inside: Folder whose files are counted.
        fault: Called with the path of the temporary file, which is not there yet.
    """
    with_name, count = Path.with_name, iter(range(10**6))

    def watched(path: Path, name: str) -> Path:
        beside = with_name(path, name)
        is_counted = name.startswith(".part-") and path.is_relative_to(inside)
        if is_counted and next(count) == number:
            fault(beside)
        return beside

    with mock.patch.object(Path, "with_name", watched):
        yield


def fill_disk(path: Path) -> None:
    """Let the system refuse every byte that is written to a path."""
    path.symlink_to("/dev/full")


@contextmanager
def signal_at(call: int | None, number: int) -> Iterator[list[int]]:
    """Send this process a signal at the n-th call of a function of ganbench; gives their count.

    Args:
        call: Which call, from 1; None for none.
        number: Of the signal. SIGTERM is raised as in the process of a job.
    """
    count = [0]
    root = str(Path(ganbench.__file__).parent)

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(root):
            count[0] += 1
            if count[0] == call:
                os.kill(os.getpid(), number)

    with mock.patch.object(interrupt, "_raised", -math.inf):
        before = signal.getsignal(number)
        if number == signal.SIGTERM:
            signal.signal(number, interrupt._raise_stopped)
        sys.setprofile(profile)
        try:
            yield count
        finally:
            sys.setprofile(None)
            signal.signal(number, before)

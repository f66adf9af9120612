"""A tracker in a process of its own, as the run sees it: calls that never wait.

A library for tracking may be slow, wait for a server, print, draw random numbers, change settings
of the process or end it. In a process of its own it does nothing of that to the run: its steps,
its memory and its scores are those of a run without trackers.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ganbench
from ganbench.trackers.host import END_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.trackers.tracker import TrackedRun

__all__ = ["Call", "HostedTracker"]

Call = tuple[str, tuple[Any, ...]]  # a method of a tracker, and its arguments

_MODULE = "ganbench.trackers.host"
_OPEN_SECONDS = 120.0
_LEAVE_SECONDS = 5.0  # that the process may take after the tracker's end
_LONGEST_PROBLEM = 300  # characters
_GONE = {"gone": True}  # the last answer of every process


class HostedTracker:
    """Starts a tracker in a process of its own, which gets no Ctrl-C, and sends it calls.

    Args:
        name: Of the tracker, as the registry knows it.
        run: What it follows.
    """

    def __init__(self, name: str, run: TrackedRun) -> None:
        self.name = name
        self.note = ""
        self.goes_on = False
        self.problem = ""
        self._calls: queue.SimpleQueue[Sequence[Call] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - fixed arguments
                [sys.executable, "-P", "-m", _MODULE], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self._errors, env=_environment(),
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._fail(f"its process cannot be started ({error.strerror or error})")
            return
        for work in (self._send, self._receive):
            threading.Thread(target=work, args=(self._process,), daemon=True).start()
        self.call([("open", (name, run))])

    def wait_until_open(self) -> None:
        """Wait for the tracker's first answer, or for its failure."""
        self._await("opened", _OPEN_SECONDS, "opening it")

    def call(self, calls: Sequence[Call]) -> None:
        """Have methods called, in this order; returns at once."""
        if not self.problem:
            self._calls.put(calls)

    def look(self) -> None:
        """See whether the tracker has failed meanwhile; returns at once."""
        with suppress(queue.Empty):
            while not self.problem:
                self._note(self._answers.get_nowait())

    def end(self, seconds: float = END_SECONDS) -> None:
        """Wait until the tracker has done its last call, which must be `end`, and let it go."""
        self._await("ended", seconds, "its end")
        self._leave()

    def leave_alone(self) -> None:
        """Let the tracker do what it was called for and end, without waiting for long."""
        self._calls.put(None)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_LEAVE_SECONDS)
        self._errors.close()

    def _await(self, wanted: str, seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while not self.problem:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self._fail(f"{what} took more than {seconds:g} s")
                return
            self._note(answer)
            if answer.get(wanted):
                return

    def _note(self, answer: dict[str, Any]) -> None:
        if "problem" in answer:
            self._fail(answer["problem"])
        elif answer is _GONE:
            self._fail(f"its process ended by itself ({self._last_line()})")
        elif answer.get("opened"):
            self.note, self.goes_on = answer["note"], answer["goes_on"]

    def _fail(self, problem: str) -> None:
        self.problem = " ".join(problem.split())[:_LONGEST_PROBLEM]
        self._leave()

    def _leave(self) -> None:
        """End the process: at once where it has failed, in a moment where all is done."""
        self._calls.put(None)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.0 if self.problem else _LEAVE_SECONDS)
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _last_line(self) -> str:
        """The last line that the process has printed."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no message")

    def _send(self, process: subprocess.Popen[bytes]) -> None:
        """Send the calls; for a thread, as a pipe that nobody reads would be waited for."""
        assert process.stdin is not None  # noqa: S101 - as it was asked for
        with suppress(OSError), process.stdin as pipe:
            while (calls := self._calls.get()) is not None:
                pickle.dump(calls, pipe)
                pipe.flush()

    def _receive(self, process: subprocess.Popen[bytes]) -> None:
        """Take the answers; for a thread, as they come when they may."""
        assert process.stdout is not None  # noqa: S101 - as it was asked for
        with process.stdout as pipe:
            for line in pipe:
                self._answers.put(json.loads(line))
        self._answers.put(_GONE)


def _environment() -> dict[str, str]:
    """This process's environment, in which a tracker finds ganbench, one thread and no card."""
    root = str(Path(ganbench.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }

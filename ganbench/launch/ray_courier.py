"""What brings messages and files of a run from a task of Ray to the keeper of the results."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ganbench.launch.parcels import Stamps, pack, stamps
from ganbench.launch.progress import Display, Message
from ganbench.machine import interrupt

__all__ = ["RayCourier", "answer"]

_CALL_SECONDS = 1.0
_CHECKPOINT_SECONDS = 180.0  # between two that travel, as the largest of all files


def answer(reference: Any) -> Any:
    """Wait for what a reference of Ray stands for, within a task.

    `ray.get` would tell Ray that the task waits, so that Ray begins another one on its processors.
    """
    return reference.future().result()


class RayCourier(threading.Thread):
    """Brings messages and changed files to the keeper now and then, and asks whether to stop.

    Args:
        run_id: Of the run.
        begun: Which time it has begun, as the keeper says.
        label: The run for people.
        root: The results folder in which it is done.
        keeper: The handle of the `ResultsKeeper`.
        known: Of the files that the keeper has.
    """

    def __init__(
        self, run_id: str, begun: int, label: str, root: Path, keeper: Any, known: Stamps
    ) -> None:
        super().__init__(daemon=True)
        self.display = _Forward(label)
        self._run_id = run_id
        self._begun = begun
        self._root = root
        self._keeper = keeper
        self._known = dict(known)
        self._sent = -math.inf  # when the checkpoint was, last
        self._ended = threading.Event()

    def run(self) -> None:
        """Go to and fro until the run has ended; where the keeper is gone, so is the command."""
        while not self._ended.wait(_CALL_SECONDS):
            try:
                is_to_stop = self._deliver()
            except Exception:  # noqa: BLE001 - whatever Ray raises
                is_to_stop = True
            if is_to_stop and not self._ended.is_set():
                interrupt.ask()
                self._ended.wait(interrupt.CLEANING_SECONDS)

    def end(self) -> None:
        """Bring the rest, and the finished run."""
        self._ended.set()
        self.join()
        self._deliver(is_last=True)
        if (self._root / "runs" / self._run_id / "result.json").exists():
            answer(self._keeper.finish.remote(self._run_id, self._begun))

    def _deliver(self, *, is_last: bool = False) -> bool:
        present = {self._there(name): (name, stamp) for name, stamp in stamps(self._root).items()}
        changed = {
            there: name
            for there, (name, stamp) in present.items()
            if self._known.get(there) != stamp and _travels(name)
        }
        checkpoint = f"runs/.{self._run_id}.partial/checkpoint.pt"
        if checkpoint in changed:
            now = time.monotonic()
            if is_last or now - self._sent >= _CHECKPOINT_SECONDS:
                self._sent = now
            else:
                del changed[checkpoint]
        parcel = b""
        if changed:
            parcel = pack({there: self._root / name for there, name in changed.items()})
        messages = self.display.taken()
        delivered = self._keeper.deliver.remote(self._run_id, self._begun, messages, parcel)
        is_to_stop: bool = answer(delivered)
        self._known |= {there: present[there][1] for there in changed}
        return is_to_stop

    def _there(self, name: str) -> str:
        """Where a file goes: a run is unfinished until the keeper has all of it."""
        final = f"runs/{self._run_id}/"
        if name.startswith(final):
            return f"runs/.{self._run_id}.partial/{name.removeprefix(final)}"
        return name


def _travels(name: str) -> bool:
    """Whether a file in a scratch folder is a part of the results."""
    return not name.endswith(".lock")


class _Forward(Display):
    """Keeps what a run shows until it is taken; of a bar, where it is last."""

    def __init__(self, label: str) -> None:
        super().__init__(Console(quiet=True))
        self._label = label
        self._lock = threading.Lock()
        self._waiting: list[Message] = []

    def show(self, message: Message) -> None:
        """Keep a message."""
        message = message if message.run else replace(message, run=self._label)
        with self._lock:
            if message.done is not None:
                self._waiting = [
                    other for other in self._waiting
                    if other.done is None or other.text != message.text
                ]  # fmt: skip
            self._waiting.append(message)

    def say(self, line: str) -> None:
        """Keep a line."""
        self.show(Message(self._label, line))

    def taken(self) -> list[Message]:
        """What has not been taken yet."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken

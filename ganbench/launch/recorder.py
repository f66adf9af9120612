"""An observer of training that writes the checkpoint and the history, and reads them again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ganbench.errors import UsageError
from ganbench.experiment.checkpoint import read_checkpoint, write_checkpoint
from ganbench.experiment.store import STEP_SECONDS_FILE, write_rows, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["Recorder", "Stateful", "write_step_seconds"]

_ADVICE = "remove it, or start over with --fresh"
_ADDED_LATER = (
    "over_training",
    "evaluation",
)  # parts that may be added after a checkpoint was read


class Stateful(Protocol):
    """What has a state to be kept in a checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """The state, as `torch.load(weights_only=True)` accepts it."""

    def load_state_dict(self, values: Any) -> None:
        """Go on where a state was taken."""


class Recorder:
    """Writes `checkpoint.pt` and `history.csv` of a run when a checkpoint is due.

    Args:
        run_id: Of the run, which its checkpoint names.
        folder: Of the run that is not finished.
        outside: Counts what this takes.
    """

    def __init__(self, run_id: str, folder: Path, outside: SecondsOutside) -> None:
        self._run_id = run_id
        self._folder = folder
        self._outside = outside
        self._parts: dict[str, Stateful] = {}
        self._stored: dict[str, Any] = {}  # of parts that have not been added yet
        self.add("outside_seconds", outside)

    def __call__(self, event: Event) -> None:
        """Write a checkpoint where one is due."""
        if event.kind == "save":
            self.save(event.session)

    def save(self, session: Session) -> None:
        """Write both files, each in one piece.

        Raises:
            UsageError: They cannot be written.
        """
        with self._outside.measure("saving"):
            parts = {name: part.state_dict() for name, part in self._parts.items()}
            values = {**session.checkpoint(), **parts}
            with writing(self._file):
                write_checkpoint(self._file, self._run_id, values)
            write_rows(self._folder / "history.csv", session.history_columns, session.history)

    def add(self, name: str, part: Stateful) -> None:
        """Keep the state of something else in the checkpoint; it goes on where one was resumed.

        Raises:
            UsageError: What the checkpoint holds of it cannot be read.
        """
        self._parts[name] = part
        if name in self._stored:
            with self._reading():
                part.load_state_dict(self._stored.pop(name))

    def resume(self, session: Session) -> bool:
        """Go on from the checkpoint in the folder; False where there is none.

        Raises:
            UsageError: It is damaged, or of another run.
        """
        if not self._file.exists():
            return False
        values = read_checkpoint(self._file, self._run_id, torch.device("cpu"), _ADVICE)
        with self._reading():
            session.restore(values)
            for name, part in self._parts.items():
                if name in values:
                    part.load_state_dict(values[name])
            self._stored = {name: values[name] for name in _ADDED_LATER if name in values}
        return True

    @property
    def _file(self) -> Path:
        return self._folder / "checkpoint.pt"

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say in one line that the checkpoint cannot be read, whatever is wrong with it."""
        try:
            yield
        except Exception as error:
            raise UsageError(
                f"checkpoint {self._file} cannot be read ({type(error).__name__}): {_ADVICE}"
            ) from error


def write_step_seconds(folder: Path, session: Session) -> None:
    """Write the seconds of each step that a session's clock has counted, from which speeds follow.

    The columns are `step`, its number from 1; `seconds`, without first use and diagnostics; and
    `timed`, 1 where the speeds are computed from it.

    Args:
        folder: Of the run.
        session: Between two steps.

    Raises:
        UsageError: The file cannot be written.
    """
    seconds = session.clock.step_seconds
    first = session.steps - len(seconds) + 1
    rows = [
        {"step": step, "seconds": value, "timed": is_timed}
        for step, (value, is_timed) in enumerate(
            zip(seconds, session.clock.is_timed, strict=True), first
        )
    ]
    write_rows(folder / STEP_SECONDS_FILE, ("step", "seconds", "timed"), rows)

"""An observer of training that writes the checkpoint and the history, and reads them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

from ganbench.errors import UsageError
from ganbench.experiment.store import write_rows, writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["Recorder", "Stateful"]


class Stateful(Protocol):
    """What has a state to be kept in a checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """The state, as `torch.load(weights_only=True)` accepts it."""

    def load_state_dict(self, values: Any) -> None:
        """Go on where a state was taken."""


class Recorder:
    """Writes `checkpoint.pt` and `history.csv` of a run when a checkpoint is due.

    Args:
        folder: Of the run that is not finished.
        outside: Counts what this takes.
        parts: What the checkpoint holds beside the session, by name.
    """

    def __init__(
        self, folder: Path, outside: SecondsOutside, parts: Mapping[str, Stateful] | None = None
    ) -> None:
        self._folder = folder
        self._outside = outside
        self._parts: dict[str, Stateful] = {"outside_seconds": outside, **(parts or {})}

    def __call__(self, event: Event) -> None:
        """Write a checkpoint where one is due."""
        if event.kind == "save":
            self.save(event.session)

    def save(self, session: Session) -> None:
        """Write both files, each in one piece.

        Raises:
            UsageError: They cannot be written.
        """
        file, temporary = self._folder / "checkpoint.pt", self._folder / ".checkpoint.pt"
        with self._outside.measure("saving"):
            parts = {name: part.state_dict() for name, part in self._parts.items()}
            values = {**session.checkpoint(), **parts}
            with writing(file):
                try:
                    torch.save(values, temporary)
                except RuntimeError as error:  # torch's own writer tells of a full disk so
                    raise OSError(str(error).partition("\n")[0]) from error
                temporary.replace(file)
            write_rows(self._folder / "history.csv", session.history_columns, session.history)

    def resume(self, session: Session) -> bool:
        """Go on from the checkpoint in the folder; False where there is none.

        Raises:
            UsageError: It cannot be read.
        """
        file = self._folder / "checkpoint.pt"
        if not file.exists():
            return False
        try:
            values = torch.load(file, weights_only=True, map_location="cpu")
            session.restore(values)
            for name, part in self._parts.items():
                if name in values:
                    part.load_state_dict(values[name])
        except Exception as error:
            raise UsageError(
                f"checkpoint {file} cannot be read ({type(error).__name__}): "
                "remove it, or start over with --fresh"
            ) from error
        return True

"""What an earlier process of the same run has tracked: under which name, and up to which step.

For libraries whose stores can only be added to, so that a run that goes on adds to what it has
there, and nothing twice.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Self

from ganbench.machine.whole_files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.trackers.tracker import TrackedRun

__all__ = ["Stream"]


class Stream:
    """A run's place in the store of a tracker.

    Args:
        file: Where this is kept between two processes of the run.
        name: Under which the store knows the run.
        steps: The last step that was tracked, by group.
        goes_on: Whether the store holds the run already.
    """

    def __init__(
        self, file: Path, name: str, steps: dict[str, int] | None = None, *, goes_on: bool = False
    ) -> None:
        self._file = file
        self._steps = steps or {}
        self.name = name
        self.goes_on = goes_on

    @classmethod
    def of(cls, run: TrackedRun, tracker: str) -> Self:
        """Go on with the stream of a run that goes on; begin a new one, of a new name, otherwise.

        Raises:
            OSError: The folder cannot be written.
        """
        file = run.folder / tracker / f"{run.id}.stream.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        if run.step > 0 and file.exists():
            values = json.loads(file.read_text(encoding="utf-8"))
            return cls(file, values["name"], values["steps"], goes_on=True)
        stream = cls(file, f"{run.id}-{secrets.token_hex(3)}")
        stream.save()
        return stream

    def is_new(self, group: str, step: int) -> bool:
        """Whether a group was tracked at no step so late; from now on it counts as tracked."""
        if step <= self._steps.get(group, -1):
            return False
        self._steps[group] = step
        return True

    def save(self) -> None:
        """Keep the stream for a process that goes on.

        Raises:
            OSError: It cannot be written.
        """
        values = {"name": self.name, "steps": self._steps}
        write_whole(self._file, json.dumps(values).encode())

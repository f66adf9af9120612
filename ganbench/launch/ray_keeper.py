"""The one process that writes what Ray's tasks send into the results folder; an actor of Ray.

It lives on the machine of the command, as long as the command does. Workers call it: it gives a
task what earlier ones have left of its run, takes messages and files, and says whether to stop.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.experiment.lock import run_locked
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import PLAN_FILE, ResultsFolder
from ganbench.launch.parcels import files_below, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.launch.progress import Message

__all__ = ["ResultsKeeper"]

_LOCK = ".ray.lock"


class ResultsKeeper:
    """Keeps the results folder of a command.

    A lock lets no second one write: where a command was killed and is given again, the new one
    waits until Ray has ended the old one's.

    Args:
        path: Of the results folder.

    Raises:
        UsageError: An earlier one does not end.
    """

    def __init__(self, path: str) -> None:
        self._folder = ResultsFolder(Path(path))
        self._messages: list[Message] = []
        self._begun: dict[str, int] = {}
        self._new: dict[str, int] = {}
        self._is_stopping = False
        runs = self._folder.path / "runs"
        runs.mkdir(exist_ok=True)
        self._open = ExitStack()  # as long as this process
        self._open.enter_context(run_locked(runs / _LOCK))

    def begin(self, run_id: str, earlier: str) -> tuple[int, bytes]:
        """Give what there is of a run that begins, and note that it does.

        Where Ray has lost a machine it begins the run again, while the first process may be alive
        without Ray; from then on nothing is taken from that one.

        Args:
            run_id: Of the run.
            earlier: Name of the folder in `runs/` that it may go on from; empty for none.

        Returns:
            Which time it is, from 1; and a parcel of files, by their names in the results folder.
        """
        self._begun[run_id] = self._new[run_id] = self._begun.get(run_id, 0) + 1
        root = self._folder.path
        folders = [self._folder.open_run(run_id)]
        files: dict[str, Path] = {}
        if earlier:
            folders.append(root / "runs" / earlier)
            files[PLAN_FILE] = self._folder.plan_file
        for folder in folders:
            files |= {path.relative_to(root).as_posix(): path for path in files_below(folder)}
        return self._begun[run_id], pack(files)

    def deliver(self, run_id: str, time: int, messages: Sequence[Message], parcel: bytes) -> bool:
        """Take what a run shows, and files that it has written; say whether it is to stop.

        Args:
            run_id: Of the run.
            time: Which time it has begun.
            messages: In their order.
            parcel: Files by their names in the results folder; empty for none.
        """
        if time != self._begun[run_id]:
            return True
        self._messages += messages
        if parcel:
            unpack(parcel, self._folder.path)
        return self._is_stopping

    def finish(self, run_id: str, time: int) -> None:
        """Make the folder of a run visible, all files of which are there."""
        if time != self._begun[run_id]:
            return
        record = self._folder.partial_path(run_id) / "result.json"
        self._folder.finish(RunResult.from_json(record.read_text(encoding="utf-8")))

    def take(self) -> tuple[list[Message], dict[str, int]]:
        """What has come since the last time: messages, and runs by which time they have begun."""
        messages, self._messages = self._messages, []
        new, self._new = self._new, {}
        return messages, new

    def stop(self) -> None:
        """Have each task asked to stop at its next call."""
        self._is_stopping = True

    def close(self) -> None:
        """Give the lock back."""
        self._open.close()

"""Trackio: a database in `trackio` of the results folder, or where TRACKIO_DIR or a Space says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ganbench.trackers.facts import environment_rows
from ganbench.trackers.stream import Stream
from ganbench.trackers.tracker import RunEnd, TrackedRun, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Trackio"]

_PROJECT = "ganbench"
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


class Trackio(Tracker):
    """Logs to the project `ganbench`; runs of one comparison are a group."""

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        folder = os.environ.setdefault("TRACKIO_DIR", str(run.folder / "trackio"))
        import trackio  # reads TRACKIO_DIR when it is imported

        self._trackio: Any = trackio
        self._stream = Stream.of(run, "trackio")
        self.goes_on = self._stream.goes_on
        environment = {f"environment.{name}": value for name, value in environment_rows(run)}
        self._trackio.init(
            project=_PROJECT,
            name=self._stream.name,
            group=run.folder.name,
            config={**run.hyperparameters, **environment, "command": run.command},
            resume="allow" if self.goes_on else "never",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        elsewhere = [name for name in _ELSEWHERE if os.environ.get(name)]
        self.note = (
            f"runs go where {elsewhere[0]} says"
            if elsewhere
            else f"TRACKIO_DIR={folder} trackio show"
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        group = next(iter(values), "").partition("/")[0]
        if self._stream.is_new(group, step):
            self._trackio.log(dict(values), step=step)

    def picture(self, step: int, name: str, file: Path) -> None:
        """See `Tracker`."""
        if self._stream.is_new(f"samples/{name}", step):
            self._trackio.log({f"samples/{name}": self._trackio.Image(str(file))}, step=step)

    def end(self, end: RunEnd) -> None:
        """See `Tracker`."""
        self._stream.save()
        if end.status != "interrupted":
            final = {f"final/{name}": value for name, value in end.values.items()}
            words = {"status": end.status, "reason": end.reason, "notes": "\n".join(end.notes)}
            self._trackio.log({**final, **words}, step=end.step or 0)
        self._trackio.finish()

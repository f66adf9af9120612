"""Event files for TensorBoard, in `tensorboard/<run>` of the results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganbench.trackers.facts import environment_rows, markdown_table
from ganbench.trackers.tracker import RunEnd, TrackedRun, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["TensorBoard"]

_FLUSH_SECONDS = 10


class TensorBoard(Tracker):
    """Writes scalars, images, hyperparameters and a table of the final scores.

    Each process of a run writes an event file of its own. What files before it hold beyond the step
    at which the run goes on is purged, as TensorBoard calls it: it is not shown.
    """

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        from torch.utils.tensorboard import SummaryWriter

        folder = run.folder / "tensorboard" / run.id
        self.goes_on = run.step > 0 and any(folder.glob("events.out.tfevents.*"))
        self._writer = SummaryWriter(
            str(folder),
            purge_step=run.step + 1 if self.goes_on else 0,
            flush_secs=_FLUSH_SECONDS,
        )
        self.note = f"event files, for tensorboard --logdir {folder.parent}"
        if not self.goes_on:
            self._text("hyperparameters", markdown_table(run.hyperparameters.items()))
            self._text("environment", markdown_table(environment_rows(run)))
            self._text("command", f"`{run.command}`")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, file: Path) -> None:
        """See `Tracker`."""
        import numpy as np
        from PIL.Image import open as open_image

        with open_image(file) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self._writer.add_image(f"samples/{name}", pixels, step, dataformats="HWC")

    def end(self, end: RunEnd) -> None:
        """See `Tracker`; hyperparameters are written with the scores, side by side with others'."""
        if end.status != "interrupted":
            from torch.utils.tensorboard.summary import hparams

            step = end.step or 0
            final = {f"final/{name}": value for name, value in end.values.items()}
            self.scalars(step, final)
            rows = [("status", end.status), ("reason", end.reason), *end.values.items()]
            rows += [("note", note) for note in end.notes]
            self._text("final", markdown_table(rows), step)
            file: Any = self._writer.file_writer
            for summary in hparams(self.run.hyperparameters, final):
                file.add_summary(summary, step)
        self._writer.close()

    def _text(self, name: str, text: str, step: int = 0) -> None:
        self._writer.add_text(name, text, step)

"""What a run writes while it trains: progress, sample grids, history and checkpoints."""

from __future__ import annotations

import csv
import io
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from ganbench.errors import UsageError
from ganbench.experiment.store import write_text
from ganbench.scoring import draw
from ganbench.scoring.over_training import OVER_TRAINING_COLUMNS
from ganbench.training.loop import Hooks
from ganbench.training.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.machine.interrupt import StopRequest
    from ganbench.scoring.over_training import ScoresOverTraining

__all__ = ["Recorder"]

_GRID_COUNT = 64
_SHOW_EVERY_SECONDS = 0.25
_SAVE_AT_LEAST_SECONDS = 20.0
_SAVE_AT_MOST_SECONDS = 180.0


class Recorder:
    """Writes one run's files, and shows how far it is.

    Args:
        job: What is run.
        folder: Of the run that is not finished.
        display: Where progress is shown.
        over_training: The scores during training, where they are wanted.

    Attributes:
        outside_seconds: What evaluation, samples and saving took, by name.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        display: Display,
        over_training: ScoresOverTraining | None = None,
    ) -> None:
        self._job = job
        self._folder = folder
        self._display = display
        self._over_training = over_training
        self.outside_seconds: dict[str, float] = {}
        self._shown = 0.0
        self._saved = time.monotonic()

    def hooks(self, request: StopRequest) -> Hooks:
        """What the training loop calls between steps; `request` says when to stop."""
        return Hooks(
            stepped=self.show,
            samples=self.draw_samples,
            evaluate=self.evaluate,
            save=self.save,
            save_due=self._save_due,
            stop=lambda: request.asked,
        )

    def resume(self, session: Session) -> None:
        """Go on from the checkpoint in the folder, where there is one.

        Raises:
            UsageError: It cannot be read.
        """
        file = self._folder / "checkpoint.pt"
        if not file.exists():
            return
        try:
            values = torch.load(file, weights_only=True, map_location="cpu")
            session.restore(values)
            self.outside_seconds = dict(values.get("outside_seconds", {}))
            if self._over_training is not None and "over_training" in values:
                self._over_training.restore(values["over_training"])
        except Exception as error:
            raise UsageError(
                f"checkpoint {file} cannot be read ({type(error).__name__}): "
                "remove it, or start over with --fresh"
            ) from error
        self._display.say(f"{self._job.id}: goes on at step {session.steps}")

    def show(self, session: Session) -> None:
        """Move the progress bar, but not too often."""
        now = time.monotonic()
        budget = self._job.budget
        limit = budget.steps(
            batch_size=session.images_a_step, train_count=len(session.train.labels)
        )
        done, total = (
            (session.clock.seconds, budget.seconds) if limit is None else (session.steps, limit)
        )
        if done < total and now - self._shown < _SHOW_EVERY_SECONDS:
            return
        self._shown = now
        row = session.history[-1]
        rate = session.images_seen / max(session.clock.seconds, 1e-9)
        detail = (
            f"step {session.steps} · {rate:,.0f} images/s · "
            f"D loss {row['d_loss']:.2f} · G loss {row['g_loss']:.2f} · "
            f"D(x) {row['d_real']:.2f} · "
            f"D(G(z)) {row['d_fake_before']:.2f}/{row['d_fake_after']:.2f}"
        )
        self._display.update(self._job.label, done, total, detail)

    def _save_due(self, epoch_ended: bool) -> bool:  # noqa: FBT001 - one question, one answer
        waited = time.monotonic() - self._saved
        return waited > (_SAVE_AT_LEAST_SECONDS if epoch_ended else _SAVE_AT_MOST_SECONDS)

    def save(self, session: Session) -> None:
        """Write checkpoint.pt and history.csv, each in one piece."""
        temporary = self._folder / ".checkpoint.pt"
        with self.outside("saving"):
            values = {**session.checkpoint(), "outside_seconds": dict(self.outside_seconds)}
            if self._over_training is not None:
                values["over_training"] = self._over_training.state()
            torch.save(values, temporary)
            temporary.replace(self._folder / "checkpoint.pt")
            self._write_rows("history.csv", session.history_columns, session.history)
            if self._over_training is not None and self._over_training.rows:
                self._write_rows("scores.csv", OVER_TRAINING_COLUMNS, self._over_training.rows)
        self._saved = time.monotonic()

    @contextmanager
    def outside(self, name: str) -> Iterator[None]:
        """Count what happens inside a `with` as seconds outside the training clock."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.outside_seconds[name] = self.outside_seconds.get(name, 0.0) + spent

    def _write_rows(
        self, name: str, heads: Sequence[str], rows: Sequence[Mapping[str, float | None]]
    ) -> None:
        """Write a table of numbers in one piece; None is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(heads)
        for row in rows:
            values = [row.get(head) for head in heads]
            writer.writerow(["" if value is None else f"{value:.6g}" for value in values])
        write_text(self._folder / name, text.getvalue())

    def evaluate(self, session: Session) -> None:
        """Score the generator as it is now, and say how it stands."""
        if self._over_training is None:
            return
        with self.outside("evaluation"), session.isolated_rng("evaluation"):
            row = self._over_training.evaluate(session)
        parts = [f"{self._job.id}: step {session.steps:,}"]
        if row["fid"] is not None:
            parts.append(f"FID ({self._over_training.reference.backbone.name}) {row['fid']:.4g}")
        parts.append(f"modes {row['modes_covered']:.0f}/{row['modes_total']:.0f}")
        parts.append(f"{session.clock.seconds:,.0f} s")
        self._display.say(" · ".join(parts))

    def draw_samples(self, session: Session) -> None:
        """Write a grid of the same latents as ever."""
        with self.outside("samples"), session.isolated_rng("samples"):
            picture = draw.grid(_fixed_images(session))
            self._write(picture, f"step-{session.steps:07d}.png")

    def draw_beside_real(self, session: Session) -> None:
        """Write real images on the left, generated ones on the right."""
        with self.outside("samples"), session.isolated_rng("samples"):
            real = draw.titled(draw.grid(session.real_examples(_GRID_COUNT)), "real")
            fake = draw.titled(draw.grid(_fixed_images(session)), "generated")
            self._write(draw.beside(real, fake), "real-and-fake.png")

    def _write(self, picture: Image, name: str) -> None:
        target = self._folder / "samples" / name
        target.parent.mkdir(exist_ok=True)
        picture.save(target, optimize=True)


def _fixed_images(session: Session) -> Tensor:
    """Draw the same latents again, class after class where there are classes."""
    latent = draw.latents(session.state, _GRID_COUNT, session.seed, "fixed noise")
    conditions = None
    if session.conditions is not None:
        conditions = draw.in_turn(session.conditions.cpu(), _GRID_COUNT)
    return draw.draw(session.state, session.device, latent, conditions)

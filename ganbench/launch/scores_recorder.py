"""An observer of training that scores the generator now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.store import write_rows
from ganbench.launch.failures import variant_code
from ganbench.scoring.over_training import OVER_TRAINING_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.launch.training_memory import TrainingMemory
    from ganbench.scoring.over_training import ScoresOverTraining
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["ScoresRecorder"]


class ScoresRecorder:
    """Scores a run when that is due, says how it stands, and writes `scores.csv`.

    Args:
        job: What is run.
        folder: Of the run that is not finished.
        scores: Computes the scores and holds them.
        display: Where a line is said about each evaluation.
        outside: Counts what this takes.
        memory: Leaves it out of the memory of training.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        scores: ScoresOverTraining,
        display: Display,
        outside: SecondsOutside,
        memory: TrainingMemory,
    ) -> None:
        self._job = job
        self._folder = folder
        self._scores = scores
        self._display = display
        self._outside = outside
        self._memory = memory

    def __call__(self, event: Event) -> None:
        """Score where that is due."""
        if event.kind == "evaluate":
            self.evaluate(event.session)

    def evaluate(self, session: Session) -> None:
        """Score the generator as it is now, unless this very step has been scored.

        Raises:
            VariantFailure: The variant's generator raised something.
            UsageError: The scores cannot be computed or written.
        """
        if self._scores.is_at(session):
            return
        with (
            self._memory.left_out(session.train),
            self._outside.measure("evaluation"),
            variant_code(self._job, but=(UsageError, OSError)),
            session.isolated_rng("evaluation"),
        ):
            row = self._scores.evaluate(session)
        write_rows(self._folder / "scores.csv", OVER_TRAINING_COLUMNS, self._scores.rows)
        parts = [f"{self._job.label}: step {session.steps:,}"]
        if row["fid"] is not None:
            parts.append(f"FID ({self._scores.reference.backbone.name}) {row['fid']:.4g}")
        parts.append(f"modes {row['modes_covered']:.0f}/{row['modes_total']:.0f}")
        if row["high_quality"] is not None:
            parts.append(f"high quality {row['high_quality']:.0%}")
        parts.append(f"{session.clock.seconds:,.0f} s")
        self._display.say(" · ".join(parts))

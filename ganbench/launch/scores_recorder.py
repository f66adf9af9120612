"""An observer of training that scores the generator now and then."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.store import write_rows
from ganbench.launch.failures import variant_code
from ganbench.scoring.over_training import OVER_TRAINING_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.launch.training_memory import TrainingMemory
    from ganbench.machine.interrupt import StopRequest
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

    Attributes:
        request: While it is open, a request to stop ends an evaluation at once.
        is_due: Whether an evaluation was stopped, and has to be done first where the run goes on.
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
        self.request: StopRequest | None = None
        self.is_due = False

    def __call__(self, event: Event) -> None:
        """Score where that is due."""
        if event.kind == "evaluate":
            self.evaluate(event.session)

    def evaluate(self, session: Session) -> None:
        """Score the generator as it is now, unless this very step has been scored.

        Raises:
            VariantFailure: The variant's generator raised something.
            UsageError: The scores cannot be computed or written.
            Stopped: The run was asked to stop meanwhile; the evaluation is due still.
        """
        if self._scores.is_at(session):
            return
        self.is_due = True
        with (
            self._memory.left_out(session.train),
            self._outside.measure("evaluation"),
            variant_code(self._job, but=(UsageError, OSError)),
            session.isolated_rng("evaluation"),
        ):
            with self.request.at_once() if self.request is not None else nullcontext():
                scored = self._scores.score(session, "choosing")
            row = self._scores.add(session, scored)
        self.is_due = False
        write_rows(self._folder / "scores.csv", OVER_TRAINING_COLUMNS, self._scores.rows)
        parts = [f"{self._job.label}: step {session.steps:,}"]
        if row["fid"] is not None:
            parts.append(f"FID ({self._scores.reference.backbone.name}) {row['fid']:.4g}")
        parts.append(f"modes {row['modes_covered']:.0f}/{row['modes_total']:.0f}")
        if row["high_quality"] is not None:
            parts.append(f"high quality {row['high_quality']:.0%}")
        parts.append(f"{session.clock.seconds:,.0f} s")
        self._display.say(" · ".join(parts))

    def evaluate_at_end(self, session: Session) -> None:
        """As `evaluate`, when the budget is used up; it may not have been due otherwise."""
        if not self._scores.is_at(session):
            self._scores.note_end()
        self.evaluate(session)

    def state_dict(self) -> dict[str, bool]:
        """Whether an evaluation was stopped."""
        return {"is_due": self.is_due}

    def load_state_dict(self, values: Mapping[str, bool]) -> None:
        """Go on where `state_dict` was taken."""
        self.is_due = bool(values["is_due"])

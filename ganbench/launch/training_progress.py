"""An observer of training that shows on a bar how far a run is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ganbench.launch.timings import duration

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.training.loop import Event

__all__ = ["TrainingProgress"]

_SHOW_EVERY_SECONDS = 0.25
_KNOWN_AFTER_SECONDS = 5.0  # on the training clock
_HOUR = 3600


class TrainingProgress:
    """Moves a run's bar after its steps, but not too often: steps are short.

    Args:
        job: What is run.
        display: Where the bar is.
    """

    def __init__(self, job: Job, display: Display) -> None:
        self._job = job
        self._display = display
        self._shown = 0.0
        self._is_length_known = False

    def __call__(self, event: Event) -> None:
        """Show the step that has just been done."""
        if event.kind != "stepped":
            return
        session, budget, now = event.session, self._job.budget, time.monotonic()
        limit = budget.steps(
            batch_size=session.images_a_step, train_count=len(session.train.labels)
        )
        done, total = (
            (session.clock.seconds, budget.seconds) if limit is None else (session.steps, limit)
        )
        self._say_if_long(session.clock.seconds, session.steps, limit)
        if done < total and now - self._shown < _SHOW_EVERY_SECONDS:
            return
        self._shown = now
        row = session.history[-1]
        rate = session.images_seen / max(session.clock.seconds, 1e-9)
        detail = (
            f"step {session.steps} · {rate:,.0f} {self._job.spec.unit}/s · "
            f"D loss {row['d_loss']:.2f} · G loss {row['g_loss']:.2f} · "
            f"D(x) {row['d_real']:.2f} · "
            f"D(G(z)) {row['d_fake_before']:.2f}/{row['d_fake_after']:.2f}"
        )
        self._display.update(self._job.label, done, total, detail)

    def _say_if_long(self, seconds: float, steps: int, limit: int | None) -> None:
        """Say once, near the start, that training will take longer than an hour."""
        if self._is_length_known or (limit is not None and seconds < _KNOWN_AFTER_SECONDS):
            return
        self._is_length_known = True
        whole = self._job.budget.seconds if limit is None else seconds / steps * limit
        if whole - seconds > _HOUR:
            self._display.say(
                f"{self._job.label}: will train for about {duration(whole - seconds)} from now; "
                "Ctrl-C saves it, and the same command goes on"
            )

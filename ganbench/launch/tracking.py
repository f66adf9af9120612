"""An observer of training that hands a run's numbers and pictures to trackers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ganbench.launch.sample_grids import REAL_AND_FAKE, step_name
from ganbench.trackers.hosted import HostedTracker
from ganbench.trackers.tracker import RunEnd, TrackedRun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.experiment.result import RunResult
    from ganbench.launch.resources import Resources
    from ganbench.scoring.over_training import ScoresOverTraining
    from ganbench.trackers.hosted import Call
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["Tracking"]

_HAND_OVER_SECONDS = 1.0
_AT_POSITION = ("step", "epoch", "images_seen", "seconds")
_SPEEDS = ("train_seconds", "images_per_second", "sample_images_per_second", "peak_memory_bytes")


class Tracking:
    """Follows one run with several trackers, each in a process of its own.

    Rows of the history are handed over about once a second, after a step for which one was written.
    A tracker that fails is named in one line, and the run goes on without it.

    Args:
        names: Of the trackers.
        job: What is run.
        folder: Of the run that is not finished.
        basis: What is known of the run before it begins.
        resources: Say where results go, and on which display lines are said.
    """

    def __init__(
        self, names: Sequence[str], job: Job, folder: Path, basis: RunResult, resources: Resources
    ) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._job = job
        self._folder = folder
        self._basis = basis
        self._resources = resources
        self._trackers: list[HostedTracker] = []
        self._session: Session | None = None
        self._scores: ScoresOverTraining | None = None
        self._rows = 0  # of the history that were handed over
        self._score_rows = 0
        self._pictured = -1  # the last step whose picture was handed over
        self._handed_over = 0.0
        self._is_open = False  # before that it is not known which rows a tracker has already

    def start(self, session: Session) -> None:
        """Start the trackers of a run, new or restored; does not wait for them."""
        self._session = session
        basis = self._basis
        run = TrackedRun(
            id=self._job.id,
            folder=self._resources.folder.path.resolve(),
            step=session.steps,
            variant=basis.variant,
            dataset=basis.dataset,
            seed=basis.seed,
            device=basis.device,
            budget=basis.budget,
            recipe=basis.recipe,
            environment=basis.environment,
            command=basis.command,
        )
        self._trackers = [HostedTracker(name, run) for name in self._names]

    def wait_until_open(self, scores: ScoresOverTraining | None) -> None:
        """Wait for the trackers, and hand over what they lack of a run that goes on.

        Args:
            scores: Holds the scores during training, where there are some.
        """
        self._scores = scores
        for tracker in self._trackers:
            tracker.wait_until_open()
            if tracker.note:
                note = f"{tracker.name}: {tracker.note}"
                self._resources.display.say_once(note, note)
        self._drop_failed()
        self._is_open = True
        calls = [*self._new_scalars(), *self._pictures_so_far()]
        for tracker in self._trackers:
            if not tracker.goes_on:
                tracker.call(calls)

    def __call__(self, event: Event) -> None:
        """Hand over what is new: after a step now and then, otherwise at once."""
        if not self._trackers:
            return
        if event.kind == "stepped":
            if len(event.session.history) == self._rows:
                return
            now = time.monotonic()
            if now - self._handed_over < _HAND_OVER_SECONDS:
                return
            self._handed_over = now
        self._hand_over()

    def interrupt(self) -> None:
        """The run stops, and may go on later."""
        self._hand_over()
        self._call([("end", (RunEnd("interrupted", step=self._step),))])
        for tracker in self._trackers:
            tracker.leave_alone()
        self._trackers = []

    def end(self, result: RunResult) -> None:
        """The run is over: hand over its last pictures and final scores, and wait for the trackers.

        Args:
            result: Of the run, before its folder gets its final name.
        """
        self._hand_over()
        file = self._folder / "samples" / REAL_AND_FAKE
        if file.exists():
            self._call([("picture", (self._step, "real-and-generated", file))])
        self._call([("end", (_end_of(result),))])
        for tracker in self._trackers:
            tracker.end()
        self._drop_failed()
        self._trackers = []

    @property
    def _step(self) -> int:
        return 0 if self._session is None else self._session.steps

    def _hand_over(self) -> None:
        if not self._is_open:
            return
        for tracker in self._trackers:
            tracker.look()
        self._drop_failed()
        self._call([*self._new_scalars(), *self._new_picture()])

    def _call(self, calls: Sequence[Call]) -> None:
        for tracker in self._trackers if calls else ():
            tracker.call(calls)

    def _drop_failed(self) -> None:
        for tracker in self._trackers:
            if tracker.problem:
                self._resources.display.say(
                    f"{self._job.id}: warning: the tracker {tracker.name} has failed, and the run "
                    f"goes on without it: {tracker.problem}"
                )
        self._trackers = [tracker for tracker in self._trackers if not tracker.problem]

    def _new_scalars(self) -> list[Call]:
        """Rows of the history, and scores during training, since the last time."""
        history = [] if self._session is None else self._session.history[self._rows :]
        scores = [] if self._scores is None else self._scores.rows[self._score_rows :]
        self._rows += len(history)
        self._score_rows += len(scores)
        return [_scalars("training", row) for row in history] + [
            _scalars("scores", row) for row in scores
        ]

    def _new_picture(self) -> list[Call]:
        """The picture of the present step, where one was drawn and not handed over."""
        file = self._folder / "samples" / step_name(self._step)
        if self._pictured == self._step or not file.exists():
            return []
        self._pictured = self._step
        return [("picture", (self._step, "generated", file))]

    def _pictures_so_far(self) -> list[Call]:
        """The pictures that a run that goes on has already."""
        steps = sorted(
            int(file.stem.removeprefix("step-"))
            for file in (self._folder / "samples").glob("step-*.png")
        )
        past = [step for step in steps if step <= self._step]
        self._pictured = max(past, default=-1)
        return [
            ("picture", (step, "generated", self._folder / "samples" / step_name(step)))
            for step in past
        ]


def _scalars(group: str, row: dict[str, float] | dict[str, float | None]) -> Call:
    """A row as a call: its numbers by names with a group, without the step itself."""
    values = {
        f"{group}/{name}": value
        for name, value in row.items()
        if value is not None and (name not in _AT_POSITION or group == "training")
        if name != "step"
    }
    return "scalars", (int(row["step"] or 0), values)


def _end_of(result: RunResult) -> RunEnd:
    """How a run ended, for trackers."""
    speeds = {name: getattr(result, name) for name in _SPEEDS}
    values = {**result.scores, **speeds}
    return RunEnd(
        status="failed" if result.status == "skipped" else result.status,
        reason=result.reason,
        step=result.steps or None,
        values={name: float(value) for name, value in values.items() if value is not None},
        notes=result.notes,
    )

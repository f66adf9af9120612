"""The training loop that all variants share: one step after the other, yielded as events.

The loop holds no files, no charts and no scores. It decides when a grid of samples, an evaluation
or a checkpoint is due, and says so; whoever runs it (`ganbench.launch.run_job`) does the work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ganbench.training.session import Session
    from ganbench.variant.budget import Budget

__all__ = ["Event", "Kind", "train"]

Kind = Literal["stepped", "sample", "evaluate", "save", "stop"]

_SAVE_AT_LEAST_SECONDS = 20.0
_SAVE_AT_MOST_SECONDS = 180.0


@dataclass(frozen=True)
class Event:
    """What has just happened in training, or is due now.

    Attributes:
        kind: `stepped` after each step, while the training clock runs, so that answers must be
            quick. The others come with the clock stopped: `sample` when a grid of samples is due,
            `evaluate` when scores are, `save` when a checkpoint is, and `stop` as the last event of
            a run that was asked to stop, after its checkpoint.
        session: The run, between two steps.
    """

    kind: Kind
    session: Session


@dataclass(frozen=True)
class _Position:
    """How far a run was before a step."""

    images: int
    steps: int
    seconds: float

    @classmethod
    def of(cls, session: Session) -> _Position:
        return cls(session.images_seen, session.steps, session.clock.seconds)

    def crossed(self, every: Budget, session: Session) -> bool:
        """Whether the steps since have crossed a multiple of `every`."""
        count = len(session.train.images)
        then, now = {
            "epochs": (self.images / count, session.images_seen / count),
            "steps": (self.steps, session.steps),
            "kimg": (self.images / 1000, session.images_seen / 1000),
            "min": (self.seconds / 60, session.clock.seconds / 60),
            "s": (self.seconds, session.clock.seconds),
        }[every.unit]
        slack = 1e-9
        return math.floor(now / every.amount + slack) > math.floor(then / every.amount + slack)


class _Schedule:
    """Decides after each step what is due."""

    def __init__(
        self, sample_every: Budget, evaluate_every: Budget | None, stop: Callable[[], bool]
    ) -> None:
        self._sample_every = sample_every
        self._evaluate_every = evaluate_every
        self._stop = stop
        self._saved = time.monotonic()

    def due(self, before: _Position, session: Session) -> list[Kind]:
        """The events that follow a step, in their order; `before` is the run before that step."""
        count = len(session.train.images)
        epoch_ended = session.images_seen // count > before.images // count
        is_first_epoch = before.images < count
        sample = (epoch_ended and is_first_epoch) or before.crossed(self._sample_every, session)
        every = self._evaluate_every
        evaluate = every is not None and before.crossed(every, session)
        stop = self._stop()
        save = evaluate or stop or self._is_checkpoint_due(epoch_ended=epoch_ended)
        wanted: dict[Kind, bool] = {
            "sample": sample,
            "evaluate": evaluate,
            "save": save,
            "stop": stop,
        }
        return [kind for kind, is_due in wanted.items() if is_due]

    def _is_checkpoint_due(self, *, epoch_ended: bool) -> bool:
        waited = time.monotonic() - self._saved
        return waited > (_SAVE_AT_LEAST_SECONDS if epoch_ended else _SAVE_AT_MOST_SECONDS)

    def note_saved(self) -> None:
        """A checkpoint has been written: the next one is due some time from now."""
        self._saved = time.monotonic()


def train(
    session: Session,
    budget: Budget,
    sample_every: Budget,
    evaluate_every: Budget | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train until the budget is used up, or until `stop` says so; yield what happens.

    The training clock runs while steps run, and while the answer to `stepped` is awaited.

    Args:
        session: Changed in place; may have been restored from a checkpoint.
        budget: How long, counted from the very beginning of the run.
        sample_every: How often samples are due; they are also due after the first epoch.
        evaluate_every: How often scores are due, each time followed by a checkpoint; None is never.
        stop: Asked after each step whether to save and end now.

    Yields:
        The events, in their order.

    Raises:
        Diverged: A loss is not finite.
        ContractError: The variant does not keep what it promises.
        ExecutionError: The step cannot be compiled or captured.
    """
    limit = budget.steps(batch_size=session.images_a_step, train_count=len(session.train.images))

    def is_over() -> bool:
        if limit is not None:
            return session.steps >= limit
        return session.clock.seconds >= budget.seconds

    session.state.train()
    if is_over():
        return
    session.prepare()
    schedule = _Schedule(sample_every, evaluate_every, stop)
    session.clock.start()
    try:
        while not is_over():
            before = _Position.of(session)
            session.advance()
            yield Event("stepped", session)
            due = schedule.due(before, session)
            if not due:
                continue
            session.clock.pause()
            session.settle()
            for kind in due:
                yield Event(kind, session)
                if kind == "save":
                    schedule.note_saved()
            if "stop" in due:
                return
            session.clock.start()
    finally:
        session.clock.pause()

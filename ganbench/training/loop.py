"""The training loop that all variants share: one step after the other, and stopping in time.

The loop holds no files, no charts and no scores. Whoever runs it (`ganbench.launch.run_job`)
looks in between the steps through `Hooks`, with the training clock stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganbench.training.session import Session
    from ganbench.variant.budget import Budget

__all__ = ["Hooks", "Stopped", "train"]


class Stopped(Exception):  # noqa: N818 - an outcome, not an error
    """The run was asked to stop, and has been saved."""


def _nothing(_session: Session) -> None:
    return


@dataclass(frozen=True)
class Hooks:
    """What happens between steps.

    Attributes:
        stepped: Called after each step while the clock runs; must be quick.
        samples: Called with the clock stopped, after the first epoch and every `sample_every`.
        evaluate: Called with the clock stopped, every `evaluate_every`; a checkpoint follows.
        save: Called with the clock stopped, when a checkpoint is due.
        save_due: Says whether one is; asked after each step, with whether an epoch has ended.
        stop: Says whether to save and leave now; asked after each step.
    """

    stepped: Callable[[Session], None] = _nothing
    samples: Callable[[Session], None] = _nothing
    evaluate: Callable[[Session], None] = _nothing
    save: Callable[[Session], None] = _nothing
    save_due: Callable[[bool], bool] = lambda epoch_ended: False  # noqa: ARG005
    stop: Callable[[], bool] = lambda: False


def _is_due(every: Budget, before: Session, *, images: int, steps: int, seconds: float) -> bool:
    """Whether the step that has just ended crossed a multiple of `every`."""
    count = len(before.train.images)
    done = {
        "epochs": (before.images_seen / count, images / count),
        "steps": (before.steps, steps),
        "kimg": (before.images_seen / 1000, images / 1000),
        "min": (before.clock.seconds / 60, seconds / 60),
        "s": (before.clock.seconds, seconds),
    }[every.unit]
    now, then = done
    slack = 1e-9
    return math.floor(now / every.amount + slack) > math.floor(then / every.amount + slack)


def train(
    session: Session,
    budget: Budget,
    sample_every: Budget,
    hooks: Hooks,
    evaluate_every: Budget | None = None,
) -> None:
    """Train until the budget is used up.

    Args:
        session: Changed in place; may have been restored from a checkpoint.
        budget: How long, counted from the very beginning of the run.
        sample_every: How often `hooks.samples` is called.
        hooks: What happens in between.
        evaluate_every: How often `hooks.evaluate` is called; None is never.

    Raises:
        Diverged: A loss is not finite.
        Stopped: `hooks.stop` said so.
    """
    count = len(session.train.images)
    limit = budget.steps(batch_size=session.images_a_step, train_count=count)

    def is_over() -> bool:
        if limit is not None:
            return session.steps >= limit
        return session.clock.seconds >= budget.seconds

    session.state.train()
    if is_over():
        return
    session.clock.start()
    try:
        while not is_over():
            images, steps, seconds = session.images_seen, session.steps, session.clock.seconds
            session.advance()
            hooks.stepped(session)
            epoch_ended = session.images_seen // count > images // count
            samples_due = (epoch_ended and images < count) or _is_due(
                sample_every, session, images=images, steps=steps, seconds=seconds
            )
            evaluation_due = evaluate_every is not None and _is_due(
                evaluate_every, session, images=images, steps=steps, seconds=seconds
            )
            stop = hooks.stop()
            save_due = hooks.save_due(epoch_ended) or evaluation_due or stop
            if samples_due or save_due:
                session.clock.pause()
                if samples_due:
                    hooks.samples(session)
                if evaluation_due:
                    hooks.evaluate(session)
                if save_due:
                    hooks.save(session)
                if stop:
                    raise Stopped
                session.clock.start()
    finally:
        session.clock.pause()

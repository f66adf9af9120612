"""The training clock: charges a run for its steps and for nothing else.

A lap is recorded after each step as an event on the device's own time line, so that no step waits
for the device; the seconds are read when somebody asks. What a step computes for the history alone,
and reading it to the host, is left out of its lap and is not charged: a short run has such steps
only, a long one hardly any.

The first step after a pause pays for what the pause has left: memory that was given back and must
be cleared page by page, caches that hold other things. It is charged like any other step, but says
nothing of the speed in steady state, so it is not among the timed ones.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from ganbench.machine.device import Device, Event

__all__ = ["Timing", "TrainingClock"]

_WARMUP_STEPS = 10
_WARMUP_SHARE = 5  # of a short run, one step in five warms up
_PENDING_LIMIT = 1000


@dataclass(frozen=True)
class Timing:
    """Seconds of each timed step, and what follows from them.

    Attributes:
        warmup_steps: Steps that were run but not timed: the first ones of the run, the first one
            after each pause, and those that were carried out unlike the others.
        step_seconds: Seconds of each timed step, in order, data included, measures not.
        batch_size: Real images per step.
        train_seconds: Seconds on the training clock, warm-up included; measures, drawing samples,
            saving and scoring are not.
    """

    warmup_steps: int
    step_seconds: tuple[float, ...]
    batch_size: int
    train_seconds: float

    @property
    def images_per_second(self) -> float | None:
        """Real images consumed per second in steady state; None where no step was timed."""
        total = sum(self.step_seconds)
        return self.batch_size * len(self.step_seconds) / total if total > 0 else None

    @property
    def median(self) -> float | None:
        """Median seconds of a step; None where no step was timed."""
        return self._quantile(0.5)

    @property
    def p95(self) -> float | None:
        """95th percentile of a step's seconds, interpolated; None where no step was timed."""
        return self._quantile(0.95)

    def _quantile(self, share: float) -> float | None:
        return float(np.quantile(self.step_seconds, share)) if self.step_seconds else None


class TrainingClock:
    """Counts training seconds.

    Everything between `pause` and `start` is left out, and what `leave_out` names.

    Args:
        device: Where the steps run.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._charged = 0.0
        self._step_seconds: list[float] = []
        self._after_pause: list[int] = []  # which of the steps were the first ones after a pause
        self._unusual: list[int] = []  # which were carried out unlike the others
        self._pending: list[Event] = []
        self._left_out: list[tuple[int, Event, Event]] = []  # of which step, from when to when
        self._left_out_seconds: dict[int, float] = {}  # of steps that are not yet read
        self._started: float | None = None

    def start(self) -> None:
        """Begin to charge."""
        self._device.synchronize()
        self._started = time.perf_counter()
        number = len(self._step_seconds)
        if number not in self._after_pause[-1:]:  # no step was done since the last start
            self._after_pause.append(number)
        self._pending = [self._device.event()]
        self._left_out_seconds = {}  # what was left out after the last step is in none

    def lap(self, *, is_usual: bool = True) -> None:
        """A step is over; does not wait for the device.

        Args:
            is_usual: Whether it was carried out like most steps of the run; others are timed only
                where there are no such steps.
        """
        if not is_usual:
            self._unusual.append(self._present)
        self._pending.append(self._device.event())
        if len(self._pending) > _PENDING_LIMIT:
            self._collect()

    def leave_out(self, before: Event, after: Event) -> None:
        """What the device did between two events of the present step is no training.

        Does nothing when the clock stands.
        """
        if self._started is not None:
            self._left_out.append((self._present, before, after))

    def pause(self) -> None:
        """Wait for the device and stop charging. Does nothing when the clock stands."""
        if self._started is None:
            return
        self._device.synchronize()
        self._charged += time.perf_counter() - self._started
        self._started = None
        self._collect()

    @property
    def _present(self) -> int:
        """Number of the step that is going on, from 0."""
        return len(self._step_seconds) + max(0, len(self._pending) - 1)

    def _read_left_out(self) -> None:
        """Give back what was charged for too much."""
        for number, before, after in self._left_out:
            after.synchronize()
            seconds = before.elapsed_time(after) / 1000
            self._charged -= seconds
            self._left_out_seconds[number] = self._left_out_seconds.get(number, 0.0) + seconds
        self._left_out = []

    def _collect(self) -> None:
        """Turn recorded events into seconds; the last one opens the next lap."""
        self._read_left_out()
        if not self._pending:
            return
        self._pending[-1].synchronize()
        for before, after in itertools.pairwise(self._pending):
            left_out = self._left_out_seconds.pop(len(self._step_seconds), 0.0)
            self._step_seconds.append(before.elapsed_time(after) / 1000 - left_out)
        self._pending = self._pending[-1:]

    @property
    def is_running(self) -> bool:
        """Whether it charges now."""
        return self._started is not None

    @property
    def seconds(self) -> float:
        """Training seconds charged so far.

        Waits for what was left out: right after a measured step, whose values have been read, the
        device has done it already.
        """
        self._read_left_out()
        running = 0.0 if self._started is None else time.perf_counter() - self._started
        return self._charged + running

    @property
    def step_seconds(self) -> list[float]:
        """Seconds of each step so far."""
        self._collect()
        return self._step_seconds

    @property
    def is_timed(self) -> list[bool]:
        """Whether each step so far is among those from which speeds are computed.

        The first steps warm up (ten, or a fifth of a short run) and are not. Nor are the first one
        after each pause and those that were carried out unlike the others, unless no other step is
        left.
        """
        count = len(self.step_seconds)
        warmup = min(_WARMUP_STEPS, -(-count // _WARMUP_SHARE)) if count > 1 else 0
        after_pause, unusual = set(self._after_pause), set(self._unusual)
        for skipped in (after_pause | unusual, after_pause, set[int]()):
            timed = [number >= warmup and number not in skipped for number in range(count)]
            if any(timed):
                return timed
        return [False] * count

    def timing(self, batch_size: int) -> Timing:
        """Sum up the steps that are timed."""
        timed = tuple(itertools.compress(self.step_seconds, self.is_timed))
        return Timing(len(self._step_seconds) - len(timed), timed, batch_size, self.seconds)

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far, for a checkpoint; the clock may run on."""
        return {
            "seconds": self.seconds,
            "step_seconds": torch.tensor(self.step_seconds, dtype=torch.float64),
            "after_pause": torch.tensor(self._after_pause, dtype=torch.int64),
            "unusual": torch.tensor(self._unusual, dtype=torch.int64),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go on with stored seconds; the clock stands until it is started."""
        self._charged = float(values["seconds"])
        self._step_seconds = values["step_seconds"].tolist()
        self._after_pause = values["after_pause"].tolist()
        self._unusual = values["unusual"].tolist() if "unusual" in values else []
        self._pending, self._left_out, self._started = [], [], None
        self._left_out_seconds = {}

"""The training clock: charges a run for its steps and for nothing else.

A lap is recorded after each step as an event on the device's own time line, so that no step waits
for the device; the seconds are read when somebody asks.

The first step after a pause pays for what the pause has left: memory that was given back and must
be cleared page by page, caches that hold other things. It is charged like any other step, but says
nothing of the speed in steady state, so it is not among the timed ones.
"""

from __future__ import annotations

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
        warmup_steps: Steps that were run but not timed: the first ones of the run, and the first
            one after each pause.
        step_seconds: Seconds of each timed step, in order, data included.
        batch_size: Real images per step.
        train_seconds: Seconds on the training clock, warm-up included; drawing samples, saving
            and scoring are not.
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

    def quantile(self, share: float) -> float | None:
        """Seconds of a step at a quantile in [0, 1]; None where no step was timed."""
        return float(np.quantile(self.step_seconds, share)) if self.step_seconds else None


class TrainingClock:
    """Counts training seconds, with everything between `pause` and `start` left out.

    Args:
        device: Where the steps run.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._charged = 0.0
        self._step_seconds: list[float] = []
        self._after_pause: list[int] = []  # which of the steps were the first ones after a pause
        self._pending: list[Event] = []
        self._started: float | None = None

    def start(self) -> None:
        """Begin to charge."""
        self._device.synchronize()
        self._started = time.perf_counter()
        number = len(self._step_seconds)
        if number not in self._after_pause[-1:]:  # no step was done since the last start
            self._after_pause.append(number)
        self._pending = [self._device.event()]

    def lap(self) -> None:
        """A step is over; does not wait for the device."""
        self._pending.append(self._device.event())
        if len(self._pending) > _PENDING_LIMIT:
            self._collect()

    def pause(self) -> None:
        """Wait for the device and stop charging. Does nothing when the clock stands."""
        if self._started is None:
            return
        self._device.synchronize()
        self._charged += time.perf_counter() - self._started
        self._started = None
        self._collect()

    def _collect(self) -> None:
        """Turn recorded events into seconds; the last one opens the next lap."""
        if not self._pending:
            return
        self._pending[-1].synchronize()
        for before, after in zip(self._pending, self._pending[1:], strict=False):
            self._step_seconds.append(before.elapsed_time(after) / 1000)
        self._pending = self._pending[-1:]

    @property
    def is_running(self) -> bool:
        """Whether it charges now."""
        return self._started is not None

    @property
    def seconds(self) -> float:
        """Training seconds charged so far."""
        running = 0.0 if self._started is None else time.perf_counter() - self._started
        return self._charged + running

    @property
    def step_seconds(self) -> list[float]:
        """Seconds of each step so far."""
        self._collect()
        return self._step_seconds

    def timing(self, batch_size: int) -> Timing:
        """Sum up: the first steps warm up (ten, or a fifth of a short run) and are not timed.

        Nor is the first step after each pause, unless no other step is left.
        """
        seconds = self.step_seconds
        warmup = min(_WARMUP_STEPS, -(-len(seconds) // _WARMUP_SHARE)) if len(seconds) > 1 else 0
        skipped = set(self._after_pause)
        later = enumerate(seconds[warmup:], warmup)
        steady = [value for number, value in later if number not in skipped]
        timed = steady or seconds[warmup:]
        return Timing(len(seconds) - len(timed), tuple(timed), batch_size, self.seconds)

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far, for a checkpoint; the clock may run on."""
        return {
            "seconds": self.seconds,
            "step_seconds": torch.tensor(self.step_seconds, dtype=torch.float64),
            "after_pause": torch.tensor(self._after_pause, dtype=torch.int64),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go on with stored seconds; the clock stands until it is started."""
        self._charged = float(values["seconds"])
        self._step_seconds = values["step_seconds"].tolist()
        self._after_pause = values["after_pause"].tolist()
        self._pending, self._started = [], None

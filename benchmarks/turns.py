"""Timing from an idle device to an idle device, and a turn of a training run timed so."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.machine.device import Device

__all__ = ["Loop", "Turn", "steps_in", "take", "timed"]


class Loop(Protocol):
    """A training run that goes on step by step."""

    @property
    def images_seen(self) -> int:
        """Real images consumed so far."""

    def advance(self) -> None:
        """Do one step."""


@dataclass(frozen=True)
class Turn:
    """Some steps, and the seconds that they took."""

    seconds: float
    steps: int
    images: int

    @property
    def images_per_second(self) -> float:
        """Real images consumed per second."""
        return self.images / self.seconds


def timed(work: Callable[[], Any], device: Device) -> tuple[float, Any]:
    """Seconds from an idle device to an idle device, and what the work returns."""
    device.synchronize()
    begun = time.perf_counter()
    outcome = work()
    device.synchronize()
    return time.perf_counter() - begun, outcome


def take(loop: Loop, steps: int, device: Device) -> Turn:
    """Time `steps` steps of a loop."""

    def go() -> None:
        for _ in range(steps):
            loop.advance()

    images = loop.images_seen
    seconds, _ = timed(go, device)
    return Turn(seconds, steps, loop.images_seen - images)


def steps_in(seconds: float, *turns: Turn) -> int:
    """How many steps the slowest of some turns would do in `seconds`, at least one."""
    return max(1, math.ceil(min(seconds * turn.steps / turn.seconds for turn in turns)))

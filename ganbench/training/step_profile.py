"""What a step spends its time on: moments on the device's own time line, read later."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench.machine.device import Event

__all__ = ["PhaseClock"]

_PENDING_LIMIT = 200


class PhaseClock:
    """Adds up the seconds of each phase of some steps, without waiting for the device."""

    def __init__(self) -> None:
        self._totals: dict[str, float] = {}
        self._steps = 0
        self._pending: list[list[tuple[str, Event]]] = []

    def begin(self, moment: Event) -> None:
        """A step begins."""
        if len(self._pending) >= _PENDING_LIMIT:
            self._collect()
        self._pending.append([("", moment)])

    def mark(self, phase: str, moment: Event) -> None:
        """The time since the last mark of this step belongs to `phase`."""
        self._pending[-1].append((phase, moment))

    def _collect(self) -> None:
        for moments in self._pending:
            moments[-1][1].synchronize()
            for (_, before), (phase, after) in itertools.pairwise(moments):
                seconds = before.elapsed_time(after) / 1000
                self._totals[phase] = self._totals.get(phase, 0.0) + seconds
        self._steps += len(self._pending)
        self._pending = []

    @property
    def seconds_a_step(self) -> dict[str, float]:
        """Mean seconds of each phase; empty where no step was looked at."""
        self._collect()
        return {phase: total / self._steps for phase, total in self._totals.items()}

    def state_dict(self) -> dict[str, Any]:
        """The sums so far, for a checkpoint."""
        self._collect()
        return {"totals": dict(self._totals), "steps": self._steps}

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go on with stored sums."""
        self._totals, self._steps = dict(values["totals"]), values["steps"]
        self._pending = []

"""The conditions of each stretch of a run: a run that was stopped may go on under others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ganbench.experiment.conditions import changes

__all__ = ["TrainedUnder"]


@dataclass
class TrainedUnder:
    """Keeps in the checkpoint with how many threads, where and by what a run was trained.

    Attributes:
        now: The conditions of this process, as `ganbench.experiment.conditions` names them.
        stretches: The step after which each stretch of the run began, and its conditions; a
            stretch ends where conditions change.
    """

    now: dict[str, str]
    stretches: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def go_on(self, steps: int) -> str:
        """Begin training after so many steps; say what has changed since, if anything has."""
        before = self.stretches[-1][1] if self.stretches else self.now
        if not self.stretches or changes(before, self.now):
            self.stretches.append((steps, self.now))
        return _sentence(steps, before, self.now)

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each time that conditions changed."""
        pairs = zip(self.stretches, self.stretches[1:], strict=False)
        return tuple(_sentence(step, before, now) for (_, before), (step, now) in pairs)

    def state_dict(self) -> dict[str, Any]:
        """The stretches."""
        return {"stretches": [{"after": step, "under": under} for step, under in self.stretches]}

    def load_state_dict(self, values: Any) -> None:
        """Take over the stretches of a checkpoint.

        Raises:
            Exception: It holds something else.
        """
        self.stretches = [
            (int(item["after"]), {str(key): str(text) for key, text in item["under"].items()})
            for item in values["stretches"]
        ]


def _sentence(steps: int, before: dict[str, str], now: dict[str, str]) -> str:
    changed = changes(before, now)
    if not changed:
        return ""
    return (
        f"stopped at step {steps:,} and continued under other conditions ({', '.join(changed)}): "
        "a run without a stop would have other numbers"
    )

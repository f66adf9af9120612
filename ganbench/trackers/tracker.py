"""What a tracker is: it is told what a run is, its numbers and pictures, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["RunEnd", "TrackedRun", "Tracker"]

EndStatus = Literal["ok", "diverged", "failed", "interrupted"]


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker knows of a run before it sees any of its numbers.

    Attributes:
        id: The run's name, unlike that of any other run in its results folder.
        folder: The results folder, as an absolute path; a tracker that writes files writes them
            below it, in a folder of its own name.
        step: Training steps done so far: 0 for a new run, more for one that goes on.
        variant: Name of the variant.
        dataset: Name of the dataset.
        seed: Seed of the run.
        device: Kind of device: `cpu`, `cuda` or `mps`.
        budget: How long the run trains, for example `25epochs`.
        recipe: Hyperparameters by name: numbers, texts and booleans.
        environment: Versions, machine, threads and commit; values may be dictionaries.
        command: The command that started the run.
    """

    id: str
    folder: Path
    step: int
    variant: str
    dataset: str
    seed: int
    device: str
    budget: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    @property
    def hyperparameters(self) -> dict[str, bool | int | float | str]:
        """The recipe, and what the run was asked for beside it, as values that every library takes.

        What is no number, text or boolean is written as text.
        """
        asked = {name: getattr(self, name) for name in ("variant", "dataset", "seed", "budget")}
        values = {**self.recipe, **asked, "device": self.device}
        return {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in values.items()
        }


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Attributes:
        status: `ok`, `diverged` or `failed`; `interrupted` where the run was stopped or its process
            was killed, and may go on later.
        reason: Why it diverged or failed; empty otherwise.
        step: Training steps done; None where that is not known.
        values: The final scores and speeds, by their names in `runs.csv`, those that apply.
        notes: Where scores do not mean what they seem to, in sentences.
    """

    status: EndStatus
    reason: str = ""
    step: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Tracker:
    """Follows one run; each method does nothing here, and a tracker replaces those it needs.

    A tracker lives in a process of its own, from `__init__` to `end`. What it raises ends it: the
    user reads one line, and the run goes on without it.

    Attributes:
        note: One line for the user that says where to look; empty for none.
        goes_on: Whether this tracker has kept what it was given up to `run.step`, by an earlier
            process of the same run. Where it has not, it is given the whole run from its first
            step, which is also how a run that goes on reaches a tracker that it did not have.

    Args:
        run: The run to follow.
    """

    note: str = ""
    goes_on: bool = False

    def __init__(self, run: TrackedRun) -> None:
        self.run = run

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Take numbers of one step, which may not be finite.

        Args:
            step: Training steps done.
            values: By names with a group: `training/d_loss`, `training/images_per_second`,
                `scores/fid`.
        """

    def picture(self, step: int, name: str, file: Path) -> None:
        """Take a picture.

        Args:
            step: Training steps done.
            name: `generated`, or `real-and-generated` at the end.
            file: A PNG, which may be moved when this returns.
        """

    def end(self, end: RunEnd) -> None:
        """Write what is not written yet; nothing comes after this."""

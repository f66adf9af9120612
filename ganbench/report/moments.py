"""Moments of training that all variants share, though each drew its samples at steps of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganbench.errors import UsageError
from ganbench.report.recorded import read_history
from ganbench.report.sample_images import evenly, moment_text, step_of_grid
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["Moment", "SharedMoments", "first_with_samples", "shared_moments"]

_SAME_SHARE = 0.02
"""Steps are rounded to batches, and clocks vary: moments nearer than this are one."""


@dataclass(frozen=True)
class Moment:
    """One picture of one variant.

    Attributes:
        path: Of the picture.
        step: At which it was drawn.
        text: What is said of it: its step, and its epoch where that is known.
        place: The first of the shared moments at which this is the last picture drawn so far.
    """

    path: Path
    step: int
    text: str
    place: int


@dataclass(frozen=True)
class SharedMoments:
    """The moments that the pictures of several runs are shown at.

    Attributes:
        texts: What each is called: a step where all runs have as many, else a share of the
            training of each run.
        of: The pictures of each run, in their order, without those that no moment shows.
        first_steps: Of the first picture of each run, whether a moment shows it or not.
    """

    texts: tuple[str, ...]
    of: Mapping[str, tuple[Moment, ...]]
    first_steps: Mapping[str, int]

    def shown(self, label: str, place: int) -> Moment | None:
        """The last picture that a run had drawn at a moment; None where it had drawn none."""
        drawn = [moment for moment in self.of[label] if moment.place <= place]
        return drawn[-1] if drawn else None

    def not_yet(self, label: str) -> str:
        """Why a run has no picture at a moment."""
        return f"none drawn yet:\nthe first at step {self.first_steps[label]:,}"


def first_with_samples(group: Group, labels: Sequence[str]) -> dict[str, Entry]:
    """Of each variant that left pictures, the run of the first seed that did."""
    return {
        label: entry
        for label in labels
        if (entry := next((e for e in group.of(label) if e.run.samples), None)) is not None
    }


def shared_moments(entries: Mapping[str, Entry], most: int) -> SharedMoments:
    """A few moments at which all runs are shown, the first and the last among them.

    Args:
        entries: One run per variant, each with at least one picture.
        most: The most moments.
    """
    histories = {label: read_history(entry.run.history) for label, entry in entries.items()}
    steps = {
        label: [step_of_grid(file) for file in entry.run.samples]
        for label, entry in entries.items()
    }
    # Images that were made elsewhere have no training: their picture is that of each moment
    trained = {label: own for label, own in steps.items() if own[-1] > 0} or steps
    same_totals = {entries[label].result.steps for label in trained}
    same_steps = {tuple(own) for own in trained.values()}
    in_steps = len(same_totals) == 1 or len(same_steps) == 1
    if in_steps:
        positions = {label: [float(step) for step in own] for label, own in steps.items()}
    else:
        positions = {
            label: _shares(entries[label], own, histories[label]) for label, own in steps.items()
        }
    every = sorted({position for label in trained for position in positions[label]})
    moments = evenly(every if in_steps else _merged(every), most)
    texts = tuple(
        f"step {round(moment):,}" if in_steps else f"{100 * moment:.0f}% of training"
        for moment in moments
    )
    pictures = {
        label: _pictures(entry, positions[label], moments, histories[label])
        for label, entry in entries.items()
    }
    return SharedMoments(texts, pictures, {label: own[0] for label, own in steps.items()})


def _shares(entry: Entry, steps: Sequence[int], history: pd.DataFrame | None) -> list[float]:
    """How much of its training a run had behind it at some steps, in the unit of its budget."""
    if _is_time(entry.result.budget) and history is not None and "seconds" in history:
        clock = history.dropna(subset=["seconds"])
        seconds = np.interp(steps, clock["step"], clock["seconds"]) if len(clock) else np.zeros(1)
        if seconds[-1] > 0:
            whole = max(float(clock["seconds"].iloc[-1]), float(seconds[-1]))
            return [float(second) / whole for second in seconds]
    whole = max(entry.result.steps or 0, steps[-1], 1)
    return [step / whole for step in steps]


def _is_time(budget: str) -> bool:
    try:
        return Budget.parse(budget).is_time
    except UsageError:  # stored by another program
        return False


def _text(entry: Entry, file: Path, history: pd.DataFrame | None) -> str:
    made_elsewhere = not entry.result.steps and not step_of_grid(file)
    return "made elsewhere" if made_elsewhere else moment_text(file, history)


def _merged(positions: Sequence[float]) -> list[float]:
    """Positions that nearly agree as one, the last of them."""
    merged: list[float] = []
    first = -1.0
    for position in positions:
        if merged and position - first <= _SAME_SHARE:
            merged[-1] = position
        else:
            merged.append(position)
            first = position
    return merged


def _pictures(
    entry: Entry,
    positions: Sequence[float],
    moments: Sequence[float],
    history: pd.DataFrame | None,
) -> tuple[Moment, ...]:
    """The last picture at each moment; one that stays the last is there once."""
    pictures: dict[int, int] = {}
    for place, moment in enumerate(moments):
        drawn = [at for at, position in enumerate(positions) if position <= moment]
        if drawn:
            pictures.setdefault(drawn[-1], place)
    files = entry.run.samples
    return tuple(
        Moment(files[at], step_of_grid(files[at]), _text(entry, files[at], history), place)
        for at, place in pictures.items()
    )

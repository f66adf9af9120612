"""Samples through training, one strip per variant: which pictures, and of which moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report.charts.losses import read_history
from ganbench.report.sample_images import evenly, moment_text, step_of_grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["Moment", "Strip", "Strips", "strips_of"]

_MOST_PICTURES = 96  # of all variants together, so that the page stays small
_MOST_MOMENTS = 8


@dataclass(frozen=True)
class Moment:
    """One picture: its file, its step, and what is said of it."""

    path: Path
    step: int
    text: str


@dataclass(frozen=True)
class Strip:
    """The pictures of one variant, the first step first.

    Attributes:
        label: The variant.
        seed: Of the run that they are from.
        moments: As many for each variant that has enough pictures.
        image_size: Height and width of one image in pixels; None for points, or if not known.
        is_points: Whether points are drawn, and no images.
    """

    label: str
    seed: int
    moments: tuple[Moment, ...]
    image_size: int | None
    is_points: bool


@dataclass(frozen=True)
class Strips:
    """The strips of a group.

    Attributes:
        strips: One per variant that left pictures.
        real: A picture with real samples in its left half, and the strip that is like it.
    """

    strips: tuple[Strip, ...] = ()
    real: tuple[Path, Strip] | None = None

    @property
    def moments(self) -> int:
        """The most moments of any strip."""
        return max((len(strip.moments) for strip in self.strips), default=0)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the moments, where they are the same for all variants; else empty."""
        every = {tuple(moment.step for moment in strip.moments) for strip in self.strips}
        return every.pop() if len(every) == 1 else ()


def strips_of(group: Group, labels: Sequence[str]) -> Strips:
    """The pictures of the first seed that left any, for each of some variants."""
    entries = {
        label: entry
        for label in labels
        if (entry := next((e for e in group.of(label) if e.run.samples), None)) is not None
    }
    if not entries:
        return Strips()
    most = max(2, min(_MOST_MOMENTS, _MOST_PICTURES // len(entries)))
    strips = [_strip(label, entry, most) for label, entry in entries.items()]
    # The real ones are shown at the largest size that any variant trains at
    by_size = sorted(strips, key=lambda strip: -(strip.image_size or 0))
    beside = ((entries[strip.label].run.real_and_fake, strip) for strip in by_size)
    real = next(((path, strip) for path, strip in beside if path is not None), None)
    return Strips(tuple(strips), real)


def _strip(label: str, entry: Entry, most: int) -> Strip:
    history = read_history(entry.run.history)
    size = entry.result.recipe.get("image_size")
    is_points = entry.result.dataset_fields.get("kind") == "points"
    known = size if isinstance(size, int) and size > 0 and not is_points else None
    moments = (
        Moment(file, step_of_grid(file), moment_text(file, history))
        for file in evenly(entry.run.samples, most)
    )
    return Strip(label, entry.result.seed, tuple(moments), known, is_points)

"""Samples through training, one strip per variant: which pictures, and of which moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report.moments import Moment, SharedMoments, first_with_samples, shared_moments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["Strip", "Strips", "strips_of"]

_MOST_PICTURES = 96  # of all variants together, so that the page stays small
_MOST_MOMENTS = 8


@dataclass(frozen=True)
class Strip:
    """The pictures of one variant, the first step first.

    Attributes:
        label: The variant.
        seed: Of the run that they are from.
        moments: Its pictures, each with the first of the shared moments that shows it.
        not_yet: What stands in place of a picture before the first.
        image_size: Height and width of one image in pixels; None for points, or if not known.
        is_points: Whether points are drawn, and no images.
    """

    label: str
    seed: int
    moments: tuple[Moment, ...]
    image_size: int | None
    is_points: bool
    not_yet: str


@dataclass(frozen=True)
class Strips:
    """The strips of a group.

    Attributes:
        strips: One per variant that left pictures.
        real: A picture with real samples in its left half, and the strip that is like it.
        moments: What the moments that the strips share are called.
    """

    strips: tuple[Strip, ...] = ()
    real: tuple[Path, Strip] | None = None
    moments: tuple[str, ...] = ()


def strips_of(group: Group, labels: Sequence[str]) -> Strips:
    """The pictures of the first seed that left any, for each of some variants."""
    entries = first_with_samples(group, labels)
    if not entries:
        return Strips()
    most = max(2, min(_MOST_MOMENTS, _MOST_PICTURES // len(entries)))
    moments = shared_moments(entries, most)
    strips = [_strip(label, entry, moments) for label, entry in entries.items()]
    # The real ones are shown at the largest size that any variant trains at
    by_size = sorted(strips, key=lambda strip: -(strip.image_size or 0))
    beside = ((entries[strip.label].run.real_and_fake, strip) for strip in by_size)
    real = next(((path, strip) for path, strip in beside if path is not None), None)
    return Strips(tuple(strips), real, moments.texts)


def _strip(label: str, entry: Entry, moments: SharedMoments) -> Strip:
    size = entry.result.recipe.get("image_size")
    is_points = entry.result.is_of_points
    known = size if isinstance(size, int) and size > 0 and not is_points else None
    own, not_yet = moments.of[label], moments.not_yet(label)
    return Strip(label, entry.result.seed, own, known, is_points, not_yet)

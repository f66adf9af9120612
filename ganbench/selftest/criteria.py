"""What a sanity check asks of a score's values from one strength to the next.

Criteria of scores between 0 and 1 and their tolerances are those of Räisä et al. 2025
(arXiv:2505.22450). The paper asks nothing of distances, which have no upper end; theirs follow from
what a distance is: least where both sides are alike, and larger the less they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

__all__ = [
    "Criterion",
    "Curve",
    "either",
    "falls",
    "grows_from",
    "has_lost_by",
    "is_flat",
    "is_near",
    "is_unchanged",
    "peaks_at",
    "rises",
    "settles",
]

Curve = Mapping[float, float]
"""The values of a score by strength, in ascending order of the strengths."""

_NEAR = 0.05
_ROUNDING = 1e-9  # so that a share of 0.95 is within 0.05 of 1
_CLEAR = 0.2
_LITTLE = 0.1
_MANIFOLD = 4.0  # a distance at a fault's end over the distance where there is none


@dataclass(frozen=True)
class Criterion:
    """One demand on a curve.

    Attributes:
        text: What is asked, as a clause that follows the score's name.
        is_met: Whether a curve does it.
    """

    text: str
    is_met: Callable[[Curve], bool]


def is_near(target: float, at: float) -> Criterion:
    """The value at one strength differs from a target by 0.05 at most."""
    return Criterion(
        f"is within {_NEAR} of {target:g} at {at:g}",
        lambda curve: abs(curve[at] - target) <= _NEAR + _ROUNDING,
    )


def is_flat() -> Criterion:
    """All values lie within 0.05."""
    return Criterion(
        "does not change", lambda curve: max(curve.values()) - min(curve.values()) <= _NEAR
    )


def settles() -> Criterion:
    """From the middle of the strengths on, values lie within 0.05, or 5% of a larger last one."""

    def is_met(curve: Curve) -> bool:
        late = list(curve.values())[len(curve) // 2 :]
        return max(late) - min(late) <= _NEAR * max(1.0, abs(late[-1]))

    return Criterion("settles as points are added", is_met)


def falls() -> Criterion:
    """The first value is among the highest, the last among the lowest and 0.2 lower."""

    def is_met(curve: Curve) -> bool:
        first, *_, last = curve.values()
        return (
            first - last >= _CLEAR
            and max(curve.values()) - first <= _LITTLE
            and last - min(curve.values()) <= _LITTLE
        )

    return Criterion("falls", is_met)


def rises() -> Criterion:
    """The last value is among the highest, the first among the lowest and 0.2 lower."""
    mirrored = falls()
    return Criterion(
        "rises",
        lambda curve: mirrored.is_met(
            {place: -value for place, value in enumerate(curve.values())}
        ),
    )


def has_lost_by(at: float) -> Criterion:
    """The value at one strength is lower than the first by 0.1."""
    return Criterion(
        f"has lost {_LITTLE} at {at:g}",
        lambda curve: next(iter(curve.values())) - curve[at] >= _LITTLE,
    )


def peaks_at(best: float) -> Criterion:
    """One value is among the highest; both ends are 0.2 lower, and one is among the lowest."""

    def is_met(curve: Curve) -> bool:
        first, *_, last = curve.values()
        least = min(curve.values())
        return (
            curve[best] - max(first, last) >= _CLEAR
            and max(curve.values()) - curve[best] <= _LITTLE
            and min(first, last) - least <= _LITTLE
        )

    return Criterion(f"is highest at {best:g}", is_met)


def either(one: Criterion, other: Criterion) -> Criterion:
    """One of two demands, where the paper leaves it to a score of diversity which of them it is."""
    return Criterion(
        f"{one.text} or {other.text}", lambda curve: one.is_met(curve) or other.is_met(curve)
    )


def grows_from(best: float) -> Criterion:
    """A distance grows away from one strength, to four times its value there at the ends."""

    def is_met(curve: Curve) -> bool:
        lower = [value for place, value in curve.items() if place <= best][::-1]
        upper = [value for place, value in curve.items() if place >= best]
        arms = [arm for arm in (lower, upper) if len(arm) > 1]
        grow = all(near < far for arm in arms for near, far in pairwise(arm))
        return grow and all(arm[-1] >= _MANIFOLD * abs(curve[best]) for arm in arms)

    return Criterion(f"grows away from {best:g}", is_met)


def is_unchanged() -> Criterion:
    """A distance stays within 5% of its largest value."""
    return Criterion(
        "does not change by more than 5%",
        lambda curve: max(curve.values()) - min(curve.values()) <= _NEAR * max(curve.values()),
    )

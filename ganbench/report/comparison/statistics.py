"""Statistics over seeds: means with intervals, paired tests, and Holm's correction.

All are plain functions of plain numbers. Intervals and tests are Student's t, with a standard
deviation that is no smaller than the score's own steps allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ALPHA",
    "LEVEL",
    "Correction",
    "Difference",
    "Estimate",
    "Method",
    "estimate",
    "holm",
    "method_for",
    "paired_difference",
]

LEVEL = 0.95
ALPHA = 1 - LEVEL
ROUNDING = 1e-12  # differences that are this close, relative to their terms, are equal
_ROUNDED_MEAN = math.sqrt(12)  # a number rounded to steps of h has an error of variance h**2 / 12
_ROUNDED_DIFFERENCE = math.sqrt(6)  # two of them have

Method = Literal["none", "t"]
Bounds: TypeAlias = tuple[float, float]
UNBOUNDED: Bounds = (-math.inf, math.inf)


# The mean of one variant


@dataclass(frozen=True)
class Estimate:
    """The mean of one number over seeds.

    Attributes:
        n: Number of values.
        mean: Their mean.
        std: Their standard deviation (n - 1 in the denominator); None for one value.
        low: Lower end of the 95% interval of the mean; None for one value.
        high: Its upper end.
        method: How the interval was computed.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None
    method: Method


def method_for(n: int) -> Method:
    """The method of the interval at `n` values: one value has no spread, and so no interval."""
    return "none" if n < 2 else "t"  # noqa: PLR2004 - one value has no spread


def estimate(
    values: Iterable[float | None], bounds: Bounds = UNBOUNDED, step: float = 0.0
) -> Estimate | None:
    """Summarise the values of several seeds, with Student's t interval of the mean at 95%.

    Args:
        values: One per seed; those that are None are left out.
        bounds: The least and the most that the true mean can be. The interval is cut off there,
            but never so far that it loses the mean of the values.
        step: The smallest step of the number. Equal counts in a few seeds do not show that all
            seeds give this count, so the interval is at least that of rounding to such steps.
            Where it is 0 and all values are equal, the interval has no width.

    Returns:
        The estimate, or None where no value is left.
    """
    kept = np.array([value for value in values if value is not None], dtype=float)
    if not kept.size:
        return None
    n, mean, method = kept.size, float(kept.mean()), method_for(kept.size)
    if method == "none":
        return Estimate(n, mean, None, None, None, method)
    std = float(kept.std(ddof=1))
    if np.ptp(kept) == 0:
        mean, std = float(kept[0]), 0.0
    half = _half_width(max(std, step / _ROUNDED_MEAN), n, LEVEL)
    low, high = max(mean - half, bounds[0]), min(mean + half, bounds[1])
    return Estimate(n, mean, std, min(low, mean), max(high, mean), method)


def _half_width(std: float, n: int, level: float) -> float:
    """Half of Student's t interval of a mean."""
    return -float(special.stdtrit(n - 1, (1 - level) / 2)) * std / math.sqrt(n)


# The difference of two


@dataclass(frozen=True)
class Difference:
    """The mean of `first - second` over the seeds that both have, and a paired t-test of it.

    Attributes:
        n: Seeds that both have.
        mean: Mean of the differences.
        std: Their standard deviation, but at least that of the rounding of two numbers to the
            score's steps; None for one seed, 0 where all differences of a continuous score are 0.
        most: The largest difference that the score's bounds allow.
    """

    n: int
    mean: float
    std: float | None
    most: float = math.inf

    @property
    def p_value(self) -> float | None:
        """Two-sided, that such a mean or a larger one came by chance; None for one seed."""
        if self.std is None:
            return None
        if self.std == 0:
            return 1.0
        t = abs(self.mean) / (self.std / math.sqrt(self.n))
        return 2 * float(special.stdtr(self.n - 1, -t))

    def interval(self, level: float) -> Bounds | None:
        """The interval of the mean, cut off at differences that the score's bounds do not allow.

        It excludes 0 exactly where `p_value < 1 - level`. None for one seed, and where no spread
        was seen.
        """
        if not self.std:
            return None
        half = _half_width(self.std, self.n, level)
        return max(self.mean - half, -self.most), min(self.mean + half, self.most)


def paired_difference(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    step: float = 0.0,
    most: float = math.inf,
) -> Difference | None:
    """Compare two variants seed by seed; None where they have no seed in common.

    The differences of a counted score may all be equal, and a plain t-test would then have no
    spread to measure by: it would call any difference certain. Two numbers rounded to steps of `h`
    differ by an error of variance `h**2 / 6`, which is the least spread that is taken for granted.

    Args:
        first: Numbers by seed.
        second: Numbers by seed.
        step: The smallest step of the score; 0 where it is continuous and only floating-point
            numbers are rounded.
        most: The largest difference that the score's bounds allow.
    """
    seeds = sorted(set(first) & set(second))
    if not seeds:
        return None
    left = np.array([first[seed] for seed in seeds], dtype=float)
    right = np.array([second[seed] for seed in seeds], dtype=float)
    values, rounding = left - right, ROUNDING * float(max(np.abs(left).max(), np.abs(right).max()))
    values[np.abs(values) <= rounding] = 0.0
    mean, n = float(values.mean()), len(seeds)
    if method_for(n) == "none":
        return Difference(n, mean, None, most)
    if step == 0 and not values.any():
        return Difference(n, 0.0, 0.0, most)
    least = max(step, rounding) / _ROUNDED_DIFFERENCE
    return Difference(n, mean, max(float(values.std(ddof=1)), least), most)


# Many comparisons


@dataclass(frozen=True)
class Correction:
    """A p-value that Holm's method has corrected.

    Attributes:
        p_value: Corrected, at most 1.
        level: Of the interval that excludes 0 exactly where `p_value` is below 0.05.
    """

    p_value: float
    level: float


def holm(p_values: Sequence[float], untested: int = 0) -> list[Correction]:
    """Correct p-values for their number, so that any false claim is rare (Holm 1979).

    The smallest of `m` is multiplied by `m`, the next by `m - 1`, and none may fall below the one
    before it. What a p-value was multiplied by is also what its interval's level has to be
    divided by, so that interval and test agree.

    Args:
        p_values: One per test.
        untested: Further tests that could have been made. They count as if each had a larger
            p-value than all that were made, which corrects those more than needed, never less.
    """
    corrections: dict[int, Correction] = {}
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        p, factor = p_values[place], float(len(p_values) + untested - rank)
        largest = max(largest, factor * p)
        if p > 0:
            factor = largest / p
        corrections[place] = Correction(min(1.0, largest), 1 - ALPHA / factor)
    return [corrections[place] for place in range(len(p_values))]

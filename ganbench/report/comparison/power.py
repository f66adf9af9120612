"""Power of a paired t-test: what could be detected, and how many seeds would be needed."""

from __future__ import annotations

import math
from functools import cache

from scipy import optimize, special

from ganbench.report.comparison.statistics import ALPHA

__all__ = [
    "MOST_SEEDS",
    "POWER",
    "RANGE_LEVEL",
    "detectable",
    "effect_interval",
    "power",
    "seeds_needed",
    "seeds_range",
]

POWER = 0.8
RANGE_LEVEL = 0.8
MOST_SEEDS = 1000


def power(effect: float, n: int, alpha: float = ALPHA) -> float:
    """Chance that a two-sided paired t-test finds a true difference.

    Args:
        effect: The difference over the standard deviation of the differences.
        n: Seeds, at least two.
        alpha: Level of the test, in (0, 1).
    """
    from statsmodels.stats.power import ttest_power

    upper, lower = (
        float(ttest_power(abs(effect), n, alpha / 2, alternative=tail))
        for tail in ("larger", "smaller")
    )
    # The noncentral t distribution is not a number in its far tails, where the upper one holds
    # everything and the lower one nothing. With few seeds and many tests that is often so.
    return (1.0 if math.isnan(upper) else upper) + (0.0 if math.isnan(lower) else lower)


@cache
def _detectable_effect(n: int, alpha: float) -> float:
    return float(optimize.brentq(lambda effect: power(effect, n, alpha) - POWER, 0.0, 1e9))


def detectable(std: float, n: int, tests: float = 1) -> float | None:
    """The smallest true difference that `n` seeds find in four of five cases.

    Args:
        std: Standard deviation of the differences.
        n: Seeds.
        tests: How many differences are tested together; each must pass the level that Holm asks
            of the first.

    Returns:
        In the unit of `std`; None for one seed, or where no spread was seen.
    """
    return None if n < 2 or std == 0 else std * _detectable_effect(n, ALPHA / tests)  # noqa: PLR2004 - one value has no spread


@cache
def _needed_effect(n: int, alpha: float) -> float:
    """The effect from which on `n` seeds find it in four of five cases."""
    df, root = n - 1, math.sqrt(n)
    critical = -float(special.stdtrit(df, alpha / 2))

    def excess(effect: float) -> float:
        """What `power` gives, less `POWER`; thirty times as fast."""
        upper = float(special.nctdtr(df, -effect * root, -critical))
        lower = float(special.nctdtr(df, effect * root, -critical))
        return (1.0 if math.isnan(upper) else upper) + (0.0 if math.isnan(lower) else lower) - POWER

    # With infinitely many degrees of freedom, a little less would be enough.
    low = float(special.ndtri(1 - alpha / 2) + special.ndtri(POWER)) / root
    high = low
    while excess(high) < 0:
        low, high = high, 2 * high
    return low if low == high else float(optimize.brentq(excess, low, high))


def seeds_needed(effect: float, tests: float = 1) -> int | None:
    """The fewest seeds at which a difference is found in four of five cases.

    Args:
        effect: The difference over the standard deviation of the differences.
        tests: As in `detectable`.

    Returns:
        None where there is no difference, or more than `MOST_SEEDS` would be needed.
    """
    # Effects are all different, numbers of seeds are few: what is costly is kept by the latter.
    alpha, size = ALPHA / tests, abs(effect)
    few, many = 1, MOST_SEEDS
    if size < _needed_effect(many, alpha):
        return None
    while many - few > 1:
        middle = (few + many) // 2
        if size < _needed_effect(middle, alpha):
            few = middle
        else:
            many = middle
    return many


def effect_interval(effect: float, n: int, level: float = RANGE_LEVEL) -> tuple[float, float]:
    """The interval of a true effect, given the one that was seen (Steiger and Fouladi 1997).

    A t-statistic of `n` differences follows the noncentral t distribution, whose noncentrality is
    the true effect times the square root of `n`. The ends are those under which what was seen
    would be as extreme as the level allows.

    Args:
        effect: Mean of the differences over their standard deviation.
        n: Seeds, at least two.
        level: In (0, 1).
    """
    root, tail = math.sqrt(n), (1 - level) / 2
    t = abs(effect) * root

    least = float(special.ndtri(tail))  # the lower end for t = 0, and no end lies below it
    widest = math.sqrt(float(special.chdtri(n - 1, tail / 2)) / (n - 1))
    most = t * widest - float(special.ndtri(tail / 2))  # no end lies above, by the union bound

    def end(share: float) -> float:
        def excess(noncentrality: float) -> float:
            return float(special.nctdtr(n - 1, noncentrality, t)) - share

        return float(optimize.brentq(excess, least - 0.1, most)) / root

    low, high = end(1 - tail), end(tail)
    return (low, high) if effect >= 0 else (-high, -low)


def seeds_range(effect: float, n: int, tests: float = 1) -> tuple[int | None, int | None]:
    """From how many to how many seeds a true difference needs, given that `n` did not resolve it.

    One number would be a guess: three seeds hardly know the effect. The range holds the number
    that is truly needed in four of five cases.

    Args:
        effect: Mean of the differences over their standard deviation.
        n: Seeds that were taken, at least two.
        tests: As in `detectable`.

    Returns:
        The fewest, more than `n`, or None where even they are more than `MOST_SEEDS`; and the
        most, or None where they are more than `MOST_SEEDS` or there may be no difference at all.
    """
    low, high = effect_interval(effect, n)
    few = seeds_needed(max(abs(low), abs(high)), tests)
    many = None if low <= 0 <= high else seeds_needed(min(abs(low), abs(high)), tests)
    return (
        None if few is None else max(few, n + 1),
        None if many is None else max(many, n + 1),
    )

"""Statistics over seeds: means with intervals, paired tests and their power.

All statistics of ganbench are here, as plain functions of plain numbers: the mean of one variant
with an interval by a named method, the paired difference of two, Holm's correction for many pairs,
and the power of a paired t-test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import ttest_power

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ALPHA",
    "BOOTSTRAP_FROM",
    "LEVEL",
    "MOST_SEEDS",
    "POWER",
    "Difference",
    "Estimate",
    "Method",
    "detectable",
    "estimate",
    "holm",
    "method_for",
    "paired_difference",
    "power",
    "seeds_needed",
]

LEVEL = 0.95
ALPHA = 1 - LEVEL
POWER = 0.8
BOOTSTRAP_FROM = 10
MOST_SEEDS = 1000
_RESAMPLES = 9999
_ROUNDING = 1e-12  # differences that are this close, relative to their terms, are equal

Method = Literal["none", "t", "bootstrap BCa"]
Values: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]


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
    """The method of the interval at `n` values: the bootstrap needs at least ten."""
    if n < 2:  # noqa: PLR2004 - one value has no spread
        return "none"
    return "t" if n < BOOTSTRAP_FROM else "bootstrap BCa"


def estimate(
    values: Iterable[float | None], bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate | None:
    """Summarise the values of several seeds.

    The 95% interval of the mean is Student's t below ten values and the bias-corrected and
    accelerated bootstrap (Efron 1987) from ten on, with fixed random numbers, so that the same
    values give the same interval. Where all values are equal the interval has no width.

    Args:
        values: One per seed; those that are None are left out.
        bounds: The least and the most that the number can be. The interval is cut off there,
            since the true mean cannot lie beyond.

    Returns:
        The estimate, or None where no value is left.
    """
    kept = np.array([value for value in values if value is not None], dtype=float)
    if not kept.size:
        return None
    n, mean, method = kept.size, float(kept.mean()), method_for(kept.size)
    if method == "none":
        return Estimate(n, mean, None, None, None, method)
    if np.ptp(kept) == 0:
        mean = float(kept[0])
        return Estimate(n, mean, 0.0, mean, mean, method)
    low, high = _t_interval(kept) if method == "t" else _bootstrap_interval(kept)
    low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(n, mean, float(kept.std(ddof=1)), low, high, method)


def _t_interval(values: Values) -> tuple[float, float]:
    low, high = stats.t.interval(
        LEVEL, df=values.size - 1, loc=values.mean(), scale=stats.sem(values)
    )
    return float(low), float(high)


def _bootstrap_interval(values: Values) -> tuple[float, float]:
    interval = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=LEVEL,
        n_resamples=_RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


# The difference of two


@dataclass(frozen=True)
class Difference:
    """The mean of `first - second` over the seeds that both have.

    Attributes:
        estimate: Its mean, spread and interval.
        p_value: Two-sided, that such a mean or a larger one came by chance; None for one seed.
        test: `paired t`, or `sign flip` where all differences are equal and a t-test has no
            spread to measure by.
    """

    estimate: Estimate
    p_value: float | None
    test: Literal["", "paired t", "sign flip"]


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """Compare two variants seed by seed; None where they have no seed in common.

    The sign flip test is exact: of the 2**n ways to swap the two names within the seeds, two give
    a mean as large as equal differences do.
    """
    seeds = sorted(set(first) & set(second))
    left = np.array([first[seed] for seed in seeds], dtype=float)
    right = np.array([second[seed] for seed in seeds], dtype=float)
    values = left - right
    if seeds and np.ptp(values) <= _ROUNDING * max(np.abs(left).max(), np.abs(right).max()):
        values[:] = values[0]
    mean = estimate(values)
    if mean is None or mean.std is None:
        return None if mean is None else Difference(mean, None, "")
    if mean.std == 0:
        return Difference(mean, 1.0 if mean.mean == 0 else 2.0 ** (1 - mean.n), "sign flip")
    return Difference(mean, float(stats.ttest_1samp(values, 0.0).pvalue), "paired t")


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that any false claim is rare (Holm 1979)."""
    if not p_values:
        return []
    _, corrected, *_ = multipletests(p_values, alpha=ALPHA, method="holm")
    return [float(value) for value in corrected]


# Power: what could have been detected


def power(effect: float, n: int, alpha: float = ALPHA) -> float:
    """Chance that a two-sided paired t-test finds a true difference.

    Args:
        effect: The difference over the standard deviation of the differences.
        n: Seeds, at least two.
        alpha: Level of the test, in (0, 1).
    """
    upper, lower = (
        float(ttest_power(abs(effect), n, alpha / 2, alternative=tail))
        for tail in ("larger", "smaller")
    )
    # The noncentral t distribution is not a number in its far tails, where the upper one holds
    # everything and the lower one nothing. With few seeds and many pairs that is often so.
    return (1.0 if math.isnan(upper) else upper) + (0.0 if math.isnan(lower) else lower)


@cache
def _detectable_effect(n: int, alpha: float) -> float:
    return float(optimize.brentq(lambda effect: power(effect, n, alpha) - POWER, 0.0, 1e9))


def detectable(std: float, n: int, pairs: int = 1) -> float | None:
    """The smallest true difference that `n` seeds find in four of five cases.

    Args:
        std: Standard deviation of the differences.
        n: Seeds.
        pairs: How many differences are tested together; each must pass the level that Holm asks
            of the first.

    Returns:
        In the unit of `std`; None for one seed, or where no spread was seen.
    """
    return None if n < 2 or std == 0 else std * _detectable_effect(n, ALPHA / pairs)  # noqa: PLR2004 - one value has no spread


def seeds_needed(mean: float, std: float, pairs: int = 1) -> int | None:
    """The fewest seeds at which a difference like this one is found in four of five cases.

    Args:
        mean: The difference.
        std: Standard deviation of the differences.
        pairs: As in `detectable`.

    Returns:
        None where there is no difference, or more than `MOST_SEEDS` would be needed.
    """
    alpha = ALPHA / pairs
    if mean == 0:
        return None
    if std == 0:
        return 1 + math.floor(1 - math.log2(alpha))  # the first n whose 2**(1 - n) is below alpha
    few, many = 1, MOST_SEEDS
    if power(mean / std, many, alpha) < POWER:
        return None
    while many - few > 1:
        middle = (few + many) // 2
        if power(mean / std, middle, alpha) < POWER:
            few = middle
        else:
            many = middle
    return many

"""What several seeds say together: mean, spread, and an interval by a named method.

All statistics of ganbench live here, as plain functions of plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BOOTSTRAP_FROM", "LEVEL", "Estimate", "Method", "estimate", "method_for"]

LEVEL = 0.95
BOOTSTRAP_FROM = 10
_RESAMPLES = 9999

Method = Literal["none", "t", "bootstrap BCa"]


@dataclass(frozen=True)
class Estimate:
    """The mean of one number over seeds.

    Attributes:
        n: Values it stands on.
        mean: Their mean.
        std: Their standard deviation (n - 1 in the denominator); None for one value.
        low: Lower end of the 95% interval of the mean; None for one value.
        high: Its upper end.
        method: How the interval was made.
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


def estimate(values: Iterable[float | None]) -> Estimate | None:
    """Summarise the values of several seeds; those that are None are left out.

    The 95% interval of the mean is Student's t below ten values and the bias-corrected and
    accelerated bootstrap (Efron 1987) from ten on, with fixed random numbers, so that the same
    values give the same interval. Where all values are equal the interval has no width.

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
        return Estimate(n, mean, 0.0, mean, mean, method)
    low, high = _t_interval(kept) if method == "t" else _bootstrap_interval(kept)
    return Estimate(n, mean, std, low, high, method)


def _t_interval(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    low, high = stats.t.interval(
        LEVEL, df=values.size - 1, loc=values.mean(), scale=stats.sem(values)
    )
    return float(low), float(high)


def _bootstrap_interval(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[float, float]:
    interval = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=LEVEL,
        n_resamples=_RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)

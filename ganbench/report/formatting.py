"""Numbers, spreads and intervals as text for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganbench.report.columns import Column
    from ganbench.report.comparison.statistics import Estimate

__all__ = [
    "in_unit",
    "interval",
    "number",
    "percent",
    "probability",
    "share_of",
    "shown",
    "spread",
]

_BINARY = 1024
_PREFIXES = ("B", "KiB", "MiB", "GiB", "TiB")
_THOUSAND = 1000
_TINY = 1e-4
_SMALLEST_P = 0.001


def _decimals(value: float) -> int:
    """Decimals that leave three significant digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, 2 - math.floor(math.log10(abs(value))))


def number(value: float, like: float | None = None) -> str:
    """Three significant digits: `0.0123`, `1.23`, `123`, `12,345`.

    Args:
        value: What is written.
        like: A number whose decimals are used, so that an interval lines up with its mean.
    """
    model = value if like is None else like
    if 0 < abs(model) < _TINY:
        return f"{value:.1e}"
    if float(value).is_integer() and float(model).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.{_decimals(model)}f}"


def in_unit(value: float, unit: str, like: float | None = None) -> str:
    """A number with its unit: `117 MiB`, `8.21 ms`, `200 s`, or plain."""
    model = abs(value if like is None else like)
    if unit == "bytes":
        power = min(int(math.log(model, _BINARY)) if model >= 1 else 0, len(_PREFIXES) - 1)
        scale = _BINARY**power
        return f"{number(value / scale, model / scale)} {_PREFIXES[power]}"
    if unit == "s" and 0 < model < 1:
        return f"{number(value * _THOUSAND, model * _THOUSAND)} ms"
    if unit == "s":
        return f"{number(value, model)} s"
    return number(value, like)


def shown(value: float, column: Column, like: float | None = None) -> str:
    """A number in the form of its column: with its unit, or a share with three decimals."""
    if column.is_share:
        return f"{round(value, 3) + 0:.3f}"  # no minus before a zero
    return in_unit(value, column.unit, like)


def spread(estimate: Estimate, column: Column) -> str:
    """The standard deviation as `± 0.12`; empty for one value."""
    return "" if estimate.std is None else f"± {_bare(estimate.std, column, estimate.mean)}"


def interval(estimate: Estimate, column: Column) -> str:
    """The interval as `[1.2, 3.4]`; empty for one value."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (_bare(end, column, estimate.mean) for end in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def share_of(count: float, total: int | None) -> str:
    """A count out of a total, as `9 / 10`; the count alone where the total is unknown."""
    return number(count) if total is None else f"{number(count)} / {total}"


def percent(level: float) -> str:
    """A level of confidence: `95%`, `99.4%`; two digits of what is missing to 100%."""
    missing = 100 * (1 - level)
    text = f"{100 - missing:.{max(0, 1 - math.floor(math.log10(missing)))}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def probability(value: float, *, sign: bool = False) -> str:
    """A p-value: `0.042` or `< 0.001`; with `sign` `= 0.042`."""
    if value < _SMALLEST_P:
        return f"< {_SMALLEST_P}"
    return f"= {number(value)}" if sign else number(value)


def _bare(value: float, column: Column, like: float) -> str:
    """A number without the unit, which its mean already has."""
    text = shown(value, column, like)
    return text.rpartition(" ")[0] if column.unit in ("bytes", "s") else text

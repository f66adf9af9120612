"""Contrasts: the difference of two variants on one score, and its verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ganbench.report import columns
from ganbench.report.comparison.statistics import (
    ALPHA,
    MOST_SEEDS,
    detectable,
    holm,
    paired_difference,
    seeds_needed,
)
from ganbench.report.formatting import number, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Contrast", "contrast", "corrected", "is_ranked"]

Verdict = Literal["better", "worse", "not resolved"]
_SMALLEST_P = 0.001


@dataclass(frozen=True)
class Contrast:
    """How variant A compares with variant B on one score.

    A number whose best value is 1 is compared by its distance from 1.

    Attributes:
        score: Name of the column.
        heading: Its label, with the backbone where the score depends on one.
        direction: Which way is better.
        a: Name of A.
        b: Name of B.
        n: Seeds that both have.
        mean_a: Mean of A over these seeds.
        mean_b: Mean of B over these seeds.
        difference: Mean of A - B.
        std: Standard deviation of the differences; None for one seed.
        ci_low: Lower end of the difference's 95% interval, not corrected for the number of pairs.
        ci_high: Its upper end.
        interval_method: How the interval was computed.
        test: The test that gave the p-value.
        p_value: Two-sided; None for one seed.
        p_holm: Corrected for all differences that were tested together.
        pairs: Number of differences that were tested together.
        detectable: The smallest true difference that this many seeds find in four of five cases.
        seeds_needed: Seeds that find a difference like this in four of five cases; None
            where it is resolved, there is none, or more than 1000 would be needed.
    """

    score: str
    heading: str
    direction: columns.Direction
    a: str
    b: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    std: float | None
    ci_low: float | None
    ci_high: float | None
    interval_method: str
    test: str
    p_value: float | None
    p_holm: float | None = None
    pairs: int = 1
    detectable: float | None = None
    seeds_needed: int | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether A is better or worse than B, or the seeds do not resolve it."""
        if self.p_holm is None or self.p_holm >= ALPHA:
            return "not resolved"
        return "better" if (self.difference > 0) == (self.direction == "higher") else "worse"

    @property
    def sentence(self) -> str:
        """The verdict with its numbers, as one sentence."""
        if self.verdict == "not resolved":
            return self._unresolved()
        best, other = (self.a, self.b) if self.verdict == "better" else (self.b, self.a)
        return f"{best} is better than {other} on {self.heading} ({self._numbers()})"

    def _unresolved(self) -> str:
        names = f"{self.a} and {self.b} on {self.heading}"
        if self.std is None:
            return f"{names}: one seed, so nothing can be resolved ({self._numbers()})"
        if self.difference == 0:
            return f"{names}: no difference at {self.n} seeds"
        many = (
            f"more than {MOST_SEEDS}" if self.seeds_needed is None else f"about {self.seeds_needed}"
        )
        unresolved = f"not resolved at {self.n} seeds; {many} would be needed"
        return f"{names}: {unresolved} ({self._numbers()})"

    def _numbers(self) -> str:
        column = columns.column(self.score)
        size = shown(abs(self.difference), column)
        what = "difference in distance from 1" if self.direction == "one" else "difference"
        parts = [f"{what} {size}"]
        if self.ci_low is not None and self.ci_high is not None and self.std:
            ends = sorted((self.ci_low, self.ci_high))
            if self.difference < 0:
                ends = [-ends[1], -ends[0]]
            low, high = (shown(end, column, self.difference) for end in ends)
            parts[0] += f", 95% interval {low} to {high}"
        if self.p_holm is not None:
            p = "p < 0.001" if self.p_holm < _SMALLEST_P else f"p = {number(self.p_holm)}"
            parts.append(f"{p}, {self.n} seeds")
        return "; ".join(parts)


def is_ranked(name: str) -> bool:
    """Whether a column has a better and a worse."""
    return columns.column(name).direction != ""


def contrast(
    name: str,
    backbone: str,
    a: tuple[str, Mapping[int, float]],
    b: tuple[str, Mapping[int, float]],
) -> Contrast | None:
    """Compare two variants on one score, not yet corrected for other comparisons.

    Args:
        name: The score.
        backbone: What extracted the features.
        a: Name of A, and its numbers by seed.
        b: Name of B, and its numbers by seed.

    Returns:
        The contrast, or None where they have no seed in common.
    """
    column = columns.column(name)
    (label_a, values_a), (label_b, values_b) = a, b
    paired = paired_difference(_badness(values_a, column), _badness(values_b, column))
    if paired is None:
        return None
    common = set(values_a) & set(values_b)
    return Contrast(
        score=name,
        heading=column.heading(backbone),
        direction=column.direction,
        a=label_a,
        b=label_b,
        n=paired.estimate.n,
        mean_a=_mean(values_a, common),
        mean_b=_mean(values_b, common),
        difference=paired.estimate.mean,
        std=paired.estimate.std,
        ci_low=paired.estimate.low,
        ci_high=paired.estimate.high,
        interval_method=paired.estimate.method,
        test=paired.test,
        p_value=paired.p_value,
    )


def _badness(values: Mapping[int, float], column: columns.Column) -> Mapping[int, float]:
    """The values as they are, or where 1 is best, how far they are from it."""
    if column.direction != "one":
        return values
    return {seed: abs(value - 1) for seed, value in values.items()}


def _mean(values: Mapping[int, float], seeds: Iterable[int]) -> float:
    kept = [values[seed] for seed in sorted(seeds)]
    return sum(kept) / len(kept)


def corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Correct contrasts that are tested together, and add what they could have detected."""
    p_values = [item.p_value for item in contrasts if item.p_value is not None]
    pairs, results = max(1, len(p_values)), iter(holm(p_values))
    done = []
    for item in contrasts:
        if item.p_value is None or item.std is None:
            done.append(item)
            continue
        p_holm = next(results)
        needed = None if p_holm < ALPHA else seeds_needed(item.difference, item.std, pairs)
        smallest = detectable(item.std, item.n, pairs)
        done.append(
            dataclasses.replace(
                item, p_holm=p_holm, pairs=pairs, detectable=smallest, seeds_needed=needed
            )
        )
    return done

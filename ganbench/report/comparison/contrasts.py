"""Contrasts: the difference of two variants on one score, and its verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ganbench.report import columns
from ganbench.report.comparison.look_levels import level_of_each_look
from ganbench.report.comparison.power import detectable, seeds_range
from ganbench.report.comparison.sequential import (
    SequentialDifference,
    Stages,
    equivalence_p_value,
    sequential_difference,
)
from ganbench.report.comparison.statistics import ALPHA, LEVEL, Difference, paired_difference
from ganbench.report.limits import bounds_of, step_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ganbench.report.groups import Group
    from ganbench.scoring.metrics.catalogue import Quantity

__all__ = [
    "Contrast",
    "Equivalence",
    "Family",
    "Result",
    "Side",
    "contrast",
    "is_ranked",
    "side_of",
]

Result = Literal["better", "worse", "equivalent", "not resolved"]
Family = Literal["primary", "secondary", "cost"]


@dataclass(frozen=True)
class Side:
    """One of two variants that are compared, on one score.

    Attributes:
        name: What to call it.
        values: Its numbers by seed.
        completed: Runs that completed.
        started: Runs that were started.
    """

    name: str
    values: Mapping[int, float]
    completed: int
    started: int


def side_of(group: Group, label: str, score: str, name: str = "") -> Side:
    """A row of a group as one side of a contrast, under its label or another name."""
    return Side(name or label, group.by_seed(label, score), *group.completed(label))


@dataclass(frozen=True)
class Equivalence:
    """The claim that neither of two variants is worse than the other by a margin or more.

    Attributes:
        margin: The share of a variant's mean that the other's may lie above it.
        p_value: Sequential.
        p_holm: Corrected by Holm's method, with those of all other pairs.
    """

    margin: float
    p_value: float
    p_holm: float = 1.0


@dataclass(frozen=True)
class Contrast:
    """How variant A compares with variant B on one score.

    A number whose best value is 1 is compared by its distance from 1.

    Attributes:
        score: Name of the column.
        heading: Its label, with the backbone where the score depends on one.
        side_a: Variant A.
        side_b: Variant B.
        paired: The difference A - B over the seeds that both have.
        family: Which other differences its p-value is corrected with.
        family_size: Number of differences in this family.
        p_holm: The p-value, corrected by Holm's method; None for one seed.
        ci_level: Of the interval: the level that Holm's method asks of this difference.
        equivalence: Whether they are equivalent; None where it was not asked or not tested.
    """

    score: str
    heading: str
    side_a: Side
    side_b: Side
    paired: Difference
    family: Family = "primary"
    family_size: int = 1
    p_holm: float | None = None
    ci_level: float = LEVEL
    equivalence: Equivalence | None = None

    @property
    def direction(self) -> columns.Direction:
        """Which way is better."""
        return columns.column(self.score).direction

    @property
    def seeds(self) -> list[int]:
        """The seeds that both have."""
        return sorted(set(self.side_a.values) & set(self.side_b.values))

    @property
    def unpaired(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Seeds that only A has, and seeds that only B has."""
        a, b = set(self.side_a.values), set(self.side_b.values)
        return tuple(sorted(a - b)), tuple(sorted(b - a))

    @property
    def mean_a(self) -> float:
        """Mean of A over the seeds that both have."""
        return _mean(self.side_a.values, self.seeds)

    @property
    def mean_b(self) -> float:
        """Mean of B over the seeds that both have."""
        return _mean(self.side_b.values, self.seeds)

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the difference at `ci_level`; it excludes 0 where this is resolved."""
        return self.paired.interval(self.ci_level)

    @property
    def verdict(self) -> Result:
        """Whether A is better or worse than B or equivalent to it, or the seeds do not resolve it.

        Variants that differ by less than the margin of equivalence are called better and worse
        where the seeds resolve even that.
        """
        if self.p_holm is None or self.p_holm >= ALPHA:
            is_equivalent = self.equivalence is not None and self.equivalence.p_holm < ALPHA
            return "equivalent" if is_equivalent else "not resolved"
        return "better" if (self.paired.mean > 0) == (self.direction == "higher") else "worse"

    @property
    def looks(self) -> int | None:
        """How often the pair was tested; None where its seeds were given and not added."""
        return len(self.paired.tested) if isinstance(self.paired, SequentialDifference) else None

    @property
    def _tests(self) -> float:
        """How many tests the first of the family pays for; with looks, what those cost besides."""
        if not isinstance(self.paired, SequentialDifference):
            return self.family_size
        level = ALPHA / self.family_size
        return ALPHA / level_of_each_look(level, self.paired.first, self.paired.limit)

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that this many seeds find in four of five cases.

        None for one seed, and where it is larger than the score's bounds allow.
        """
        if self.paired.std is None:
            return None
        smallest = detectable(self.paired.std, self.paired.n, self._tests)
        return None if smallest is None or smallest > self.paired.most else smallest

    @property
    def can_need_seeds(self) -> bool:
        """Whether more seeds could resolve it: it is not resolved, and some difference was seen."""
        return self.verdict == "not resolved" and bool(self.paired.std) and self.paired.mean != 0

    @cached_property
    def seeds_needed(self) -> tuple[int | None, int | None]:
        """From how many to how many seeds would resolve it, as `power.seeds_range` gives them.

        Both are None where it is resolved, or no difference was seen.
        """
        if not self.can_need_seeds or not self.paired.std:
            return None, None
        return seeds_range(self.paired.mean / self.paired.std, self.paired.n, self._tests)


def _mean(values: Mapping[int, float], seeds: Iterable[int]) -> float:
    kept = [values[seed] for seed in seeds]
    return sum(kept) / len(kept)


def is_ranked(name: str) -> bool:
    """Whether a column has a better and a worse; counts that are set, such as steps, have not."""
    return columns.column(name).direction != "" and name not in columns.COUNTS


def contrast(
    score: str,
    heading: str,
    a: Side,
    b: Side,
    quantities: Mapping[Quantity, float],
    stages: Stages | None = None,
    margin: float = 0.0,
) -> Contrast | None:
    """Compare two variants on one score, not yet corrected for other comparisons.

    Args:
        score: Name of the column.
        heading: What to call it.
        a: Variant A.
        b: Variant B.
        quantities: What the score's bounds and its smallest step depend on.
        stages: The looks at them, where seeds were added as needed: seeds that no look saw are
            left out.
        margin: Of equivalence, as a share; 0 where it is not tested. It needs `stages`.

    Returns:
        The contrast, or None where they have no seed in common.
    """
    if stages is not None:
        a, b = _looked_at(a, stages, 0), _looked_at(b, stages, 1)
    is_distance = columns.column(score).direction == "one"
    low, high = bounds_of(score, quantities)
    first, second = (_distances(one.values) if is_distance else one.values for one in (a, b))
    step = step_of(score, quantities)
    most = max(1 - low, high - 1) if is_distance else high - low
    if stages is None:
        paired = paired_difference(first, second, step=step, most=most)
        return None if paired is None else Contrast(score, heading, a, b, paired)
    tested = sequential_difference(first, second, stages, step=step, most=most)
    p = equivalence_p_value(first, second, stages, margin, step=step) if margin else None
    equivalence = None if p is None else Equivalence(margin, p)
    if tested is None:
        return None
    return Contrast(score, heading, a, b, tested, equivalence=equivalence)


def _looked_at(side: Side, stages: Stages, place: int) -> Side:
    """A side with the seeds that some look saw, and no others."""
    seen = frozenset().union(*(seeds[place] for seeds in stages.seeds))
    kept = {seed: value for seed, value in side.values.items() if seed in seen}
    return replace(side, values=kept)


def _distances(values: Mapping[int, float]) -> Mapping[int, float]:
    """How far the values are from 1."""
    return {seed: abs(value - 1) for seed, value in values.items()}

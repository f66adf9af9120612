"""Sequential paired t-tests: p-values that hold however often, and whenever, one has looked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report.comparison.look_levels import level_of_each_look, sequential_p_value
from ganbench.report.comparison.statistics import Bounds, Difference, paired_difference

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SequentialDifference", "Stages", "equivalence_p_value", "sequential_difference"]


@dataclass(frozen=True)
class Stages:
    """What was there at each look at a pair.

    Attributes:
        first: Seeds of the first look that was planned.
        limit: Seeds of the last one.
        seeds: For each look that was taken, the seeds of A and those of B that had completed;
            those of a later look hold those of an earlier one.
    """

    first: int
    limit: int
    seeds: tuple[tuple[frozenset[int], frozenset[int]], ...]

    @property
    def common(self) -> list[list[int]]:
        """For each look that has more common seeds than the one before, these seeds."""
        stages: list[list[int]] = []
        for a, b in self.seeds:
            both = sorted(a & b)
            if both and (not stages or len(both) > len(stages[-1])):
                stages.append(both)
        return stages


@dataclass(frozen=True)
class SequentialDifference(Difference):
    """The difference at the last look, and a sequential test of it over all looks.

    Attributes:
        looks: The differences at all looks, the last one included.
        first: Seeds of the first look; with fewer common seeds, a pair is not tested.
        limit: Seeds of the last look.
    """

    looks: tuple[Difference, ...] = ()
    first: int = 2
    limit: int = 2

    @property
    def tested(self) -> list[Difference]:
        """The looks with as many seeds as the first look asks for."""
        return [look for look in self.looks if look.n >= self.first and look.p_value is not None]

    @property
    def p_value(self) -> float | None:
        """Two-sided and valid whenever one stops; None before the first look."""
        p_values = [look.p_value for look in self.tested if look.p_value is not None]
        return sequential_p_value(min(p_values), self.first, self.limit) if p_values else None

    def interval(self, level: float) -> Bounds | None:
        """What lies in the intervals of all looks, each at the level of one look.

        It excludes 0 exactly where `p_value` is below `1 - level`. Should the looks' intervals
        have nothing in common, which is rare, it is that of the look with the smallest p-value.
        """
        tested = self.tested
        each = level_of_each_look(1 - level, self.first, self.limit) if tested else 0.0
        ends = [end for look in tested if (end := Difference.interval(look, 1 - each)) is not None]
        if not ends or len(ends) < len(tested):
            return None
        low, high = max(end[0] for end in ends), min(end[1] for end in ends)
        if low < high:
            return low, high
        return ends[min(range(len(ends)), key=lambda place: tested[place].p_value or 0.0)]


def sequential_difference(
    first: Mapping[int, float],
    second: Mapping[int, float],
    stages: Stages,
    *,
    step: float = 0.0,
    most: float = math.inf,
) -> SequentialDifference | None:
    """Compare two variants seed by seed at each look; None where no look had a seed in common.

    Args:
        first: Numbers by seed.
        second: Numbers by seed.
        stages: The looks.
        step: The smallest step of the score, as for `paired_difference`.
        most: The largest difference that the score's bounds allow.
    """
    looks = _at_looks(first, second, stages, step=step, most=most)
    if not looks:
        return None
    last = looks[-1]
    return SequentialDifference(
        last.n, last.mean, last.std, last.most, tuple(looks), stages.first, stages.limit
    )


def _at_looks(
    first: Mapping[int, float],
    second: Mapping[int, float],
    stages: Stages,
    *,
    step: float,
    most: float = math.inf,
) -> list[Difference]:
    looks: list[Difference] = []
    for seeds in stages.common:
        there = [{seed: side[seed] for seed in seeds if seed in side} for side in (first, second)]
        look = paired_difference(*there, step=step, most=most)
        if look is not None and (not looks or look.n > looks[-1].n):
            looks.append(look)
    return looks


def equivalence_p_value(
    first: Mapping[int, float],
    second: Mapping[int, float],
    stages: Stages,
    margin: float,
    *,
    step: float = 0.0,
) -> float | None:
    """The p-value of the claim that neither mean is larger than the other by the margin or more.

    Two one-sided sequential tests, one of `first - (1 + margin) * second` and one with the
    variants exchanged (Schuirmann 1987; of a ratio: Sasabuchi 1988); the larger p-value counts.

    Args:
        first: Numbers by seed, of which 0 is the best or the least.
        second: Numbers by seed.
        stages: The looks.
        margin: A share, above 0.
        step: The smallest step of the score.

    Returns:
        None before the first look.
    """
    one_way = _p_below(first, _scaled(second, 1 + margin), stages, step)
    other_way = _p_below(second, _scaled(first, 1 + margin), stages, step)
    return None if one_way is None or other_way is None else max(one_way, other_way)


def _scaled(values: Mapping[int, float], factor: float) -> dict[int, float]:
    return {seed: factor * value for seed, value in values.items()}


def _p_below(
    first: Mapping[int, float], second: Mapping[int, float], stages: Stages, step: float
) -> float | None:
    """One-sided and sequential, that `first` is below `second`."""
    looks = _at_looks(first, second, stages, step=step)
    p_values = [_one_sided(look) for look in looks if look.n >= stages.first]
    if not p_values:
        return None
    return sequential_p_value(min(p_values), stages.first, stages.limit, 1)


def _one_sided(look: Difference) -> float:
    p = look.p_value
    if p is None or look.mean == 0:
        return 1.0 if p is None else 0.5
    return p / 2 if look.mean < 0 else 1 - p / 2

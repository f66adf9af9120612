"""Simulated studies with seeds as needed, and with a fixed number of them; nothing is trained."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ganbench.report.comparison.look_levels import level_of_each_look
from ganbench.report.comparison.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_LEVEL = 20.0  # of the scores, in their standard deviations: one of 5%
MARGIN = 0.1


@dataclass(frozen=True)
class Outcome:
    """What became of simulated studies.

    Attributes:
        told_apart: Whether a pair was called different, of shape (studies, pairs).
        equivalent: Whether it was called equivalent and not different, of the same shape.
        runs: Runs of each study.
        looks: Looks of each study.
    """

    told_apart: Flags
    equivalent: Flags
    runs: Numbers
    looks: Numbers


def scores(
    random: np.random.Generator, means: Sequence[float], studies: int, seeds: int, shared: float
) -> Numbers:
    """Scores of shape (studies, variants, seeds), correlated by `shared` between variants."""
    common = random.normal(0.0, 1.0, (studies, 1, seeds))
    own = random.normal(0.0, 1.0, (studies, len(means), seeds))
    offsets = _LEVEL + np.asarray(means)[None, :, None]
    both: Numbers = offsets + math.sqrt(shared) * common + math.sqrt(1 - shared) * own
    return both


def lower_tails(differences: Numbers) -> Numbers:
    """One-sided p-values that a mean is below 0, after each number along the last axis."""
    n = np.arange(1, differences.shape[-1] + 1)
    sums, squares = differences.cumsum(-1), (differences**2).cumsum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt((squares - sums**2 / n) / (n - 1))
        p: Numbers = special.stdtr(np.maximum(n - 1, 1), sums / np.sqrt(n) / deviation)
    p[..., 0] = 1.0  # one number has no spread
    return p


def holm(p_values: Numbers, levels: Sequence[float]) -> Flags:
    """Which p-values of a row are rejected, with the level that each further rejection allows."""
    order = np.argsort(p_values, axis=-1)
    passed = np.take_along_axis(p_values, order, -1) < np.asarray(levels)
    rejected = np.zeros_like(passed)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(passed, axis=-1), -1)
    return rejected


def as_needed(values: Numbers, first: int, limit: int, margin: float) -> Outcome:
    """Do studies with seeds as needed on scores that are known beforehand.

    Args:
        values: Scores of shape (studies, variants, limit).
        first: Seeds of the first look.
        limit: Seeds of the last.
        margin: Of equivalence; 0 for none.
    """
    studies, variants, _ = values.shape
    pairs = np.array(list(itertools.combinations(range(variants), 2)))
    a, b = values[:, pairs[:, 0]], values[:, pairs[:, 1]]
    below = lower_tails(a - b)
    two_sided = 2 * np.minimum(below, 1 - below)
    ways = [lower_tails(a - (1 + margin) * b), lower_tails(b - (1 + margin) * a)]
    factors = range(len(pairs), 0, -1)
    levels = [level_of_each_look(ALPHA / m, first, limit) for m in factors]
    one_sided = [level_of_each_look(ALPHA / m, first, limit, 1) for m in factors]

    shape = (studies, len(pairs))
    smallest, claims = np.ones(shape), [np.ones(shape), np.ones(shape)]
    told_apart, equivalent = np.zeros(shape, bool), np.zeros(shape, bool)
    active = np.ones((studies, variants), bool)
    runs, looks = np.full(studies, float(first * variants)), np.zeros(studies)
    for n in range(first, limit + 1):
        looked = active[:, pairs[:, 0]] & active[:, pairs[:, 1]]
        looks += active.any(-1)
        smallest = np.where(looked, np.minimum(smallest, two_sided[..., n - 1]), smallest)
        told_apart = holm(smallest, levels)
        if margin:
            for place, way in enumerate(ways):
                least = np.minimum(claims[place], way[..., n - 1])
                claims[place] = np.where(looked, least, claims[place])
            equivalent = holm(np.maximum(*claims), one_sided) & ~told_apart
        active = np.zeros_like(active)
        for place, pair in enumerate(pairs):
            active[:, pair] |= ~(told_apart | equivalent)[:, place, None]
        if n < limit:
            runs += active.sum(-1)
    return Outcome(told_apart, equivalent, runs, looks)


def fixed(values: Numbers, n: int, margin: float) -> tuple[Flags, Flags]:
    """Which pairs `n` seeds tell apart or show to be equivalent, by tests at the end alone."""
    pairs = np.array(list(itertools.combinations(range(values.shape[1]), 2)))
    a, b = values[:, pairs[:, 0], :n], values[:, pairs[:, 1], :n]
    levels = [ALPHA / m for m in range(len(pairs), 0, -1)]
    below, *ways = (
        lower_tails(each)[..., -1] for each in (a - b, a - (1 + margin) * b, b - (1 + margin) * a)
    )
    return holm(2 * np.minimum(below, 1 - below), levels), holm(np.maximum(*ways), levels)


def decided(means: Sequence[float], told_apart: Flags, equivalent: Flags) -> float:
    """Share of studies in which every pair is decided, and rightly."""
    right = np.ones(len(told_apart), bool)
    for place, (x, y) in enumerate(itertools.combinations(means, 2)):
        low, high = sorted((_LEVEL + x, _LEVEL + y))
        by_difference = told_apart[:, place] & (low < high)
        right &= by_difference | (equivalent[:, place] & (high < (1 + MARGIN) * low))
    return float(right.mean())

"""Seeds as needed: how often equal variants are told apart, and how many runs are saved?

Simulations of `--seeds auto` on normal scores. Nothing is trained.

    python benchmarks/seeds.py --of errors
    python benchmarks/seeds.py --of savings --json
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from command import Report, run
from scipy import special

from ganbench.machine.device import Device
from ganbench.report.comparison.sequential import level_of_each_look
from ganbench.report.comparison.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_LEVEL = 20.0  # of the scores, in their standard deviations: one of 5%
_MARGIN = 0.1
_MOST_FIXED = 60
_MEANS = (
    (0.0, 0.0), (0.0, 3.0), (0.0, 5.0), (0.0, 10.0),
    (0.0, 0.0, 0.0), (0.0, 0.0, 5.0), (0.0, 5.0, 10.0), (0.0, 10.0, 20.0),
    (0.0, 3.0, 8.0, 20.0), (0.0, 0.0, 5.0, 10.0, 20.0), (0.0, 4.0, 8.0, 14.0, 20.0, 30.0),
)  # fmt: skip


class Question(Enum):
    """What is simulated."""

    ERRORS = "errors"
    SAVINGS = "savings"


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
        right &= by_difference | (equivalent[:, place] & (high < (1 + _MARGIN) * low))
    return float(right.mean())


def errors(random: np.random.Generator, studies: int) -> Iterator[dict[str, Any]]:
    """Studies of equal variants in which some pair is told apart."""
    for variants, shared, (first, limit), margin in itertools.product(
        (2, 3, 6), (0.0, 0.8), ((3, 20), (3, 6)), (0.0, _MARGIN)
    ):
        values = scores(random, [0.0] * variants, studies, limit, shared)
        outcome = as_needed(values, first, limit, margin)
        yield {
            "variants": variants,
            "correlation": shared,
            "seeds": f"auto:{first}-{limit}",
            "margin": margin,
            "studies": studies,
            "false": int(outcome.told_apart.any(-1).sum()),
            "mean_runs": float(outcome.runs.mean()),
            "mean_looks": float(outcome.looks.mean()),
        }


def savings(random: np.random.Generator, studies: int) -> Iterator[dict[str, Any]]:
    """Runs of studies with seeds as needed, and with the fixed number that decides as often."""
    for means in _MEANS:
        values = scores(random, means, studies, _MOST_FIXED, 0.0)
        outcome = as_needed(values, 3, 20, _MARGIN)
        share = decided(means, outcome.told_apart, outcome.equivalent)
        same = next(
            (
                n
                for n in range(3, _MOST_FIXED + 1)
                if decided(means, *fixed(values, n, _MARGIN)) >= share
            ),
            _MOST_FIXED,
        )
        runs = float(outcome.runs.mean())
        yield {
            "means": " ".join(f"{mean:g}" for mean in means),
            "studies": studies,
            "decided": share,
            "mean_looks": float(outcome.looks.mean()),
            "mean_runs": runs,
            "fixed_seeds": same,
            "fixed_runs": same * len(means),
            "saved": 1 - runs / (same * len(means)),
        }


_HEADS = {
    Question.ERRORS: (
        "variants", "correlation", "seeds", "margin", "studies", "some false claim", "mean runs",
        "mean looks",
    ),
    Question.SAVINGS: (
        "true means", "studies", "all pairs decided", "mean looks", "mean runs",
        "fixed seeds that decide as often", "their runs", "saved",
    ),
}  # fmt: skip
_TITLES = {
    Question.ERRORS: "Studies of equal variants with seeds as needed, and how many make a claim",
    Question.SAVINGS: "Runs of auto:3-20, and of a fixed number of seeds that decides as often",
}
_SIMULATIONS = {Question.ERRORS: errors, Question.SAVINGS: savings}


def measure(
    _device: Device,
    *,
    of: Annotated[Question, typer.Option(help="What is simulated.")] = Question.ERRORS,
    studies: Annotated[int, typer.Option(min=10, help="Simulated studies a row.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
) -> Report:
    """Simulate studies with seeds as needed."""
    results = list(_SIMULATIONS[of](np.random.default_rng(seed), studies))
    return Report(
        f"{_TITLES[of]}, {studies:,} simulated a row",
        _HEADS[of],
        [tuple(_cell(value) for value in row.values()) for row in results],
        results,
        "differences in standard deviations of a score over seeds, which are 5% of it",
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    run(measure)

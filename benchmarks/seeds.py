"""Seeds as needed: how often equal variants are told apart, and how many runs are saved?

Simulations of `--seeds auto` on normal scores. Nothing is trained.

    python benchmarks/seeds.py --of errors
    python benchmarks/seeds.py --of savings --json
"""

from __future__ import annotations

import itertools
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from command import Report, run
from studies import MARGIN, as_needed, decided, fixed, scores

from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def errors(random: np.random.Generator, studies: int) -> Iterator[dict[str, Any]]:
    """Studies of equal variants in which some pair is told apart."""
    for variants, shared, (first, limit), margin in itertools.product(
        (2, 3, 6), (0.0, 0.8), ((3, 20), (3, 6)), (0.0, MARGIN)
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
        outcome = as_needed(values, 3, 20, MARGIN)
        share = decided(means, outcome.told_apart, outcome.equivalent)
        same = next(
            (
                n
                for n in range(3, _MOST_FIXED + 1)
                if decided(means, *fixed(values, n, MARGIN)) >= share
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

"""How often do intervals hold the true mean, and how often do tests claim a difference?

Simulations of comparisons over few seeds, with the functions that reports use. Nothing is trained.

    python benchmarks/intervals.py --of coverage
    python benchmarks/intervals.py --of tests --json
    python benchmarks/intervals.py --of families
"""

from __future__ import annotations

import itertools
import math
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from command import Report, run
from scipy import stats

from ganbench.machine.device import Device
from ganbench.report.comparison.contrasts import Side, contrast
from ganbench.report.comparison.families import corrected
from ganbench.report.comparison.statistics import ALPHA, estimate, holm, paired_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEEDS = (3, 5, 10, 20, 30)
_TEST_SEEDS = (3, 5, 10)
_RESAMPLES = 999
_LOGNORMAL_MEAN = math.exp(0.5)
_CORRELATIONS = (0.0, 0.8)
_SCORES = ("fid", "kid", "mode_kl", "diversity", "density", "vendi", "memorisation", "intra_fid")
_VARIANTS, _FAMILY_SEEDS = 4, 5

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Question(Enum):
    """What is simulated."""

    COVERAGE = "coverage"
    TESTS = "tests"
    FAMILIES = "families"


def coverage(random: np.random.Generator, comparisons: int) -> Iterator[dict[str, Any]]:
    """Share of 95% intervals that hold the true mean: Student's t, and the BCa bootstrap."""
    for scores, n in itertools.product(("normal", "lognormal"), _SEEDS):
        is_normal = scores == "normal"
        draw = random.normal if is_normal else random.lognormal
        truth = 0.0 if is_normal else _LOGNORMAL_MEAN
        values = draw(0.0, 1.0, (comparisons, n))
        summaries = [one for row in values if (one := estimate(row)) is not None]
        ends = np.array([(one.low, one.high) for one in summaries], dtype=float)
        bca = stats.bootstrap(
            (values,), np.mean, axis=-1, n_resamples=_RESAMPLES, method="BCa", batch=100,
            rng=random,
        ).confidence_interval  # fmt: skip
        yield {
            "scores": scores,
            "seeds": n,
            "t": float(np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))),
            "bca": float(np.mean((bca.low <= truth) & (truth <= bca.high))),
        }


def equal_variants(
    random: np.random.Generator, count: int, shape: tuple[int, ...], correlation: float
) -> Numbers:
    """Scores of equal variants, of shape (count, *shape), which correlate between variants."""
    shared, own = random.normal(0.0, 1.0, (1, *shape)), random.normal(0.0, 1.0, (count, *shape))
    both: Numbers = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
    return both


def tests(random: np.random.Generator, comparisons: int) -> Iterator[dict[str, Any]]:
    """Share of comparisons in which paired tests claim a difference: their size and power."""
    for n, correlation in itertools.product(_TEST_SEEDS, _CORRELATIONS):
        a, b = equal_variants(random, 2, (comparisons, n), correlation)
        modes_a, modes_b = (np.clip(np.round(9.5 + one), 0, 10) for one in (a, b))
        ten = np.full_like(a, 10.0)
        for scores, first, second, step in (
            ("continuous, equal", a, b, 0.0),
            ("continuous, 2 deviations apart", a + 2, b, 0.0),
            ("modes, equal, mostly 9 or 10", modes_a, modes_b, 1.0),
            ("modes, about 9 against 7", modes_a, np.clip(modes_b - 2, 0, 10), 1.0),
            ("modes, 10 against 1 throughout", ten, ten - 9, 1.0),
        ):
            shares = claims(first, second, step)
            yield {"scores": scores, "seeds": n, "correlation": correlation, **shares}


def claims(a: Numbers, b: Numbers, step: float) -> dict[str, float]:
    """Share of comparisons with p < 0.05: with a floor of the spread, by signs where there is none.

    Args:
        a: Scores of one variant, of shape (comparisons, seeds).
        b: Of the other.
        step: The smallest step of the score.
    """
    floored, signs = [], []
    for first, second in zip(a, b, strict=True):
        found = paired_difference(dict(enumerate(first)), dict(enumerate(second)), step=step)
        floored.append(1.0 if found is None or found.p_value is None else found.p_value)
        differences = first - second
        if np.ptp(differences) > 0:
            signs.append(float(stats.ttest_1samp(differences, 0.0).pvalue))
        else:  # exact: of the ways to swap the names within seeds, two give a mean as large
            signs.append(2.0 ** (1 - len(differences)) if differences[0] else 1.0)
    return {
        name: float(np.mean(np.array(p_values) < ALPHA))
        for name, p_values in (("floor", floored), ("sign_flip", signs))
    }


def families(random: np.random.Generator, comparisons: int) -> Iterator[dict[str, Any]]:
    """Share of comparisons of equal variants with some claim, by how tests are put together."""
    couples = list(itertools.combinations(range(_VARIANTS), 2))
    for correlation in _CORRELATIONS:
        counts = dict.fromkeys(("primary", "secondary", "score_by_score"), 0)
        for _ in range(comparisons):
            values = equal_variants(random, _VARIANTS, (len(_SCORES), _FAMILY_SEEDS), correlation)
            items = [
                item
                for place, score in enumerate(_SCORES)
                for couple in couples
                if (item := contrast(score, score, *(_side(values[v, place]) for v in couple), {}))
            ]
            done = corrected(items)
            for family in ("primary", "secondary"):
                own = [item for item in done if item.family == family]
                counts[family] += any(item.verdict != "not resolved" for item in own)
            counts["score_by_score"] += any(
                correction.p_value < ALPHA
                for score in _SCORES
                for correction in holm([i.paired.p_value or 0.0 for i in items if i.score == score])
            )
        shares = {name: count / comparisons for name, count in counts.items()}
        yield {"correlation": correlation, "variants": _VARIANTS, "scores": len(_SCORES), **shares}


def _side(values: Numbers) -> Side:
    return Side("", dict(enumerate(50 + values)), len(values), len(values))


_HEADS = {
    Question.COVERAGE: ("scores", "seeds", "Student's t", "BCa bootstrap"),
    Question.TESTS: ("scores", "seeds", "correlation", "t, spread floored", "t or sign flip"),
    Question.FAMILIES: (
        "correlation", "variants", "scores", "primary family", "secondary family",
        "Holm score by score",
    ),
}  # fmt: skip
_TITLES = {
    Question.COVERAGE: "95% intervals that hold the true mean",
    Question.TESTS: "Comparisons in which a paired test claims a difference (p < 0.05)",
    Question.FAMILIES: "Comparisons of equal variants with some false claim, 5 seeds",
}
_SIMULATIONS = {
    Question.COVERAGE: coverage,
    Question.TESTS: tests,
    Question.FAMILIES: families,
}


def measure(
    _device: Device,
    *,
    of: Annotated[Question, typer.Option(help="What is simulated.")] = Question.COVERAGE,
    comparisons: Annotated[int, typer.Option(min=10, help="Simulated comparisons a row.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
) -> Report:
    """Simulate comparisons, and count what intervals and tests say of them."""
    results = list(_SIMULATIONS[of](np.random.default_rng(seed), comparisons))
    error = 100 * math.sqrt(0.05 * 0.95 / comparisons)
    return Report(
        f"{_TITLES[of]}, {comparisons:,} simulated a row",
        _HEADS[of],
        [tuple(_cell(key, value) for key, value in row.items()) for row in results],
        results,
        f"shares; standard error at 5%: {error:.1f} points",
    )


def _cell(key: str, value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) and key != "correlation" else str(value)


if __name__ == "__main__":
    run(measure)

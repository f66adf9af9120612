"""Is B better or worse than A? One verdict per score."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ganbench.errors import UsageError, unknown
from ganbench.report import columns
from ganbench.report.comparison.contrasts import Contrast, contrast, corrected, is_ranked
from ganbench.report.comparison.pairing import Pair, conditions_that_differ, pairs_of, shared_timing
from ganbench.report.gather import gather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.gather import Results

__all__ = ["Comparison", "Verdict", "compare"]

_SPEED = "images_per_second"


@dataclass(frozen=True)
class Verdict:
    """How B compares with A on one score of one dataset.

    Attributes:
        dataset: Where both were trained.
        variant_a: Name of A.
        variant_b: Name of B.
        score: Name of the column in runs.csv.
        direction: Which way is better: `lower`, `higher` or nearer to `one`.
        verdict: Whether B is better or worse than A, or the seeds do not resolve it.
        n: Seeds that both have.
        mean_a: Mean of A over these seeds.
        mean_b: Mean of B over these seeds.
        difference: Mean of B - A; where 1 is best, of their distances from it.
        ci_low: Lower end of the difference's 95% interval, not corrected; None for one seed.
        ci_high: Its upper end.
        p_value: Of the paired test; None for one seed.
        p_holm: Corrected for all scores of the comparison.
        detectable: The smallest true difference that this many seeds find in four of five cases.
        seeds_needed: Seeds that find a difference like this in four of five cases.
        sentence: The verdict with its numbers, as one sentence.
    """

    dataset: str
    variant_a: str
    variant_b: str
    score: str
    direction: str
    verdict: Literal["better", "worse", "not resolved"]
    n: int
    mean_a: float
    mean_b: float
    difference: float
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None
    detectable: float | None
    seeds_needed: int | None
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """The verdicts, with notes on conditions that differ.

    Attributes:
        a: Folder of A.
        b: Folder of B.
        verdicts: One per dataset, pair of variants and score.
        notes: What differs without forbidding the comparison, such as the budget.
    """

    a: str
    b: str
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[Verdict, ...]:
        """The scores on which B is worse, resolved by the seeds."""
        return tuple(item for item in self.verdicts if item.verdict == "worse")

    @property
    def improvements(self) -> tuple[Verdict, ...]:
        """The scores on which B is better, resolved by the seeds."""
        return tuple(item for item in self.verdicts if item.verdict == "better")

    def to_json(self) -> str:
        """Write it for scripts."""
        return json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False) + "\n"


def compare(
    a: Path,
    b: Path,
    *,
    variant_a: str | None = None,
    variant_b: str | None = None,
    metrics: Sequence[str] | None = None,
) -> Comparison:
    """Compare B with A, seed by seed.

    All p-values of one comparison are corrected together, so that a false alarm on any of the
    scores is rare; fewer scores find smaller differences.

    Args:
        a: Results folder of A.
        b: Results folder of B; may be the same one where the variants differ.
        variant_a: Row of A; without it and `variant_b`, every variant that both folders have.
        variant_b: Row of B; the same name as A's where left out.
        metrics: Columns to compare; all scores and the training speed where left out.

    Raises:
        UsageError: A folder cannot be read; a variant or metric is not there; datasets, devices or
            protocols differ; or no seed is common.
    """
    names = _metric_names(metrics)
    results_a, results_b = gather([a]), gather([b])
    pairs = pairs_of(results_a, results_b, variant_a, variant_b)
    contrasts = [
        (pair, item)
        for pair in pairs
        for name in names or _default_names(results_a, results_b)
        if (item := _contrast(pair, name)) is not None
    ]
    if not contrasts:
        raise UsageError(_why_nothing(pairs, names))
    done = corrected([item for _, item in contrasts])
    verdicts = [_verdict(pair, item) for (pair, _), item in zip(contrasts, done, strict=True)]
    notes = conditions_that_differ(pairs)
    if any(verdict.score in columns.TIMED for verdict in verdicts):
        notes += shared_timing(pairs)
    return Comparison(str(a), str(b), tuple(verdicts), notes)


def _metric_names(metrics: Sequence[str] | None) -> list[str]:
    allowed = [name for name in (*columns.score_names([]), *columns.SPEED) if is_ranked(name)]
    for name in metrics or ():
        if name not in allowed:
            raise unknown("metric", name, allowed, "see `ganbench list metrics`")
    return list(dict.fromkeys(metrics or ()))


def _default_names(*results: Results) -> list[str]:
    records = [record for one in results for record in one.records]
    return [name for name in (*columns.score_names(records), _SPEED) if is_ranked(name)]


def _contrast(pair: Pair, name: str) -> Contrast | None:
    (group_a, label_a), (group_b, label_b) = pair.a, pair.b
    item = contrast(
        name,
        group_a.backbone,
        (pair.names[1], group_b.by_seed(label_b, name)),
        (pair.names[0], group_a.by_seed(label_a, name)),
    )
    if item is None:
        return None
    rows = ((group_a, label_a), (group_b, label_b))
    group, label = next((row for row in rows if row[0].is_shared(row[1], name)), rows[0])
    return dataclasses.replace(item, heading=group.heading(name, label))


def _why_nothing(pairs: Sequence[Pair], names: Sequence[str]) -> str:
    (group_a, label_a), (group_b, label_b) = pairs[0].a, pairs[0].b
    seeds = [
        sorted({entry.result.seed for entry in group.of(label)})
        for group, label in ((group_a, label_a), (group_b, label_b))
    ]
    if set(seeds[0]).isdisjoint(seeds[1]):
        listed = [", ".join(map(str, some)) for some in seeds]
        return (
            f"{pairs[0].names[0]} and {pairs[0].names[1]} have no seed in common: "
            f"{listed[0]} against {listed[1]}"
        )
    return f"{', '.join(names) or 'every score'} is empty for one of the two"


def _verdict(pair: Pair, item: Contrast) -> Verdict:
    """The verdict that follows from a contrast of B with A."""
    return Verdict(
        dataset=pair.a[0].dataset,
        variant_a=pair.names[0],
        variant_b=pair.names[1],
        score=item.score,
        direction=item.direction,
        verdict=item.verdict,
        n=item.n,
        mean_a=item.mean_b,
        mean_b=item.mean_a,
        difference=item.difference,
        ci_low=item.ci_low,
        ci_high=item.ci_high,
        p_value=item.p_value,
        p_holm=item.p_holm,
        detectable=item.detectable,
        seeds_needed=item.seeds_needed,
        sentence=item.sentence,
    )

"""A verdict: how B compares with A on one score, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report.comparison.sentences import seeds_behind, seeds_text, sentence_of

if TYPE_CHECKING:
    from ganbench.report.comparison.contrasts import Contrast, Family, Result

__all__ = ["Verdict", "verdict_of"]


@dataclass(frozen=True)
class Verdict:
    """How B compares with A on one score of one dataset.

    Attributes:
        dataset: Where both were trained.
        variant_a: Name of A.
        variant_b: Name of B.
        score: Name of the column in runs.csv.
        heading: Its label, with the backbone where the score depends on one.
        direction: Which way is better: `lower`, `higher` or nearer to `one`.
        family: Which tests it was corrected with: `primary`, `secondary` or `cost`.
        family_size: Their number.
        verdict: Whether B is better or worse than A or equivalent to it, or the seeds do not
            resolve it.
        n: Seeds that both have.
        completed_a: Runs of A that completed.
        started_a: Runs of A that were started.
        completed_b: Runs of B that completed.
        started_b: Runs of B that were started.
        unpaired_a: Seeds of A that B lacks.
        unpaired_b: Seeds of B that A lacks.
        mean_a: Mean of A over the seeds that both have.
        mean_b: Mean of B over these seeds.
        difference: Mean of B - A; where 1 is best, of their distances from it.
        ci_low: Lower end of the difference's interval, which excludes 0 exactly where the verdict
            is better or worse; None for one seed, or where no spread was seen.
        ci_high: Its upper end.
        ci_level: Its level, which Holm's method asks of this score; 0.95 where nothing is
            corrected.
        p_value: Of the paired t-test, not corrected; None for one seed.
        p_holm: Corrected within the family.
        detectable: The smallest true difference that this many seeds find in four of five cases.
        seeds_needed_low: The fewest seeds that would resolve it, with a confidence of 80%; None
            where it is resolved, or more than 1000 are needed.
        seeds_needed_high: The most; None also where there may be no difference at all.
        seeds_behind: Which seeds are compared, where not all of both are.
        seeds_needed: The two numbers in words; empty where it is resolved.
        sentence: The verdict with its numbers, as one sentence.
        looks: How often the pair was tested while seeds were added as needed; None where they
            were given.
        margin: Of equivalence, as a share; None where it is not tested.
        p_equivalent: Of the claim of equivalence, corrected.
    """

    dataset: str
    variant_a: str
    variant_b: str
    score: str
    heading: str
    direction: str
    family: Family
    family_size: int
    verdict: Result
    n: int
    completed_a: int
    started_a: int
    completed_b: int
    started_b: int
    unpaired_a: tuple[int, ...]
    unpaired_b: tuple[int, ...]
    mean_a: float
    mean_b: float
    difference: float
    ci_low: float | None
    ci_high: float | None
    ci_level: float | None
    p_value: float | None
    p_holm: float | None
    detectable: float | None
    seeds_needed_low: int | None
    seeds_needed_high: int | None
    seeds_behind: str
    seeds_needed: str
    sentence: str
    looks: int | None = None
    margin: float | None = None
    p_equivalent: float | None = None


def verdict_of(dataset: str, item: Contrast) -> Verdict:
    """The verdict that follows from a contrast whose first side is B."""
    b, a, paired = item.side_a, item.side_b, item.paired
    unpaired_b, unpaired_a = item.unpaired
    low, high = item.interval or (None, None)
    few, many = item.seeds_needed
    return Verdict(
        dataset=dataset,
        variant_a=a.name,
        variant_b=b.name,
        score=item.score,
        heading=item.heading,
        direction=item.direction,
        family=item.family,
        family_size=item.family_size,
        verdict=item.verdict,
        n=paired.n,
        completed_a=a.completed,
        started_a=a.started,
        completed_b=b.completed,
        started_b=b.started,
        unpaired_a=unpaired_a,
        unpaired_b=unpaired_b,
        mean_a=item.mean_b,
        mean_b=item.mean_a,
        difference=paired.mean,
        ci_low=low,
        ci_high=high,
        ci_level=item.ci_level if item.interval else None,
        p_value=paired.p_value,
        p_holm=item.p_holm,
        detectable=item.detectable,
        seeds_needed_low=few,
        seeds_needed_high=many,
        seeds_behind=seeds_behind(item),
        seeds_needed=seeds_text(item) if item.can_need_seeds else "",
        sentence=sentence_of(item),
        looks=item.looks,
        margin=None if item.equivalence is None else item.equivalence.margin,
        p_equivalent=None if item.equivalence is None else item.equivalence.p_holm,
    )

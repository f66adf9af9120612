"""Is B better or worse than A? One verdict per score."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.errors import UsageError, unknown
from ganbench.report import columns
from ganbench.report.comparison.contrasts import Contrast, contrast, is_ranked, side_of
from ganbench.report.comparison.families import PRIMARY, check_primary, corrected, families_text
from ganbench.report.comparison.pairing import (
    Pair,
    conditions_in_common,
    conditions_that_differ,
    has_equal_budgets,
    pairs_of,
    refuse_unequal_budgets,
    shared_timing,
)
from ganbench.report.comparison.ranking import ranked_names
from ganbench.report.comparison.stages import stages_of
from ganbench.report.comparison.verdict import Verdict, verdict_of
from ganbench.report.gather import gather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.experiment.result import RunResult

__all__ = ["Comparison", "compare"]

_SPEED = "images_per_second"
_LOOKS_NOTE = (
    "seeds were added as needed: p-values and intervals are those of a sequential paired t-test, "
    "which holds over all looks"
)


@dataclass(frozen=True)
class Comparison:
    """The verdicts, with notes on conditions that differ.

    Attributes:
        a: Folder of A.
        b: Folder of B.
        verdicts: One per dataset, pair of variants and score that is shown.
        primary: The score that is tested first, by itself.
        families: Which tests were corrected together, in words.
        notes: What differs without forbidding the comparison, such as the threads, or the
            conditions that all runs had.
    """

    a: str
    b: str
    verdicts: tuple[Verdict, ...]
    primary: str = PRIMARY
    families: str = ""
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
    primary: str | None = None,
) -> Comparison:
    """Compare B with A, seed by seed.

    The primary score is tested by itself, all other scores are corrected together, and so are
    speeds and memory. A score's p-value does not depend on which others are shown.

    Args:
        a: Results folder of A.
        b: Results folder of B; may be the same one where the variants differ.
        variant_a: Row of A; without it and `variant_b`, every variant that both folders have.
        variant_b: Row of B; the same name as A's where left out.
        metrics: Columns to show; all scores and the training speed where left out.
        primary: The score that was chosen before the numbers were seen; where left out, the one
            by which the folders' seeds were added as needed, else FID.

    Raises:
        UsageError: A folder cannot be read; a variant or metric is not there; datasets, devices or
            protocols differ, or budgets where a score is compared; or no seed is common.
    """
    names = _metric_names(metrics)
    results_a, results_b = gather([a]), gather([b])
    records = [*results_a.records, *results_b.records]
    primary = primary or results_b.planned_primary or results_a.planned_primary or PRIMARY
    check_primary(primary, records)
    pairs = pairs_of(results_a, results_b, variant_a, variant_b)
    wanted = names or _default_names(records, primary)
    if any(name not in columns.SPEED for name in wanted):
        refuse_unequal_budgets(pairs)
    tested = [
        (pair, item)
        for pair in pairs
        for name in ranked_names(records, primary)
        if name in columns.SPEED or has_equal_budgets(pair)
        if (item := _contrast(pair, name, is_primary=name == primary)) is not None
    ]
    done = corrected([item for _, item in tested], primary)
    verdicts = [
        verdict_of(pair.a[0].dataset, item)
        for (pair, _), item in zip(tested, done, strict=True)
        if item.score in wanted
    ]
    if not verdicts:
        raise UsageError(_why_nothing(pairs, names))
    notes = (
        *results_a.notes,
        *results_b.notes,
        *conditions_that_differ(pairs),
        *conditions_in_common(pairs),
    )
    if any(verdict.looks is not None for verdict in verdicts):
        notes += (_LOOKS_NOTE,)
    if any(verdict.score in columns.TIMED for verdict in verdicts):
        notes += shared_timing(pairs)
    families = families_text(done)
    return Comparison(
        str(a), str(b), tuple(verdicts), primary, families, tuple(dict.fromkeys(notes))
    )


def _metric_names(metrics: Sequence[str] | None) -> list[str]:
    names = (*columns.score_names([]), *columns.SPEED, *columns.OVER_TRAINING_SHOWN)
    allowed = [name for name in names if is_ranked(name)]
    for name in metrics or ():
        if name not in allowed:
            raise unknown("metric", name, allowed, "see `ganbench list metrics`")
    return list(dict.fromkeys(metrics or ()))


def _default_names(records: Sequence[RunResult], primary: str) -> list[str]:
    return list(dict.fromkeys([primary, *columns.score_names(list(records)), _SPEED]))


def _contrast(pair: Pair, name: str, *, is_primary: bool) -> Contrast | None:
    """B as the first side, so that a positive difference means that B is larger."""
    (group_a, label_a), (group_b, label_b) = pair.a, pair.b
    rows = ((group_a, label_a), (group_b, label_b))
    group, label = next((row for row in rows if row[0].is_shared(row[1], name)), rows[0])
    looks = (*group_a.looks.values(), *group_b.looks.values())
    return contrast(
        name,
        group.heading(name, label),
        side_of(group_b, label_b, name, pair.names[1]),
        side_of(group_a, label_a, name, pair.names[0]),
        group_a.quantities,
        stages_of(pair.b, pair.a),
        max((each.margin for each in looks), default=0.0) if is_primary else 0.0,
    )


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

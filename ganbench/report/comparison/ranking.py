"""Rankings: which variant is better on each score."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report import columns
from ganbench.report.comparison.contrasts import Contrast, contrast, corrected, is_ranked
from ganbench.report.formatting import shown
from ganbench.report.tables import csv_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.result import RunResult
    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["Ranking", "contrasts_of", "ranked_names", "ranking_csv", "rankings_of"]

_GROUP = ("dataset", "device", "device_name", "protocol")
_CONTRAST = (
    "score", "direction", "a", "b", "n", "mean_a", "mean_b", "difference", "std", "ci_low",
    "ci_high", "interval_method", "test", "p_value", "pairs", "p_holm", "detectable",
    "seeds_needed", "verdict", "sentence",
)  # fmt: skip
_RENAMED = {"a": "variant_a", "b": "variant_b", "std": "difference_std"}


@dataclass(frozen=True)
class Ranking:
    """All variants on one score.

    Attributes:
        heading: The score, with its direction.
        order: Each variant and its mean, the best first.
        resolved: How many pairs the seeds resolve, as `2 of 3`.
        detectable: The smallest differences that they find in four of five cases.
        sentences: One per pair.
    """

    heading: str
    order: tuple[tuple[str, str], ...]
    resolved: str
    detectable: str
    sentences: tuple[str, ...]


def ranked_names(records: Sequence[RunResult]) -> list[str]:
    """All columns that have a better and a worse, and a number in some run."""
    return [name for name in columns.measured(list(records)) if is_ranked(name)]


def contrasts_of(group: Group, name: str) -> list[Contrast]:
    """Every pair of a group's variants on one score, corrected for their number."""
    pairs = itertools.combinations(group.labels, 2)
    contrasts = [
        contrast(name, group.backbone, (a, group.by_seed(a, name)), (b, group.by_seed(b, name)))
        for a, b in pairs
    ]
    return corrected(
        [
            dataclasses.replace(item, heading=group.heading(name, item.a, item.b))
            for item in contrasts
            if item is not None
        ]
    )


def rankings_of(group: Group) -> list[Ranking]:
    """The rankings that are shown to people: none where no variant has a second seed."""
    if group.seeds <= 1:
        return []
    rankings = []
    for name in group.present([*columns.MAIN, "images_per_second"]):
        contrasts = contrasts_of(group, name)
        if is_ranked(name) and contrasts:
            rankings.append(_ranking(group, name, contrasts))
    return rankings


def _ranking(group: Group, name: str, contrasts: list[Contrast]) -> Ranking:
    column = columns.column(name)
    estimates = {label: group.estimate(label, name) for label in group.labels}
    means = {label: one.mean for label, one in estimates.items() if one is not None}
    order = sorted(means, key=lambda label: _cost(means[label], column))
    resolved = sum(item.verdict != "not resolved" for item in contrasts)
    smallest = sorted(item.detectable for item in contrasts if item.detectable is not None)
    ends = dict.fromkeys(shown(end, column) for end in smallest[:1] + smallest[-1:])
    return Ranking(
        heading=f"{group.heading(name, *means)} {column.arrow}",
        order=tuple((label, shown(means[label], column)) for label in order),
        resolved=f"{resolved} of {len(contrasts)}",
        detectable=" to ".join(ends),
        sentences=tuple(item.sentence for item in contrasts),
    )


def _cost(mean: float, column: columns.Column) -> float:
    if column.direction == "one":
        return abs(mean - 1)
    return -mean if column.direction == "higher" else mean


def ranking_csv(results: Results) -> str | None:
    """One row per pair of variants and score; None where no variant has a second seed."""
    rows = [
        [getattr(group, part) for part in _GROUP] + _row(item)
        for group in results.groups
        if group.seeds > 1
        for name in ranked_names(results.records)
        for item in contrasts_of(group, name)
    ]
    return (
        csv_text([*_GROUP, *(_RENAMED.get(name, name) for name in _CONTRAST)], rows)
        if rows
        else None
    )


def _row(item: Contrast) -> list[Any]:
    return [getattr(item, name) for name in _CONTRAST]

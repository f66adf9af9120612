"""Rankings: which variant is better on each score."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report import columns
from ganbench.report.comparison.contrasts import contrast, is_ranked, side_of
from ganbench.report.comparison.families import corrected, families_text
from ganbench.report.comparison.sentences import sentence_of
from ganbench.report.comparison.stages import stages_of
from ganbench.report.formatting import shown
from ganbench.report.scale import MOST_IN_SENTENCES, MOST_NAMED, MOST_PAIRED
from ganbench.report.tables import csv_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.result import RunResult
    from ganbench.report.comparison.contrasts import Contrast
    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = [
    "Ranking",
    "Rankings",
    "best_labels",
    "best_of",
    "contrasts_of",
    "order_of",
    "ranked_names",
    "ranking_csv",
    "rankings_of",
]

_GROUP = ("dataset", "device", "device_name", "protocol", "budget")
_HEADS = (
    "family", "score", "direction", "variant_a", "variant_b", "completed_a", "started_a",
    "completed_b", "started_b", "n", "unpaired_seeds_a", "unpaired_seeds_b", "mean_a", "mean_b",
    "difference", "difference_std", "ci_low", "ci_high", "ci_level", "interval_method", "test",
    "p_value", "family_size", "p_holm", "looks", "margin", "p_equivalent", "detectable",
    "seeds_needed_low", "seeds_needed_high", "verdict", "sentence",
)  # fmt: skip


@dataclass(frozen=True)
class Ranking:
    """All variants of one budget on one score.

    Attributes:
        heading: The score, with its direction, and the budget where several are in the table.
        order: Each variant and its mean; who completed the larger share of runs first, then by the
            mean.
        resolved: How many pairs the seeds resolve, as `2 of 3`.
        detectable: The smallest differences that they find in four of five cases.
        sentences: One per pair with several seeds; of many variants, per such pair with the leader.
        remark: Which pairs are left out, empty where none are.
    """

    heading: str
    order: tuple[tuple[str, str], ...]
    resolved: str
    detectable: str
    sentences: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True)
class Rankings:
    """What people are shown of a group's rankings.

    Attributes:
        families: Which tests were corrected together.
        rankings: One per score and budget; none where no pair has a second seed.
    """

    families: str = ""
    rankings: tuple[Ranking, ...] = ()


def ranked_names(records: Sequence[RunResult], primary: str) -> list[str]:
    """All columns that have a better and a worse, the primary score first."""
    names = [name for name in columns.measured(list(records)) if is_ranked(name)]
    return sorted(names, key=lambda name: name != primary)


def contrasts_of(group: Group, primary: str) -> list[Contrast]:
    """Every pair of a group's variants with equal budgets on every score, corrected by families.

    Of more than `MOST_PAIRED` variants, only pairs with the score's leader are compared. The
    correction is for all pairs nevertheless, since all of them decide who leads.
    """
    return group.once(("contrasts", primary), lambda: _contrasts_of(group, primary))


def _contrasts_of(group: Group, primary: str) -> list[Contrast]:
    names, quantities = ranked_names([e.result for e in group.finished], primary), group.quantities
    margin = max((looks.margin for looks in group.looks.values()), default=0.0)
    contrasts: list[Contrast] = []
    untested: dict[str, int] = defaultdict(int)
    for name in names:
        for of_budget in group.by_budget.values():
            labels = of_budget
            if group.looks and name == primary:  # which pay for what they see alone
                labels = [label for label in of_budget if label in group.looked_at]
            sides = {label: side_of(group, label, name) for label in labels}
            pairs = _pairs(group, labels, name)
            done = [
                contrast(
                    name, group.heading(name, a, b), sides[a], sides[b], quantities,
                    stages_of((group, a), (group, b)), margin if name == primary else 0.0,
                )
                for a, b in pairs
            ]  # fmt: skip
            contrasts += (item for item in done if item is not None)
            if len(pairs) < math.comb(len(labels), 2):
                testable = sum(len(side.values) > 1 for side in sides.values())
                tested = sum(item is not None and item.paired.std is not None for item in done)
                untested[name] += math.comb(testable, 2) - tested
    if group.looks:  # all pairs that were planned count, so that no later look corrects for more
        tested = sum(
            item.score == primary and item.paired.p_value is not None for item in contrasts
        )
        untested[primary] = _planned_pairs(group) - tested
    return corrected(contrasts, primary, untested)


def _planned_pairs(group: Group) -> int:
    """Pairs of variants of one budget, those of which no run completed included."""
    budgets = Counter(group.budget_of(label) for label in group.looked_at)
    return sum(math.comb(count, 2) for count in budgets.values())


def _pairs(group: Group, labels: Sequence[str], name: str) -> list[tuple[str, str]]:
    """All pairs of some variants; of many, those with the leader on this score."""
    if len(labels) <= MOST_PAIRED:
        return list(itertools.combinations(labels, 2))
    order = order_of(group, labels, name)
    place = labels.index(order[0]) if order else 0
    leader = labels[place]
    before, after = labels[:place], labels[place + 1 :]
    return [*((label, leader) for label in before), *((leader, label) for label in after)]


def order_of(group: Group, labels: Sequence[str], name: str) -> list[str]:
    """The variants that have a score: the larger share of completed runs first, then the better."""
    column = columns.column(name)
    estimates = {label: group.estimate(label, name) for label in labels}
    costs = {label: _cost(one.mean, column) for label, one in estimates.items() if one is not None}
    return sorted(costs, key=lambda label: (-_share(group, label), costs[label]))


def best_of(group: Group, most: int, score: str) -> Group:
    """A group with as many of its variants, those that lead on a score; the group if it has fewer.

    Variants without the score come last; its title says what is left out.
    """
    if len(group.all_labels) <= most:
        return group
    order = order_of(group, group.labels, score)
    chosen = list(dict.fromkeys([*order, *group.labels, *group.all_labels]))[:most]
    by = f" by {group.heading(score)}" if order else ""
    return group.only(
        set(chosen), f"{group.title}, the first {most} of {len(group.all_labels):,} variants{by}"
    )


def best_labels(group: Group, name: str, primary: str) -> set[str]:
    """The best variant of each budget on a column, and those that the seeds do not resolve from it.

    Where no pair could be tested, only the best, and what reads the same. Empty where a column has
    no better and worse, or less than two variants have a number.
    """
    if not is_ranked(name):
        return set()
    return group.once(("best", name, primary), lambda: _best_labels(group, name, primary))


def _best_labels(group: Group, name: str, primary: str) -> set[str]:
    by_score = group.once(("contrasts by score", primary), lambda: _by_score(group, primary))
    best: set[str] = set()
    for labels in group.by_budget.values():
        order = order_of(group, labels, name)
        if len(order) < 2:  # noqa: PLR2004 - the best of one says nothing
            continue
        means = {label: one.mean for label in order if (one := group.estimate(label, name))}
        best |= {label for label in order if means[label] == means[order[0]]}
        if group.seeds <= 1:  # two numbers that read the same would look like a mistake
            texts = {label: shown(mean, columns.column(name)) for label, mean in means.items()}
            best |= {label for label in order if texts[label] == texts[order[0]]}
        for item in by_score.get(name, []):
            pair = {item.side_a.name, item.side_b.name}
            is_tested = item.paired.std is not None
            if order[0] in pair and is_tested and item.verdict == "not resolved":
                best |= pair
    return best


def _by_score(group: Group, primary: str) -> dict[str, list[Contrast]]:
    by_score: dict[str, list[Contrast]] = defaultdict(list)
    for item in contrasts_of(group, primary):
        by_score[item.score].append(item)
    return dict(by_score)


def rankings_of(group: Group, primary: str) -> Rankings:
    """The rankings that are shown to people, the primary score's first."""
    if group.seeds <= 1:
        return Rankings()
    contrasts = contrasts_of(group, primary)
    names = group.present(list(dict.fromkeys([primary, *columns.MAIN, "images_per_second"])))
    of_budget = {label: budget for budget, some in group.by_budget.items() for label in some}
    by_score: dict[tuple[str, str], list[Contrast]] = defaultdict(list)
    for item in contrasts:
        by_score[item.score, of_budget[item.side_a.name]].append(item)
    rankings = [
        _ranking(group, name, budget, own)
        for name in names
        for budget in group.by_budget
        if (own := by_score.get((name, budget)))
        and any(item.paired.std is not None for item in own)
    ]
    return Rankings(families_text(contrasts), tuple(rankings))


def _ranking(group: Group, name: str, budget: str, contrasts: list[Contrast]) -> Ranking:
    column, labels = columns.column(name), group.by_budget[budget]
    order = order_of(group, labels, name)
    means = {label: one.mean for label in order if (one := group.estimate(label, name))}
    resolved = sum(item.verdict in ("better", "worse") for item in contrasts)
    equivalent = sum(item.verdict == "equivalent" for item in contrasts)
    heading = f"{group.heading(name, *means)} {column.arrow}"
    entries = [
        (label, _with_share(group, label, shown(means[label], column)))
        for label in order[:MOST_NAMED]
    ]
    if len(order) > MOST_NAMED:
        entries.append((f"and {len(order) - MOST_NAMED:,} more", ""))
    only_leader = len(labels) > MOST_IN_SENTENCES
    said = [item for item in contrasts if item.paired.std is not None]
    if only_leader:
        said = _with_leader(said, order)
    all_compared = len(labels) <= MOST_PAIRED
    return Ranking(
        heading=heading if len(group.by_budget) == 1 else f"{heading}, {budget}",
        order=tuple(entries),
        resolved=f"{resolved} of {len(contrasts)}"
        + (f", {equivalent} equivalent" if equivalent else "")
        + ("" if all_compared else " with the leader"),
        detectable=_detectable(contrasts, column),
        sentences=tuple(sentence_of(item) for item in said),
        remark=_remark(order[0], len(labels)) if only_leader else "",
    )


def _with_leader(contrasts: list[Contrast], order: Sequence[str]) -> list[Contrast]:
    """Pairs of the leader with those that follow it, in their order."""
    of_leader = {}
    for item in contrasts:
        names = {item.side_a.name, item.side_b.name} - {order[0]}
        if len(names) == 1:
            of_leader[names.pop()] = item
    return [of_leader[label] for label in order if label in of_leader][:MOST_IN_SENTENCES]


def _remark(leader: str, variants: int) -> str:
    """Which pairs of many variants are sentences, and where the others are."""
    text = (
        f"Of {variants:,} variants, the leader, {leader}, is compared here with the "
        f"{MOST_IN_SENTENCES} that follow it; ranking.csv has "
    )
    return text + (
        "all pairs."
        if variants <= MOST_PAIRED
        else "its other pairs. Pairs without it are not tested, but count in the correction."
    )


def _detectable(contrasts: list[Contrast], column: columns.Column) -> str:
    """The smallest detectable differences of several pairs, from the least to the most."""
    tested = [item for item in contrasts if item.paired.std]
    smallest = sorted(item.detectable for item in tested if item.detectable is not None)
    ends = [shown(end, column) for end in smallest[:1] + smallest[-1:]]
    if len(smallest) < len(tested):
        ends = [*ends[:1], "more than is possible"]
    return " to ".join(dict.fromkeys(ends))


def _share(group: Group, label: str) -> float:
    """The share of a variant's runs that completed."""
    completed, started = group.completed(label)
    return completed / started


def _with_share(group: Group, label: str, mean: str) -> str:
    """A mean, with the runs that completed where some did not."""
    completed, started = group.completed(label)
    return mean if completed == started else f"{mean} ({completed} of {started} seeds)"


def _cost(mean: float, column: columns.Column) -> float:
    if column.direction == "one":
        return abs(mean - 1)
    return -mean if column.direction == "higher" else mean


def ranking_csv(results: Results, primary: str) -> str | None:
    """One row per pair of variants and score; None where no variant has a second seed."""
    rows = [
        [*_group_of(group, item), *_row(item)]
        for group in results.groups
        if group.seeds > 1
        for item in contrasts_of(group, primary)
    ]
    return csv_text([*_GROUP, *_HEADS], rows) if rows else None


def _group_of(group: Group, item: Contrast) -> list[str]:
    budget = group.budget_of(item.side_a.name)
    return [group.dataset, group.device, group.device_name, group.protocol, budget]


def _row(item: Contrast) -> list[Any]:
    a, b, paired = item.side_a, item.side_b, item.paired
    lone_a, lone_b = (" ".join(map(str, seeds)) for seeds in item.unpaired)
    tested, equivalence = paired.p_value is not None, item.equivalence
    test = "paired t" if item.looks is None else "sequential paired t"
    margin = (None, None) if equivalence is None else (equivalence.margin, equivalence.p_holm)
    return [
        item.family, item.score, item.direction, a.name, b.name, a.completed, a.started,
        b.completed, b.started, paired.n, lone_a, lone_b, item.mean_a, item.mean_b,
        paired.mean, paired.std, *(item.interval or (None, None)),
        item.ci_level if item.interval else None, "t" if item.interval else "none",
        test if tested else "", paired.p_value, item.family_size if tested else None,
        item.p_holm, item.looks, *margin, item.detectable, *item.seeds_needed, item.verdict,
        sentence_of(item),
    ]  # fmt: skip

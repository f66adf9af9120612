"""Looks at a comparison whose seeds are added as needed: what one sees, and what it asks for."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from ganbench.experiment.looks import PairAtLook
from ganbench.report import columns
from ganbench.report.comparison.ranking import contrasts_of
from ganbench.report.comparison.sentences import sentence_of
from ganbench.report.formatting import percent
from ganbench.report.scale import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.looks import Look, Looks
    from ganbench.report.comparison.contrasts import Contrast
    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["decided_first", "is_decided", "look_text", "looks_text", "pairs_seen", "wanting"]

_DECIDED = ("better", "worse", "equivalent")
_NOT_TESTED = "not tested"


# What a look sees


def pairs_seen(results: Results, primary: str) -> tuple[PairAtLook, ...]:
    """All pairs of variants of equal budget on the primary score, as the last look sees them.

    Args:
        results: One folder, with this look among its looks.
        primary: The score that decides.
    """
    return tuple(pair for group in results.groups for pair in _pairs_of(group, primary))


def _pairs_of(group: Group, primary: str) -> list[PairAtLook]:
    items = {
        (item.side_a.name, item.side_b.name): item
        for item in (contrasts_of(group, primary) if group.labels else ())
        if item.score == primary
    }
    budgets: dict[str, list[str]] = defaultdict(list)
    for label in group.looked_at:
        budgets[group.budget_of(label)].append(label)
    couples = itertools.chain.from_iterable(
        itertools.combinations(labels, 2) for labels in budgets.values()
    )
    return [_pair(a, b, items.get((a, b)) or items.get((b, a))) for a, b in couples]


def _pair(a: str, b: str, item: Contrast | None) -> PairAtLook:
    if item is None or item.paired.p_value is None:
        seeds = 0 if item is None else item.paired.n
        return PairAtLook(variant_a=a, variant_b=b, seeds=seeds, verdict=_NOT_TESTED)
    return PairAtLook(
        variant_a=item.side_a.name,
        variant_b=item.side_b.name,
        seeds=item.paired.n,
        verdict=item.verdict,
        p_value=item.paired.p_value,
        p_holm=item.p_holm,
        p_equivalent=None if item.equivalence is None else item.equivalence.p_holm,
        sentence=sentence_of(item),
    )


def is_decided(pair: PairAtLook) -> bool:
    """Whether a pair needs no more seeds."""
    return pair.verdict in _DECIDED


def wanting(results: Results, pairs: Sequence[PairAtLook], primary: str) -> list[str]:
    """The variants that more seeds may tell apart from another one.

    Those of which no run has given the score so far are left out: more of the same would not.

    Args:
        results: As for `pairs_seen`.
        pairs: What was seen.
        primary: The score that decides.
    """
    names = {
        label: {entry.result.variant for entry in group.of(label)}
        for group in results.groups
        for label in group.labels
        if group.by_seed(label, primary)
    }
    labels = [
        label
        for pair in pairs
        if not is_decided(pair) and pair.variant_a in names and pair.variant_b in names
        for label in (pair.variant_a, pair.variant_b)
    ]
    return list(dict.fromkeys(name for label in labels for name in sorted(names[label])))


# What is said of looks


def decided_first(looks: Looks) -> list[list[PairAtLook]]:
    """For each look, the pairs that it was the first to decide."""
    known: set[tuple[str, str]] = set()
    decided = []
    for look in looks.looks:
        new = [
            pair
            for pair in look.pairs
            if is_decided(pair) and (pair.variant_a, pair.variant_b) not in known
        ]
        known |= {(pair.variant_a, pair.variant_b) for pair in new}
        decided.append(new)
    return decided


def looks_text(looks: Looks) -> str:
    """How seeds were added, how many looks were taken, and where the pairs stand."""
    last = looks.looks[-1] if looks.looks else None
    count = len(looks.looks)
    score, margin = columns.column(looks.primary).label, percent(looks.margin)
    parts = [
        f"as needed, {looks.first} to {looks.limit} of each variant, by {score}, margin {margin}",
        f"{count} look{'' if count == 1 else 's'} taken",
    ]
    if last is not None and last.pairs:
        resolved = sum(pair.verdict in ("better", "worse") for pair in last.pairs)
        equivalent = sum(pair.verdict == "equivalent" for pair in last.pairs)
        open_ = len(last.pairs) - resolved - equivalent
        pairs = "1 pair" if len(last.pairs) == 1 else f"{len(last.pairs)} pairs"
        parts.append(
            f"of {pairs} {resolved} resolved, {equivalent} equivalent, {open_} not resolved"
        )
    ended = "" if last is None else last.ended
    parts.append(ended or "it has not ended, and the same command goes on")
    return "; ".join(parts)


def look_text(look: Look, new: Sequence[PairAtLook]) -> str:
    """What one look saw: its seeds, the pairs that are decided since, and what it asked for.

    Args:
        look: The look.
        new: The pairs that it was the first to decide.
    """
    counts = sorted({pair.seeds for pair in look.pairs})
    seeds = " to ".join(map(str, dict.fromkeys([counts[0], counts[-1]]))) if counts else "0"
    decided = listed([_verdict_text(pair) for pair in new]) or "no further pair is resolved"
    names = [name.rpartition("-s")[0] for name in look.next]  # ids are <variant>-s<seed>-<hash>
    return f"{seeds} common seeds: {decided}; {look.ended or f'one more seed of {listed(names)}'}"


def _verdict_text(pair: PairAtLook) -> str:
    a, b = pair.variant_a, pair.variant_b
    if pair.verdict == "equivalent":
        return f"{a} is equivalent to {b}"
    return f"{a} is better than {b}" if pair.verdict == "better" else f"{b} is better than {a}"

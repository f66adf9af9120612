"""Sentences on contrasts: the verdict, its numbers, and the seeds behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.power import MOST_SEEDS
from ganbench.report.formatting import percent, probability, shown
from ganbench.report.scale import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.comparison.contrasts import Contrast, Side

__all__ = ["seeds_behind", "seeds_text", "sentence_of"]


def sentence_of(item: Contrast) -> str:
    """The verdict with its numbers, and the seeds behind it, as one sentence."""
    return "; ".join(filter(None, (f"{_verdict(item)} ({_numbers(item)})", seeds_behind(item))))


def _verdict(item: Contrast) -> str:
    a, b = quoted(item.side_a.name), quoted(item.side_b.name)
    if item.verdict == "equivalent" and item.equivalence is not None:
        margin = percent(item.equivalence.margin)
        return f"{a} and {b} are equivalent on {item.heading}: neither is worse by {margin}"
    if item.verdict != "not resolved":
        best, other = (a, b) if item.verdict == "better" else (b, a)
        return f"{best} is better than {other} on {item.heading}"
    names, n = f"{a} and {b} on {item.heading}", item.paired.n
    if item.paired.std is None:
        return f"{names}: one seed, so nothing can be resolved"
    if item.paired.mean == 0:
        return f"{names}: no difference at {n} seeds"
    return f"{names}: not resolved at {n} seeds; {seeds_text(item)} would be needed"


def seeds_text(item: Contrast) -> str:
    """How many seeds an unresolved difference would need: `about 12 to 210 seeds`."""
    low, high = item.seeds_needed
    if low is None:
        return f"more than {MOST_SEEDS} seeds"
    if high is None:
        return f"at least {low} seeds"
    return f"about {low} seeds" if low == high else f"about {low} to {high} seeds"


def _numbers(item: Contrast) -> str:
    """The difference without its sign, its interval, and both p-values."""
    column, difference = columns.column(item.score), item.paired.mean
    what = "difference in distance from 1" if item.direction == "one" else "difference"
    parts = [f"{what} {shown(abs(difference), column)}"]
    if item.interval is not None:
        ends = item.interval if difference >= 0 else (-item.interval[1], -item.interval[0])
        low, high = (shown(end, column, difference or end) for end in ends)
        parts[0] += f", {percent(item.ci_level)} interval {low} to {high}"
    if item.p_holm is not None and item.paired.p_value is not None:
        raw = f"p {probability(item.paired.p_value, sign=True)}"
        parts.append(
            raw if item.family_size == 1 else f"{raw}, corrected {probability(item.p_holm)}"
        )
        if item.verdict == "equivalent" and item.equivalence is not None:
            parts.append(
                f"equivalent: corrected p {probability(item.equivalence.p_holm, sign=True)}"
            )
        parts.append(f"{item.paired.n} seeds{_looks(item)}")
    return "; ".join(parts)


def _looks(item: Contrast) -> str:
    """How often they were tested, where seeds were added as needed."""
    if item.looks is None:
        return ""
    return f" in {item.looks} look{'' if item.looks == 1 else 's'}"


def seeds_behind(item: Contrast) -> str:
    """Which seeds are compared, where not all of both are; empty where all completed in pairs."""
    sides = (item.side_a, item.side_b)
    n, parts = item.paired.n, []
    if any(side.completed < side.started for side in sides):
        counts = [
            f"{quoted(side.name)} completed {side.completed} of {side.started}" for side in sides
        ]
        parts.append(f"{', '.join(counts)} seeds")
    lone = [_lone(side, seeds) for side, seeds in zip(sides, item.unpaired, strict=True) if seeds]
    if lone:
        parts.append(" and ".join(lone))
    if parts:
        parts.append(f"compared on the {n} seed{'' if n == 1 else 's'} that both have")
    return "; ".join(parts)


def _lone(side: Side, seeds: Sequence[int]) -> str:
    named = listed(seeds)
    return (
        f"seed {named} of {quoted(side.name)} has no partner"
        if len(seeds) == 1
        else f"seeds {named} of {quoted(side.name)} have no partner"
    )

"""The table of `ganbench compare` on the terminal: one row per score, by families."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ganbench.report import columns
from ganbench.report.comparison.families import FAMILIES
from ganbench.report.formatting import percent, probability, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from ganbench.report.comparison.compare import Comparison
    from ganbench.report.comparison.verdict import Verdict

__all__ = ["verdict_tables"]

_NAME_WIDTH = 14  # letters of the narrowest column of names
_STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "not resolved": "dim"}
_READING = (
    "The primary score is tested first, by itself; those of a family are corrected together. "
    "B - A: the difference, of the distances from 1 where 1 is best (→1). Its interval is at the "
    "level that the correction (Holm's method) asks of this row, so that it excludes 0 exactly "
    "where B is better or worse. p: of the paired t-test, and below it corrected. Needed: seeds "
    "that resolve a difference like this one in four of five cases; the range holds their number "
    "with a confidence of 80%."
)


def verdict_tables(comparison: Comparison) -> RenderableType:
    """One table per pair of variants and dataset, then how to read them."""
    parts: list[RenderableType] = []
    for (a, b, dataset), own in groupby(
        comparison.verdicts, lambda v: (v.variant_a, v.variant_b, v.dataset)
    ):
        verdicts = list(own)
        parts += [Text(f"A: {a}\nB: {b}\non {dataset}, {_seeds(verdicts)}"), _table(verdicts)]
        behind = dict.fromkeys(v.seeds_behind for v in verdicts if v.seeds_behind)
        parts += [Text(text) for text in behind]
        parts.append(Text())
    if comparison.families:
        parts.append(Text(f"Families of tests, shown or not: {comparison.families}. {_READING}"))
    return Group(*parts)


def _seeds(verdicts: Iterable[Verdict]) -> str:
    """`5 seeds`, or how many there are at least and at most."""
    counts = sorted({verdict.n for verdict in verdicts})
    text = " to ".join(map(str, dict.fromkeys([counts[0], counts[-1]])))
    return f"{text} seed{'' if text == '1' else 's'}"


def _table(verdicts: list[Verdict]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("score", min_width=_NAME_WIDTH, overflow="fold")
    for head in ("A", "B", "B - A", "p\ncorrected"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("B is", min_width=12, overflow="fold")
    for family in FAMILIES:
        own = [verdict for verdict in verdicts if verdict.family == family]
        for place, verdict in enumerate(own):
            table.add_row(*_row(verdict), end_section=place == len(own) - 1)
    return table


def _in_lines(name: str) -> str:
    """A name whose words that are wider than their column are broken at a hyphen."""
    words = name.split(" ")
    return " ".join(w.replace("-", "-\n", 1) if len(w) > _NAME_WIDTH else w for w in words)


def _row(verdict: Verdict) -> list[Text]:
    column = columns.column(verdict.score)
    means = [Text(shown(mean, column)) for mean in (verdict.mean_a, verdict.mean_b)]
    difference = Text(shown(verdict.difference, column))
    if verdict.ci_low is not None and verdict.ci_high is not None:
        model = verdict.difference or verdict.ci_high
        ends = ", ".join(shown(end, column, model) for end in (verdict.ci_low, verdict.ci_high))
        difference.append(f"\n[{ends}]\n{percent(verdict.ci_level or 0)} interval", style="dim")
    p = Text()
    if verdict.p_value is not None and verdict.p_holm is not None:
        holm = probability(verdict.p_holm) if verdict.family_size > 1 else "no"
        p = Text(f"{probability(verdict.p_value)}\n{holm}")
    outcome = Text(verdict.verdict, style=_STYLES[verdict.verdict])
    if verdict.seeds_needed:
        outcome.append(f"\nneeded: {verdict.seeds_needed}", style="dim")
    head = Text(_in_lines(f"{verdict.heading}\u00a0{column.arrow}".strip()))
    head.append(f"\n{verdict.family}", style="dim")
    return [head, *means, difference, p, outcome]

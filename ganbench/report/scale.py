"""How much a report shows: the numbers of variants, seeds and runs above which it sums up.

A report of a few variants shows everything. One of thousands of runs has to be read, too: it lists
rows per variant and not per run, draws means and not single runs, and says what it leaves out. The
tables in CSV stay complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MANY_RUNS",
    "MOST_CHARTED",
    "MOST_FOLDERS",
    "MOST_GROUPS_CHARTED",
    "MOST_GROUPS_IN_FULL",
    "MOST_IN_SENTENCES",
    "MOST_LISTED",
    "MOST_NAMED",
    "MOST_OF_MANY",
    "MOST_PAIRED",
    "MOST_ROWS",
    "MOST_ROWS_OF_MANY",
    "MOST_SECTIONS",
    "MOST_SEEDS_DRAWN",
    "MOST_SEEDS_READ",
    "ONE_WIDTH_RUNS",
    "listed",
    "quoted",
]

MOST_IN_SENTENCES = 8
"""Of more variants, only pairs of the leader with as many that follow it are sentences."""
MOST_PAIRED = 24
"""Of more variants, only pairs with the leader are compared at all."""
MOST_NAMED = 20
"""As many names or seeds are listed in a sentence or cell."""
MOST_ROWS = 100
"""As many variants have a row in a table of the page, the best ones."""
MOST_CHARTED = 24
"""As many variants are drawn in a chart, the best ones."""
MOST_SEEDS_DRAWN = 10
"""Of more seeds, charts show their mean and its interval and no seed by itself."""
MOST_SEEDS_READ = 10
"""As many seeds of a variant are read for a chart of what was recorded over the steps."""
MOST_LISTED = 30
"""As many runs that did not complete, cautions and notes are listed one by one."""
MOST_FOLDERS = 10
"""As many joined folders are described at the head of a report."""
ONE_WIDTH_RUNS = 100
"""In a report of more runs, the page has charts of one width, which halves the time of drawing."""

MANY_RUNS = 500
"""In a report of more runs, the limits below hold."""
MOST_OF_MANY = 8
"""As many variants are drawn in a chart: as many as there are colours."""
MOST_GROUPS_IN_FULL = 1
"""As many groups have all charts and samples."""
MOST_GROUPS_CHARTED = 4
"""As many groups have the chart of quality."""
MOST_ROWS_OF_MANY = 16
"""As many variants have a row in the tables of the further groups."""
MOST_SECTIONS = 20
"""As many groups have a section on the page."""


def listed(names: Sequence[object], most: int = MOST_NAMED) -> str:
    """Names with commas; of more than `most`, the first of them and how many more there are."""
    text = ", ".join(str(name) for name in names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most:,} more"


def quoted(label: str) -> str:
    """A label as it stands among others, between which are commas: in quotes if it holds one."""
    return f'"{label}"' if "," in label else label

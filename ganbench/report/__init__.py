"""The report: tables, charts and pages, made from the files of runs.

It reads results folders and knows nothing of how runs are made. Importing it loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from ganbench.report.charts.all_charts import Over

__all__ = ["build", "remove", "summary_table"]


def build(
    directories: Sequence[Path],
    out: Path | None = None,
    primary: str | None = None,
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
    over: Over = map,
) -> Path:
    """Write tables, charts and pages of one or several results folders.

    Writes runs.csv, summary.csv, README.md, report.html and charts/*.png; the same files give the
    same tables again.

    Args:
        directories: Results folders.
        out: Where to write; the folder itself where there is just one.
        primary: The score that is tested by itself, chosen before the numbers were seen; where left
            out, the one by which seeds were added as needed, else FID.
        report: Called with how far the drawing of the charts is: what is done, how many charts are
            drawn, and of how many.
        over: Calls a function with each of some items and gives what it returns, in their order:
            `map`, or what does the same in several processes. Charts are drawn by it.

    Returns:
        The folder that was written.

    Raises:
        UsageError: A folder is no results folder, several were given without `out`, no run has the
            primary score, or the output cannot be written.
    """
    from ganbench.report.readme import write_report

    return write_report(directories, out, primary, report, over)


def remove(directory: Path) -> None:
    """Remove the files of a report from a results folder, as the runs that it shows are removed.

    Notes that somebody has written stay.

    Raises:
        UsageError: One cannot be removed.
    """
    from ganbench.report.readme import remove_report

    remove_report(directory)


def summary_table(directory: Path) -> RenderableType:
    """The table that ends a comparison on the terminal, for `rich`: one row per variant.

    It fits the width of the terminal: columns without room go to a second table below.

    Raises:
        UsageError: The folder is no results folder.
    """
    from ganbench.report.terminal import summary_of

    return summary_of(directory)

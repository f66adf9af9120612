"""`ganbench report`: tables, charts and page again, from the files."""

from __future__ import annotations

import gc
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import PRIMARY, console
from ganbench.errors import UsageError
from ganbench.visible import visible

__all__ = ["report"]


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR ...", help="Results folders.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; needed to join several folders.")
    ] = None,
    *,
    primary: Annotated[str | None, PRIMARY] = None,
    charts: Annotated[
        str,
        typer.Option(metavar="FORMATS", help="Charts for papers besides PNG: svg, pdf or svg,pdf."),
    ] = "",
) -> None:
    """Write tables, charts and page again from the files; join several folders with --out."""
    from ganbench.experiment.lock import locked
    from ganbench.launch.progress import Display
    from ganbench.machine.whole_files import remove_leftovers
    from ganbench.report.damaged import with_damaged_tables
    from ganbench.report.gather import gather
    from ganbench.report.readme import write_results
    from ganbench.report.scale import MOST_LISTED
    from ganbench.report.terminal import Summary

    formats = _formats(charts)
    if len(folders) > 1 and out is None:
        raise UsageError("several folders are joined into a new one: give it with --out")
    screen = console()
    target = out or folders[0]
    with locked(target) if out is not None or target.is_dir() else nullcontext():
        remove_leftovers([target, target / "charts"])
        # Read once, since there may be thousands of runs
        results = with_damaged_tables(gather(folders))
        gc.freeze()  # and all of it stays, so that no collection has to look at it
        with Display(screen) as display:
            written = write_results(results, target, primary, formats, display.report)
    more = len(results.notes) - MOST_LISTED
    counted = [f"{more:,} further ones"] if more > 0 else []
    for note in [*results.notes[:MOST_LISTED], *counted]:
        screen.print(f"note: {visible(note)}", markup=False, highlight=False, soft_wrap=True)
    if out is None:
        screen.print(Summary(results.groups))
    screen.print(f"report: {visible(str(written))}", markup=False, highlight=False, soft_wrap=True)


def _formats(text: str) -> tuple[str, ...]:
    """The formats of charts that a list with commas names; `png` is made in any case."""
    from ganbench.errors import unknown
    from ganbench.report.charts.vector import VECTOR_FORMATS

    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in ("png", *VECTOR_FORMATS):
            raise unknown("format of charts", name, ["png", *VECTOR_FORMATS], "for example svg,pdf")
    return tuple(dict.fromkeys(name for name in names if name in VECTOR_FORMATS))

"""`ganbench compare`: is B better or worse than A?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import FAILED, OK, PRIMARY, console
from ganbench.errors import unknown
from ganbench.visible import visible

__all__ = ["compare"]


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Results folder, or FOLDER:VARIANT.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Results folder, or FOLDER:VARIANT.")],
    *,
    metric: Annotated[
        list[str] | None, typer.Option(help="Show this column of runs.csv; may be repeated.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="Exit with 1 only if B is worse on this column; may be repeated."),
    ] = None,
    primary: Annotated[str | None, PRIMARY] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Is B better or worse than A? Exit code 1 says that it is worse on some score."""
    from ganbench.report.comparison import compare as comparing

    folder_a, variant_a = _side(first)
    folder_b, variant_b = _side(second)
    wanted = [*(metric or []), *(name for name in fail_on or [] if metric and name not in metric)]
    comparison = comparing.compare(
        folder_a,
        folder_b,
        variant_a=variant_a,
        variant_b=variant_b,
        metrics=wanted or None,
        primary=primary,
    )
    if as_json:
        typer.echo(comparison.to_json(), nl=False)
    else:
        from ganbench.report.comparison.verdict_table import verdict_tables

        screen = console()
        for note in comparison.notes:
            screen.print(f"note: {visible(note)}", markup=False, highlight=False, soft_wrap=True)
        screen.print(verdict_tables(comparison))
    compared = {verdict.score for verdict in comparison.verdicts}
    for name in fail_on or []:
        if name not in compared:
            raise unknown("column in --fail-on", name, compared)
    worse = [item for item in comparison.regressions if not fail_on or item.score in fail_on]
    raise typer.Exit(FAILED if worse else OK)


def _side(text: str) -> tuple[Path, str | None]:
    """Read `FOLDER` or `FOLDER:VARIANT`."""
    if Path(text).is_dir():
        return Path(text), None
    folder, colon, variant = text.rpartition(":")
    return (Path(folder), variant) if colon and folder else (Path(text), None)

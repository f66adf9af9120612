"""`ganbench report`: tables, charts and page again, from the files."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import PRIMARY, console
from ganbench.errors import UsageError

__all__ = ["report"]


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR ...", help="Results folders.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; needed to join several folders.")
    ] = None,
    *,
    primary: Annotated[str, PRIMARY] = "fid",
) -> None:
    """Write tables, charts and page again from the files; join several folders with --out."""
    from ganbench.experiment.lock import locked
    from ganbench.machine.whole_files import remove_leftovers
    from ganbench.report import build, repeated_runs, summary_table

    if len(folders) > 1 and out is None:
        raise UsageError("several folders are joined into a new one: give it with --out")
    screen = console()
    target = out or folders[0]
    with locked(target) if out is not None or target.is_dir() else nullcontext():
        remove_leftovers([target, target / "charts"])
        written = build(folders, out, primary)
    for note in repeated_runs(folders):
        screen.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    if out is None:
        screen.print(summary_table(written))
    screen.print(f"report: {written}", markup=False, highlight=False, soft_wrap=True)

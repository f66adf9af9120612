"""`ganbench check`: does a variant keep the contract?"""

from __future__ import annotations

from typing import Annotated

import typer

from ganbench.cli.options import FAILED, OK, console
from ganbench.visible import visible

__all__ = ["check"]


def check(
    variant: Annotated[
        str, typer.Argument(metavar="NAME|FILE.py", help="The variant to check; 'all' for all.")
    ],
) -> None:
    """Run the contract that every variant must keep."""
    from rich.table import Table
    from rich.text import Text

    from ganbench.check import check as run_contract
    from ganbench.variant.registry import expand, resolve

    screen = console()
    names, left_out = expand([variant])
    for reason in left_out.values():
        screen.print("[red]broken[/red]  ", markup=True, highlight=False, end="")
        screen.print(visible(reason), markup=False, highlight=False, soft_wrap=True)
    broken_variants = len(left_out)
    for resolved in resolve(names):
        lines = run_contract(resolved)
        table = Table.grid(padding=(0, 2, 0, 0))
        for line in lines:
            mark = Text("ok", style="green") if line.ok else Text("broken", style="red")
            table.add_row(mark, Text(line.name), Text(visible(line.detail)))
        screen.print(table)
        broken = sum(not line.ok for line in lines)
        verdict = f"breaks {broken} of {len(lines)} checks" if broken else "keeps the contract"
        screen.print(f"{resolved.name} {verdict}", highlight=False)
        broken_variants += bool(broken)
    raise typer.Exit(FAILED if broken_variants else OK)

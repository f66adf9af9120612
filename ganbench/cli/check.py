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
        for line in lines:
            mark = "[green]ok    [/green]" if line.ok else "[red]broken[/red]"
            screen.print(f"{mark}  {line.name}", markup=True, highlight=False, end="")
            detail = f"  {visible(line.detail)}" if line.detail else ""
            screen.print(detail, markup=False, highlight=False)
        broken = sum(not line.ok for line in lines)
        verdict = f"breaks {broken} of {len(lines)} checks" if broken else "keeps the contract"
        screen.print(f"{resolved.name} {verdict}", highlight=False)
        broken_variants += bool(broken)
    raise typer.Exit(FAILED if broken_variants else OK)

"""`ganbench selftest`: what does each metric see?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.options import (
    BACKBONE,
    DATA_ROOT,
    DEVICE,
    FAILED,
    INCEPTION_WEIGHTS,
    OK,
    WHAT,
    WHERE,
    command_line,
    complete_dataset,
    console,
)
from ganbench.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.selftest.outcome import Outcome

__all__ = ["conclude", "selftest"]


def selftest(
    dataset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="mnist, fashion-mnist, cifar10, digits or imagefolder:DIR.",
            rich_help_panel=WHAT,
            autocompletion=complete_dataset,
        ),
    ],
    *,
    device: Annotated[str, DEVICE] = "auto",
    backbone: Annotated[str, BACKBONE] = "auto",
    inception_weights: Annotated[Path | None, INCEPTION_WEIGHTS] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
    images: Annotated[
        int | None,
        typer.Option(
            metavar="COUNT",
            help="Images of each generator.",
            show_default="1,000, or what the smallest class allows",
            rich_help_panel=WHAT,
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=20,
            metavar="COUNT",
            help="Draws of each fault.",
            show_default="5",
            rich_help_panel=WHAT,
        ),
    ] = None,
    sanity: Annotated[
        bool,
        typer.Option(
            help="Sanity checks of the scores on synthetic features, half a minute.",
            rich_help_panel=WHAT,
        ),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the results.",
            show_default="results/DATE_DEVICE_selftest-DATASET",
            rich_help_panel=WHERE,
        ),
    ] = None,
) -> None:
    """What does each metric see? Exit code 1 says that a score did not do what is expected."""
    from ganbench import data
    from ganbench.launch import progress
    from ganbench.machine.device import choose
    from ganbench.selftest.work import DRAWS, Request, self_test

    screen = console()
    chosen = choose(device)
    screen.print(f"device: {chosen.name} ({chosen.reason})", markup=False, highlight=False)
    if inception_weights is not None and backbone not in ("auto", "inception"):
        screen.print(f"--inception-weights has no effect: the backbone is {visible(backbone)}")
    request = Request(
        dataset=dataset,
        data_root=data_root or data.default_data_root(),
        cache_root=data.default_cache_root(),
        backbone=backbone,
        inception_weights=inception_weights,
        images=images,
        draws=draws or DRAWS,
        out=out,
        sanity=sanity,
        command=command_line(),
    )
    with progress.Display(screen) as display:
        folder, outcome = self_test(request, chosen, display)
    code = conclude(outcome, screen)
    screen.print(f"results: {visible(str(folder))}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def conclude(outcome: Outcome, screen: Console) -> int:
    """Show the verdicts and which expectations were not met; return the exit code."""
    from ganbench.selftest.expectations import shortfalls
    from ganbench.selftest.text import expectation_lines, sanity_lines, verdict_table

    screen.print(verdict_table(outcome))
    for line in (*expectation_lines(outcome), *sanity_lines(outcome)):
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    return FAILED if shortfalls(outcome) else OK

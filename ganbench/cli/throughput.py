"""`ganbench throughput`: training speed over batch sizes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import (
    COMPILE,
    CUDA_GRAPHS,
    DEVICE,
    HOW,
    PRECISION,
    SETTINGS,
    WHAT,
    WHERE,
    command_line,
    complete_dataset,
    complete_variants,
    console,
)
from ganbench.errors import UsageError

__all__ = ["throughput"]


def throughput(
    *,
    variants: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Names or files, separated by commas; 'all' for every one.",
            rich_help_panel=WHAT,
            autocompletion=complete_variants,
        ),
    ] = "all",
    batch_sizes: Annotated[
        str,
        typer.Option(
            metavar="SIZES",
            help="Real images per step, separated by commas.",
            rich_help_panel=WHAT,
        ),
    ] = "32,64,128,256",
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose shape the random images have; none is downloaded.",
            show_default="the recipe's own",
            rich_help_panel=WHAT,
            autocompletion=complete_dataset,
        ),
    ] = None,
    device: Annotated[str, DEVICE] = "auto",
    settings: Annotated[list[str] | None, SETTINGS] = None,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.01,
            metavar="SECONDS",
            help="How long each point is measured, at least three steps.",
            rich_help_panel=HOW,
        ),
    ] = 5.0,
    precision: Annotated[str | None, PRECISION] = None,
    compile_: Annotated[bool | None, COMPILE] = None,
    cuda_graphs: Annotated[bool | None, CUDA_GRAPHS] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="GANBENCH_DATA",
            help="Where image folders are.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Results folder.",
            show_default="results/DATE_DEVICE_throughput",
            rich_help_panel=WHERE,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace an earlier measurement in --out.")
    ] = False,
) -> None:
    """Measure training speed over batch sizes: the knee, the limits, memory, a chart.

    Networks are trained as `ganbench run` trains them, on random images.
    """
    if not math.isfinite(seconds):
        raise UsageError(f"--seconds {seconds} is no length of time: give a number such as 5")
    given = {
        "variants": variants,
        "dataset": dataset,
        "device": device,
        "set": settings or None,
        "precision": precision,
        "compile": compile_,
        "cuda_graphs": cuda_graphs,
        "data_root": data_root,
        "out": out,
    }
    from ganbench.experiment.suite import read_suite

    suite = read_suite(None, {key: value for key, value in given.items() if value is not None})
    from ganbench.throughput.command import measure

    command = command_line()
    raise typer.Exit(
        measure(
            suite, batch_sizes, seconds=seconds, fresh=fresh, command=command, console=console()
        )
    )

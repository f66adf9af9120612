"""What the commands of this folder share: their conditions, the spread of rounds, JSON and a table.

A command measures its two sides in turns, divides round by round, and hands the
outcome to `publish`: a table for people, and with `--json` one document on standard output.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import torch
import typer
from rich.console import Console
from rich.table import Table
from workloads import Workload

from ganbench.errors import GanbenchError
from ganbench.experiment.plan import parse_settings
from ganbench.machine import environment
from ganbench.machine.device import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ganbench.machine.device import Device

__all__ = ["conditions_of", "measure_each", "one_line_refusals", "publish", "ratio_text", "spread"]

SCHEMA = 1
_WIDTH = 110


def conditions_of(device: Device) -> dict[str, Any]:
    """The machine, its software and its load now; call before measuring."""
    return {**environment.describe(device), "load_average": list(psutil.getloadavg())}


@contextmanager
def one_line_refusals() -> Iterator[None]:
    """End the command with one line and exit code 2 where something is refused."""
    try:
        yield
    except GanbenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and extremes."""
    names = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
    return dict(zip(names, np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist(), strict=True))


def ratio_text(ratio: dict[str, float]) -> str:
    """A spread of ratios in a cell: the median, and in brackets the extremes."""
    return f"{ratio['median']:.2f} ({ratio['lowest']:.2f} to {ratio['highest']:.2f})"


def publish(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    results: list[dict[str, Any]],
    conditions: dict[str, Any],
    as_json: bool,
    remark: str = "median (lowest to highest of the rounds)",
) -> None:
    """Print a table; with `as_json` JSON on standard output and the table on standard error.

    Args:
        title: What was measured, in one line.
        heads: Headings; the first column is text, the others are numbers.
        rows: Cells, as they are to be read.
        results: What was measured, as JSON holds it.
        conditions: From `conditions_of`.
        as_json: Whether scripts read the outcome.
        remark: How to read a cell.
    """
    load, processors = conditions["load_average"][0], conditions["processors"]
    sheet = Table(
        title=title,
        caption=f"{remark} · {conditions['device_name']} · "
        f"{conditions['threads']} threads · torch {conditions['versions']['torch']} · "
        f"load {load:.1f} on {processors} processors at the start",
        caption_justify="left",
    )
    for place, head in enumerate(heads):
        sheet.add_column(head, justify="right" if place else "left")
    for row in rows:
        sheet.add_row(*row)
    Console(stderr=as_json, width=None if sys.stdout.isatty() else _WIDTH).print(sheet)
    if as_json:
        document = {"schema": SCHEMA, "environment": conditions, "results": results}
        typer.echo(json.dumps(document, indent=1))


def measure_each(
    names: Sequence[str],
    settings: Sequence[str],
    measure: Callable[..., dict[str, Any]],
    *,
    images: int,
    device: str,
    threads: int,
    **how: Any,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Measure variants one after the other; a wrong flag ends the command in one line.

    Args:
        names: Of the variants.
        settings: As `--set` gives them.
        measure: Called with a workload, the device and `how`.
        images: The most of the training split.
        device: As on the command line.
        threads: Of the CPU; 0 leaves it to torch.
        how: Handed to `measure`.

    Returns:
        The conditions, and a result a variant.
    """
    if threads:
        torch.set_num_threads(threads)
    with one_line_refusals():
        chosen = choose(device)
        sorted_settings = parse_settings(settings, names)
        conditions = conditions_of(chosen)
        results = [
            measure(Workload.of(name, sorted_settings[name], images), chosen, **how)
            for name in names
        ]
    return conditions, results

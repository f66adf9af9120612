"""From a function that measures to a command: its flags, its refusals and its published table.

A command of this folder is one function. Its keyword parameters, annotated for typer, are the
command's own flags; the flags that all commands have are added here. `run` takes a function that
measures once, `run_variants` one that measures a variant.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flags
import torch
import typer
from measuring import conditions_of
from rich.console import Console
from rich.table import Table
from workloads import MOST_IMAGES, Workload

from ganbench.errors import GanbenchError
from ganbench.experiment.plan import parse_settings
from ganbench.machine.device import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Columns", "Report", "one_line_refusals", "run", "run_variants"]

SCHEMA = 1
_WIDTH = 110

Columns = Mapping[str, Callable[[dict[str, Any]], str]]
"""Headings of a table, each with the function that makes a cell from one result."""


@dataclass(frozen=True)
class Report:
    """What a command publishes.

    Attributes:
        title: What was measured, in one line.
        heads: Headings; the first column is text, the others are numbers.
        rows: Cells, as people read them.
        results: All measurements, as JSON holds them.
        remark: How to read a cell.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    results: list[dict[str, Any]]
    remark: str = "median (lowest to highest of the rounds)"


def run(measure: Callable[..., Report]) -> None:
    """Run a command line: choose the device, measure, and publish.

    Args:
        measure: Called with the device and the command's flags, which are its keyword parameters;
            `threads`, where it is one of them, has been set already.
    """

    def main(*, device: str, as_json: bool, **own: Any) -> None:
        if own.get("threads"):
            torch.set_num_threads(own["threads"])
        with one_line_refusals():
            chosen = choose(device)
            conditions = conditions_of(chosen)  # before measuring, for the load
            report = measure(chosen, **own)
        _publish(report, conditions, as_json=as_json)

    shared = (
        _flag("device", flags.DeviceName, "auto"),
        _flag("as_json", flags.AsJson, default=False),
    )
    # typer reads both the signature and the annotations
    parameters = [*_flags_of(measure), *shared]
    main.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    main.__annotations__ = {one.name: one.annotation for one in parameters}
    main.__doc__ = measure.__doc__
    typer.run(main)


def run_variants(
    measure: Callable[..., dict[str, Any]],
    *,
    variants: Sequence[str],
    title: str,
    columns: Columns,
    remark: str = "median (lowest to highest of the rounds) · random images",
) -> None:
    """Run a command line that measures one variant after the other, one row per variant.

    Args:
        measure: Called with a workload, the device and the command's own flags; returns what was
            measured and all that it depends on, as JSON holds it.
        variants: The variants without `--variant`.
        title: What was measured, in one line.
        columns: The table's.
        remark: How to read a cell.
    """

    def all_variants(
        device: Any,
        *,
        names: list[str],
        threads: int,  # noqa: ARG001 - set by `run`
        images: int,
        settings: list[str] | None,
        **own: Any,
    ) -> Report:
        by_name = parse_settings(settings or [], names)
        results = [
            measure(Workload.of(name, by_name[name], images), device, **own) for name in names
        ]
        rows = [[cell(result) for cell in columns.values()] for result in results]
        return Report(title, list(columns), rows, results, remark)

    shared = (
        _flag("names", flags.Variants, list(variants)),
        _flag("threads", flags.Threads, 0),
        _flag("images", flags.MostImages, MOST_IMAGES),
        _flag("settings", flags.Settings, None),
    )
    all_variants.__signature__ = inspect.Signature([*_flags_of(measure), *shared])  # type: ignore[attr-defined]
    all_variants.__doc__ = measure.__doc__
    run(all_variants)


def _flag(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _flags_of(function: Callable[..., object]) -> list[inspect.Parameter]:
    """The keyword parameters of a function."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]


@contextmanager
def one_line_refusals() -> Iterator[None]:
    """End the command with one line and exit code 2 where something is refused."""
    try:
        yield
    except GanbenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _publish(report: Report, conditions: dict[str, Any], *, as_json: bool) -> None:
    """Print a table; with `as_json` JSON on standard output and the table on standard error."""
    load, processors = conditions["load_average"][0], conditions["processors"]
    sheet = Table(
        title=report.title,
        caption=f"{report.remark} · {conditions['device_name']} · "
        f"{conditions['threads']} threads · torch {conditions['versions']['torch']} · "
        f"load {load:.1f} on {processors} processors at the start",
        caption_justify="left",
    )
    for place, head in enumerate(report.heads):
        sheet.add_column(head, justify="right" if place else "left")
    for row in report.rows:
        sheet.add_row(*row)
    Console(stderr=as_json, width=None if sys.stdout.isatty() else _WIDTH).print(sheet)
    if as_json:
        document = {"schema": SCHEMA, "environment": conditions, "results": report.results}
        typer.echo(json.dumps(document, indent=1))

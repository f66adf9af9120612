"""`ganbench list`: what there is to choose from, without loading any of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.options import console
from ganbench.errors import UsageError, unknown
from ganbench.visible import visible

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["list_"]

_BACKBONES = (
    (
        "classifier",
        "a small network, trained once on the dataset's training images; needs no download",
    ),
    ("inception", "torch-fidelity's InceptionV3; its weights are downloaded, or given as a file"),
    (
        "efficientnet",
        "EfficientNet-Lite0, trained on ImageNet; its weights come with ganbench[efficientnet]",
    ),
    ("points", "of datasets of points alone: as they are, each under the mode that is nearest"),
    ("auto", "inception for colour images where its weights can be had, else classifier"),
)


def _variants() -> Table:
    from rich.markup import escape
    from rich.table import Table

    from ganbench.variant import registry

    table = Table("variant", "what", "from", title="variants", title_justify="left")
    for entry in registry.entries():
        problem = f"[red]cannot be used: {escape(visible(entry.problem))}[/red]"
        what = problem if entry.problem else escape(visible(entry.summary))
        table.add_row(
            escape(visible(entry.name)),
            what,
            "ganbench" if entry.kind == "built-in" else escape(visible(entry.origin)),
        )
    return table


def _datasets() -> Table:
    from rich.table import Table

    from ganbench.data.catalogue import SUMMARIES

    table = Table("dataset", "what", title="datasets", title_justify="left")
    for name, what in SUMMARIES.items():
        table.add_row(name, what)
    return table


def _metrics() -> Table:
    """A score a row, its particulars below each other, as they are sentences."""
    from rich.table import Table

    from ganbench.scoring.metrics.catalogue import METRICS

    table = Table("score", "what", title="metrics", title_justify="left", show_lines=True)
    better = {"lower": "lower is better", "higher": "higher is better", "one": "best near 1"}
    for metric in METRICS:
        table.add_row(
            f"{metric.name}\n[dim]{better[metric.direction]}[/dim]",
            f"{metric.summary}\n[dim]range: {metric.range}\nfails when: {metric.fails_when}\n"
            f"source: {metric.paper}[/dim]",
        )
    return table


def _backbones() -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("backbone", "what", title="backbones", title_justify="left")
    for name, what in _BACKBONES:
        table.add_row(name, escape(what))
    return table


def _trackers() -> Table:
    from rich.markup import escape
    from rich.table import Table

    from ganbench.trackers import registry

    table = Table("tracker", "what", "library", "from", title="trackers", title_justify="left")
    for entry in registry.entries():
        table.add_row(
            escape(visible(entry.name)),
            escape(visible(entry.summary)),
            f"[yellow]{escape(visible(entry.problem))}[/yellow]" if entry.problem else "installed",
            escape(visible(entry.origin)),
        )
    return table


_TABLES: dict[str, Callable[[], Table]] = {
    "variants": _variants,
    "datasets": _datasets,
    "metrics": _metrics,
    "backbones": _backbones,
    "trackers": _trackers,
}


def _recipe(name: str) -> Table:
    """One row per number of a variant's recipe."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from ganbench.variant.recipe_rows import recipe_rows
    from ganbench.variant.registry import resolve

    (resolved,) = resolve([name])
    table = Table(
        "number", "default", "range", "what", box=box.SIMPLE_HEAD, show_edge=False,
        title=f"recipe of {resolved.name}", title_justify="left",
    )  # fmt: skip
    for row in recipe_rows(resolved.variant.recipe):
        table.add_row(row.name, escape(row.default), escape(row.range), escape(row.description))
    return table


def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="variants, datasets, metrics, backbones, trackers, or recipe with a variant's "
            "name; all but the last if left out."
        ),
    ] = "",
    variant: Annotated[
        str, typer.Argument(metavar="[NAME|FILE.py]", help="The variant whose recipe to show.")
    ] = "",
) -> None:
    """Show what there is to choose from, or the numbers of a variant's recipe."""
    if what == "recipe":
        if not variant:
            raise UsageError("recipe of which variant? give its name: ganbench list recipe dcgan")
        console().print(_recipe(variant), markup=True)
        return
    if variant and what in _TABLES:
        raise UsageError(f"{variant!r} is one word too many: ganbench list {what}")
    if what and what not in _TABLES:
        raise unknown("list", what, [*_TABLES, "recipe"])
    for name, table in _TABLES.items():
        if what in ("", name):
            console().print(table(), markup=True)

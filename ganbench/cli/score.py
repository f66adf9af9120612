"""`ganbench score`: the scores of images or generators made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ganbench.cli.options import BACKBONE, DATA_ROOT, DEVICE, INCEPTION_WEIGHTS, console
from ganbench.visible import visible

if TYPE_CHECKING:
    from rich.table import Table

    from ganbench.fakes.scored import Scored

__all__ = ["score"]


def score(
    fakes: Annotated[
        Path,
        typer.Argument(
            metavar="FAKES",
            help="A folder of images, an array (.npy, .npz, .pt), or a generator of TorchScript or "
            "ONNX, which is a program that is run.",
        ),
    ],
    *,
    against: Annotated[
        str,
        typer.Option(
            metavar="REAL",
            help="What they are compared with: a dataset such as mnist, a folder, or an array.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**63 - 1, help="Seed of the latents, or of the images chosen."),
    ] = 0,
    device: Annotated[str, DEVICE] = "auto",
    backbone: Annotated[str, BACKBONE] = "auto",
    inception_weights: Annotated[Path | None, INCEPTION_WEIGHTS] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
    layout: Annotated[
        Literal["auto", "NCHW", "NHWC"],
        typer.Option(help="Where the channels of an array stand, if its shape leaves that open."),
    ] = "auto",
    value_range: Annotated[
        Literal["auto", "-1..1", "0..1", "0..255"],
        typer.Option("--range", help="Black and white of floats; the rest is clipped."),
    ] = "auto",
    key: Annotated[
        str | None, typer.Option(help="Name of the array in a file that holds several.")
    ] = None,
    fit: Annotated[
        Literal["auto", "crop", "resize"],
        typer.Option(help="How images of another size are brought to that of the reference."),
    ] = "auto",
    latent_dim: Annotated[
        int | None,
        typer.Option(min=1, help="Entries of a generator's latent, if its file does not say it."),
    ] = None,
    latent: Annotated[
        Literal["normal", "uniform"] | None,
        typer.Option(help="Distribution of these entries; normal if the file does not say it."),
    ] = None,
) -> None:
    """Score images or a generator made elsewhere, by the protocol of `ganbench run`.

    For example: ganbench score samples/ --against mnist
    """
    from rich.console import Console

    from ganbench import data
    from ganbench.fakes.arrays import ArrayFormat
    from ganbench.fakes.real import real_dataset, reference_for
    from ganbench.fakes.scored import score_source
    from ganbench.fakes.source import FakeOptions, open_source
    from ganbench.launch.progress import Display, said_by
    from ganbench.machine.device import choose
    from ganbench.scoring.backbones.backbone import check_backbone

    cache_root = data.default_cache_root()
    check_backbone(backbone, cache_root, inception_weights)  # before anything large is read
    chosen = choose(device)
    form = ArrayFormat(layout, value_range, key)
    options = FakeOptions(form, fit, latent_dim, latent)
    source = open_source(fakes, options, chosen.torch)
    with Display(Console(stderr=True, markup=False, emoji=False)) as display, said_by(display):
        dataset = real_dataset(
            against,
            data_root=data_root or data.default_data_root(),
            cache_root=cache_root,
            report=display.report,
        )
        reference = reference_for(
            dataset,
            backbone=backbone,
            device=chosen.torch,
            cache_root=cache_root,
            report=display.report,
            say=display.say,
            inception_weights=inception_weights,
        )
        scored = score_source(
            source, reference, seed=seed, cache_root=cache_root, report=display.report
        )
    if as_json:
        typer.echo(scored.to_json())
        return
    screen = console()
    for note in scored.notes:
        screen.print(f"note: {visible(note)}", markup=False, highlight=False, soft_wrap=True)
    screen.print(_table(scored))
    screen.print(visible(_protocol(scored)), markup=False, highlight=False, soft_wrap=True)


def _table(scored: Scored) -> Table:
    """One row per score: the images', and beside it those of the reference rows."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ganbench.report.columns import COUNTS, column
    from ganbench.report.formatting import shown
    from ganbench.scoring.metrics.catalogue import METRICS

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("score", no_wrap=True)
    table.add_column(Text(visible(scored.fakes)), justify="right", style="bold", overflow="fold")
    for name in scored.references:
        table.add_column(Text(visible(name)), justify="right", style="dim")
    counts = [scored.images, *(row["images"] for row in scored.references.values())]
    table.add_row("images", *(f"{count:,}" for count in counts))
    total = scored.scores.get("modes_total")
    for metric in METRICS:
        rows = [scored.scores, *(row["scores"] for row in scored.references.values())]
        values = [row.get(metric.name) for row in rows]
        if values[0] is None or metric.name in COUNTS:
            continue
        how = column(metric.name)
        cells = [
            ""
            if value is None
            else f"{value:g} / {total:g}"
            if metric.name.startswith("modes_covered") and total
            else shown(value, how)
            for value in values
        ]
        head = f"{how.heading(scored.protocol.backbone)} {how.arrow}"
        table.add_row(Text(head), *cells)
    return table


def _protocol(scored: Scored) -> str:
    protocol = scored.protocol
    return (
        f"protocol {protocol.hash}: {protocol.dataset}, {protocol.real_count:,} real and "
        f"{protocol.fake_count:,} generated images at {protocol.resolution} pixels, features of "
        f"{protocol.backbone} ({protocol.backbone_hash[:8]})"
    )

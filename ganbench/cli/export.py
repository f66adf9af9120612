"""`ganbench export`: a trained generator as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ganbench.errors import UsageError
from ganbench.machine import made_folders
from ganbench.visible import visible

__all__ = ["export"]


def export(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run: results/.../runs/<id>.")
    ],
    *,
    file_format: Annotated[
        Literal["onnx", "torchscript", "safetensors"],
        typer.Option("--format", help="Programs that draw images, or the weights alone."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; in the run's folder if left out.")
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="The best moment of a run that was scored in training.")
    ] = False,
    variants: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The file of the run's variant, if it is not installed."),
    ] = None,
) -> None:
    """Write a trained generator to a file of ONNX, TorchScript or safetensors.

    For example: ganbench export results/first/runs/dcgan-s0-1a2b3c4d --format onnx
    """
    from ganbench.experiment.export import ENDINGS, write_generator
    from ganbench.experiment.load_trained import load_trained
    from ganbench.experiment.store import StoredRun
    from ganbench.machine.device import choose

    run = StoredRun.read(run_folder)
    files = [name.strip() for name in (variants or "").split(",") if name.strip()]
    state, spec = load_trained(run, choose("cpu"), best=best, files=files)
    target = out if out is not None else run.path / f"generator{ENDINGS[file_format]}"
    if file_format == "onnx" and target.suffix != ENDINGS["onnx"]:
        raise UsageError(f"{target}: a file of ONNX ends in .onnx, by which it is known again")
    notes = {
        "format": "ganbench",
        "variant": run.result.variant,
        "dataset": spec.name,
        "run": run.result.run_id,
    }
    try:
        made_folders.note(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        difference = write_generator(state, spec, file_format, target, notes)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror or error}; give a file with --out"
        ) from error
    if difference is not None:
        typer.echo(f"checked: it draws what the network draws, within {difference:.1g} in [-1, 1]")
    typer.echo(visible(f"{file_format}: {target}"))

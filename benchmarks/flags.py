"""The flags that several commands of this folder have, as typer reads them."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "AsJson",
    "DeviceName",
    "MostImages",
    "Rounds",
    "Seconds",
    "Settings",
    "Steps",
    "Threads",
    "Variants",
]

Variants = Annotated[
    list[str], typer.Option("--variant", help="A variant; give the option again for more.")
]
Rounds = Annotated[int, typer.Option(min=1, help="How often each of the two is measured.")]
Steps = Annotated[
    int, typer.Option(min=0, help="Steps per turn; 0 takes as many as fit --seconds.")
]
Seconds = Annotated[float, typer.Option(min=0, help="Seconds per turn where --steps is 0.")]
DeviceName = Annotated[
    str, typer.Option("--device", help="Device to measure on: auto, cuda, cuda:1, mps or cpu.")
]
Threads = Annotated[int, typer.Option(min=0, help="Number of CPU threads; 0 leaves it to torch.")]
MostImages = Annotated[
    int, typer.Option("--images", min=1, help="The most images that the training split may have.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Value for a field of the recipe."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="JSON on standard output, the table on standard error.")
]

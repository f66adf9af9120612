"""Options that several commands share, exit codes, and where commands print."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "BACKBONE",
    "COMPILE",
    "CUDA_GRAPHS",
    "DATA_ROOT",
    "DEVICE",
    "FAILED",
    "INCEPTION_WEIGHTS",
    "INTERRUPTED",
    "OK",
    "PRECISION",
    "PRIMARY",
    "SETTINGS",
    "USAGE",
    "command_line",
    "console",
]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


DEVICE = typer.Option(help="auto, cuda, cuda:1, mps or cpu.")
SETTINGS = typer.Option(
    "--set", metavar="KEY=VALUE", help="A number of the recipe; dcgan.lr_g=1e-4 for one."
)
DATA_ROOT = typer.Option(envvar="GANBENCH_DATA", help="Where datasets are, or are downloaded to.")
BACKBONE = typer.Option(
    help="Features for the scores: auto, inception, efficientnet or classifier."
)
INCEPTION_WEIGHTS = typer.Option(help="File with the Inception weights, instead of a download.")
PRECISION = typer.Option(help="Of the networks in training: fp32, bf16 or (on CUDA) fp16.")
COMPILE = typer.Option("--compile/--no-compile", help="Translate the step by torch.compile first.")
PRIMARY = typer.Option(
    metavar="SCORE",
    help="Score that is tested by itself (fid); choose it before you see the numbers.",
)
CUDA_GRAPHS = typer.Option(
    "--cuda-graphs/--no-cuda-graphs", help="Capture the step as a CUDA graph."
)


def console() -> Console:
    """Where a command prints: bars and tables on a terminal, plain lines elsewhere.

    Names of folders and variants come from outside, so markup in plain strings is shown as it is;
    what is to be coloured is a `Text`, or says `markup=True`.
    """
    from rich.console import Console

    return Console(markup=False, emoji=False)


def command_line() -> str:
    """The command as the user gave it, to be stored with its results."""
    return shlex.join(["ganbench", *sys.argv[1:]])

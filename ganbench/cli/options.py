"""Options that several commands share, exit codes, and where commands print."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

__all__ = [
    "BACKBONE",
    "COMMAND",
    "COMPILE",
    "CUDA_GRAPHS",
    "DATASET",
    "DATA_ROOT",
    "DEVICE",
    "FAILED",
    "GROUPS",
    "HOW",
    "INCEPTION_WEIGHTS",
    "INTERRUPTED",
    "JOBS",
    "LAUNCHER",
    "OK",
    "PRECISION",
    "PRIMARY",
    "RAY",
    "RAY_ADDRESS",
    "SCORES",
    "SETTINGS",
    "SLURM",
    "USAGE",
    "WHAT",
    "WHERE",
    "beginning",
    "command_line",
    "complete_dataset",
    "complete_variants",
    "console",
    "print_lines",
]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


GROUPS = WHAT, SCORES, WHERE, HOW, COMMAND = (
    "What to compare", "Scores and pictures", "Where", "How steps are carried out", "Options",
)  # fmt: skip
"""Titles of the groups of options, in the order in which help shows them."""


def beginning(*names: str) -> Callable[[str], list[str]]:
    """What completes one of some names."""

    def complete(incomplete: str) -> list[str]:  # by this name typer finds what was typed
        return [name for name in names if name.startswith(incomplete)]

    return complete


DEVICE = typer.Option(
    metavar="NAME",
    help="auto, cuda, cuda:1, mps or cpu.",
    show_default="auto: CUDA, then MPS, then the CPU",
    rich_help_panel=WHERE,
    autocompletion=beginning("auto", "cpu", "cuda", "mps"),
)
SETTINGS = typer.Option(
    "--set",
    metavar="KEY=VALUE",
    help="A number of the recipe, for all variants or (dcgan.lr_g=1e-4) for one; may be repeated. "
    "`ganbench list recipe NAME` shows them.",
    rich_help_panel=WHAT,
)
DATA_ROOT = typer.Option(
    metavar="DIR",
    envvar="GANBENCH_DATA",
    help="Where datasets are, or are downloaded to.",
    rich_help_panel=WHERE,
)
BACKBONE = typer.Option(
    metavar="NAME",
    help="Features for the scores: auto, inception, efficientnet or classifier.",
    show_default="auto: inception for colour images where its weights can be had, else classifier",
    rich_help_panel=SCORES,
    autocompletion=beginning("auto", "classifier", "efficientnet", "inception"),
)
INCEPTION_WEIGHTS = typer.Option(
    metavar="FILE",
    help="The Inception weights, instead of a download.",
    rich_help_panel=SCORES,
)
PRECISION = typer.Option(
    metavar="FORMAT",
    help="Number format of the networks during training: fp32, bf16 or (on CUDA) fp16.",
    show_default="fp32",
    rich_help_panel=HOW,
    autocompletion=beginning("bf16", "fp16", "fp32"),
)
COMPILE = typer.Option(
    "--compile/--no-compile",
    help="Translate the step by torch.compile first.",
    show_default="no",
    rich_help_panel=HOW,
)
PRIMARY = typer.Option(
    metavar="SCORE",
    help="Score that is tested by itself (fid); choose it before you see the numbers.",
)
CUDA_GRAPHS = typer.Option(
    "--cuda-graphs/--no-cuda-graphs",
    help="Capture the step as a CUDA graph.",
    show_default="no",
    rich_help_panel=HOW,
)

JOBS = typer.Option(
    min=1,
    metavar="COUNT",
    help="Runs side by side; several CUDA cards share them.",
    show_default="1; on a cluster as many as it takes",
    rich_help_panel=HOW,
)
LAUNCHER = typer.Option(
    metavar="NAME",
    help="Where runs are done: local (processes of this machine), ray or slurm.",
    show_default="local",
    rich_help_panel=WHERE,
    autocompletion=beginning("local", "ray", "slurm"),
)
RAY_ADDRESS = typer.Option(
    metavar="HOST:PORT|auto",
    help="With --launcher ray: the cluster that this machine is a part of.",
    show_default="one of this machine, for this command",
    rich_help_panel=WHERE,
)
RAY = typer.Option(
    metavar="KEY=VALUE",
    help="With --launcher ray: what each run takes, num_cpus (1), num_gpus (1 on CUDA), "
    "memory; and max_retries (3). May be repeated.",
    rich_help_panel=WHERE,
)
SLURM = typer.Option(
    metavar="KEY=VALUE",
    help="With --launcher slurm: passed on to submitit, such as partition=gpu, "
    "timeout_min=240; cluster=local for no Slurm. May be repeated.",
    rich_help_panel=WHERE,
)


def complete_variants(incomplete: str) -> list[str]:
    """Completes the last of some names of variants that commas separate."""
    from ganbench.variant.registry import ALL, entries

    before, comma, last = incomplete.rpartition(",")
    names = {ALL, *(entry.name for entry in entries())} - set(before.split(","))
    return [f"{before}{comma}{name}" for name in sorted(names) if name.startswith(last)]


def complete_dataset(incomplete: str) -> list[str]:
    """Completes the name of a dataset."""
    from ganbench.data.catalogue import SUMMARIES

    return [name.removesuffix("DIR") for name in SUMMARIES if name.startswith(incomplete)]


DATASET = typer.Option(
    metavar="NAME",
    help="As `ganbench list datasets` names them: mnist, ring8, imagefolder:DIR.",
    show_default="the recipe's own",
    rich_help_panel=WHAT,
    autocompletion=complete_dataset,
)


def console() -> Console:
    """Where a command prints: bars and tables on a terminal, plain lines elsewhere.

    Names of folders and variants come from outside, so markup in plain strings is shown as it is;
    what is to be coloured is a `Text`, or says `markup=True`.
    """
    from rich.console import Console

    return Console(markup=False, emoji=False)


def without_fresh(text: str, *, fresh: bool) -> str:
    """Advice to give the same command again, which with `--fresh` would remove what is saved."""
    return text.replace("the same command", "the same command without --fresh") if fresh else text


def stopped_text(folder: Path, *, fresh: bool) -> str:
    """What goes on after an interrupt."""
    text = f"stopped and saved; the same command with --out {folder} goes on"
    return without_fresh(text, fresh=fresh)


def print_lines(screen: Console, *lines: str) -> None:
    """Print lines for people as they are, each on its own."""
    for line in lines:
        screen.print(visible(line), markup=False, highlight=False, soft_wrap=True)


def command_line() -> str:
    """The command as the user gave it, to be stored with its results."""
    return shlex.join(["ganbench", *sys.argv[1:]])

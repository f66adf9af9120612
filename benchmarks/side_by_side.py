"""What do runs side by side gain? The same two runs with --jobs 2 and with --jobs 1, in turns.

Each command is a process of its own, with results of its own and a common cache that is filled
before. The training phase is taken from the files: a run's training ends when its checkpoint is
written, and began as many seconds of its training clock before. One after the other, the phases of
the runs add up; side by side, the phase lasts from the first beginning to the last end.

    python benchmarks/side_by_side.py --rounds 3 --json
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import flags
import typer
from command import Report, run
from measuring import ratio_text, spread

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device


@dataclass(frozen=True)
class Seconds:
    """Seconds of one command, and of the training in it."""

    whole_seconds: float
    training_seconds: float


def phase_of(run: Path) -> tuple[float, float]:
    """Beginning and end of a run's training, in seconds of the system's clock."""
    with (run / "history.csv").open(encoding="utf-8", newline="") as file:
        trained = float(list(csv.DictReader(file))[-1]["seconds"])
    end = (run / "checkpoint.pt").stat().st_mtime
    return end - trained, end


def turn(arguments: list[str], cache: Path, jobs: int) -> Seconds:
    """Run the command once, in an empty results folder."""
    environment = {**os.environ, "GANBENCH_CACHE": str(cache)}
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "results"
        command = [
            sys.executable, "-m", "ganbench.cli.app", *arguments,
            "--jobs", str(jobs), "--out", str(out),
        ]  # fmt: skip
        begun = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - ganbench itself
            command, env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise GanbenchError(f"{' '.join(command[1:])} failed: {done.stderr or done.stdout}")
        phases = [phase_of(run) for run in sorted((out / "runs").iterdir())]
    if jobs == 1:
        training = sum(end - beginning for beginning, end in phases)
    else:
        training = max(end for _, end in phases) - min(beginning for beginning, _ in phases)
    return Seconds(seconds, training)


def compare(arguments: list[str], runs: int, rounds: int) -> dict[str, Any]:
    """Run both in turns; the cache is filled by a command that is not measured."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch)
        turn([*arguments, "--budget", "1steps"], cache, 1)
        turns = [(turn(arguments, cache, runs), turn(arguments, cache, 1)) for _ in range(rounds)]
    return {
        "command": " ".join(["ganbench", *arguments]),
        "runs": runs,
        "rounds": rounds,
        "whole_ratio": spread([a.whole_seconds / b.whole_seconds for a, b in turns]),
        "training_ratio": spread([a.training_seconds / b.training_seconds for a, b in turns]),
        "turns": [{"side_by_side": asdict(a), "one_by_one": asdict(b)} for a, b in turns],
    }


def cells(result: dict[str, Any], name: str, head: str) -> tuple[str, ...]:
    """One line of the table: the median seconds of both, and their ratio."""
    medians = [
        spread([turn[way][f"{name}_seconds"] for turn in result["turns"]])["median"]
        for way in ("side_by_side", "one_by_one")
    ]
    return head, *(f"{seconds:.1f}" for seconds in medians), ratio_text(result[f"{name}_ratio"])


def measure(
    device: Device,
    *,
    variant: Annotated[str, typer.Option(help="Variant to train.")] = "mlp",
    dataset: Annotated[str, typer.Option(help="Dataset, as `ganbench run` takes it.")] = "digits",
    runs: Annotated[int, typer.Option(min=2, help="Seeds, and runs side by side.")] = 2,
    steps: Annotated[int, typer.Option(min=2, help="Steps of each run.")] = 10_000,
    rounds: flags.Rounds = 3,
    settings: flags.Settings = None,
) -> Report:
    """Measure how long runs side by side take against the same runs one after the other."""
    arguments = [
        "run", "--variants", variant, "--dataset", dataset, "--device", str(device.torch),
        "--seeds", str(runs), "--budget", f"{steps}steps", "--sample-every", f"{steps}steps",
        *(part for item in settings or [] for part in ("--set", item)),
    ]  # fmt: skip
    result = compare(arguments, runs, rounds)
    return Report(
        f"{runs} runs of {variant} on {dataset}, {steps:,} steps each: seconds",
        ("what", "side by side", "one by one", "ratio"),
        [cells(result, "training", "training"), cells(result, "whole", "the whole command")],
        [result],
    )


if __name__ == "__main__":
    run(measure)

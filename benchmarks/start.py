"""How long until ganbench answers, and until it trains? Each command runs as its user runs it.

Every measurement is a fresh process. The first step is seen from outside: a run with a budget of
one step leaves its history as soon as that step is done, so the time includes the step and the
saving of a checkpoint. Once it is seen, the process is ended.

    python benchmarks/start.py --rounds 5 --json
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import flags
import typer
from measuring import conditions_of, one_line_refusals, publish, spread

from ganbench.errors import GanbenchError
from ganbench.machine.device import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 600.0
_GANBENCH = (sys.executable, "-m", "ganbench.cli.app")


def seconds_of(arguments: Sequence[str]) -> float:
    """Seconds until a command has ended."""
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - ganbench itself
        [*_GANBENCH, *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise GanbenchError(f"ganbench {' '.join(arguments)} failed: {done.stderr.strip()}")
    return seconds


def seconds_to_first_step(variant: str, device: str, cache: Path | None) -> float:
    """Seconds from the call of `ganbench run` on digits until its first step is in the history.

    Args:
        variant: What is trained.
        device: As on the command line.
        cache: The cache; None for an empty one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "results"
        command = [
            *_GANBENCH, "run", "--variants", variant, "--dataset", "digits", "--device", device,
            "--budget", "1steps", "--out", str(out),
        ]  # fmt: skip
        environment = {**os.environ, "GANBENCH_CACHE": str(cache or Path(scratch) / "cache")}
        begun = time.perf_counter()
        with subprocess.Popen(  # noqa: S603 - ganbench itself
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                while not any(out.glob("runs/*/history.csv")) and not any(
                    out.glob("runs/.*/history.csv")
                ):
                    waited = time.perf_counter() - begun
                    if process.poll() is not None or waited > _PATIENCE_SECONDS:
                        said = process.communicate()[1] if process.poll() is not None else ""
                        raise GanbenchError(f"no step was seen in {waited:.0f} s: {said.strip()}")
                    time.sleep(_LOOK_SECONDS)
                return time.perf_counter() - begun
            finally:
                process.kill()


def warm(cache: Path, variant: str, device: str) -> None:
    """Fill a cache as a finished run leaves it."""
    os.environ["GANBENCH_CACHE"] = str(cache)
    seconds_of(
        ["run", "--variants", variant, "--dataset", "digits", "--device", device,
         "--budget", "1steps", "--out", str(cache / "results")]
    )  # fmt: skip


def main(
    *,
    rounds: flags.Rounds = 5,
    variant: Annotated[str, typer.Option(help="What is trained.")] = "mlp",
    device: flags.DeviceName = "auto",
    as_json: flags.AsJson = False,
) -> None:
    """Measure seconds to help, to the list, and to the first training step on digits."""
    with one_line_refusals(), tempfile.TemporaryDirectory() as scratch:
        conditions = conditions_of(choose(device))
        cache = Path(scratch) / "cache"
        warm(cache, variant, device)
        commands: dict[str, Callable[[], float]] = {
            "ganbench --help": lambda: seconds_of(["--help"]),
            "ganbench list": lambda: seconds_of(["list"]),
            "first step, warm cache": lambda: seconds_to_first_step(variant, device, cache),
            "first step, empty cache": lambda: seconds_to_first_step(variant, device, None),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, measure in commands.items():
                taken[name].append(measure())
    results: list[dict[str, Any]] = [
        {"what": name, "seconds": spread(seconds), "turns": seconds}
        for name, seconds in taken.items()
    ]
    publish(
        f"Seconds from the call, {rounds} fresh processes each; {variant} on digits",
        ("what", "median", "lowest", "highest"),
        [
            (
                row["what"],
                *(f"{row['seconds'][name]:.2f}" for name in ("median", "lowest", "highest")),
            )
            for row in results
        ],
        results=results,
        conditions=conditions,
        as_json=as_json,
        remark="the first step includes saving a checkpoint",
    )


if __name__ == "__main__":
    typer.run(main)

"""How long until ganbench answers, and until it trains? Each command runs as its user runs it.

Every measurement is a fresh process. The first step is seen from outside: a run with a budget of
one step writes its history as soon as that step is done, so the time includes the step and the
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
from command import Report, run
from measuring import spread

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POLL_SECONDS = 0.005
_TIMEOUT_SECONDS = 600.0
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
        variant: Name of the variant to train.
        device: As on the command line.
        cache: The cache; None for an empty one.
    """
    # the processes of a command that is killed end a moment later than it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
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
                    if process.poll() is not None or waited > _TIMEOUT_SECONDS:
                        errors = process.communicate()[1] if process.poll() is not None else ""
                        raise GanbenchError(f"no step was seen in {waited:.0f} s: {errors.strip()}")
                    time.sleep(_POLL_SECONDS)
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


def measure(
    device: Device,
    *,
    rounds: flags.Rounds = 5,
    variant: Annotated[str, typer.Option(help="Variant to train.")] = "mlp",
) -> Report:
    """Measure seconds to help, to the list, and to the first training step on digits."""
    name = str(device.torch)
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch) / "cache"
        warm(cache, variant, name)
        commands: dict[str, Callable[[], float]] = {
            "ganbench --help": lambda: seconds_of(["--help"]),
            "ganbench list": lambda: seconds_of(["list"]),
            "first step, warm cache": lambda: seconds_to_first_step(variant, name, cache),
            "first step, empty cache": lambda: seconds_to_first_step(variant, name, None),
        }
        taken: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(rounds):
            for what, seconds in commands.items():
                taken[what].append(seconds())
    results: list[dict[str, Any]] = [
        {"what": what, "seconds": spread(seconds), "turns": seconds}
        for what, seconds in taken.items()
    ]
    shown = ("median", "lowest", "highest")
    return Report(
        f"Seconds from the call, {rounds} fresh processes each; {variant} on digits",
        ("what", *shown),
        [(row["what"], *(f"{row['seconds'][name]:.2f}" for name in shown)) for row in results],
        results,
        "the first step includes saving a checkpoint",
    )


if __name__ == "__main__":
    run(measure)

"""What does it cost that OpenMP's threads spin while they wait? `mlp`'s step, quiet and busy.

Each measurement is a process of its own, as the length of spinning is read when torch loads:
libgomp's own, and bounded to some rounds (GOMP_SPINCOUNT). Each is measured with nothing beside it,
and beside two processes that do nothing but compute. All take turns, as the load of a machine
changes.

    python benchmarks/spin.py --rounds 5 --json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import flags
import typer
from command import Report, run
from measuring import spread

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = "libgomp's own"
_COUNTS = (_OWN, "10000", "100000")
_CHOICES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
_BUSY_PROCESSES = 2
_MEASURE = """
import json, sys
from turns import steps_in, take
from workloads import Workload
from ganbench.machine.device import choose
device = choose("cpu")
session = Workload.of(sys.argv[1]).session(device)
warm = take(session, 10, device)
turn = take(session, steps_in(float(sys.argv[2]), warm), device)
print(json.dumps(turn.images_per_second))
"""


def images_per_second(variant: str, seconds: float, count: str) -> float:
    """Real images per second of the training step, in a fresh process.

    Args:
        variant: What is trained.
        seconds: About how long.
        count: Rounds that a waiting thread spins, or `libgomp's own`.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _CHOICES}
    if count != _OWN:
        environment["GOMP_SPINCOUNT"] = count
    here = str(Path(__file__).parent.resolve())
    environment["PYTHONPATH"] = os.pathsep.join([here, environment.get("PYTHONPATH", "")])
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _MEASURE, variant, str(seconds)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise GanbenchError(f"measuring {variant} failed: {done.stderr.strip()[-500:]}")
    return float(json.loads(done.stdout))


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Let some processes compute inside a `with`."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(processes)]  # noqa: S603 - our own program
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(
    _device: Device,
    *,
    rounds: flags.Rounds = 5,
    variant: Annotated[str, typer.Option(help="Variant to train, on the CPU.")] = "mlp",
    seconds: flags.Seconds = 4,
) -> Report:
    """Measure the speed of a training step for several lengths of spinning, quiet and busy."""
    sides = [(count, beside) for count in _COUNTS for beside in (0, _BUSY_PROCESSES)]
    turns: dict[tuple[str, int], list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for count, beside in sides:
            with busy(beside):
                turns[count, beside].append(images_per_second(variant, seconds, count))
    results: list[dict[str, Any]] = [
        {
            "variant": variant,
            "spin_count": count,
            "busy_processes": beside,
            "images_per_second": spread(rates),
            "turns": rates,
        }
        for (count, beside), rates in turns.items()
    ]
    shown = ("median", "lowest", "highest")
    return Report(
        f"Training step of {variant}, real images per second, {rounds} fresh processes each",
        ("rounds of spinning", "busy processes", *shown),
        [
            (
                row["spin_count"],
                str(row["busy_processes"]),
                *(f"{row['images_per_second'][name]:,.0f}" for name in shown),
            )
            for row in results
        ],
        results,
        "measured in turns",
    )


if __name__ == "__main__":
    run(measure)

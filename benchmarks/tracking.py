"""What does `--track` cost the training step? A run with a tracker against the same without one.

Both are `train` with the observers of a run, in turns, and counted is the processor time of the
run's process: its threads, those that talk to the tracker included. The tracker's own process is
counted beside it, per step.

    python benchmarks/tracking.py --variant mlp --rounds 15 --threads 1
"""

from __future__ import annotations

import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import flags
import psutil
import typer
from command import Columns, run_variants
from harness import Observed
from measuring import described, range_text, spread
from rich.console import Console
from workloads import NEVER, Workload

from ganbench.experiment.result import RunResult
from ganbench.launch.progress import Display
from ganbench.launch.tracking import Tracking
from ganbench.launch.training_progress import TrainingProgress
from ganbench.machine.device import Device
from ganbench.training.loop import train
from ganbench.training.session import MEASURED_AT_FIRST
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job

_WARMUP_STEPS = 60


@dataclass(frozen=True)
class _Turn:
    """Processor seconds of some steps in the run's process, and wall-clock seconds."""

    processor: float
    wall: float


def _turn(observed: Observed, steps: int, device: Device) -> _Turn:
    begun = time.process_time()
    wall = observed.turn(steps, device).seconds
    return _Turn(time.process_time() - begun, wall)


def _tracking(name: str, job: Job, folder: Path, display: Display) -> Tracking:
    basis = RunResult(
        run_id=job.id, status="ok", variant=job.variant, dataset=job.spec.name, seed=job.seed,
        device=job.device, recipe=job.recipe,
    )  # fmt: skip
    where: Any = SimpleNamespace(folder=SimpleNamespace(path=folder), display=display)
    return Tracking([name], job, folder, basis, where)


def compare(
    work: Workload,
    device: Device,
    *,
    rounds: flags.Rounds = 15,
    steps: flags.Steps = 500,
    track: Annotated[str, typer.Option(help="The tracker.")] = "tensorboard",
) -> dict[str, Any]:
    """Measure the processor time of a step with a tracker over that of one without."""
    total = MEASURED_AT_FIRST + _WARMUP_STEPS + steps * rounds
    shown = io.StringIO()
    display = Display(Console(file=shown, width=200))
    with tempfile.TemporaryDirectory() as folder, display:
        job = work.job(device, total)
        tracking = _tracking(track, job, Path(folder), display)
        both = []
        for observers in ([tracking], []):
            session = work.session(device)  # past the steps that are all measured
            session.steps -= 1  # so that its first step is measured, and there is something to show
            if observers:
                tracking.start(session)
                tracking.wait_until_open(None)
            events = train(session, Budget(total, "steps"), NEVER)
            both.append(Observed(session, events, [TrainingProgress(job, display), *observers]))
            _turn(both[-1], _WARMUP_STEPS, device)
        processes = psutil.Process().children()
        before = sum(sum(process.cpu_times()[:2]) for process in processes)
        turns = [[_turn(observed, steps, device) for observed in both] for _ in range(rounds)]
        apart = sum(sum(process.cpu_times()[:2]) for process in processes) - before
        tracking.interrupt()
    return {
        **described(work),
        "tracker": track,
        "failed": "has failed" in shown.getvalue(),
        "rounds": rounds,
        "steps_a_turn": steps,
        "ratio": spread([tracked.processor / plain.processor for tracked, plain in turns]),
        "wall_ratio": spread([tracked.wall / plain.wall for tracked, plain in turns]),
        "step_milliseconds": spread([1000 * plain.processor / steps for _, plain in turns]),
        "apart_milliseconds": 1000 * apart / (steps * rounds),
    }


COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "tracker": lambda row: row["tracker"],
    "rounds × steps": lambda row: f"{row['rounds']} × {row['steps_a_turn']}",
    "step, ms": lambda row: range_text(row["step_milliseconds"], ".3g"),
    "with / without": lambda row: range_text(row["ratio"], ".4f"),
    "by the wall clock": lambda row: range_text(row["wall_ratio"], ".3f"),
    "apart, ms a step": lambda row: f"{row['apart_milliseconds']:.4f}",
}

if __name__ == "__main__":
    run_variants(
        compare,
        variants=["mlp"],
        title="The training step with a tracker against the same without, processor time",
        columns=COLUMNS,
    )

"""What does the harness itself cost? `ganbench run`'s training loop against its bare step.

One side is `train` with all that a run hangs on it: progress, history, the training clock, the
budget, and a checkpoint whenever one is due. The other gathers the same batches and calls
`train_step` in a loop with nothing around it. Both are timed by the wall clock. Turns are short, as
the load of a machine changes; a checkpoint falls due in some of them, at least 20 seconds apart as
in a run, and counts in the share of all turns together. Sample grids are left out: one asks for
them.

    python benchmarks/harness.py --variant mlp --rounds 15 --json
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flags
import typer
from measuring import measure_each, publish, spread
from rich.console import Console
from turns import Turn, steps_in, take, timed
from workloads import MOST_IMAGES, NEVER, Workload

from ganbench.launch.progress import Display
from ganbench.launch.recorder import Recorder
from ganbench.machine.interrupt import StopRequest
from ganbench.training.loop import train
from ganbench.training.step import train_step
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from ganbench.machine.device import Device
    from ganbench.training.session import Session

_WARMUP_STEPS = 3


class _Counting(Recorder):
    """A recorder that counts its checkpoints."""

    count = 0

    def save(self, session: Session) -> None:
        """Save and count."""
        super().save(session)
        self.count += 1


def harness(session: Session, recorder: Recorder, steps: int, device: Device) -> Turn:
    """Train as a run does."""
    budget, images = Budget(session.steps + steps, "steps"), session.images_seen

    def go() -> None:
        with StopRequest() as request:
            train(session, budget, NEVER, recorder.hooks(request))

    seconds, _ = timed(go, device)
    return Turn(seconds, steps, session.images_seen - images)


@dataclass(frozen=True)
class Bare:
    """The same steps with nothing around them."""

    session: Session

    @property
    def images_seen(self) -> int:
        """Real images consumed so far."""
        return self.session.images_seen

    def advance(self) -> None:
        """Do one step."""
        train_step(self.session.state, self.session.batches())
        self.session.steps += 1


def compare(
    work: Workload, device: Device, *, rounds: int, steps: int, seconds: float
) -> dict[str, Any]:
    """Run both in turns.

    Args:
        work: The variant and its images.
        device: Where both run.
        rounds: How often each has its turn.
        steps: Of each turn; 0 takes as many as the bare loop does in `seconds`.
        seconds: See `steps`.

    Returns:
        What was measured, and all that it depends on, as JSON holds it.
    """
    ours, bare = work.session(device), Bare(work.session(device))
    ours.steps -= 1  # so that the first step is measured, and the display has losses to show
    for _ in range(_WARMUP_STEPS):
        ours.advance()
    ours.clock.pause()
    take(bare, _WARMUP_STEPS, device)
    steps = steps or steps_in(seconds, take(bare, _WARMUP_STEPS, device))
    with tempfile.TemporaryDirectory() as folder:
        display = Display(Console(file=io.StringIO(), force_terminal=True, width=200))
        job = work.job(device, ours.steps + steps * rounds)
        recorder = _Counting(job, Path(folder), display)
        with display:
            turns = [
                (harness(ours, recorder, steps, device), take(bare, steps, device))
                for _ in range(rounds)
            ]
    return {
        "variant": work.name,
        "dataset": f"noise shaped as {work.spec.name}",
        "batch_size": work.recipe.batch_size,
        "image_size": work.recipe.image_size,
        "recipe": work.recipe.model_dump(),
        "rounds": rounds,
        "steps_a_turn": steps,
        "checkpoints": recorder.count,
        "share_of_all": sum(b.seconds for _, b in turns) / sum(a.seconds for a, _ in turns),
        "share": spread([other.seconds / one.seconds for one, other in turns]),
        "harness_images_per_second": spread([one.images_per_second for one, _ in turns]),
        "bare_images_per_second": spread([other.images_per_second for _, other in turns]),
        "turns": [{"harness": asdict(one), "bare": asdict(other)} for one, other in turns],
    }


def main(
    *,
    variants: flags.Variants = ["mlp"],  # noqa: B006 - typer copies it
    rounds: flags.Rounds = 15,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 4,
    device: flags.DeviceName = "auto",
    threads: flags.Threads = 0,
    images: flags.MostImages = MOST_IMAGES,
    settings: flags.Settings = None,
    as_json: flags.AsJson = False,
) -> None:
    """Measure which share of the bare step's speed is left with the harness around it."""
    conditions, results = measure_each(
        variants,
        settings or [],
        compare,
        images=images,
        device=device,
        threads=threads,
        rounds=rounds,
        steps=steps,
        seconds=seconds,
    )
    publish(
        "ganbench's training loop against its bare step, real images a second",
        ("variant", "batch", "size", "rounds × steps", "saved", "loop", "bare", "share", "of all"),
        [
            (
                row["variant"],
                str(row["batch_size"]),
                str(row["image_size"]),
                f"{row['rounds']} × {row['steps_a_turn']}",
                str(row["checkpoints"]),
                f"{row['harness_images_per_second']['median']:,.0f}",
                f"{row['bare_images_per_second']['median']:,.0f}",
                "{median:.1%} ({lowest:.1%} to {highest:.1%})".format(**row["share"]),
                f"{row['share_of_all']:.1%}",
            )
            for row in results
        ],
        results=results,
        conditions=conditions,
        as_json=as_json,
        remark="median (lowest to highest of the rounds) · random images",
    )


if __name__ == "__main__":
    typer.run(main)

"""What does the harness itself cost? `ganbench run`'s training loop against its bare step.

One of the two is `train` with everything that a run adds to it: progress, history, the training
clock, the budget, and a checkpoint whenever one is due. The other gathers the same batches and
calls `train_step` in a loop with nothing around it. Both are timed by the wall clock. Turns are
short, as the load of a machine changes; a checkpoint falls due in some of them, at least 20 seconds
apart as in a run, and counts in the share of all turns together. Sample grids are left out, since a
run draws them only where it is asked to.

    python benchmarks/harness.py --variant mlp --rounds 15 --json
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flags
from command import Columns, run_variants
from measuring import described, range_text, spread
from rich.console import Console
from turns import Turn, steps_in, take, timed
from workloads import NEVER, Workload

from ganbench.launch.progress import Display
from ganbench.launch.recorder import Recorder
from ganbench.launch.seconds_outside import SecondsOutside
from ganbench.launch.training_progress import TrainingProgress
from ganbench.machine.device import Device
from ganbench.machine.interrupt import StopRequest
from ganbench.training.loop import train
from ganbench.training.step import train_step
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ganbench.training.loop import Event
    from ganbench.training.session import Session

_WARMUP_STEPS = 3


class _Counting(Recorder):
    """A recorder that counts its checkpoints."""

    count = 0

    def save(self, session: Session) -> None:
        """Save and count."""
        super().save(session)
        self.count += 1


@dataclass(frozen=True)
class Observed:
    """A session that is trained as a run trains it, some steps at a time.

    Attributes:
        session: The run.
        events: Those of the training loop, of which each turn takes some.
        observers: What a run adds to the loop.
    """

    session: Session
    events: Iterator[Event]
    observers: Sequence[Callable[[Event], None]]

    def turn(self, steps: int, device: Device) -> Turn:
        """Time some steps, with the observers' work between them."""
        images, last = self.session.images_seen, self.session.steps + steps

        def go() -> None:
            for event in self.events:
                for observer in self.observers:
                    observer(event)
                if event.kind == "stepped" and self.session.steps == last:
                    return

        seconds, _ = timed(go, device)
        return Turn(seconds, steps, self.session.images_seen - images)


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
    work: Workload,
    device: Device,
    *,
    rounds: flags.Rounds = 15,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 4,
) -> dict[str, Any]:
    """Measure which share of the bare step's speed is left with the harness around it."""
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
        recorder = _Counting(job.id, Path(folder), SecondsOutside())
        budget = Budget(ours.steps + steps * rounds, "steps")
        with display, StopRequest() as request:
            events = train(ours, budget, NEVER, stop=lambda: request.asked)
            observed = Observed(ours, events, [TrainingProgress(job, display), recorder])
            turns = [
                (observed.turn(steps, device), take(bare, steps, device)) for _ in range(rounds)
            ]
    return {
        **described(work),
        "rounds": rounds,
        "steps_a_turn": steps,
        "checkpoints": recorder.count,
        "share_of_all": sum(b.seconds for _, b in turns) / sum(a.seconds for a, _ in turns),
        "share": spread([other.seconds / one.seconds for one, other in turns]),
        "harness_images_per_second": spread([one.images_per_second for one, _ in turns]),
        "bare_images_per_second": spread([other.images_per_second for _, other in turns]),
        "turns": [{"harness": asdict(one), "bare": asdict(other)} for one, other in turns],
    }


COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "batch": lambda row: str(row["batch_size"]),
    "size": lambda row: str(row["image_size"]),
    "rounds × steps": lambda row: f"{row['rounds']} × {row['steps_a_turn']}",
    "saved": lambda row: str(row["checkpoints"]),
    "loop": lambda row: f"{row['harness_images_per_second']['median']:,.0f}",
    "bare": lambda row: f"{row['bare_images_per_second']['median']:,.0f}",
    "share": lambda row: range_text(row["share"], ".1%"),
    "of all": lambda row: f"{row['share_of_all']:.1%}",
}

if __name__ == "__main__":
    run_variants(
        compare,
        variants=["mlp"],
        title="ganbench's training loop against its bare step, real images per second",
        columns=COLUMNS,
    )

"""How much faster than the plain loop does ganbench train? Both in one process, in turns.

Speeds taken at different times of day cannot be divided by one another on a machine that others
use. Here each round times the same number of steps of ganbench and then of the plain loop, the
ratio is taken round by round, and its median is reported with its spread.

    python benchmarks/ratio.py --variant mlp --rounds 7 --json
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from measuring import measure_each, publish, ratio_text, spread
from plain import PlainLoop
from workloads import MOST_IMAGES, Workload

if TYPE_CHECKING:
    from ganbench.device import Device

_WARMUP_STEPS = 3


class Loop(Protocol):
    """A training run that goes on a step at a time."""

    @property
    def images_seen(self) -> int:
        """Real images consumed so far."""

    def advance(self) -> None:
        """Do one step."""


@dataclass(frozen=True)
class Stint:
    """Some steps, timed from an idle device to an idle device."""

    seconds: float
    images: int

    @property
    def images_per_second(self) -> float:
        """Real images consumed a second."""
        return self.images / self.seconds


def run(loop: Loop, steps: int, device: Device) -> Stint:
    """Time `steps` steps."""
    images = loop.images_seen
    device.synchronize()
    begun = time.perf_counter()
    for _ in range(steps):
        loop.advance()
    device.synchronize()
    return Stint(time.perf_counter() - begun, loop.images_seen - images)


def compare(
    work: Workload, device: Device, *, rounds: int, steps: int, seconds: float
) -> dict[str, Any]:
    """Run both loops in turns.

    Args:
        work: The variant and its images.
        device: Where both run.
        rounds: How often each has its turn.
        steps: Of each turn; 0 takes as many as the slower loop does in `seconds`.
        seconds: See `steps`.

    Returns:
        What was measured, and all that it depends on, as JSON holds it.
    """
    plain = PlainLoop(work.variant, work.recipe, work.spec, work.native, device.torch)
    ours = work.session(device)

    # Warm up, and see how long a step takes
    for loop in (ours, plain):
        run(loop, _WARMUP_STEPS, device)
    if steps == 0:
        slower = max(run(loop, _WARMUP_STEPS, device).seconds for loop in (ours, plain))
        steps = max(1, math.ceil(seconds * _WARMUP_STEPS / slower))

    # In turns
    turns = [(run(ours, steps, device), run(plain, steps, device)) for _ in range(rounds)]
    ours.clock.pause()
    ratios = [one.images_per_second / other.images_per_second for one, other in turns]
    return {
        "variant": work.name,
        "dataset": f"noise shaped as {work.spec.name}",
        "train_images": work.spec.train_count,
        "batch_size": work.recipe.batch_size,
        "image_size": work.recipe.image_size,
        "recipe": work.recipe.model_dump(),
        "rounds": rounds,
        "steps_a_turn": steps,
        "ratio": spread(ratios),
        "ganbench_images_per_second": spread([one.images_per_second for one, _ in turns]),
        "plain_images_per_second": spread([other.images_per_second for _, other in turns]),
        "turns": [{"ganbench": asdict(one), "plain": asdict(other)} for one, other in turns],
    }


def main(
    *,
    variant: Annotated[
        list[str], typer.Option(help="A variant without text; give the option again for more.")
    ] = ["mlp", "dcgan"],  # noqa: B006 - typer copies it
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each loop.")] = 7,
    steps: Annotated[
        int, typer.Option(min=0, help="Steps a turn; 0 fills --seconds with the slower loop.")
    ] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Length of a turn where --steps is 0.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cuda, cuda:1, mps or cpu.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
    images: Annotated[
        int, typer.Option(min=1, help="The most images of the training split.")
    ] = MOST_IMAGES,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A number of the recipe, for both loops."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on standard output, the table on standard error.")
    ] = False,
) -> None:
    """Measure how much faster than the plain loop of the source systems ganbench trains."""
    conditions, results = measure_each(
        variant,
        setting or [],
        compare,
        images=images,
        device=device,
        threads=threads,
        rounds=rounds,
        steps=steps,
        seconds=seconds,
    )
    publish(
        "ganbench against the plain loop, real images a second in training",
        ("variant", "batch", "size", "rounds × steps", "ganbench", "plain", "ratio"),
        [
            (
                row["variant"],
                str(row["batch_size"]),
                str(row["image_size"]),
                f"{row['rounds']} × {row['steps_a_turn']}",
                f"{row['ganbench_images_per_second']['median']:,.0f}",
                f"{row['plain_images_per_second']['median']:,.0f}",
                ratio_text(row["ratio"]),
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

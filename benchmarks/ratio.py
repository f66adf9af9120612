"""How much faster than the plain loop does ganbench train? Each in a process, in turns.

Speeds taken at different times of day cannot be divided by one another on a machine that others
use. Here each round times the same number of steps of ganbench and then of the plain loop, the
ratio is taken round by round, and its median is reported with its spread. The plain loop runs in a
process of its own, as its script would: what ganbench asks of the allocator does not reach it.

    python benchmarks/ratio.py --variant mlp --rounds 7 --json
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import flags
import torch
import typer
from measuring import measure_each, publish, ratio_text, spread
from plain import PlainLoop
from turns import Turn, steps_in, take
from workloads import MOST_IMAGES, Workload

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_WARMUP_STEPS = 3


@contextmanager
def plain_loop(work: Workload, device: Device) -> Iterator[Callable[[int], Turn]]:
    """Start the plain loop in another process; what is given times so many steps of it.

    Raises:
        UsageError: The plain loop cannot train the variant.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    where = (device.kind, device.index, torch.get_num_threads())
    process = context.Process(target=_serve, args=(there, work, *where), daemon=True)
    process.start()
    there.close()

    def ask(steps: int) -> Turn:
        here.send(steps)
        turn: Turn = here.recv()
        return turn

    try:
        if (refused := here.recv()) is not None:
            raise refused
        yield ask
    finally:
        here.close()
        process.join()


def _serve(pipe: Connection, work: Workload, kind: Any, index: int, threads: int) -> None:
    """Time steps of the plain loop, until nobody asks any more."""
    torch.set_num_threads(threads)
    device = Device(kind, index, vendor={"cuda": torch.cuda, "mps": torch.mps}.get(kind))
    try:
        loop = PlainLoop(work.variant, work.recipe, work.spec, work.native, device.torch)
    except GanbenchError as error:
        pipe.send(error)
        return
    pipe.send(None)
    try:
        while True:
            pipe.send(take(loop, pipe.recv(), device))
    except EOFError:
        return


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
    ours = work.session(device)

    def train(count: int) -> Turn:
        return take(ours, count, device)

    with plain_loop(work, device) as plain:
        # Warm up, and see how long a step takes
        loops = (train, plain)
        for loop in loops:
            loop(_WARMUP_STEPS)
        steps = steps or steps_in(seconds, *(loop(_WARMUP_STEPS) for loop in loops))

        # In turns
        turns = [(train(steps), plain(steps)) for _ in range(rounds)]
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
    variants: Annotated[
        list[str],
        typer.Option("--variant", help="A variant without text; give the option again for more."),
    ] = ["mlp", "dcgan"],  # noqa: B006 - typer copies it
    rounds: flags.Rounds = 7,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 2,
    device: flags.DeviceName = "auto",
    threads: flags.Threads = 0,
    images: flags.MostImages = MOST_IMAGES,
    settings: flags.Settings = None,
    as_json: flags.AsJson = False,
) -> None:
    """Measure how much faster than the plain loop of the source systems ganbench trains."""
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

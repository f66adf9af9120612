"""How much faster than the plain loop does ganbench train? Each in a process, in turns.

Speeds taken at different times of day cannot be divided by one another on a machine that others
use. Here each round times the same number of steps of ganbench and then of the plain loop, the
ratio is taken round by round, and its median is reported with its spread. The plain loop runs in a
process of its own, as its script would: the way in which ganbench sets the allocator does not
affect it.

    python benchmarks/ratio.py --variant mlp --rounds 7 --json
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import flags
import torch
from command import Columns, run_variants
from measuring import described, ratio_text, spread
from plain import PlainLoop
from turns import Turn, steps_in, take
from workloads import Workload

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_WARMUP_STEPS = 3


@contextmanager
def plain_loop(work: Workload, device: Device) -> Iterator[Callable[[int], Turn]]:
    """Start the plain loop in another process; the function given times that many steps of it.

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
    """Time steps of the plain loop, until the other end of the pipe is closed."""
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
    work: Workload,
    device: Device,
    *,
    rounds: flags.Rounds = 7,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 2,
) -> dict[str, Any]:
    """Measure how much faster than the plain loop ganbench trains variants without text."""
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
        **described(work),
        "rounds": rounds,
        "steps_a_turn": steps,
        "ratio": spread(ratios),
        "ganbench_images_per_second": spread([one.images_per_second for one, _ in turns]),
        "plain_images_per_second": spread([other.images_per_second for _, other in turns]),
        "turns": [{"ganbench": asdict(one), "plain": asdict(other)} for one, other in turns],
    }


COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "batch": lambda row: str(row["batch_size"]),
    "size": lambda row: str(row["image_size"]),
    "rounds × steps": lambda row: f"{row['rounds']} × {row['steps_a_turn']}",
    "ganbench": lambda row: f"{row['ganbench_images_per_second']['median']:,.0f}",
    "plain": lambda row: f"{row['plain_images_per_second']['median']:,.0f}",
    "ratio": lambda row: ratio_text(row["ratio"]),
}

if __name__ == "__main__":
    run_variants(
        compare,
        variants=["mlp", "dcgan"],
        title="ganbench against the plain loop, real images per second in training",
        columns=COLUMNS,
    )

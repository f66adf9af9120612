"""What does it cost to stream the training images, instead of keeping them on the device?

Training with the images streamed from a mapped file, and with them resident, in turns in one
process; the ratio is taken round by round. With `--cold` the system is told to forget the file
before each turn of the streamed side, so that every image comes from the disk, as with a dataset
that is larger than memory.

    python benchmarks/streaming.py --variant mlp --rounds 7 --cold --json
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import flags
import torch
import typer
from measuring import measure_each, publish, ratio_text, spread
from turns import steps_in, take
from workloads import MOST_IMAGES, Workload

from ganbench.data import mapping
from ganbench.data.dataset import Split

if TYPE_CHECKING:
    from ganbench.machine.device import Device
    from ganbench.training.session import Session

_WARMUP_STEPS = 10


def streamed_from(file: Path, session: Session) -> Session:
    """The same run, with its images streamed from a file that is written first."""
    images = session.train.images.cpu().permute(0, 2, 3, 1)
    shape = tuple(images.shape)
    written = mapping.create(file, shape)
    written[:] = images.numpy()
    written.flush()
    pixels = mapping.read(file, shape)
    assert pixels is not None
    mapped = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    train = Split(mapped, session.train.labels.cpu(), mapping.file_of(pixels))
    session.clock.pause()
    streamed = replace(session, train=train, streamed=True)
    streamed.clock.start()
    return streamed


def forget(file: Path, session: Session) -> None:
    """Have the system drop what it holds of the file in memory."""
    session.train.release()
    with file.open("rb") as opened:
        os.fsync(opened.fileno())  # what is not on the disk yet would stay
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def compare(
    work: Workload, device: Device, *, rounds: int, steps: int, seconds: float, cold: bool
) -> dict[str, Any]:
    """Run both in turns.

    Args:
        work: The variant and its images.
        device: Where both run.
        rounds: How often each has its turn.
        steps: Of each turn; 0 takes as many as the slower side does in `seconds`.
        seconds: See `steps`.
        cold: Whether the file is dropped from memory before each turn of the streamed side.

    Returns:
        What was measured, and all that it depends on, as JSON holds it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        resident, streamed = work.session(device), streamed_from(file, work.session(device))
        warm = [take(session, _WARMUP_STEPS, device) for session in (resident, streamed)]
        steps = steps or steps_in(seconds, *warm)
        turns = []
        for _ in range(rounds):
            if cold:
                forget(file, streamed)
            turns.append((take(streamed, steps, device), take(resident, steps, device)))
        for session in (resident, streamed):
            session.clock.pause()
    rates = [(one.images_per_second, other.images_per_second) for one, other in turns]
    return {
        "variant": work.name,
        "dataset": f"noise shaped as {work.spec.name}",
        "train_images": work.spec.train_count,
        "image_bytes": resident.train.images.nbytes,
        "batch_size": work.recipe.batch_size,
        "image_size": work.recipe.image_size,
        "recipe": work.recipe.model_dump(),
        "cold": cold,
        "rounds": rounds,
        "steps_a_turn": steps,
        "ratio": spread([one / other for one, other in rates]),
        "streamed_images_per_second": spread([one for one, _ in rates]),
        "resident_images_per_second": spread([other for _, other in rates]),
    }


def main(
    *,
    variants: flags.Variants = ["mlp", "dcgan"],  # noqa: B006 - typer copies it
    rounds: flags.Rounds = 7,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 2,
    cold: Annotated[
        bool, typer.Option("--cold", help="Read from the disk: forget the file before each turn.")
    ] = False,
    device: flags.DeviceName = "auto",
    threads: flags.Threads = 0,
    images: flags.MostImages = MOST_IMAGES,
    settings: flags.Settings = None,
    as_json: flags.AsJson = False,
) -> None:
    """Measure the speed of training on streamed images against that on resident ones."""
    if cold and not hasattr(os, "posix_fadvise"):
        typer.echo("--cold needs a system that can be told to forget a file, as Linux", err=True)
        raise typer.Exit(2)
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
        cold=cold,
    )
    publish(
        "streamed against resident images, real images a second in training",
        ("variant", "batch", "size", "GB", "rounds × steps", "streamed", "resident", "ratio"),
        [
            (
                row["variant"],
                str(row["batch_size"]),
                str(row["image_size"]),
                f"{row['image_bytes'] / 1e9:.2f}",
                f"{row['rounds']} × {row['steps_a_turn']}",
                f"{row['streamed_images_per_second']['median']:,.0f}",
                f"{row['resident_images_per_second']['median']:,.0f}",
                ratio_text(row["ratio"]),
            )
            for row in results
        ],
        results=results,
        conditions=conditions,
        as_json=as_json,
        remark="median (lowest to highest of the rounds) · random images"
        + (" · the file was dropped from memory before each turn" if cold else ""),
    )


if __name__ == "__main__":
    typer.run(main)

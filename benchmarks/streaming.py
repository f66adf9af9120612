"""What does it cost to stream the training images, instead of keeping them on the device?

Training with the images streamed from a mapped file, and with them resident, in turns in one
process; the ratio is taken round by round. With `--cold` the system is asked to drop the file from
memory before each turn with streamed images, so that every image comes from the disk, as with a
dataset that is larger than memory.

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
from command import Columns, run_variants
from measuring import described, ratio_text, spread
from turns import steps_in, take
from workloads import Workload

from ganbench.data import mapping
from ganbench.data.dataset import Split
from ganbench.errors import UsageError
from ganbench.machine.device import Device

if TYPE_CHECKING:
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
    """Have the system drop the file's pages from memory."""
    session.train.release()
    with file.open("rb") as opened:
        os.fsync(opened.fileno())  # pages that are not on the disk yet would stay
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def compare(
    work: Workload,
    device: Device,
    *,
    rounds: flags.Rounds = 7,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 2,
    cold: Annotated[
        bool, typer.Option("--cold", help="Read from the disk: forget the file before each turn.")
    ] = False,
) -> dict[str, Any]:
    """Measure the speed of training on streamed images against that on resident ones."""
    if cold and not hasattr(os, "posix_fadvise"):
        raise UsageError("--cold needs a system that can drop a file from memory, such as Linux")
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
        **described(work),
        "image_bytes": resident.train.images.nbytes,
        "cold": cold,
        "rounds": rounds,
        "steps_a_turn": steps,
        "ratio": spread([one / other for one, other in rates]),
        "streamed_images_per_second": spread([one for one, _ in rates]),
        "resident_images_per_second": spread([other for _, other in rates]),
    }


COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "batch": lambda row: str(row["batch_size"]),
    "size": lambda row: str(row["image_size"]),
    "GB": lambda row: f"{row['image_bytes'] / 1e9:.2f}",
    "rounds × steps": lambda row: f"{row['rounds']} × {row['steps_a_turn']}",
    "streamed": lambda row: f"{row['streamed_images_per_second']['median']:,.0f}",
    "resident": lambda row: f"{row['resident_images_per_second']['median']:,.0f}",
    "ratio": lambda row: ratio_text(row["ratio"]) + (", cold" if row["cold"] else ""),
}

if __name__ == "__main__":
    run_variants(
        compare,
        variants=["mlp", "dcgan"],
        title="streamed against resident images, real images per second in training",
        columns=COLUMNS,
        remark="median (lowest to highest of the rounds) · random images · cold: the file was "
        "dropped from memory before each turn",
    )

"""One point of a sweep: a variant at a batch size, trained for some seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch

from ganbench.data.dataset import Split
from ganbench.data.kinds import form_of
from ganbench.launch.resources import build_session
from ganbench.throughput.flops import count
from ganbench.training.clock import Timing, TrainingClock
from ganbench.training.session import MEASURED_AT_FIRST
from ganbench.training.step import train_step

if TYPE_CHECKING:
    from ganbench.data.dataset import Dataset
    from ganbench.experiment.plan import Job
    from ganbench.machine.device import Device
    from ganbench.training.session import Session

__all__ = ["Point", "Status", "measure_point"]

Status = Literal["ok", "out of memory", "skipped", "failed"]

_WARMUP_SHARE = 0.2  # of the seconds of a point, which it precedes
_WARMUP_STEPS = 2
_FEWEST_STEPS = 3


@dataclass(frozen=True)
class Point:
    """A variant at a batch size. Numbers that were not measured are None, never 0.

    Attributes:
        variant: Its name.
        status: `ok`, `out of memory`, `skipped` after a smaller batch failed, or `failed`.
        reason: Why it is not `ok`, in one line.
        dataset: The dataset whose shape the random images have.
        image_size: Height and width that the networks see, in pixels.
        batch_size: Real images per discriminator step; None where the variant cannot be used.
        timed_steps: Steps from which the speeds are computed.
        images_per_second: Real images consumed per second in steady state.
        step_seconds_median: Median of the timed steps.
        step_seconds_p95: 95th percentile of the timed steps.
        flops_per_image: Counted over one training step, per real image.
        bytes_per_image: Memory that the operators read and write, estimated, per real image.
        peak_memory_bytes: As `Device.peak_memory_bytes` measures it.
        training_precision: `fp32`, `bf16` or `fp16`.
        compiled: Whether the step was translated by torch.compile.
        captured: Whether it was captured as a CUDA graph.
        compile_seconds: Seconds of compiling and capturing, before and apart from the timed steps.
    """

    variant: str
    status: Status
    reason: str = ""
    dataset: str = ""
    image_size: int | None = None
    batch_size: int | None = None
    timed_steps: int | None = None
    images_per_second: float | None = None
    step_seconds_median: float | None = None
    step_seconds_p95: float | None = None
    flops_per_image: float | None = None
    bytes_per_image: float | None = None
    peak_memory_bytes: int | None = None
    training_precision: str | None = None
    compiled: bool | None = None
    captured: bool | None = None
    compile_seconds: float | None = None

    @classmethod
    def of(cls, job: Job, status: Status, reason: str = "") -> Point:
        """A point without measurements."""
        return cls(
            variant=job.variant,
            status=status,
            reason=reason,
            dataset=job.spec.name,
            image_size=job.image_size,
            batch_size=job.recipe["batch_size"],
            training_precision=job.execution.precision,
            compiled=job.execution.compile,
            captured=job.execution.cuda_graphs,
        )


def measure_point(job: Job, dataset: Dataset, device: Device, seconds: float) -> Point:
    """Train a job's networks for some seconds, in steady state.

    Errors of the variant's code or the device are passed on.

    Args:
        job: The variant and its numbers.
        dataset: Random images of the job's shape.
        device: Where to train.
        seconds: Length on the training clock, after a warm-up of a fifth of it; at least three
            steps.
    """
    device.reset_peak_memory()
    with torch.random.fork_rng(devices=[]):
        at_size = form_of(job.spec).at_size
        images = at_size(dataset.train.images, job.image_size).to(device.torch)
        train = Split(images, dataset.train.labels.to(device.torch))
        session = build_session(job, train, device)
        session.steps = MEASURED_AT_FIRST  # earlier steps are all measured for the history
        session.state.train()
        _run(session, seconds * _WARMUP_SHARE, _WARMUP_STEPS)
        timing = _run(session, seconds, _FEWEST_STEPS)
        device.note_memory()
        peak_memory = device.peak_memory_bytes()
        batches = session.batches()
        # eagerly: compiled parts hide their operators from the count
        work = count(lambda: train_step(session.state, batches))
    consumed = session.images_a_step
    measured: dict[str, Any] = {
        "timed_steps": len(timing.step_seconds),
        "images_per_second": timing.images_per_second,
        "step_seconds_median": timing.median,
        "step_seconds_p95": timing.p95,
        "flops_per_image": work.flops / consumed,
        "bytes_per_image": work.bytes_moved / consumed,
        "peak_memory_bytes": peak_memory,
        "compile_seconds": session.compile_seconds,
    }
    return replace(Point.of(job, "ok"), **measured)


def _run(session: Session, seconds: float, steps: int) -> Timing:
    """Train for some seconds, but at least some steps, on a clock of their own."""
    clock = session.clock = TrainingClock(session.device)
    before = session.steps
    clock.start()
    try:
        while session.steps - before < steps or clock.seconds < seconds:
            session.advance()
    finally:
        clock.pause()
    return Timing(0, tuple(clock.step_seconds), session.images_a_step, clock.seconds)

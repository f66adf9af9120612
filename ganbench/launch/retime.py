"""Speeds of a finished run, measured again with nothing else running.

Runs side by side share the machine, and so do their speeds. Here a fresh session of the same job
does steps as its run did them, with all threads, and only its speeds are kept.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from ganbench.errors import GanbenchError
from ganbench.launch.failures import VariantFailure, from_variant, variant_code
from ganbench.launch.recorder import write_step_seconds
from ganbench.machine.interrupt import Stopped, StopRequest
from ganbench.scoring import draw
from ganbench.training.loop import train
from ganbench.training.session import MEASURED_AT_FIRST, Diverged
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.resources import Resources
    from ganbench.training.clock import Timing
    from ganbench.training.session import Session

__all__ = ["time_alone"]

_SECONDS = 5.0
_FEWEST_STEPS = 6
_SAMPLING_SECONDS = 2.0
_NEVER = Budget(1e12, "steps")


def time_alone(job: Job, resources: Resources) -> StoredRun:
    """Replace the shared speeds of a finished run by those of some seconds alone, and store it.

    Peak memory and the training time stay those of the run itself. A run that fails or diverges
    before enough steps are timed keeps its shared speeds.

    Args:
        job: What was run.
        resources: Where the run is stored, and what it needs.

    Raises:
        Stopped: An interrupt came; the run is as it was.
        UsageError: The run cannot be written.
        GanbenchError: The run is not there.
    """
    run = resources.folder.find(job.id)
    if run is None:
        raise GanbenchError(f"{job.id} has no results in {resources.folder.path}")
    before, now = run.result.device_name, resources.device.name
    if before != now:
        resources.display.say(
            f"{job.label}: its speeds stay shared, as it was trained on {before} and this is {now}"
        )
        return run
    resources.display.update(f"{job.label}: timed alone", 0, 0)
    try:
        session = resources.session(job)
        timing = _time_steps(job, session)
        sampling = None
        if run.result.sample_images_per_second:
            with variant_code(job):
                sampling = _sampling_rate(session)
    except (Diverged, VariantFailure) as error:
        resources.display.say(f"{job.label}: its speeds stay shared, {error}")
        return run
    environment = {**run.result.environment, "timing_threads": torch.get_num_threads()}
    result = replace(
        run.result,
        images_per_second=timing.images_per_second,
        warmup_steps=timing.warmup_steps,
        timed_steps=len(timing.step_seconds),
        step_seconds_median=timing.median,
        step_seconds_p95=timing.p95,
        sample_images_per_second=sampling,
        timing_shared=False,
        environment=environment,
    )
    write_step_seconds(run.path, session)
    return resources.folder.amend(result)


def _time_steps(job: Job, session: Session) -> Timing:
    """Train for some seconds, but at least some steps.

    Raises:
        Diverged: A loss is not finite.
        VariantFailure: The variant's code or a step raised something.
        Stopped: An interrupt came.
    """
    session.steps = MEASURED_AT_FIRST  # before that, every step is measured
    with StopRequest() as request:
        for budget in (
            Budget(_SECONDS, "s"),
            Budget(MEASURED_AT_FIRST + _FEWEST_STEPS, "steps"),
        ):
            events = train(session, budget, _NEVER, stop=lambda: request.asked)
            if any(event.kind == "stop" for event in from_variant(job, events)):
                raise Stopped
    if request.asked:
        raise Stopped
    return session.clock.timing(session.images_a_step)


def _sampling_rate(session: Session) -> float:
    """Images drawn per second; their number is counted, not what they show."""
    state, device = session.state, session.device
    latent = draw.latents(state, draw.BATCH_SIZE, session.seed, "evaluation latents")
    conditions = None
    if session.conditions is not None:
        conditions = draw.in_turn(session.conditions.cpu(), draw.BATCH_SIZE)
    draw.draw(state, device, latent, conditions)  # warms up
    device.synchronize()
    begun, drawn, seconds = time.perf_counter(), 0, 0.0
    while seconds < _SAMPLING_SECONDS:
        drawn += len(draw.draw(state, device, latent, conditions))
        device.synchronize()
        seconds = time.perf_counter() - begun
    return drawn / seconds

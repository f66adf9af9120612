"""One job, from its record to its folder: train, sample, score, store."""

from __future__ import annotations

import traceback
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import torch

from ganbench.errors import UsageError
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import write_text
from ganbench.launch.recorder import Recorder
from ganbench.machine import environment
from ganbench.machine.device import peak_host_memory_bytes, reset_peak_host_memory
from ganbench.machine.interrupt import StopRequest
from ganbench.scoring.evaluate import evaluate
from ganbench.scoring.over_training import ScoresOverTraining
from ganbench.training.loop import Stopped, train
from ganbench.training.session import Diverged

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.resources import Resources

__all__ = ["run_job"]

_SHARED = ".timing-shared"  # in the folder of a run some of whose steps ran beside other runs


def run_job(job: Job, resources: Resources) -> StoredRun:
    """Do one job and store it; what fails becomes a row with a status and a reason.

    A run that was interrupted before goes on from its checkpoint.

    Raises:
        UsageError: The dataset is not there, or the device refuses.
        Stopped: The run was asked to stop; it has been saved.
    """
    basis = RunResult(
        run_id=job.id,
        status="failed",
        variant=job.variant,
        dataset=job.spec.name,
        seed=job.seed,
        device=resources.device.kind,
        device_name=resources.device.name,
        request=job.request,
        asked=job.asked,
        recipe=job.recipe,
        dataset_fields=asdict(job.spec),
        budget=str(job.budget),
        environment=environment.describe(resources.device),
        command=resources.command,
        training_precision=job.execution.precision,
        compiled=job.execution.compile,
        captured=job.execution.cuda_graphs,
    )
    partial = resources.folder.open_run(job.id)
    try:
        with torch.random.fork_rng():
            return resources.folder.finish(_train_and_score(job, resources, basis, partial))
    except (UsageError, Stopped):
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        write_text(partial / "error.txt", traceback.format_exc())
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return resources.folder.finish(replace(basis, status="failed", reason=reason[:500]))


def _train_and_score(job: Job, resources: Resources, basis: RunResult, partial: Path) -> RunResult:
    device = resources.device
    shared = partial / _SHARED
    if resources.is_shared:
        shared.touch()
    over_training = None
    if job.evaluate_every is not None:
        over_training = ScoresOverTraining(
            resources.reference(job), device, resources.display.report
        )
    device.reset_peak_memory()
    reset_peak_host_memory()
    session = resources.session(job)
    recorder = Recorder(job, partial, resources.display, over_training)
    recorder.resume(session)

    # Train
    status, reason = "ok", ""
    if job.execution.is_prepared:
        resources.display.say(
            f"{job.id}: preparing the step ({job.execution.text}), which may take a minute"
        )
    with StopRequest() as request:
        try:
            train(
                session,
                job.budget,
                job.sample_every,
                recorder.hooks(request),
                job.evaluate_every,
            )
            session.check_finite()
        except Diverged as error:
            status, reason = "diverged", str(error)

    # Store what training leaves
    timing = session.clock.timing(session.images_a_step)
    trained = replace(
        basis,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        environment={
            **basis.environment,
            "images": "streamed" if session.streamed else "resident",
        },
        variant_title=job.title,
        steps=session.steps,
        images_seen=session.images_seen,
        epochs=session.epochs,
        train_seconds=timing.train_seconds,
        images_per_second=timing.images_per_second,
        warmup_steps=timing.warmup_steps,
        timed_steps=len(timing.step_seconds),
        step_seconds_median=timing.quantile(0.5),
        step_seconds_p95=timing.quantile(0.95),
        compile_seconds=session.compile_seconds,
        phase_seconds=session.phase_seconds,
        timing_shared=shared.exists() if timing.step_seconds else None,
        peak_memory_bytes=device.peak_memory_bytes(),
        peak_host_memory_bytes=peak_host_memory_bytes(),
        parameters_generator=_parameters(session.state.generator),
        parameters_discriminator=_parameters(session.state.discriminator),
    )
    if status != "ok":
        recorder.save(session)
        return trained

    # Sample and score
    if over_training is not None and not over_training.is_at(session):
        recorder.evaluate(session)
    recorder.save(session)
    recorder.draw_samples(session)
    recorder.draw_beside_real(session)
    reference = resources.reference(job)  # may train the judge, which no step waited for
    with recorder.outside("evaluation"), session.isolated_rng("evaluation"):
        scored = evaluate(session, reference, device, resources.display.report)
        told = over_training.summary(session) if over_training is not None else {}
    return replace(
        trained,
        over_training=told,
        outside_seconds=recorder.outside_seconds,
        scores=scored.scores,
        class_histogram=scored.class_histogram,
        class_scores=scored.class_scores,
        sample_images_per_second=scored.sample_images_per_second,
        backbone=scored.protocol.backbone,
        protocol=scored.protocol.hash,
        protocol_fields=asdict(scored.protocol),
    )


def _parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())

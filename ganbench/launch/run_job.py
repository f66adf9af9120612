"""One job, from its record to its folder: train, sample, score, store."""

from __future__ import annotations

import traceback
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.conditions import conditions_of
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import today, write_text, writing
from ganbench.launch.failures import VariantFailure, from_variant, variant_code
from ganbench.launch.frozen_job import score_frozen
from ganbench.launch.recorder import Recorder, write_step_seconds
from ganbench.launch.sample_grids import SampleGrids
from ganbench.launch.scores_recorder import ScoresRecorder
from ganbench.launch.seconds_outside import SecondsOutside
from ganbench.launch.take_over import take_over
from ganbench.launch.timings import store_cost
from ganbench.launch.tracking import Tracking
from ganbench.launch.trained_under import TrainedUnder
from ganbench.launch.training_memory import TrainingMemory
from ganbench.launch.training_progress import TrainingProgress
from ganbench.machine import environment
from ganbench.machine.interrupt import Stopped, StopRequest
from ganbench.machine.ranks import RankLost
from ganbench.machine.torch_settings import preserved_settings
from ganbench.scoring.evaluate import evaluate
from ganbench.scoring.over_training import ScoresOverTraining
from ganbench.scoring.reference_rows import reference_rows
from ganbench.training.loop import train
from ganbench.training.session import Diverged
from ganbench.training.state import count_parameters
from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.resources import Resources
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["run_job", "store_failure"]

_SHARED = ".timing-shared"  # in the folder of a run some of whose steps ran beside other runs
_LONGEST_REASON = 500  # characters


def run_job(job: Job, resources: Resources) -> StoredRun:
    """Do one job and store it; what fails in it becomes a row with a status and a reason.

    A run that was interrupted before goes on from its checkpoint.

    Raises:
        UsageError: The dataset is not there, the device refuses, or the results cannot be written.
        Stopped: The run was asked to stop; what it had done has been saved.
        RankLost: Another process of the run is gone.
    """
    basis = _basis(job, resources)
    folder = resources.folder.open_run(job.id)
    tracking = Tracking(resources.track, job, folder, basis, resources)
    try:
        result = (
            score_frozen(job, resources, folder, basis)
            if job.frozen
            else _Run(job, resources, folder, basis, tracking).complete()
        )
    except (UsageError, Stopped, RankLost):
        tracking.interrupt()
        raise
    except OSError as error:
        tracking.interrupt()
        why = " ".join(str(error).split())
        raise UsageError(f"{job.id}: {why}; once that is mended, the same command goes on") from (
            error
        )
    except Exception as error:  # noqa: BLE001 - whatever failed, the other runs go on
        with writing(folder / "error.txt"):
            write_text(folder / "error.txt", traceback.format_exc())
        is_variants = isinstance(error, VariantFailure)
        text = " ".join(str(error).split())
        reason = text if is_variants else f"{type(error).__name__}: {text}"
        result = _failed(basis, reason)
    tracking.end(result)
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is gone, which somebody has removed or moved: what the run left is lost; "
            "the same command does it again"
        )
    store_cost(resources.cache_root, job, result, today())
    return resources.folder.finish(result)


def store_failure(job: Job, resources: Resources, reason: str) -> StoredRun:
    """Store a job that has failed in another process than the one that keeps its files.

    Raises:
        UsageError: The results cannot be written.
    """
    resources.folder.open_run(job.id)
    return resources.folder.finish(_failed(_basis(job, resources), reason))


def _failed(basis: RunResult, reason: str) -> RunResult:
    return replace(basis, status="failed", reason=quoted(reason, _LONGEST_REASON))


def _basis(job: Job, resources: Resources) -> RunResult:
    """What is known of a run before it begins."""
    return RunResult(
        run_id=job.id,
        status="failed",
        variant=job.variant,
        dataset=job.spec.name,
        seed=job.seed,
        device=resources.device.kind,
        device_name=resources.device.name,
        request=job.request,
        source_hash=job.source_hash,
        asked=job.asked,
        recipe=job.recipe,
        dataset_fields=job.spec.fields,
        budget=job.budget_text,
        environment={
            **environment.describe(resources.device),
            "processes_per_run": job.processes,
        },
        command=resources.command,
        training_precision=job.execution.precision,
        compiled=job.execution.compile,
        captured=job.execution.cuda_graphs,
        notes=job.data_notes,
    )


@dataclass
class _Run:
    """A job while it is done: its session, and the observers of its training.

    Args:
        job: What to do.
        resources: Where, and with what.
        folder: Of the run that is not finished.
        basis: The record to be filled.
        tracking: The trackers that follow it.
    """

    job: Job
    resources: Resources
    folder: Path
    basis: RunResult
    tracking: Tracking
    outside: SecondsOutside = field(default_factory=SecondsOutside)
    memory: TrainingMemory = field(init=False)
    trained_under: TrainedUnder = field(init=False)

    def __post_init__(self) -> None:
        self.memory = TrainingMemory(self.resources.device)
        self.trained_under = TrainedUnder(conditions_of(self.basis))

    def complete(self) -> RunResult:
        """Train, sample and score; the complete record is returned."""
        job, resources, folder = self.job, self.resources, self.folder
        if resources.is_shared:
            (folder / _SHARED).touch()

        # Build the networks before anything that scores, and go on where the run stands
        session = resources.session(job)
        recorder = Recorder(job.id, folder, self.outside)
        recorder.add("memory", self.memory)
        recorder.add("trained_under", self.trained_under)
        take_over(job, resources, folder)
        if recorder.resume(session):
            resources.display.say(f"{job.label}: goes on at step {session.steps:,}")
        session.begin_together()
        if changed := self.trained_under.go_on(session.steps):
            resources.display.say(f"{job.label}: {changed}")
        self.tracking.start(session)
        self._prepare(session)
        self.memory.begin()
        scores = scores_recorder = None
        if job.evaluate_every is not None:
            scores = self._scores_over_training(session)
            recorder.add("over_training", scores)
            scores_recorder = ScoresRecorder(
                job, folder, scores, resources.display, self.outside, self.memory
            )
            recorder.add("evaluation", scores_recorder)
        grids = SampleGrids(job, folder, self.outside)
        self.tracking.wait_until_open(scores)
        observers: list[Callable[[Event], None]] = [
            TrainingProgress(job, resources.display),
            grids,
            *([scores_recorder] if scores_recorder else []),
            self.tracking,
            recorder,
        ]

        # Train; a request to stop that comes at the end waits for the last steps to be saved
        with StopRequest() as request:
            divergence = self._train(session, observers, recorder, scores_recorder)
            trained = self._trained(session, divergence)
            write_step_seconds(folder, session)
            recorder.save(session)
            session.part()
        if request.asked:
            raise Stopped
        if divergence:
            return trained

        # Sample and score; a request to stop may come at any time, and costs no step
        if scores_recorder is not None:
            scores_recorder.evaluate_at_end(session)
            recorder.save(session)
        grids.draw(session)
        grids.draw_beside_real(session)
        grids.animate()
        return self._scored(session, trained, scores)

    def _prepare(self, session: Session) -> None:
        """Do what comes before the first step.

        Raises:
            VariantFailure: The variant's code raised something, or cannot be compiled or captured.
        """
        job = self.job
        if job.execution.is_prepared:
            self.resources.display.say(
                f"{job.label}: preparing the step ({job.execution.text}), which may take a minute"
            )
        with (
            self.outside.measure("first_use"),
            preserved_settings(),
            variant_code(job, but=(OSError,)),  # images may be read from a disk
        ):
            session.prepare()

    def _scores_over_training(self, session: Session) -> ScoresOverTraining:
        """What scores the run while it trains; reading or training the classifier is left out."""
        resources = self.resources
        with self.memory.left_out(session.train), session.isolated_rng("reference"):
            reference = resources.reference(self.job)
        return ScoresOverTraining(reference, resources.device, resources.display.report)

    def _train(
        self,
        session: Session,
        observers: list[Callable[[Event], None]],
        recorder: Recorder,
        scores_recorder: ScoresRecorder | None,
    ) -> str:
        """Train to the end of the budget; say why training diverged, or nothing.

        Raises:
            VariantFailure: The variant's code or a step raised something.
            UsageError: An observer cannot write.
            Stopped: The run was asked to stop; it has been saved.
        """
        job = self.job
        try:
            with StopRequest() as request, preserved_settings():
                if scores_recorder is not None:
                    scores_recorder.request = request
                    if scores_recorder.is_due:  # a request to stop came in the middle of it
                        scores_recorder.evaluate(session)
                events = train(
                    session, job.budget, job.sample_every, job.evaluate_every, lambda: request.asked
                )
                for event in from_variant(job, events):
                    try:
                        for observer in observers:
                            observer(event)
                    except Stopped:  # in the middle of an evaluation
                        recorder.save(session)
                        raise
                    if event.kind == "stop":
                        raise Stopped
            if scores_recorder is not None:
                scores_recorder.request = None
            if request.asked:  # after the last step
                recorder.save(session)
                raise Stopped
            with variant_code(job):
                session.check_finite()
        except Diverged as error:
            return str(error)
        return ""

    def _trained(self, session: Session, divergence: str) -> RunResult:
        """The record of a run that is trained."""
        timing = session.clock.timing(session.images_a_step)
        images = "streamed" if session.streamed else "resident"
        return replace(
            self.basis,
            status="diverged" if divergence else "ok",
            reason=divergence,
            environment={**self.basis.environment, "images": images},
            notes=(*self.basis.notes, *self.trained_under.notes),
            variant_title=self.job.title,
            steps=session.steps,
            images_seen=session.images_seen,
            epochs=session.epochs,
            train_seconds=timing.train_seconds,
            images_per_second=timing.images_per_second,
            warmup_steps=timing.warmup_steps,
            timed_steps=len(timing.step_seconds),
            step_seconds_median=timing.median,
            step_seconds_p95=timing.p95,
            compile_seconds=session.compile_seconds,
            phase_seconds=session.phase_seconds,
            timing_shared=(self.folder / _SHARED).exists() if timing.step_seconds else None,
            ema=session.state.average is not None,
            peak_memory_bytes=self.memory.device_bytes,
            peak_host_memory_bytes=self.memory.host_bytes,
            parameters_generator=count_parameters(session.state.generator),
            parameters_discriminator=count_parameters(session.state.discriminator),
        )

    def _scored(
        self, session: Session, trained: RunResult, scores: ScoresOverTraining | None
    ) -> RunResult:
        """The record of a run that is trained and scored."""
        device, report = self.resources.device, self.resources.display.report
        reference = self.resources.reference(self.job)  # may train the classifier
        with (
            self.outside.measure("evaluation"),
            variant_code(self.job, but=(UsageError, OSError)),
            session.isolated_rng("evaluation"),
        ):
            evaluation = evaluate(session, reference, device, report, self.job.noise)
            over_training = scores.summary(session) if scores is not None else {}
        for note in evaluation.notes:
            self.resources.display.say(f"{self.job.label}: {note}")
        with self.outside.measure("evaluation"):
            references = reference_rows(
                reference, self.job.image_size, self.resources.cache_root, report
            )
        return replace(
            trained,
            references=references,
            over_training=over_training,
            outside_seconds=self.outside.state_dict(),
            scores=evaluation.scores,
            class_histogram=evaluation.class_histogram,
            class_scores=evaluation.class_scores,
            notes=(*trained.notes, *evaluation.notes),
            sample_images_per_second=evaluation.sample_images_per_second,
            backbone=evaluation.protocol.backbone,
            protocol=evaluation.protocol.hash,
            protocol_fields=asdict(evaluation.protocol),
        )

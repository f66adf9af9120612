"""One job, from its record to its folder: train, sample, score, store."""

from __future__ import annotations

import csv
import io
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ganbench import data, environment, sample
from ganbench.data.dataset import Dataset, Split, resize
from ganbench.device import peak_host_memory_bytes, reset_peak_host_memory
from ganbench.errors import UsageError
from ganbench.evaluate import Reference, evaluate
from ganbench.features import obtain_backbone, real_features
from ganbench.interrupt import StopRequest
from ganbench.registry import resolve
from ganbench.result import RunResult
from ganbench.step import TrainState
from ganbench.store import ResultsFolder, StoredRun, write_text
from ganbench.train import HISTORY_COLUMNS, Diverged, Hooks, Session, Stopped, train
from ganbench.variant import DatasetSpec

if TYPE_CHECKING:
    from ganbench.device import Device
    from ganbench.plan import Job
    from ganbench.progress import Display

__all__ = ["GRID_COUNT", "Workshop", "load_trained", "run_job"]

GRID_COUNT = 64
_SHOW_EVERY_SECONDS = 0.25
_SAVE_AT_LEAST_SECONDS = 20.0
_SAVE_AT_MOST_SECONDS = 180.0


@dataclass
class Workshop:
    """What the jobs of a plan share: places, the device, and what was read before.

    Attributes:
        folder: Where results go.
        device: Where networks run.
        data_root: Where datasets are looked for.
        cache_root: Where decoded images, classifiers and features are kept.
        display: Where progress is shown.
        inception_weights: A file with the Inception weights, or None.
        command: As the user gave it.
    """

    folder: ResultsFolder
    device: Device
    data_root: Path
    cache_root: Path
    display: Display
    inception_weights: Path | None = None
    command: str = ""
    _datasets: dict[tuple[str, int], Dataset] = field(default_factory=dict)
    _references: dict[tuple[str, str], Reference] = field(default_factory=dict)

    def dataset(self, job: Job) -> Dataset:
        """Read a job's dataset, once.

        Raises:
            DataError: It is not there or cannot be read.
        """
        key = (job.spec.name, job.image_size)
        if key not in self._datasets:
            self._datasets[key] = data.load(
                job.spec.name,
                data_root=self.data_root,
                cache_root=self.cache_root,
                image_size=job.image_size,
                report=self.display.report,
            )
        return self._datasets[key]

    def reference(self, job: Job) -> Reference:
        """Prepare the real side of a job's scores, once a dataset."""
        dataset = self.dataset(job)
        key = (dataset.fingerprint, job.backbone)
        if key not in self._references:
            backbone = obtain_backbone(
                job.backbone,
                dataset,
                self.device.torch,
                self.cache_root,
                self.inception_weights,
                self.display.report,
            )
            self.display.say(f"{dataset.spec.name}: {backbone.reason}")
            self._references[key] = Reference(
                dataset,
                backbone,
                real_features(backbone, dataset, self.cache_root, self.display.report),
                backbone.extract(dataset.test.images, self.display.report),
            )
        return self._references[key]

    def session(self, job: Job) -> Session:
        """Build a job's networks and lay its images on the device."""
        (found,) = resolve([job.request])
        dataset = self.dataset(job)
        where = self.device.torch
        recipe = found.variant.recipe.override(job.recipe)
        images = resize(dataset.train.images, job.image_size).to(where)
        return Session(
            state=TrainState.create(found.variant, recipe, job.spec, where, job.seed),
            train=Split(images, dataset.train.labels.to(where)),
            captions=job.spec.captions,
            device=self.device,
            seed=job.seed,
        )


def run_job(job: Job, workshop: Workshop) -> StoredRun:
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
        device=workshop.device.kind,
        device_name=workshop.device.name,
        request=job.request,
        recipe=job.recipe,
        dataset_fields=asdict(job.spec),
        budget=str(job.budget),
        environment=environment.describe(workshop.device),
        command=workshop.command,
    )
    partial = workshop.folder.partial_path(job.id)
    partial.mkdir(parents=True, exist_ok=True)
    try:
        with torch.random.fork_rng():
            return workshop.folder.finish(_train_and_score(job, workshop, basis, partial))
    except (UsageError, Stopped):
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        write_text(partial / "error.txt", traceback.format_exc())
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return workshop.folder.finish(replace(basis, status="failed", reason=reason[:500]))


def _train_and_score(job: Job, workshop: Workshop, basis: RunResult, partial: Path) -> RunResult:
    device = workshop.device
    reference = workshop.reference(job)
    device.reset_peak_memory()
    reset_peak_host_memory()
    (found,) = resolve([job.request])
    session = workshop.session(job)
    _resume(session, partial, workshop.display)

    # Train
    status, reason = "ok", ""
    with StopRequest() as request:
        hooks = _Watch(job, workshop, partial, request).hooks()
        try:
            train(session, job.budget, job.sample_every, hooks)
        except Diverged as error:
            status, reason = "diverged", str(error)

    # Store what training leaves
    timing = session.clock.timing(session.images_a_step)
    trained = replace(
        basis,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        variant_title=found.variant.title,
        steps=session.steps,
        images_seen=session.images_seen,
        epochs=session.epochs,
        train_seconds=timing.train_seconds,
        images_per_second=timing.images_per_second,
        warmup_steps=timing.warmup_steps,
        timed_steps=len(timing.step_seconds),
        step_seconds_median=timing.quantile(0.5),
        step_seconds_p95=timing.quantile(0.95),
        peak_memory_bytes=device.peak_memory_bytes(),
        peak_host_memory_bytes=peak_host_memory_bytes(),
        parameters_generator=_parameters(session.state.generator),
        parameters_discriminator=_parameters(session.state.discriminator),
    )
    _save_checkpoint(session, partial)
    _write_history(session, partial)
    if status != "ok":
        return trained

    # Sample and score
    _draw_samples(session, partial)
    _draw_beside_real(session, partial)
    scored = evaluate(session, reference, device, workshop.display.report)
    return replace(
        trained,
        scores=scored.scores,
        class_histogram=scored.class_histogram,
        sample_images_per_second=scored.sample_images_per_second,
        backbone=scored.protocol.backbone,
        protocol=scored.protocol.hash,
        protocol_fields=asdict(scored.protocol),
    )


class _Watch:
    """Looks after a run between its steps: progress, samples, checkpoints."""

    def __init__(self, job: Job, workshop: Workshop, partial: Path, request: StopRequest) -> None:
        self._job = job
        self._display = workshop.display
        self._partial = partial
        self._request = request
        self._shown = 0.0
        self._saved = time.monotonic()

    def hooks(self) -> Hooks:
        return Hooks(
            stepped=self._show,
            samples=lambda session: _draw_samples(session, self._partial),
            save=self._save,
            save_due=self._save_due,
            stop=lambda: self._request.asked,
        )

    def _show(self, session: Session) -> None:
        now = time.monotonic()
        budget = self._job.budget
        limit = budget.steps(
            batch_size=session.images_a_step, train_count=len(session.train.labels)
        )
        done, total = (
            (session.clock.seconds, budget.seconds) if limit is None else (session.steps, limit)
        )
        if done < total and now - self._shown < _SHOW_EVERY_SECONDS:
            return
        self._shown = now
        row = session.history[-1]
        rate = session.images_seen / max(session.clock.seconds, 1e-9)
        detail = (
            f"step {session.steps} · {rate:,.0f} images/s · "
            f"D loss {row['d_loss']:.2f} · G loss {row['g_loss']:.2f} · "
            f"D(x) {row['d_real']:.2f} · "
            f"D(G(z)) {row['d_fake_before']:.2f}/{row['d_fake_after']:.2f}"
        )
        self._display.update(
            f"{self._job.variant} · {self._job.spec.name} · seed {self._job.seed}",
            done,
            total,
            detail,
        )

    def _save_due(self, epoch_ended: bool) -> bool:  # noqa: FBT001 - one question, one answer
        waited = time.monotonic() - self._saved
        return waited > (_SAVE_AT_LEAST_SECONDS if epoch_ended else _SAVE_AT_MOST_SECONDS)

    def _save(self, session: Session) -> None:
        _save_checkpoint(session, self._partial)
        _write_history(session, self._partial)
        self._saved = time.monotonic()


def _save_checkpoint(session: Session, folder: Path) -> None:
    temporary = folder / ".checkpoint.pt"
    torch.save(session.checkpoint(), temporary)
    temporary.replace(folder / "checkpoint.pt")


def _resume(session: Session, folder: Path, display: Display) -> None:
    """Go on from the checkpoint in a folder, where there is one that can be read."""
    file = folder / "checkpoint.pt"
    if not file.exists():
        return
    try:
        values = torch.load(file, weights_only=True, map_location="cpu")
        session.restore(values)
    except Exception as error:
        raise UsageError(
            f"checkpoint {file} cannot be read ({type(error).__name__}): remove it, or give --fresh"
        ) from error
    display.say(
        f"{folder.name.strip('.').removesuffix('.partial')}: goes on at step {session.steps}"
    )


def _write_history(session: Session, folder: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HISTORY_COLUMNS)
    for row in session.history:
        writer.writerow([f"{row[name]:.6g}" for name in HISTORY_COLUMNS])
    write_text(folder / "history.csv", text.getvalue())


def _parameters(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def fixed_images(session: Session, count: int = GRID_COUNT) -> torch.Tensor:
    """Draw the same latents again, class after class where there are classes."""
    latent = sample.latents(session.state, count, session.seed, "fixed noise")
    conditions = None
    if session.conditions is not None:
        classes = torch.arange(count) % len(session.conditions)
        conditions = session.conditions.cpu()[classes]
    return sample.draw(session.state, session.device, latent, conditions)


def _draw_samples(session: Session, folder: Path) -> None:
    target = folder / "samples" / f"step-{session.steps:07d}.png"
    target.parent.mkdir(exist_ok=True)
    sample.grid(fixed_images(session)).save(target, optimize=True)


def _draw_beside_real(session: Session, folder: Path) -> None:
    """Real images on the left, generated ones on the right."""
    real = sample.titled(sample.grid(session.real_examples(GRID_COUNT)), "real")
    fake = sample.titled(sample.grid(fixed_images(session)), "generated")
    target = folder / "samples" / "real-and-fake.png"
    sample.beside(real, fake).save(target, optimize=True)


def load_trained(run: StoredRun, device: Device) -> tuple[TrainState, DatasetSpec]:
    """Rebuild the networks of a finished run from its folder.

    Raises:
        UsageError: The run has no checkpoint, or its variant is not what it was.
    """
    result = run.result
    if not run.checkpoint.exists():
        raise UsageError(
            f"{run.path} has no checkpoint.pt to sample from (checkpoints are not committed): "
            f"run it again with {result.command or 'ganbench run'}"
        )
    (found,) = resolve([result.request or result.variant])
    recipe = found.variant.recipe.override(result.recipe)
    fields = dict(result.dataset_fields)
    spec = DatasetSpec(**{**fields, "class_names": tuple(fields["class_names"])})
    state = TrainState.create(found.variant, recipe, spec, device.torch, result.seed)
    values = torch.load(run.checkpoint, weights_only=True, map_location=device.torch)
    try:
        state.load_state_dict(values["networks"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{run.checkpoint} does not fit variant {result.variant!r} as it is now: "
            "its source has changed since the run"
        ) from error
    return state, spec

"""What the jobs of a plan share: places, the device, and what was read before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench import data
from ganbench.data import cache
from ganbench.data.dataset import Dataset, Split
from ganbench.data.resized import training_split
from ganbench.errors import ContractError
from ganbench.experiment.store import ResultsFolder
from ganbench.launch.failures import variant_code
from ganbench.machine.device import Device, choose
from ganbench.machine.torch_settings import preserved_settings
from ganbench.scoring.backbones.backbone import check_backbone, obtain_backbone, obtain_network
from ganbench.scoring.backbones.classifier import training_notice
from ganbench.scoring.reference import Reference
from ganbench.training.batches import place
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.machine.ranks import Ranks

__all__ = ["Resources", "build_session"]


@dataclass
class Resources:
    """What the jobs of a plan share: places, the device, and what was read before.

    Attributes:
        folder: Where results go.
        device: Where networks run.
        data_root: Where datasets are looked for.
        cache_root: Where decoded images, classifiers and features are kept.
        display: Where progress is shown.
        inception_weights: A file with the Inception weights, or None.
        command: As the user gave it.
        is_shared: Whether other runs have a part of the machine meanwhile.
        track: Names of the trackers that follow each run.
        ranks: This process among those of its run, or None.
    """

    folder: ResultsFolder
    device: Device
    data_root: Path
    cache_root: Path
    display: Display
    inception_weights: Path | None = None
    command: str = ""
    is_shared: bool = False
    track: tuple[str, ...] = ()
    ranks: Ranks | None = None
    _datasets: dict[tuple[str, int], Dataset] = field(default_factory=dict)
    _references: dict[tuple[str, str], Reference] = field(default_factory=dict)
    _splits: dict[tuple[str, int], Split] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        context: CommandContext,
        display: Display,
        *,
        is_shared: bool = False,
        device: str | None = None,
    ) -> Resources:
        """Take the device that a command has chosen into this process, and build the rest on it.

        Args:
            context: What all jobs of the command share.
            display: Where progress is shown.
            is_shared: Whether other runs have a part of the machine meanwhile.
            device: Another one than the command's, for one of several processes of a run.
        """
        chosen = choose(device or context.device)
        chosen.activate()
        return cls(
            folder=context.folder,
            device=chosen,
            data_root=context.data_root,
            cache_root=context.cache_root,
            display=display,
            inception_weights=context.inception_weights,
            command=context.command,
            is_shared=is_shared,
            track=context.track,
        )

    def dataset(self, job: Job) -> Dataset:
        """Read a job's dataset, once for all sizes that it is stored alike for.

        Raises:
            DataError: It is not there or cannot be read.
        """
        key = (job.spec.name, data.reading_size(job.spec.name, job.image_size))
        if key not in self._datasets:
            self._datasets[key] = data.load(
                job.spec.name,
                data_root=self.data_root,
                cache_root=self.cache_root,
                image_size=job.image_size,
                report=self.display.report,
            )
        return self._datasets[key]

    def prepare(self, job: Job) -> None:
        """Read all that a job needs and that may be missing.

        The classifier is always to be had, so that its training can wait until it is asked for.

        Raises:
            DataError: The dataset or the weights of a backbone are not there or cannot be read, or
                the cache cannot be written.
        """
        if job.spec.kind != "points":  # before images are decoded, which may take minutes
            check_backbone(job.backbone, self.cache_root, self.inception_weights)
        dataset = self.dataset(job)
        if dataset.spec.kind == "points":
            return
        classifiers = self.cache_root / "classifiers"
        if not any(classifiers.glob(f"{dataset.fingerprint}-*")):
            cache.folder(classifiers)
        if job.backbone != "auto" or self.inception_weights is not None:
            obtain_network(
                job.backbone,
                dataset.spec,
                self.cache_root,
                self.inception_weights,
                self.display.report,
            )

    def reference(self, job: Job) -> Reference:
        """Prepare the real side of a job's scores, once a dataset."""
        dataset = self.dataset(job)
        key = (dataset.fingerprint, job.backbone)
        if key not in self._references:
            is_classified = dataset.spec.kind == "image"
            if is_classified and (notice := training_notice(dataset, self.cache_root)):
                self.display.say_once(notice, notice)
            backbone = obtain_backbone(
                job.backbone,
                dataset,
                self.device.torch,
                self.cache_root,
                self.inception_weights,
                self.display.report,
            )
            reason = f"{dataset.spec.name}: {backbone.reason}"
            self.display.say_once(reason, reason)
            self._references[key] = Reference.of(
                dataset, backbone, self.cache_root, self.display.report
            )
        return self._references[key]

    def training_split(self, job: Job) -> Split:
        """Bring a dataset's training images to a job's size, once; they are on the CPU.

        Raises:
            DataError: The dataset is not there or cannot be read, or the cache cannot be written.
        """
        dataset = self.dataset(job)
        key = (dataset.fingerprint, job.image_size)
        if key not in self._splits:
            self._splits[key] = training_split(
                dataset, job.image_size, self.cache_root, self.display.report
            )
        return self._splits[key]

    def session(self, job: Job) -> Session:
        """Build a job's networks, and lay its images on the device where they fit.

        Raises:
            DataError: The dataset is not there or cannot be read, or the cache cannot be written.
            VariantFailure: The variant's code raised something.
        """
        train = self.training_split(job)
        placement = place(train.images, self.device)
        size = f"{job.image_size}×{job.image_size}"
        what = "points" if job.spec.kind == "points" else f"images of {size}"
        line = f"{job.spec.name}: {what} {placement.reason}"
        if placement.streamed:  # which may be slower
            self.display.say_once(f"{what} of {job.spec.name}", line)
        else:
            self.display.debug(line)
        if not (placement.streamed or self.device.kind == "cpu"):
            where = self.device.torch
            train = Split(train.images.to(where), train.labels.to(where))
        with variant_code(job):
            return build_session(
                job, train, self.device, streamed=placement.streamed, ranks=self.ranks
            )


def build_session(
    job: Job,
    train: Split,
    device: Device,
    *,
    streamed: bool = False,
    ranks: Ranks | None = None,
) -> Session:
    """Build a job's networks around its training images.

    What the variant's code changes in torch's settings meanwhile is put back.

    Args:
        job: Gives the variant, its numbers and the seed.
        train: The job's own images at its size, or noise of their shape; on the device unless
            they are streamed.
        device: Where the networks run.
        streamed: Whether batches are brought to the device one after the other.
        ranks: This process among those of the run, where there are several.

    Raises:
        ContractError: The variant's file is no longer what it was when the job was planned.
    """
    with preserved_settings():
        (resolved,) = resolve([job.request])
        if resolved.source_hash != job.source_hash:
            raise ContractError(
                f"{resolved.origin} has changed since the command began: give it again, "
                "with another --out or with --fresh"
            )
        recipe = resolved.variant.recipe.override(job.recipe)
        state = TrainState.create(
            resolved.variant, recipe, job.spec, device.torch, job.seed, job.execution
        )
        return Session(
            state=state,
            train=train,
            spec=job.spec,
            device=device,
            seed=job.seed,
            execution=job.execution,
            streamed=streamed,
            budget=job.budget,
            ranks=ranks,
        )

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
from ganbench.scoring.backbones.backbone import obtain_backbone, obtain_network
from ganbench.scoring.evaluate import Reference
from ganbench.training.batches import place
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device

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
    """

    folder: ResultsFolder
    device: Device
    data_root: Path
    cache_root: Path
    display: Display
    inception_weights: Path | None = None
    command: str = ""
    is_shared: bool = False
    _datasets: dict[tuple[str, int], Dataset] = field(default_factory=dict)
    _references: dict[tuple[str, str], Reference] = field(default_factory=dict)
    _splits: dict[tuple[str, int], Split] = field(default_factory=dict)
    _told: set[tuple[str, int, bool]] = field(default_factory=set)

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
        dataset = self.dataset(job)
        judges = self.cache_root / "classifiers"
        if not any(judges.glob(f"{dataset.fingerprint}-*")):
            cache.folder(judges)
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
            backbone = obtain_backbone(
                job.backbone,
                dataset,
                self.device.torch,
                self.cache_root,
                self.inception_weights,
                self.display.report,
            )
            self.display.say(f"{dataset.spec.name}: {backbone.reason}")
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
        """Build a job's networks, and lay its images on the device where they fit."""
        train = self.training_split(job)
        placement = place(train.images, self.device)
        key = (job.spec.name, job.image_size, placement.streamed)
        if key not in self._told:
            self._told.add(key)
            size = f"{job.image_size}×{job.image_size}"
            self.display.say(f"{job.spec.name}: images of {size} {placement.reason}")
        if not (placement.streamed or self.device.kind == "cpu"):
            where = self.device.torch
            train = Split(train.images.to(where), train.labels.to(where))
        return build_session(job, train, self.device, streamed=placement.streamed)


def build_session(job: Job, train: Split, device: Device, *, streamed: bool = False) -> Session:
    """Build a job's networks around its training images.

    Args:
        job: Gives the variant, its numbers and the seed.
        train: The job's own images at its size, or noise of their shape; on the device unless
            they are streamed.
        device: Where the networks run.
        streamed: Whether batches are brought to the device one after the other.

    Raises:
        ContractError: The variant's file is no longer what it was when the job was planned.
    """
    (found,) = resolve([job.request])
    if found.source_hash != job.source_hash:
        raise ContractError(
            f"{found.origin} has changed since the command began: give it again, "
            "with another --out or with --fresh"
        )
    recipe = found.variant.recipe.override(job.recipe)
    return Session(
        state=TrainState.create(
            found.variant, recipe, job.spec, device.torch, job.seed, job.execution
        ),
        train=train,
        spec=job.spec,
        device=device,
        seed=job.seed,
        execution=job.execution,
        streamed=streamed,
        budget=job.budget,
    )

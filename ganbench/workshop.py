"""What the jobs of a plan share: places, the device, and what was read before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench import data
from ganbench.data import cache
from ganbench.data.dataset import Dataset, Split, resize
from ganbench.evaluate import Reference
from ganbench.features import obtain_backbone, real_features
from ganbench.registry import resolve
from ganbench.session import Session
from ganbench.step import TrainState
from ganbench.store import ResultsFolder

if TYPE_CHECKING:
    from ganbench.device import Device
    from ganbench.plan import Job
    from ganbench.progress import Display

__all__ = ["Workshop"]


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
        grey = dataset.spec.channels == 1  # for which `auto` takes the classifier
        if job.backbone == "inception" or (job.backbone == "auto" and not grey):
            self.reference(job)

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

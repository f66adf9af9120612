"""The classifier of a dataset: from the package, from the cache, or trained.

Those of `digits`, `mnist` and `triangles` ship with the package, so that their scores can be
compared between machines of any kind. `published/README.md` says how they were made. The classifier
of stacked digits is that of the single ones, which sees one channel at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ganbench.data.cache import is_intact, say_damaged, whole
from ganbench.data.catalogue import SPECS, STACKED_DIGITS
from ganbench.data.dataset import ignore_progress
from ganbench.errors import DataError
from ganbench.machine.memory import release_host_memory
from ganbench.scoring.backbones.classifier_network import (
    VERSION,
    Classifier,
    ClassifierNetwork,
    read_classifier,
)
from ganbench.scoring.backbones.classifier_plan import TrainingPlan, batch_and_steps_of
from ganbench.scoring.backbones.classifier_process import train_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.data.dataset import Dataset, Progress
    from ganbench.variant.definition import DatasetSpec

    Trainer = Callable[[TrainingPlan, Dataset, Path, Callable[[int], None]], None]

__all__ = [
    "PUBLISHED",
    "classifier_file",
    "obtain_classifier",
    "training_notice",
    "training_seconds",
]

PUBLISHED = Path(__file__).parent / "published"
"""The folder of the classifiers that ship with the package."""

_SECONDS_A_PIXEL = {1: 3e-6, 3: 9e-6}  # of a training image, on one thread; by channels
_LARGEST_MAP = 16  # pixels across, from which on images cost no more
_MINUTE = 60
_START_SECONDS = 5
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 22  # the last record of a zip file without a comment


def classifier_file(
    dataset: Dataset, cache_root: Path, most_images: int | None = None, published: Path = PUBLISHED
) -> Path:
    """The file with the classifier of a dataset: that of the package, or its place in the cache."""
    if dataset.spec.name in STACKED_DIGITS:
        single = STACKED_DIGITS[dataset.spec.name]
        files = published.glob(f"{single}-*-{VERSION}.npz")
        return next(files, published / f"{single}-{VERSION}.npz")
    if most_images is None:
        shipped = next(published.glob(f"*-{dataset.fingerprint}-{VERSION}.npz"), None)
        if shipped is not None:
            return shipped
    brief = "" if most_images is None else f"-{most_images}"
    return cache_root / "classifiers" / f"{dataset.fingerprint}-{VERSION}{brief}.npz"


def training_notice(dataset: Dataset, cache_root: Path) -> str:
    """Say how long the training of a dataset's classifier will take; empty where there is one."""
    if classifier_file(dataset, cache_root).exists():
        return ""
    spec, seconds = dataset.spec, training_seconds(dataset.spec)
    unit, count = ("minutes", seconds / _MINUTE) if seconds > 2 * _MINUTE else ("seconds", seconds)
    return (
        f"{spec.name}: its classifier is trained first, once, on the CPU by one thread so that "
        f"its weights are the same everywhere: about {count:.0f} {unit}"
    )


def training_seconds(spec: DatasetSpec, published: Path = PUBLISHED) -> float:
    """About how long the training of a dataset's classifier takes; 0 where one is shipped."""
    if spec.kind != "image" or spec.name in STACKED_DIGITS or any(published.glob(f"{spec.name}-*")):
        return 0.0
    batch, steps = batch_and_steps_of(spec.train_count, spec.channels)
    pixels = min(spec.native_size, _LARGEST_MAP) ** 2 * batch * steps
    return _START_SECONDS + pixels * _SECONDS_A_PIXEL[spec.channels]


def obtain_classifier(
    dataset: Dataset,
    device: torch.device,
    cache_root: Path,
    report: Progress = ignore_progress,
    *,
    most_images: int | None = None,
    published: Path = PUBLISHED,
    trainer: Trainer = train_apart,
) -> Classifier:
    """Take the classifier of a dataset from the package or the cache, or train it.

    It is trained at the dataset's native size on the CPU, with a fixed seed and generators of its
    own: the global random state is not touched. The key is the dataset's fingerprint. For stacked
    digits it is the package's classifier of single ones, which names the digit of one channel.

    Args:
        dataset: Its training split is learnt, its test split gives the accuracy.
        device: Where the network is left.
        cache_root: Its folder `classifiers` holds one file per dataset.
        report: Called with the progress of the training, and with the accuracy at its end.
        most_images: Images seen in training at most; if left out, 180,000 grey or 300,000 colour
            ones. Another number is another classifier, which the cache keeps apart.
        published: Folder of the classifiers that need no training.
        trainer: Writes a trained classifier to a file.

    Raises:
        DataError: The cache cannot be written, or the training failed.
    """
    spec, path = dataset.spec, classifier_file(dataset, cache_root, most_images, published)

    # One of an earlier version has no checksums, but those of a zip file
    is_damaged = path.exists() and not _ends_as_zip(path) and not is_intact(path)
    classifier = None if is_damaged else _read(path, spec)
    if classifier is None:
        if path.parent == published:
            raise DataError(f"{path} is damaged: install ganbench again")
        if path.exists() and not is_damaged:
            say_damaged(path, "it holds no such classifier")
        plan = TrainingPlan.of(dataset, most_images)
        text = f"training the classifier of {spec.name}"
        with whole(path, sealed=True) as temporary:
            trainer(plan, dataset, temporary, lambda step: report(text, step, plan.steps))
        release_host_memory()
        classifier = _read(path, spec)
        if classifier is None:
            raise DataError(f"{path} cannot be read, though it was just written: remove it")
        named = f"the classifier of {spec.name} names {classifier.accuracy:.1%} of the test images"
        report(named, plan.steps, plan.steps)
    classifier.network.to(device)
    return classifier


def _ends_as_zip(path: Path) -> bool:
    """Whether nothing stands behind the end of a zip file, as one with checksums has it."""
    try:
        return path.read_bytes()[-_ZIP_END_BYTES:].startswith(_ZIP_END)
    except OSError:
        return False


def _read(path: Path, spec: DatasetSpec) -> Classifier | None:
    if spec.name in STACKED_DIGITS:
        spec = SPECS[STACKED_DIGITS[spec.name]]
    with torch.random.fork_rng(devices=[]):  # the network's initial weights are random, and unused
        network = ClassifierNetwork(spec.channels, spec.native_size, len(spec.class_names))
    return read_classifier(path, network)
